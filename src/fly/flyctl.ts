import { spawn, spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, isAbsolute } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { isInside, repoOf } from '../tree.ts';

/** Both names are installed; `fly` alone may be another program (Concourse has one). */
const NAMES = ['flyctl', 'fly'];
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

const environment = (folder: string): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: trustedPath(folder),
  FLY_NO_UPDATE_CHECK: '1',
  NO_COLOR: '1',
});

/** Why flyctl said nothing useful: it isn't there, or it is and could not answer. */
export type Silence = 'absent' | 'failed';

/**
 * What a command of flyctl prints, notices on stderr left out. Never throws and never asks: without flyctl, a login, the
 * network or an answer before `deadline` (milliseconds since 1970) it is a Silence.
 * @param folder of the repo, in which no flyctl is looked for
 */
export async function askFlyctl(
  folder: string,
  args: readonly string[],
  deadline: number,
  names: readonly string[] = NAMES,
): Promise<{ text: string } | Silence> {
  const [name, ...others] = names;
  if (name === undefined) return 'absent';
  const answer = await new Promise<{ text: string } | Silence>((resolve) => {
    const child = spawn(name, args, {
      env: environment(folder),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    child.stdout.on('data', (data: Buffer) => (text += data.toString()));
    child.on('error', () => resolve('absent'));
    child.on('close', (code) => resolve(code === 0 ? { text } : 'failed'));
    setTimeout(
      () => {
        child.kill('SIGKILL');
        // A process of its own that it leaves behind would keep the pipe, and with it this program
        child.stdout.destroy();
        child.unref();
        resolve('failed');
      },
      Math.max(deadline - Date.now(), 0),
    ).unref();
  });
  return answer === 'absent' ? askFlyctl(folder, args, deadline, others) : answer;
}

/**
 * What `fly config validate --strict` finds wrong with the fly.toml in a folder; nothing when flyctl is missing, not
 * logged in or slow. The check itself runs on this computer (flyctl internal/appconfig/validation.go, 2026-08).
 */
export function validateFlyToml(folder: string): string[] {
  for (const name of NAMES) {
    const { error, status, stdout } = spawnSync(
      name,
      ['config', 'validate', '--strict', '--config', 'fly.toml'],
      {
        cwd: folder,
        env: environment(folder),
        stdio: ['ignore', 'pipe', 'ignore'],
        encoding: 'utf8',
        timeout: PATIENCE,
        killSignal: 'SIGKILL',
      },
    );
    // Not there, or nothing that can be run; a time-out leaves a status of null
    if (error && 'code' in error && error.code !== 'ETIMEDOUT') continue;
    if (status === 0 || !stdout.includes('Validating')) return [];
    return stripVTControlCharacters(stdout)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line && !/^(Validating|✓|✘|Strict validation found)/.test(line))
      .map((line) => line.replace(/^- /, 'it knows no '));
  }
  return [];
}
