import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Change } from '../plan/file.ts';
import { Problem } from '../problem.ts';
import { oneRunOnly } from './lock.ts';

/** A change whose new content waits in the staging folder; `old` keeps what it replaces. */
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
    const real = fs.realpathSync(root);
    uninterrupted(() => oneRunOnly(real, () => writeAll(real, changes, stagingPlaces(real))));
  } catch (error) {
    throw Problem.from(error, 'nothing was written');
  }
}

/**
 * With a listener, Node hands signals over only when synchronous code is done: what comes meanwhile is dropped, and the
 * run says what it wrote.
 */
function uninterrupted(write: () => void): void {
  const ignore = () => {};
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
  for (const signal of signals) process.on(signal, ignore);
  try {
    write();
  } finally {
    for (const signal of signals) process.off(signal, ignore);
  }
}

/** Folders outside the repo on the same disk, so that a kill leaves nothing in it; else the repo itself. */
function stagingPlaces(root: string): string[] {
  const isUsable = (folder: string) => {
    try {
      fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
      return fs.statSync(folder).isDirectory() && fs.statSync(folder).dev === fs.statSync(root).dev;
    } catch {
      return false;
    }
  };
  return [...[tmpdir(), dirname(root)].filter(isUsable), root];
}

function writeAll(
  root: string,
  changes: readonly Change[],
  [place = root, ...others]: string[],
): void {
  const undo: (() => void)[] = [];
  let isLost = false;
  for (const change of changes) refuse(root, change);
  const staging = fs.mkdtempSync(join(place, '.phoenix-fly-'));
  try {
    const staged = changes.map((change, index) => stage(root, change, join(staging, `${index}`)));
    for (const folder of newFolders(root, changes)) {
      fs.mkdirSync(join(root, folder));
      undo.push(() => fs.rmdirSync(join(root, folder)));
    }
    for (const file of staged) {
      refuse(root, file);
      fs.renameSync(file.new, file.target);
      undo.push(() => takeBack(file));
    }
    for (const { path, target, after } of staged) if (!holds(target, after)) throw changed(path);
  } catch (error) {
    isLost = !takeAllBack(undo);
    if (isLost)
      throw new Problem(
        `${(error as Error).message}; and not all could be put back: what the files held before lies in ${staging}`,
      );
    // Two mounts of one disk look like one, until the first rename
    const isElsewhere = (error as NodeJS.ErrnoException).code === 'EXDEV';
    if (!isElsewhere || others.length === 0) throw error;
    writeAll(root, changes, others);
  } finally {
    if (!isLost) fs.rmSync(staging, { recursive: true, force: true });
  }
}

/** @throws Problem when a change can't or must not be made */
function refuse(root: string, change: Change): void {
  const { path, before } = change;
  const say = (what: string) => new Problem(`nothing was written: ${path} ${what}`);
  newFolders(root, [change]);
  const target = join(root, path);
  const stat = fs.lstatSync(target, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink())
    throw say('is a symbolic link; replace it with a file, then run again');
  if (stat?.isDirectory()) throw say('is a folder; move it out of the way, then run again');
  if (stat && !stat.isFile())
    throw say('is a pipe or a device; move it out of the way, then run again');
  const now = stat && fs.readFileSync(target);
  if (now?.toString() !== before) throw changed(path);
  if (now && !now.equals(Buffer.from(before ?? '')))
    throw say('is not UTF-8 text; save it as UTF-8, then run again');
  try {
    fs.accessSync(nearest(root, path), fs.constants.W_OK);
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
      const stat = fs.lstatSync(join(root, folder), { throwIfNoEntry: false });
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
  return folder === '.' || fs.lstatSync(join(root, folder), { throwIfNoEntry: false })
    ? join(root, folder)
    : nearest(root, folder);
}

function stage(root: string, change: Change, path: string): Staged {
  const file = { ...change, target: join(root, change.path), new: path, old: `${path}~` };
  fs.writeFileSync(file.new, change.after, { flush: true, mode: change.mode ?? 0o666 });
  const stat = fs.lstatSync(file.target, { throwIfNoEntry: false });
  if (!stat) return file;
  takeAfter(file.new, stat);
  try {
    fs.linkSync(file.target, file.old);
  } catch {
    // Some file systems have no links, and some kernels link nobody else's files
    fs.copyFileSync(file.target, file.old);
    takeAfter(file.old, stat);
  }
  return file;
}

function takeAfter(path: string, { mode, uid, gid }: fs.Stats): void {
  try {
    fs.chownSync(path, uid, gid);
  } catch {
    // Only root can give files away
  }
  fs.chmodSync(path, mode & 0o7777);
}

/** Puts the old content back, unless somebody edited the new one. */
function takeBack({ before, after, target, old }: Staged): void {
  if (!holds(target, after)) return;
  if (before === undefined) fs.unlinkSync(target);
  else fs.renameSync(old, target);
}

const holds = (path: string, text: string): boolean =>
  fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true &&
  fs.readFileSync(path).equals(Buffer.from(text));

/** @returns whether all steps were undone */
function takeAllBack(undo: readonly (() => void)[]): boolean {
  const failed = undo.toReversed().filter((step) => {
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
