import { randomBytes } from 'node:crypto';
import { Problem } from '../problem.ts';

export type Variables = Readonly<Record<string, string>>;

/** What a command of the engine printed: `all` is stdout and stderr, in the order printed. */
export interface Outcome {
  code: number;
  stdout: string;
  all: string;
}

/** Docker or Podman, through its command line. Tests put a recorded one in its place. */
export interface Engine {
  name: string;
  /** `env`: variables that the command itself sees, such as the values of secrets. `timeout`: milliseconds. */
  run(args: readonly string[], options?: { env?: Variables; timeout?: number }): Promise<Outcome>;
}

export const ENGINES = ['docker', 'podman'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Arguments as one types them: what stands in `${}` is one argument, a list is several. */
export const words = (texts: TemplateStringsArray, ...values: (string | readonly string[])[]) =>
  texts.flatMap((text, index) => [
    ...text.split(/\s+/).filter(Boolean),
    ...[values[index] ?? []].flat(),
  ]);

const CLEANS = ['rm', 'rmi', 'network rm'];

/** A command line as an engine. A command that fails is an outcome, not an exception. @param signal ends what runs, but not what cleans up */
export function commandLine(name: EngineName, signal?: AbortSignal): Engine {
  return {
    name,
    run: async (args, { env = {}, timeout = 600_000 } = {}) => {
      const { execa } = await import('execa');
      const cleans = CLEANS.some((command) => args.join(' ').startsWith(`${command} `));
      const { exitCode, stdout, all } = await execa(name, args, {
        reject: false,
        all: true,
        stdin: 'ignore',
        forceKillAfterDelay: 2000,
        env,
        timeout,
        cancelSignal: cleans ? undefined : signal,
      });
      return { code: exitCode ?? 1, stdout, all };
    },
  };
}

/** The line that says what is wrong: the last, but for what \`docker info\` prints beside it. */
export const lastLine = ({ all }: Outcome): string => {
  const lines = all.trim().split('\n');
  return lines.findLast((line) => /error|cannot/i.test(line)) ?? lines.at(-1) ?? '';
};

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
    const answer = await open(name).run(['info'], { timeout: 20_000 });
    if (answer.code === 0) return name;
    // One that isn't there printed nothing
    if (answer.all) silent.push(`${name}: ${lastLine(answer)}`);
  }
  const named = wanted ?? ENGINES.join(' or ');
  throw new Problem(
    silent.length
      ? `no container engine answers (${silent.join('; ')}): start it, then run again`
      : `prove builds the image on this machine and needs ${named} on PATH; nothing was done`,
  );
}

/** What one proof makes: names that no other proof has, and the commands that remove all of it. */
export class Made {
  private readonly id = randomBytes(4).toString('hex');
  readonly label = `phoenix-fly.prove=${this.id}`;
  readonly image = `localhost/phoenix-fly-prove:${this.id}`;

  name(part: 'app' | 'once' | 'db' | 'net'): string {
    return `phoenix-fly-${this.id}-${part}`;
  }

  /** Layers stay in the engine's build cache. */
  get removal(): string[][] {
    // One by one: Podman 4 stops at a name that isn't there
    const containers = (['app', 'once', 'db'] as const).map((part) => this.name(part));
    return [
      ...containers.map((name) => ['rm', '--force', '--volumes', name]),
      ['network', 'rm', this.name('net')],
      ['rmi', '--force', '--no-prune', this.image],
    ];
  }
}
