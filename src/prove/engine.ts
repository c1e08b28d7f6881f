import { setTimeout as sleep } from 'node:timers/promises';
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
  /**
   * A command that fails is an outcome, not an exception.
   * `env`: variables that the command itself sees, such as the values of secrets. `cleans`: runs also after Ctrl-C.
   */
  run(
    args: readonly string[],
    options?: { env?: Variables; timeout?: number; cleans?: boolean },
  ): Promise<Outcome>;
  /** Waits between two looks. @throws Error after Ctrl-C */
  pause(milliseconds: number): Promise<unknown>;
}

/** The code of a command that was ended for taking too long, as timeout(1) has it. */
export const TIMED_OUT = 124;

export const ENGINES = ['docker', 'podman'] as const;
type EngineName = (typeof ENGINES)[number];

/** Arguments as one types them: what stands in `${}` is one argument, a list is several. */
export const argv = (texts: TemplateStringsArray, ...values: (string | readonly string[])[]) =>
  texts.flatMap((text, index) => [
    ...text.split(/\s+/).filter(Boolean),
    ...[values[index] ?? []].flat(),
  ]);

/** A command line as an engine. @param cwd Podman's conmon leaves a file `oom` there @param signal of Ctrl-C */
export const commandLine = (name: EngineName, cwd: string, signal: AbortSignal): Engine => ({
  name,
  run: async (args, { env = {}, timeout = 600_000, cleans = false } = {}) => {
    const { execa } = await import('execa');
    const cancelSignal = cleans ? undefined : signal;
    const fixed = { reject: false, all: true, stdin: 'ignore', forceKillAfterDelay: 2000 } as const;
    const result = await execa(name, args, { ...fixed, cwd, env, timeout, cancelSignal });
    const code = result.timedOut ? TIMED_OUT : (result.exitCode ?? 1);
    return { code, stdout: result.stdout, all: result.all };
  },
  pause: (milliseconds) => sleep(milliseconds, undefined, { signal }),
});

const PAUSE = 300;

/**
 * Asks until there is an answer; once more when the time is over, for a busy machine answers late.
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

/** The first engine that answers. @throws Problem when none is installed, or none runs */
export async function findEngine(engines: readonly Engine[]): Promise<Engine> {
  const complaints: string[] = [];
  for (const engine of engines) {
    const answer = await engine.run(['info'], { timeout: 60_000 });
    if (answer.code === 0) return engine;
    // One that isn't there printed nothing
    if (answer.all) complaints.push(`${engine.name}: ${lastLine(answer)}`);
  }
  const names = engines.map(({ name }) => name).join(' or ');
  throw new Problem(
    complaints.length
      ? `no container engine answers (${complaints.join('; ')}): start it, then run again`
      : `prove builds the image on this machine and needs ${names} on PATH; nothing was done`,
  );
}
