import { randomBytes } from 'node:crypto';
import { Problem } from '../problem.ts';
import { argv, type Engine, lastLine } from './engine.ts';

/** What one proof makes: names and addresses that no other proof has, and the commands that remove all of it. */
export class Resources {
  private readonly id = randomBytes(4).toString('hex');
  private readonly containers: string[] = [];
  private readonly label = `phoenix-fly.prove=${this.id}`;
  readonly image = `localhost/phoenix-fly-prove:${this.id}`;
  /** Of the network and of the volume. */
  readonly name = `phoenix-fly-${this.id}`;
  /** A /64 of its own (RFC 4193). */
  private readonly prefix = `fd00:${this.id.replace(/^.{4}/, '$&:')}:1::`;
  ipv6 = true;

  /** A network with IPv6, as on Fly, where the engine can; Docker before 27 wants the subnet named. @throws Problem when it makes none */
  async makeNetwork(engine: Engine): Promise<void> {
    const create = (options: string[]) =>
      engine.run(argv`network create --label ${this.label} ${options} ${this.name}`);
    this.ipv6 = (await create(['--ipv6', '--subnet', `${this.prefix}/64`])).code === 0;
    const made = this.ipv6 ? undefined : await create([]);
    if (made?.code) throw new Problem(`${engine.name} makes no network: ${lastLine(made)}`);
  }

  /** A name, an address (undefined without IPv6), and the options of `run` that give both to a container. */
  container(part: string) {
    const index = this.containers.length + 2;
    const name = `${this.name}-${part}-${index}`;
    this.containers.push(name);
    const address = this.ipv6 ? `${this.prefix}${index}` : undefined;
    const ip6 = address ? ['--ip6', address] : [];
    const options = argv`--name ${name} --label ${this.label} --network ${this.name} ${ip6}`;
    return { name, address, options };
  }

  /** Layers stay in the engine's build cache. */
  get removal(): string[][] {
    return [
      // One by one: Podman 4 stops at a name that isn't there
      ...this.containers.map((name) => argv`rm --force --volumes ${name}`),
      argv`network rm ${this.name}`,
      argv`volume rm --force ${this.name}`,
      argv`rmi --force --no-prune ${this.image}`,
    ];
  }

  /** Again, where the engine was busy with what is to go. */
  async remove(engine: Engine): Promise<void> {
    for (const wait of [500, 1000, 2000, 0]) {
      let refused = false;
      for (const args of this.removal) {
        const { code, all } = await engine.run(args, { cleans: true, timeout: 60_000 });
        refused ||= code !== 0 && !/no such|not found|not known/i.test(all);
      }
      if (!refused) return;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
