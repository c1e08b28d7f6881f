import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';

const root = fileURLToPath(new URL('..', import.meta.url));
const ROUNDS = 10;
const PLOP = 'node_modules/plop/bin/plop.js';

/** Prints what a run costs against plop's own start-up (seconds, the best of ten, taken in turns). */
export async function benchGenerator(): Promise<void> {
  const app = mkdtempSync(join(tmpdir(), 'bench-'));
  const dest = ['--dest', app];
  const whole = ['dist/bin/phoenix-fly.js', 'fly', ...dest, '--region', 'lhr', '--write', 'no'];
  const plopfile = ['--plopfile', 'dist/plopfile.js'];
  const runs: Record<string, () => Promise<void>> = {
    'plop --version': async () => ended([PLOP, '--version']),
    'plop fly, to the first question': () => asked([PLOP, ...plopfile, 'fly', ...dest]),
    'phoenix-fly, to the first question': () => asked(['dist/bin/phoenix-fly.js', ...dest]),
    'phoenix-fly fly --write no': async () => ended(whole),
  };
  try {
    cpSync(join(root, 'test/projects/shop/before'), app, { recursive: true });
    const best = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, run] of Object.entries(runs)) {
        const started = performance.now();
        await run();
        const seconds = (performance.now() - started) / 1000;
        best.set(name, Math.min(best.get(name) ?? Infinity, seconds));
      }
    }
    const [floor = NaN] = best.values();
    for (const [name, seconds] of best)
      console.log(`${name.padEnd(36)}${seconds.toFixed(2)} s (${(seconds / floor).toFixed(2)})`);
  } finally {
    rmSync(app, { recursive: true });
  }
}

const ended = (args: string[]): void => {
  execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
};

/** Starts a command at a terminal, and waits for its first question. */
const asked = (args: string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const terminal = spawn(process.execPath, args, { cwd: root, cols: 100, rows: 40 });
    let shown = '';
    terminal.onData((data) => {
      shown += data;
      if (shown.includes('Fly app name?')) terminal.kill();
    });
    terminal.onExit(() => (shown.includes('Fly app name?') ? resolve() : reject(new Error(shown))));
  });
