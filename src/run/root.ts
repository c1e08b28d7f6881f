import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Problem } from '../problem.ts';
import { ask, atTerminal } from './prompt.ts';
import type { Way } from './terminal.ts';

/**
 * The folder of the Phoenix app: `dest`, else the nearest one at or above the starting one that holds mix.exs (an
 * umbrella's root, if it is in one), else what is answered at a terminal.
 * @throws Problem when there is none
 */
export async function findRoot(dest: string | undefined, { from }: Way): Promise<string> {
  if (dest !== undefined) {
    const folder = inFolder(from, dest);
    if (existsSync(folder)) return folder;
    throw new Problem(`there is no folder ${dest}: give the Phoenix app's folder with --dest`);
  }
  const found = nearest(from);
  if (found) return found;
  if (!atTerminal())
    throw new Problem(
      'no mix.exs here or above: name the Phoenix app with --dest, for example --dest ../shop',
    );
  const answer = await ask({
    message: 'Folder of the Phoenix app?',
    validate: (text) =>
      existsSync(join(inFolder(from, text), 'mix.exs')) || `there is no mix.exs in ${text}`,
  });
  return inFolder(from, answer);
}

/** Shells leave the ~ of --dest=~/shop, and of an answer, to the program. */
const inFolder = (from: string, folder: string): string =>
  resolve(from, folder.trim().replace(/^~(?=\/|$)/, homedir()));

function nearest(start: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    const umbrella = resolve(folder, '../..');
    if (existsSync(join(folder, 'mix.exs')))
      return /\/apps\/[^/]+$/.test(folder) && existsSync(join(umbrella, 'mix.exs'))
        ? umbrella
        : folder;
    if (dirname(folder) === folder) return undefined;
  }
}
