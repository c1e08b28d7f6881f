import { createHash } from 'node:crypto';
import { readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../problem.ts';

/**
 * Runs `write` while no other run writes to the same folder. The lock lies outside the repo; where it can't be made
 * (no temporary folder), the checks of `write` alone must do. It is a link that points to the number of the process: so no
 * kill leaves a lock without an owner, as it would between making a file and writing the number into it.
 * @throws Problem when another run is writing
 */
export function oneRunOnly(root: string, write: () => void): void {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `phoenix-fly-${process.getuid?.() ?? ''}-${name}.lock`);
  try {
    if (isLeftBehind(lock)) rmSync(lock);
    symlinkSync(String(process.pid), lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return write();
    throw new Problem(
      `nothing was written: another run is writing here; run again (if there is none, remove ${lock})`,
    );
  }
  try {
    write();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Of a run that was killed. */
function isLeftBehind(lock: string): boolean {
  try {
    return !process.kill(Number(readlinkSync(lock)), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
