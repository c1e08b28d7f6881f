import { createHash } from 'node:crypto';
import { readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../problem.ts';

export const nothingWritten = (reason: string): Problem =>
  new Problem(`nothing was written: ${reason}`);

/**
 * Runs `write` while no other run writes to the same folder. The lock is a link in the temporary folder, whose target is
 * the process id: a link is made in one step, so a kill can't leave a lock without an owner. Where the lock can't be made
 * (no temporary folder), `write` runs without it.
 * @throws Problem when another run is writing
 */
export function withLock(root: string, write: () => void): void {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `phoenix-fly-${process.getuid?.() ?? ''}-${name}.lock`);
  try {
    if (isStale(lock)) rmSync(lock);
    symlinkSync(String(process.pid), lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return write();
    throw nothingWritten(
      `another run is writing here; run again (if there is none, remove ${lock})`,
    );
  }
  try {
    write();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Whether the run that made the lock was killed. */
function isStale(lock: string): boolean {
  try {
    const pid = Number(readlinkSync(lock));
    return !process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
