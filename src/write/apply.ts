import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Change } from '../plan/file.ts';
import { Problem } from '../problem.ts';
import { agree, checksum, settle } from './swap.js';

/**
 * Writes all changes or none: whatever fails, and at whatever moment the process is killed, the tree is the old one or
 * the new one. New contents are written and flushed in a staging folder, then renamed over the old ones in one go: see
 * guard.js. (A library such as write-file-atomic does this for one file; ours are several.)
 * @param inside stage in the tree itself, whatever disk it is on
 * @throws Problem when a file changed since it was read, a symbolic link or folder is in the way, or the disk refuses
 */
export function apply(root: string, changes: readonly Change[], inside = false): void {
  const real = realpathSync(root);
  let staging = '';
  let otherDisk = false;
  let guard: ChildProcess | undefined;
  try {
    const folders = newFolders(real, changes);
    for (const change of changes) refuse(real, change);
    staging = `${prefixes(real)[inside || !sameDisk(real, changes) ? 1 : 0]}${randomUUID()}`;
    const inTree = staging.startsWith(real);
    guard = startGuard(staging);
    mkdirSync(staging, 0o700);
    // Should it ever be left over, git doesn't see it, and our Dockerfile copies nothing that it doesn't name
    if (inTree) writeFileSync(join(staging, '.gitignore'), '*\n');
    const files = changes.map((change, index) => stage(real, change, join(staging, String(index))));
    for (const change of changes) refuse(real, change);
    agree(staging, { root: real, folders, files });
    awaitGuard(staging);
  } catch (error) {
    // Two mounts of one disk look like one, until the first rename
    otherDisk = !inside && (error as NodeJS.ErrnoException).code === 'EXDEV';
    if (!otherDisk) throw Problem.from(error, 'nothing was written');
  } finally {
    if (staging) rmSync(staging, { recursive: true, force: true });
    guard?.kill();
  }
  if (otherDisk) apply(root, changes, true);
}

/** Ends what an earlier run began that was killed together with its guard. @returns a line about it, if there was something */
export function recover(root: string): string | undefined {
  const real = realpathSync(root);
  const left = prefixes(real).flatMap((prefix) =>
    pathsIn(dirname(prefix)).filter((path) => path.startsWith(prefix)),
  );
  try {
    const outcome = left
      .filter(isOwn)
      .map((staging) => settle(staging))
      .find((one) => one !== 'cleared');
    return outcome && `An earlier run was killed while it wrote; its changes were ${outcome}.`;
  } catch (error) {
    throw Problem.from(
      error,
      `an earlier run was killed while it wrote, and its changes can't be undone`,
    );
  }
}

function pathsIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    // No temporary folder, or one that can't be listed: then nothing was staged there
    return [];
  }
}

/** Outside the tree, so that a kill leaves nothing in it; where that is another disk, which a rename can't cross, inside. */
const prefixes = (root: string): [string, string] => [
  join(tmpdir(), `phoenix-fly-${checksum(root).slice(0, 16)}-`),
  join(root, '.phoenix-fly-'),
];

/** Other people may write to /tmp as well. */
function isOwn(path: string): boolean {
  const stat = lstatSync(path);
  return stat.isDirectory() && [undefined, stat.uid].includes(process.getuid?.());
}

/** Whether the temporary folder, where it can be used, is on the disk of all that changes. */
function sameDisk(root: string, changes: readonly Change[]): boolean {
  try {
    accessSync(tmpdir(), constants.W_OK);
    return changes.every(
      ({ path }) => statSync(nearest(root, path)).dev === statSync(tmpdir()).dev,
    );
  } catch {
    return false;
  }
}

/** The innermost folder of a path that is there. */
function nearest(root: string, path: string): string {
  const folder = dirname(path);
  return folder === '.' || existsSync(join(root, folder))
    ? join(root, folder)
    : nearest(root, folder);
}

/** Writes a change's new content beside what it replaces. */
function stage(
  root: string,
  { path, before, after }: Change,
  content: string,
): { path: string; before: string | null; after: string } {
  const target = join(root, path);
  const stat = lstatSync(target, { throwIfNoEntry: false });
  writeFileSync(`${content}.new`, after, { flush: true, mode: 0o666 });
  if (stat) {
    takeAfter(`${content}.new`, stat);
    try {
      linkSync(target, `${content}.old`);
    } catch {
      // Some file systems have no links, and some kernels link nobody else's files
      copyFileSync(target, `${content}.old`);
      takeAfter(`${content}.old`, stat);
    }
  }
  return { path, before: before === undefined ? null : checksum(before), after: checksum(after) };
}

function takeAfter(path: string, { mode, uid, gid }: Stats): void {
  try {
    chownSync(path, uid, gid);
  } catch {
    // Only root can give files away
  }
  chmodSync(path, mode & 0o7777);
}

/** @throws Problem when a change can't or must not be made */
function refuse(root: string, { path, before }: Change): void {
  const target = join(root, path);
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink())
    throw new Problem(
      `nothing was written: ${path} is a symbolic link; replace it with a file, then run again`,
    );
  if (stat && !stat.isFile())
    throw new Problem(
      `nothing was written: ${path} is a folder; move it out of the way, then run again`,
    );
  const now = stat && readFileSync(target);
  if (now?.toString() !== before)
    throw new Problem(`nothing was written: ${path} changed meanwhile; run again`);
  if (now && !now.equals(Buffer.from(before ?? '')))
    throw new Problem(
      `nothing was written: ${path} is not UTF-8 text; save it as UTF-8, then run again`,
    );
  try {
    accessSync(nearest(root, path), constants.W_OK);
  } catch (error) {
    throw Problem.from(error, `nothing was written: can't write ${path}`);
  }
}

/** The folders to make, outer ones first. @throws Problem when one is a symbolic link or a file */
function newFolders(root: string, changes: readonly Change[]): string[] {
  const made = new Set<string>();
  for (const { path } of changes) {
    const parts = dirname(path)
      .split('/')
      .filter((part) => part !== '.');
    parts.forEach((_, index) => {
      const folder = parts.slice(0, index + 1).join('/');
      const stat = lstatSync(join(root, folder), { throwIfNoEntry: false });
      if (stat && !stat.isDirectory())
        throw new Problem(
          `nothing was written: ${folder} is ${stat.isSymbolicLink() ? 'a symbolic link' : 'a file'} where a folder is needed`,
        );
      if (!stat) made.add(folder);
    });
  }
  return [...made];
}

/** In a session of its own, so that neither Ctrl-C nor the end of a terminal reaches it. */
function startGuard(staging: string): ChildProcess {
  // NODE_OPTIONS may load a compiler, which takes longer than all the rest
  const guard = spawn(
    process.execPath,
    [fileURLToPath(new URL('guard.js', import.meta.url)), staging, String(process.pid)],
    {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  );
  // Without one, awaitGuard does its work
  guard.on('error', () => {});
  guard.unref();
  return guard;
}

/** @throws Error with the code of what went wrong, when nothing is in place */
function awaitGuard(staging: string): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; existsSync(staging); tries++) {
    const failed = pathsIn(staging)
      .map((path) => basename(path))
      .find((name) => name.startsWith('failed-'));
    if (failed) throw Object.assign(new Error(failed), { code: failed.slice('failed-'.length) });
    Atomics.wait(cell, 0, 0, 1);
    // No guard came up, or somebody killed it
    if (tries === 2000 && settle(staging, true) === 'undone')
      throw new Problem('nothing was written, and it is not known why; run again');
  }
}
