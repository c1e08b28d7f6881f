import { createRequire } from 'node:module';

const require = createRequire('/work/wt/run/package.json');
const { spawn } = require('@lydell/node-pty');

import { execFileSync } from 'node:child_process';

const run = (file, args, env) =>
  new Promise((res) => {
    const t = performance.now();
    const s = spawn(file, args, {
      cwd: '/work/wt/run',
      cols: 100,
      rows: 40,
      env: { ...process.env, ...env, CI: '' },
    });
    let o = '';
    s.onData((d) => {
      o += d;
      if (/app name/.test(o)) {
        res((performance.now() - t) / 1000);
        s.kill();
      }
    });
    s.onExit(() => res(o));
  });
const best = {};
const P = 'node_modules/plop/bin/plop.js';
for (let i = 0; i < 8; i++) {
  let t = performance.now();
  execFileSync('npx', ['plop', '--version'], { stdio: ['ignore', 'ignore', 'inherit'] });
  best.npxv = Math.min(best.npxv ?? 9, (performance.now() - t) / 1000);
  t = performance.now();
  execFileSync('node', [P, '--version'], { stdio: ['ignore', 'ignore', 'inherit'] });
  best.v = Math.min(best.v ?? 9, (performance.now() - t) / 1000);
  for (const [k, f, a] of [
    ['npxfly', 'npx', ['plop', 'fly', '--dest', '/tmp/run/w']],
    ['distfly', 'node', [P, '--plopfile', 'dist/plopfile.js', 'fly', '--dest', '/tmp/run/w']],
    ['bin', 'node', ['dist/bin/phoenix-fly.js', 'fly', '--dest', '/tmp/run/w']],
  ]) {
    const r = await run(f, a, {});
    if (typeof r === 'number') best[k] = Math.min(best[k] ?? 9, r);
    else console.log(r.slice(0, 500));
  }
}
console.log(
  best,
  'npx',
  (best.npxfly / best.npxv).toFixed(2),
  'dist',
  (best.distfly / best.v).toFixed(2),
);
