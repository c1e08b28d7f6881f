import { Problem } from '../problem.ts';

/** What a command of the engine printed; `code` is its exit code. */
export interface Outcome {
  code: number;
  stdout: string;
  /** stdout and stderr, in the order printed. */
  all: string;
}

export interface RunOptions {
  /** Variables that the command itself sees, such as the values of secrets. */
  env?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is ended. */
  timeout?: number;
}

/** Docker or Podman, through its command line. Tests put a recorded one in its place. */
export interface Engine {
  name: string;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
}

export const ENGINES = ['docker', 'podman'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Arguments as one types them: what stands in `${}` is one argument, a list is several. */
export const words = (
  texts: TemplateStringsArray,
  ...values: (string | readonly string[])[]
): string[] =>
  texts.flatMap((text, index) => [
    ...text.split(/\s+/).filter(Boolean),
    ...[values[index] ?? []].flat(),
  ]);

/** A command line as an engine. A command that fails is an outcome, not an exception. @param cancelSignal ends what runs */
export function commandLine(name: EngineName, cancelSignal?: AbortSignal): Engine {
  return {
    name,
    run: async (args, { env = {}, timeout = 600_000 } = {}) => {
      const { execa } = await import('execa');
      const options = {
        reject: false,
        all: true,
        stdin: 'ignore',
        forceKillAfterDelay: 2000,
      } as const;
      const { exitCode, stdout, all } = await execa(name, args, {
        ...options,
        env,
        timeout,
        cancelSignal,
      });
      return { code: exitCode ?? 1, stdout, all };
    },
  };
}

/**
 * The engine that answers: the wanted one, else the first.
 * @throws Problem when none is installed, or none runs
 */
export async function findEngine(
  wanted: EngineName | undefined,
  open: (name: EngineName) => Engine = commandLine,
): Promise<EngineName> {
  const silent: string[] = [];
  for (const name of wanted ? [wanted] : ENGINES) {
    const { code, all } = await open(name).run(['info'], { timeout: 20_000 });
    if (code === 0) return name;
    // One that isn't there printed nothing
    if (all) silent.push(`${name}: ${all.trim().split('\n').at(-1)}`);
  }
  if (silent.length)
    throw new Problem(
      `no container engine answers (${silent.join('; ')}): start it, then run again`,
    );
  throw new Problem(
    `prove builds the image on this machine and needs ${wanted ?? ENGINES.join(' or ')} on PATH; nothing was done`,
  );
}

/** What one proof makes: names that no other proof has, and the way to remove all of it. */
export class Made {
  readonly label: string;
  readonly image: string;
  private readonly id: string;

  constructor(id: string) {
    this.id = id;
    this.label = `phoenix-fly.prove=${id}`;
    this.image = `localhost/phoenix-fly-prove:${id}`;
  }

  name(part: string): string {
    return `phoenix-fly-${this.id}-${part}`;
  }

  /** Containers and network that carry this proof's label, and the image. Layers stay in the engine's build cache. */
  async remove(engine: Engine): Promise<void> {
    const list = async (what: string[]) =>
      (await engine.run(words`${what} --quiet --filter ${`label=${this.label}`}`)).stdout
        .split('\n')
        .filter(Boolean);
    const containers = await list(['ps', '--all']);
    if (containers.length) await engine.run(words`rm --force --volumes ${containers}`);
    const networks = await list(['network', 'ls']);
    if (networks.length) await engine.run(words`network rm ${networks}`);
    await engine.run(words`rmi --force --no-prune ${this.image}`);
  }
}
