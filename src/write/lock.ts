import { createHash } from 'node:crypto';
import { linkSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** Milliseconds after which a lock counts as left behind; writing takes a few. */
const STALE = 10_000;

/**
 * Runs `write` so that no signal ends it midway: with a listener, Node hands signals over only when synchronous code is
 * done. What comes meanwhile is dropped, and the run says what it wrote.
 */
export function uninterrupted(write: () => void): void {
  const ignore = () => {};
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    write();
  } finally {
    for (const signal of SIGNALS) process.off(signal, ignore);
  }
}

/**
 * Runs `write` while no other run writes to the same folder. The lock lies outside the repo; where it can't be made
 * (another user's file, no temporary folder), the checks of `write` alone must do.
 */
export function oneRunOnly(root: string, write: () => void): void {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `phoenix-fly-${process.getuid?.() ?? ''}-${name}.lock`);
  const locked = acquire(lock);
  try {
    write();
  } finally {
    if (locked) removeQuietly(lock);
  }
}

/** What is left over outside the repo does no harm, and says nothing about what was written. */
export function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The next clean-up of the temporary folder takes it
  }
}

/** @returns whether the lock is ours */
function acquire(lock: string): boolean {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (const deadline = Date.now() + STALE; ; Atomics.wait(cell, 0, 0, 2)) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
    const stat = lstatSync(lock, { throwIfNoEntry: false });
    if (!stat) continue;
    if (!stat.isFile() || stat.uid !== (process.getuid?.() ?? stat.uid)) return false;
    breakStale(lock, Date.now() > deadline);
  }
}

/** Removes the lock of a run that was killed: moved aside first, since another run may do the same. */
function breakStale(lock: string, late: boolean): void {
  const aside = `${lock}-${process.pid}`;
  try {
    const owner = readFileSync(lock, 'utf8');
    if (!late && isAlive(Number(owner))) return;
    renameSync(lock, aside);
    if (readFileSync(aside, 'utf8') !== owner) linkSync(aside, lock);
    rmSync(aside);
  } catch {
    // Its run ended in the meantime
  }
}

/** A lock that holds no number yet is just being made. */
function isAlive(pid: number): boolean {
  try {
    return !pid || process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
