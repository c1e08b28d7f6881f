import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Change } from './file.ts';
import { Problem } from './problem.ts';

interface Staged {
  path: string;
  target: string;
  temp: string;
  before: string | undefined;
  mode: number | undefined;
}

/**
 * Writes all changes or none. New contents are first written and flushed beside their targets, then renamed over them;
 * a failure puts back what was there and removes the temporary files and the folders it made.
 * @throws Problem when a file changed since it was read, a symbolic link or folder is in the way, or the disk refuses
 */
export function apply(root: string, changes: readonly Change[]): void {
  const staged: Staged[] = [];
  const folders: string[] = [];
  const done: Staged[] = [];
  try {
    for (const change of changes) staged.push(stage(root, change, folders));
    for (const one of staged) {
      refuseStale(root, one);
      renameSync(one.temp, one.target);
      done.push(one);
    }
  } catch (error) {
    for (const one of done.reverse()) restore(one);
    for (const one of staged) rmSync(one.temp, { force: true });
    for (const folder of folders.reverse()) removeEmpty(folder);
    throw Problem.from(error, 'nothing was written');
  }
}

function stage(root: string, change: Change, folders: string[]): Staged {
  const target = join(root, change.path);
  makeFolders(root, dirname(change.path), folders);
  const there = lstatSync(target, { throwIfNoEntry: false });
  if (there?.isSymbolicLink()) throw new Problem(`nothing was written: ${change.path} is a symbolic link; replace it with a file, then run again`);
  if (there && !there.isFile()) throw new Problem(`nothing was written: ${change.path} is a folder; move it out of the way, then run again`);
  const one: Staged = { path: change.path, target, temp: `${target}.${randomUUID()}.tmp`, before: change.before, mode: there && there.mode & 0o7777 };
  refuseStale(root, one);
  try {
    writeFlushed(one.temp, change.after, one.mode);
  } catch (error) {
    rmSync(one.temp, { force: true });
    throw Problem.from(error, `nothing was written: can't write ${change.path}`);
  }
  return one;
}

function writeFlushed(path: string, text: string, mode: number | undefined): void {
  const file = openSync(path, 'wx', mode ?? 0o666);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (mode !== undefined) chmodSync(path, mode);
}

function refuseStale(root: string, { path, before }: Staged): void {
  const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
  const now = stat ? readFileSync(join(root, path), 'utf8') : undefined;
  if (now !== before) throw new Problem(`nothing was written: ${path} changed meanwhile; run again`);
}

/** Makes the folders of a path one by one, never through a symbolic link. */
function makeFolders(root: string, folder: string, made: string[]): void {
  let full = root;
  for (const part of folder.split('/').filter((name) => name !== '.')) {
    full = join(full, part);
    const stat = lstatSync(full, { throwIfNoEntry: false });
    if (stat?.isDirectory()) continue;
    if (stat) throw new Problem(`nothing was written: ${folder} is ${stat.isSymbolicLink() ? 'a symbolic link' : 'a file'} where a folder is needed`);
    try {
      mkdirSync(full);
    } catch (error) {
      throw Problem.from(error, `nothing was written: can't make the folder ${folder}`);
    }
    made.push(full);
  }
}

function restore({ target, temp, before, mode }: Staged): void {
  if (before === undefined) return rmSync(target, { force: true });
  writeFlushed(temp, before, mode);
  renameSync(temp, target);
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something else was put there meanwhile; it is not ours to remove.
  }
}
