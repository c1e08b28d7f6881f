import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Change } from '../plan/file.ts';
import { Problem } from '../problem.ts';
import { oneRunOnly, removeQuietly, uninterrupted } from './lock.ts';

/** A change whose new content waits in a staging folder; `old` keeps what it replaces. */
interface Staged extends Change {
  target: string;
  new: string;
  old: string;
}

/**
 * Writes all changes or none. New contents are staged in a private folder, then renamed over the old ones in one go;
 * when a rename fails, those before it are put back. A kill -9 amid the renames may leave some of both: the next run
 * completes it, since a plan holds what is missing. (write-file-atomic does this for one file; ours are several.)
 * @throws Problem when a file changed since it was read, a symbolic link or folder is in the way, or the disk refuses
 */
export function apply(root: string, changes: readonly Change[]): void {
  try {
    const real = realpathSync(root);
    uninterrupted(() => oneRunOnly(real, () => writeAll(real, changes)));
  } catch (error) {
    throw Problem.from(error, 'nothing was written');
  }
}

/** @param beside stage next to each target only: two mounts of one disk look like one, until the first rename */
function writeAll(root: string, changes: readonly Change[], beside = false): void {
  const staging = new Map<string, string>();
  const undo: (() => void)[] = [];
  let [kept, again] = [false, false];
  try {
    const folders = newFolders(root, changes);
    for (const change of changes) refuse(root, change);
    const staged = changes.map((change, index) => stage(root, change, index, staging, beside));
    for (const folder of folders) {
      mkdirSync(join(root, folder));
      undo.push(() => rmdirSync(join(root, folder)));
    }
    for (const file of staged) {
      newFolders(root, [file]);
      refuse(root, file);
      put(file);
      undo.push(() => takeBack(file));
    }
    for (const file of staged) verify(file);
  } catch (error) {
    kept = !takeAllBack(undo);
    if (kept)
      throw new Problem(
        `${(error as Error).message}; and not all could be put back: what the files held before lies in ${[...staging.values()].join(', ')}`,
      );
    again = !beside && (error as NodeJS.ErrnoException).code === 'EXDEV';
    if (!again) throw error;
  } finally {
    if (!kept) for (const folder of staging.values()) removeQuietly(folder);
  }
  if (again) writeAll(root, changes, true);
}

/** @throws Problem when a change can't or must not be made */
function refuse(root: string, { path, before }: Change): void {
  const say = (what: string) => new Problem(`nothing was written: ${path} ${what}, then run again`);
  const target = join(root, path);
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) throw say('is a symbolic link; replace it with a file');
  if (stat?.isDirectory()) throw say('is a folder; move it out of the way');
  if (stat && !stat.isFile()) throw say('is a pipe or a device; move it out of the way');
  const now = stat && readFileSync(target);
  if (now?.toString() !== before) throw changed(path);
  if (now && !now.equals(Buffer.from(before ?? '')))
    throw say('is not UTF-8 text; save it as UTF-8');
  try {
    accessSync(nearest(root, path), constants.W_OK);
  } catch (error) {
    throw Problem.from(error, `nothing was written: can't write ${path}`);
  }
}

const changed = (path: string) =>
  new Problem(`nothing was written: ${path} changed meanwhile; run again`);

/** The folders to make, outer ones first. @throws Problem when one is a symbolic link or a file */
function newFolders(root: string, changes: readonly Change[]): string[] {
  const missing = new Set<string>();
  for (const { path } of changes) {
    for (const { index } of path.matchAll(/\//g)) {
      const folder = path.slice(0, index);
      const stat = lstatSync(join(root, folder), { throwIfNoEntry: false });
      if (stat && !stat.isDirectory())
        throw new Problem(
          `nothing was written: ${folder} is ${stat.isSymbolicLink() ? 'a symbolic link' : 'a file'} where a folder is needed`,
        );
      if (!stat) missing.add(folder);
    }
  }
  return [...missing];
}

/** The innermost folder of a path that is there. */
function nearest(root: string, path: string): string {
  const folder = dirname(path);
  return folder === '.' || lstatSync(join(root, folder), { throwIfNoEntry: false })
    ? join(root, folder)
    : nearest(root, folder);
}

/** Writes a change's new content to where a rename reaches its target. */
function stage(
  root: string,
  change: Change,
  index: number,
  staging: Map<string, string>,
  beside: boolean,
): Staged {
  const target = join(root, change.path);
  const near = nearest(root, change.path);
  const outside = beside ? [] : [tmpdir(), dirname(root)];
  const base = outside.find((folder) => canStage(folder, near)) ?? near;
  const folder = staging.get(base) ?? mkdtempSync(join(base, '.phoenix-fly-'));
  staging.set(base, folder);
  const file = { ...change, target, new: join(folder, `${index}`), old: join(folder, `${index}~`) };
  writeFileSync(file.new, change.after, { flush: true, mode: change.mode ?? 0o666 });
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat) {
    takeAfter(file.new, stat);
    keep(target, file.old, stat);
  }
  return file;
}

/** Whether a folder can be written, and is on the disk of another. */
function canStage(folder: string, near: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory() && statSync(folder).dev === statSync(near).dev;
  } catch {
    return false;
  }
}

function keep(target: string, old: string, stat: Stats): void {
  try {
    linkSync(target, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EXDEV') throw error;
    // Some file systems have no links, and some kernels link nobody else's files
    copyFileSync(target, old);
    takeAfter(old, stat);
  }
}

function takeAfter(path: string, { mode, uid, gid }: Stats): void {
  try {
    chownSync(path, uid, gid);
  } catch {
    // Only root can give files away
  }
  chmodSync(path, mode & 0o7777);
}

/** A new file is linked, which fails where another run made one meanwhile; a rename would replace it. */
function put({ path, before, target, new: content }: Staged): void {
  if (before !== undefined) return renameSync(content, target);
  try {
    linkSync(content, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw changed(path);
    if (code === 'EXDEV') throw error;
    renameSync(content, target);
  }
}

/** @throws Problem when a file doesn't hold what was written, or what it held was edited in that moment */
function verify({ path, before, after, target, old }: Staged): void {
  if (!holds(target, after) || (before !== undefined && !holds(old, before))) throw changed(path);
}

/** Puts the old content back, unless somebody edited the new one. */
function takeBack({ before, after, target, old }: Staged): void {
  if (!holds(target, after)) return;
  if (before === undefined) unlinkSync(target);
  else renameSync(old, target);
}

const holds = (path: string, text: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isFile() === true &&
  readFileSync(path).equals(Buffer.from(text));

/** @returns whether all steps were undone */
function takeAllBack(undo: (() => void)[]): boolean {
  const failed = undo
    .splice(0)
    .reverse()
    .filter((step) => {
      try {
        step();
        return false;
      } catch (error) {
        // Somebody else's file keeps a folder
        return (error as NodeJS.ErrnoException).code !== 'ENOTEMPTY';
      }
    });
  return failed.length === 0;
}
