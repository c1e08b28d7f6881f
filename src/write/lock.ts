import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../problem.ts';

/**
 * Runs `write` while no other run writes to the same folder. The lock lies outside the repo; where it can't be made
 * (no temporary folder), the checks of `write` alone must do.
 * @throws Problem when another run is writing
 */
export function oneRunOnly(root: string, write: () => void): void {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `phoenix-fly-${process.getuid?.() ?? ''}-${name}.lock`);
  try {
    if (isLeftBehind(lock)) rmSync(lock);
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return write();
    throw new Problem('nothing was written: another run is writing here; run again');
  }
  try {
    write();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Of a run that was killed. A lock that holds no number yet is just being made. */
function isLeftBehind(lock: string): boolean {
  if (!lstatSync(lock, { throwIfNoEntry: false })?.isFile()) return false;
  try {
    return !process.kill(Number(readFileSync(lock, 'utf8')), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
