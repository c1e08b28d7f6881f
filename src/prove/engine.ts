import { execa } from 'execa';
import { Problem } from '../problem.ts';

/** What a command of the engine printed; `code` is its exit code. */
export interface Outcome {
  code: number;
  stdout: string;
  /** stdout and stderr, in the order printed. */
  all: string;
}

export interface RunOptions {
  /** Variables that the command itself sees, such as the values of build secrets. */
  env?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is ended. */
  timeout?: number;
  signal?: AbortSignal;
}

/** Docker or Podman, through its command line. Tests put a recorded one in its place. */
export interface Engine {
  name: EngineName;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
}

export const ENGINES = ['docker', 'podman'] as const;
export type EngineName = (typeof ENGINES)[number];

/** A command line as an engine. A command that fails is an outcome, not an exception. */
export function commandLine(name: EngineName, signal?: AbortSignal): Engine {
  return {
    name,
    run: async (args, options = {}) => {
      const { exitCode, stdout, all } = await execa(name, args, {
        reject: false,
        all: true,
        stdin: 'ignore',
        cancelSignal: options.signal ?? signal,
        timeout: options.timeout ?? 600_000,
        env: options.env ?? {},
        forceKillAfterDelay: 2000,
      });
      return { code: exitCode ?? 1, stdout: stdout ?? '', all: all ?? '' };
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
): Promise<Engine> {
  const names = wanted ? [wanted] : ENGINES;
  const answers: string[] = [];
  for (const name of names) {
    const engine = open(name);
    const { code, all } = await engine.run(
      ['info', '--format', '{{.Host}}{{.ServerVersion}}'].slice(0, 1),
      { timeout: 20_000 },
    );
    if (code === 0) return engine;
    if (!/ENOENT|not found/.test(all) && all)
      answers.push(`${name}: ${all.trim().split('\n').at(-1)}`);
  }
  throw new Problem(
    answers.length
      ? `no container engine answers (${answers.join('; ')}): start it, then run again`
      : `prove builds the image on this machine and needs ${names.join(' or ')} on PATH; nothing was done`,
  );
}

const LABEL = 'phoenix-fly.prove';

/** What one proof made: names that no other proof has, and the way to remove all of it. */
export class Made {
  readonly id: string;
  private readonly engine: Engine;

  constructor(engine: Engine, id: string) {
    this.engine = engine;
    this.id = id;
  }

  get label(): string {
    return `${LABEL}=${this.id}`;
  }

  name(part: string): string {
    return `phoenix-fly-${this.id}-${part}`;
  }

  get image(): string {
    return `localhost/phoenix-fly-prove:${this.id}`;
  }

  /** Removes containers, network and image that carry this proof's label. Layers stay in the engine's build cache. */
  async remove(): Promise<void> {
    const list = async (...args: string[]) =>
      (await this.engine.run([...args, '--filter', `label=${this.label}`])).stdout
        .split('\n')
        .filter(Boolean);
    const containers = await list('ps', '--all', '--quiet');
    if (containers.length) await this.engine.run(['rm', '--force', '--volumes', ...containers]);
    const networks = await list('network', 'ls', '--quiet');
    if (networks.length) await this.engine.run(['network', 'rm', ...networks]);
    await this.engine.run(['rmi', '--force', this.image]);
  }
}
