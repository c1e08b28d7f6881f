import { type ExecFileException, execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { isInside, repoOf } from '../tree.ts';

/** Milliseconds that a person waits at most, for all that is asked together. */
export const PATIENCE = 2500;

/** PATH without what a repo could bring along: relative entries, and folders in the repo of `folder`. */
export function trustedPath(folder: string): string {
  // A home that is itself a repo holds flyctl's own folder
  const repo = isInside(homedir(), repoOf(folder)) ? folder : repoOf(folder);
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((entry) => isAbsolute(entry) && !isInside(entry, repo))
    .join(delimiter);
}

/** Why flyctl told nothing. `silent`: not in time, or nothing that can be read. */
export type FlyctlFailure = 'absent' | 'logged out' | 'silent';

interface Answer {
  text: string;
  failure?: FlyctlFailure | undefined;
}

/** Runs flyctl, its notices on stderr left out. By this name, as `fly` may be another program (Concourse has one). */
function run(folder: string, args: readonly string[], deadline: number): Promise<Answer> {
  const options = {
    env: { ...process.env, PATH: trustedPath(folder), FLY_NO_UPDATE_CHECK: '1', NO_COLOR: '1' },
    timeout: Math.max(deadline - Date.now(), 1),
    killSignal: 'SIGKILL',
    maxBuffer: Number.POSITIVE_INFINITY,
  } as const;
  return new Promise((resolve) => {
    const child = execFile('flyctl', args, options, (error, text) =>
      resolve({ text, failure: error ? failureOf(error) : undefined }),
    );
    child.stdin?.end();
  });
}

function failureOf({ code, killed }: ExecFileException): FlyctlFailure {
  if (typeof code === 'string') return 'absent';
  return killed ? 'silent' : 'logged out';
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * What a command of flyctl prints as JSON: the rows of a list, or its one object. Never throws and never asks.
 * @param folder of the repo, in which no flyctl is looked for
 * @param deadline in milliseconds since 1970
 */
export async function askFlyctl(
  folder: string,
  args: readonly string[],
  deadline: number,
): Promise<Row[] | FlyctlFailure> {
  const { text, failure: silence } = await run(folder, args, deadline);
  if (silence) return silence;
  // A sentence that begins with "No" stands where an empty list would (flyctl, 2026-08)
  if (/^no /i.test(text)) return [];
  try {
    const values = [JSON.parse(text)].flat() as unknown[];
    return values.filter((row): row is Row => typeof row === 'object' && row !== null);
  } catch {
    return 'silent';
  }
}

/**
 * What `fly config validate --strict` finds wrong with the fly.toml in a folder; nothing when flyctl is missing, not
 * logged in or slow. The check itself runs on this computer (flyctl internal/appconfig/validation.go, 2026-08).
 */
export async function validateFlyToml(folder: string): Promise<string[]> {
  const args = ['config', 'validate', '--strict', '--config', join(folder, 'fly.toml')];
  const { text, failure: silence } = await run(folder, args, Date.now() + PATIENCE);
  if (!silence || !text.includes('Validating')) return [];
  return stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !/^(Validating|✓|✘|Strict validation found)/.test(line))
    .map((line) => line.replace(/^- /, 'it knows no '));
}
