import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const ROUNDS = 10;

/** Prints what a whole run of the binary costs against plop's own start-up (seconds, the best of ten, taken in turns). */
export function benchGenerator(): void {
  const app = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    cpSync(join(root, 'test/projects/shop/before'), app, { recursive: true });
    const commands: Record<string, string[]> = {
      'plop --version': ['node_modules/plop/bin/plop.js', '--version'],
      'phoenix-fly fly --write no': [
        'dist/bin/phoenix-fly.js',
        'fly',
        '--dest',
        app,
        '--region',
        'lhr',
        '--write',
        'no',
      ],
    };
    const best = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, args] of Object.entries(commands)) {
        const started = performance.now();
        execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
        best.set(name, Math.min(best.get(name) ?? Infinity, (performance.now() - started) / 1000));
      }
    }
    const [floor = NaN] = best.values();
    for (const [name, seconds] of best)
      console.log(`${name.padEnd(28)}${seconds.toFixed(2)} s (${(seconds / floor).toFixed(2)})`);
  } finally {
    rmSync(app, { recursive: true });
  }
}
