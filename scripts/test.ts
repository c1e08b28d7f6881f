/** Runs the tests in as many processes as there are cores, and prints one sum. Usage: npm test [-- PATTERN] */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = new RegExp(process.argv[2] ?? '');
const files = readdirSync(`${root}test`).filter(
  (file) => /\.test\.ts$/.test(file) && wanted.test(file),
);

/** Runs some files in one process. @returns how many tests there were, and how many passed */
function run(share: readonly string[]): Promise<{ total: number; passed: number; code: number }> {
  const pattern = `^(${share.join('|').replaceAll('.', '\\.')})$`;
  const child = spawn('npx', ['uvu', '-r', 'tsx', 'test', pattern], {
    cwd: root,
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  return new Promise((resolve) =>
    child.on('close', (code) => {
      process.stdout.write(output);
      const count = (name: string) =>
        Number(
          new RegExp(`^\\s*${name}:\\s+(\\d+)`, 'm').exec(stripVTControlCharacters(output))?.[1] ??
            0,
        );
      resolve({ total: count('Total'), passed: count('Passed'), code: code ?? 1 });
    }),
  );
}

const began = Date.now();
const cores = Math.max(1, Math.min(availableParallelism(), 4));
const shares = Array.from({ length: cores }, (_, core) =>
  files.filter((_, index) => index % cores === core),
);
const results = await Promise.all(shares.filter((share) => share.length).map(run));
const sum = (key: 'total' | 'passed') => results.reduce((all, result) => all + result[key], 0);
console.log(
  `\n  Total:     ${sum('total')}\n  Passed:    ${sum('passed')}\n  Duration:  ${Date.now() - began} ms, ${cores} processes`,
);
// Nothing to run is no success
process.exitCode =
  sum('total') > 0 && sum('total') === sum('passed') && results.every(({ code }) => code === 0)
    ? 0
    : 1;
