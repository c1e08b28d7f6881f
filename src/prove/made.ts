import { randomBytes } from 'node:crypto';
import { Problem } from '../problem.ts';
import { type Engine, lastLine, words } from './engine.ts';

const REMOVALS = 4;

/** What one proof makes: names and addresses that no other proof has, and the commands that remove all of it. */
export class Made {
  private readonly id = randomBytes(4).toString('hex');
  private readonly containers: string[] = [];
  readonly label = `phoenix-fly.prove=${this.id}`;
  readonly image = `localhost/phoenix-fly-prove:${this.id}`;
  /** Of the network and of the volume. */
  readonly name = `phoenix-fly-${this.id}`;
  /** A /64 of its own (RFC 4193). */
  private readonly prefix = `fd00:${this.id.replace(/^.{4}/, '$&:')}:1::`;
  ipv6 = true;

  /** A network with IPv6, as on Fly, where the engine can; Docker before 27 wants the subnet named. @throws Problem when it makes none */
  async makeNetwork(engine: Engine): Promise<void> {
    const create = (options: string[]) =>
      engine.run(words`network create --label ${this.label} ${options} ${this.name}`);
    this.ipv6 = (await create(words`--ipv6 --subnet ${`${this.prefix}/64`}`)).code === 0;
    if (this.ipv6) return;
    const plain = await create([]);
    if (plain.code) throw new Problem(`${engine.name} makes no network: ${lastLine(plain)}`);
  }

  /** A name, an address (undefined without IPv6), and the options of `run` that give both to a container. */
  container(part: string) {
    const index = this.containers.length + 2;
    const name = `${this.name}-${part}-${index}`;
    const address = this.ipv6 ? `${this.prefix}${index}` : undefined;
    this.containers.push(name);
    const ip6 = address ? ['--ip6', address] : [];
    return {
      name,
      address,
      options: words`--name ${name} --label ${this.label} --network ${this.name} ${ip6}`,
    };
  }

  /** Layers stay in the engine's build cache. */
  get removal(): string[][] {
    return [
      // One by one: Podman 4 stops at a name that isn't there
      ...this.containers.map((name) => ['rm', '--force', '--volumes', name]),
      ['network', 'rm', this.name],
      ['volume', 'rm', '--force', this.name],
      ['rmi', '--force', '--no-prune', this.image],
    ];
  }

  /** Again, where the engine was busy with what is to go. */
  async remove(engine: Engine): Promise<void> {
    for (let round = 1; round <= REMOVALS; round++) {
      const refused: string[] = [];
      for (const args of this.removal) {
        const { code, all } = await engine.run(args, { cleans: true, timeout: 60_000 });
        if (code !== 0 && !/no such|not found|not known/i.test(all)) refused.push(all);
      }
      if (refused.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, round * 500));
    }
  }
}
