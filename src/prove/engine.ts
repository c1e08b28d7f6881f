import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../problem.ts';

export type Variables = Readonly<Record<string, string>>;

/** What a command of the engine printed: `all` is stdout and stderr, in the order printed. */
export interface Outcome {
  code: number;
  stdout: string;
  all: string;
}

/** `env`: variables that the command itself sees, such as the values of secrets. `cleans`: runs also after Ctrl-C. */
interface Options {
  env?: Variables;
  timeout?: number;
  cleans?: boolean;
}

/** Docker or Podman, through its command line. Tests put a recorded one in its place. */
export interface Engine {
  name: string;
  /** Where it runs: Podman's conmon leaves a file `oom` there. */
  folder: string;
  /** A command that fails is an outcome, not an exception. */
  run(args: readonly string[], options?: Options): Promise<Outcome>;
  /** Waits between two looks. @throws Error after Ctrl-C */
  pause(milliseconds: number): Promise<unknown>;
}

export const ENGINES = ['docker', 'podman'] as const;
type EngineName = (typeof ENGINES)[number];

/** Arguments as one types them: what stands in `${}` is one argument, a list is several. */
export const words = (texts: TemplateStringsArray, ...values: (string | readonly string[])[]) =>
  texts.flatMap((text, index) => [
    ...text.split(/\s+/).filter(Boolean),
    ...[values[index] ?? []].flat(),
  ]);

/** A command line as an engine. @param signal of Ctrl-C */
export function commandLine(name: EngineName, folder: string, signal?: AbortSignal): Engine {
  return {
    name,
    folder,
    run: async (args, { env = {}, timeout = 600_000, cleans = false } = {}) => {
      const { execa } = await import('execa');
      const { exitCode, stdout, all } = await execa(name, args, {
        reject: false,
        all: true,
        cwd: folder,
        stdin: 'ignore',
        forceKillAfterDelay: 2000,
        env,
        timeout,
        cancelSignal: cleans ? undefined : signal,
      });
      return { code: exitCode ?? 1, stdout, all };
    },
    pause: (milliseconds) => sleep(milliseconds, undefined, { signal }),
  };
}

const PAUSE = 300;

/**
 * Asks until there is an answer. On a busy machine an answer may come late: the last question is asked after the time is over.
 * @param patience milliseconds @param ask is told how many have passed
 */
export async function until<Answer>(
  { pause }: Engine,
  patience: number,
  ask: (waited: number) => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  const began = Date.now();
  for (let paused = 0; ; paused += PAUSE) {
    const waited = Math.max(paused, Date.now() - began);
    const answer = await ask(waited);
    if (answer !== undefined || waited >= patience) return answer;
    await pause(PAUSE);
  }
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
  open: (name: EngineName) => Engine,
): Promise<Engine> {
  const silent: string[] = [];
  for (const engine of (wanted ? [wanted] : ENGINES).map(open)) {
    const answer = await engine.run(['info'], { timeout: 60_000 });
    if (answer.code === 0) return engine;
    // One that isn't there printed nothing
    if (answer.all) silent.push(`${engine.name}: ${lastLine(answer)}`);
  }
  throw new Problem(
    silent.length
      ? `no container engine answers (${silent.join('; ')}): start it, then run again`
      : `prove builds the image on this machine and needs ${wanted ?? ENGINES.join(' or ')} on PATH; nothing was done`,
  );
}
