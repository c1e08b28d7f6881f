// Two renames can't be made one, and a kill could come between them. So they are not made by the program that people
// start and stop, but by this one, in a session of its own. When the other one dies before the first rename, none is made.
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { agreed, swap } from './swap.js';

const [, , staging = '', parent] = process.argv;
const looking = setInterval(() => agreed(staging) && go(), 1);

function go() {
  clearInterval(looking);
  try {
    swap(staging, () => process.ppid === Number(parent));
    process.exit();
  } catch (error) {
    // A name needs no room on a full disk
    renameSync(
      join(staging, 'undo'),
      join(staging, `failed-${error instanceof Error && 'code' in error ? error.code : ''}`),
    );
  }
}

// Standard input ends when the other program does
process.stdin.resume().on('close', () => {
  try {
    if (agreed(staging)) go();
  } finally {
    rmSync(staging, { recursive: true, force: true });
    process.exit();
  }
});
