import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Change } from '../plan/file.ts';
import { Problem } from '../problem.ts';
import { nothingWritten, withLock } from './run-lock.ts';

/** A change whose new text waits in the staging folder. */
interface StagedChange extends Change {
  target: string;
  newFile: string;
  /** A copy of the file that is replaced. */
  oldFile: string;
}

/**
 * Writes all changes or none. New texts are staged in a private folder, then renamed over the old files in one go; when a
 * rename fails, those before it are undone. A kill -9 amid the renames may leave some of both: the next run completes
 * them, since a plan holds what is missing. (write-file-atomic does this for one file; ours are several.)
 * @throws Problem when a file changed since it was read, a symbolic link or folder is in the way, or the disk refuses
 */
export function writeChanges(root: string, changes: readonly Change[]): void {
  try {
    const realRoot = fs.realpathSync(root);
    withoutSignals(() => withLock(realRoot, () => writeAll(realRoot, changes)));
  } catch (error) {
    const { path, dest = path } = error as NodeJS.ErrnoException & { dest?: string };
    throw Problem.from(error, `nothing was written${dest ? `: ${dest}` : ''}`);
  }
}

/**
 * Node calls signal handlers only when synchronous code is done, so a Ctrl-C while files are written is dropped, and the
 * run reports what it wrote.
 */
function withoutSignals(write: () => void): void {
  const ignore = () => {};
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
  for (const signal of signals) process.on(signal, ignore);
  try {
    write();
  } finally {
    for (const signal of signals) process.off(signal, ignore);
  }
}

/** Stages in a folder on the repo's disk; the repo itself is the last, as a kill would leave the staging folder there. */
function writeAll(root: string, changes: readonly Change[]): void {
  for (const change of changes) refuseUnsafe(root, change);
  const diskOf = (folder: string) => fs.statSync(folder, { throwIfNoEntry: false })?.dev;
  const parents = [tmpdir(), dirname(root)].filter((folder) => diskOf(folder) === diskOf(root));
  for (const parent of [...parents, root]) {
    try {
      return writeFrom(parent, root, changes);
    } catch (error) {
      // Two mounts of one disk look like one until the first rename
      const { code, syscall } = error as NodeJS.ErrnoException;
      const isUnusable = code === 'EXDEV' || syscall === 'mkdtemp';
      if (!isUnusable || parent === root) throw error;
    }
  }
}

/** Stages the new texts in a folder in `parent`, and renames them; undoes that when something fails. */
function writeFrom(parent: string, root: string, changes: readonly Change[]): void {
  const undoSteps: (() => void)[] = [];
  let isUndone = true;
  const staging = fs.mkdtempSync(join(parent, '.phoenix-fly-'));
  try {
    const staged = changes.map((change, index) => stage(root, change, join(staging, `${index}`)));
    for (const folder of missingFolders(root, changes)) {
      fs.mkdirSync(join(root, folder));
      undoSteps.push(() => fs.rmdirSync(join(root, folder)));
    }
    for (const change of staged) {
      refuseUnsafe(root, change);
      fs.renameSync(change.newFile, change.target);
      undoSteps.push(() => restore(change));
    }
    for (const { path, target, after } of staged)
      if (!hasText(target, after)) throw changedMeanwhile(path);
  } catch (error) {
    isUndone = undo(undoSteps);
    if (isUndone) throw error;
    throw new Problem(
      `${(error as Error).message}; and not all could be put back: what the files held before lies in ${staging}`,
    );
  } finally {
    if (isUndone) fs.rmSync(staging, { recursive: true, force: true });
  }
}

/** @throws Problem when a change can't or must not be made */
export function refuseUnsafe(root: string, change: Change): void {
  try {
    refuseOthers(root, change);
  } catch (error) {
    throw Problem.from(error, `nothing was written: ${change.path}`);
  }
}

/** @throws Problem when something else is in the file's place, or its text is another by now; or what the disk says */
function refuseOthers(root: string, change: Change): void {
  const { path, before } = change;
  const problem = (reason: string) => nothingWritten(`${path} ${reason}`);
  missingFolders(root, [change]);
  const target = join(root, path);
  const stat = fs.lstatSync(target, { throwIfNoEntry: false });
  if (stat && !stat.isFile())
    throw problem(
      'is a symbolic link, a folder or a device; replace it with a file, then run again',
    );
  const content = stat && fs.readFileSync(target);
  if (content?.toString() !== before) throw changedMeanwhile(path);
  if (content && !content.equals(Buffer.from(before ?? '')))
    throw problem('is not UTF-8 text; save it as UTF-8, then run again');
}

const changedMeanwhile = (path: string) => nothingWritten(`${path} changed meanwhile; run again`);

/** The folders to make, outer ones first. @throws Problem where a symbolic link or a file is in the place of a folder */
function missingFolders(root: string, changes: readonly Change[]): string[] {
  const missing = new Set<string>();
  for (const { path } of changes) {
    for (const { index } of path.matchAll(/\//g)) {
      const folder = path.slice(0, index);
      const stat = fs.lstatSync(join(root, folder), { throwIfNoEntry: false });
      if (stat && !stat.isDirectory())
        throw nothingWritten(`${folder} is a file or a symbolic link where a folder is needed`);
      if (!stat) missing.add(folder);
    }
  }
  return [...missing];
}

function stage(root: string, change: Change, newFile: string): StagedChange {
  const staged = { ...change, target: join(root, change.path), newFile, oldFile: `${newFile}~` };
  const { target, oldFile, mode = 0o666 } = staged;
  fs.writeFileSync(newFile, change.after, { flush: true, mode });
  const stat = fs.lstatSync(target, { throwIfNoEntry: false });
  if (!stat) return staged;
  copyOwnerAndMode(stat, newFile);
  fs.copyFileSync(target, oldFile);
  copyOwnerAndMode(stat, oldFile);
  return staged;
}

function copyOwnerAndMode({ mode, uid, gid }: fs.Stats, path: string): void {
  try {
    fs.chownSync(path, uid, gid);
  } catch {
    // Only root can give files away
  }
  fs.chmodSync(path, mode & 0o7777);
}

/** Puts the old file back, unless somebody edited the new one. */
function restore({ before, after, target, oldFile }: StagedChange): void {
  if (!hasText(target, after)) return;
  if (before === undefined) fs.unlinkSync(target);
  else fs.renameSync(oldFile, target);
}

const hasText = (path: string, text: string): boolean =>
  fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true &&
  fs.readFileSync(path).equals(Buffer.from(text));

/** Runs the steps, the last one first. @returns whether all of them worked */
function undo(steps: readonly (() => void)[]): boolean {
  let isUndone = true;
  for (const step of steps.toReversed()) {
    try {
      step();
    } catch {
      isUndone = false;
    }
  }
  return isUndone;
}
