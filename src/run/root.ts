import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Problem } from '../problem.ts';
import { ask, atTerminal } from './prompt.ts';
import type { Invocation } from './terminal.ts';

/**
 * The folder of the Phoenix app: `dest`; without it the nearest folder at or above the current one that holds mix.exs
 * (for an app of an umbrella: the umbrella); without that the answer of a person at a terminal.
 * @throws Problem when there is none
 */
export async function findRoot(dest: string | undefined, { cwd }: Invocation): Promise<string> {
  if (dest !== undefined) {
    const folder = resolveFolder(cwd, dest);
    if (existsSync(folder)) return folder;
    throw new Problem(`there is no folder ${dest}: give the Phoenix app's folder with --dest`);
  }
  const root = nearestMixProject(cwd);
  if (root) return root;
  if (!atTerminal())
    throw new Problem(
      'no mix.exs here or above: name the Phoenix app with --dest, for example --dest ../shop',
    );
  const answer = await ask({
    message: 'Folder of the Phoenix app?',
    validate: (folder) =>
      existsSync(join(resolveFolder(cwd, folder), 'mix.exs')) || `there is no mix.exs in ${folder}`,
  });
  return resolveFolder(cwd, answer);
}

/** Shells leave the ~ in --dest=~/shop to the program. */
const resolveFolder = (cwd: string, folder: string): string =>
  resolve(cwd, folder.trim().replace(/^~(?=\/|$)/, homedir()));

function nearestMixProject(folder: string): string | undefined {
  if (existsSync(join(folder, 'mix.exs'))) {
    const umbrella = resolve(folder, '../..');
    const isUmbrellaApp = /\/apps\/[^/]+$/.test(folder) && existsSync(join(umbrella, 'mix.exs'));
    return isUmbrellaApp ? umbrella : folder;
  }
  const parent = dirname(folder);
  return parent === folder ? undefined : nearestMixProject(parent);
}
