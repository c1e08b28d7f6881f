/** Runs the tests in as many processes as there are cores, and prints one sum. Usage: npm test [-- PATTERN] */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
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
  const uvu = ['node_modules/uvu/bin.js', '-r', 'tsx', 'test', pattern];
  const child = spawn(process.execPath, uvu, {
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
/** About how long a file takes: those that start programs wait for them. */
function costOf(file: string): number {
  const text = readFileSync(`${root}test/${file}`, 'utf8');
  return text.length * (/commands\.ts|child_process/.test(text) ? 3 : 1);
}
// More shares than cores, so that one that takes long is no reason to wait
const shares = Array.from({ length: 2 * cores }, () => ({ cost: 0, files: [] as string[] }));
for (const [cost, file] of files
  .map((file) => [costOf(file), file] as const)
  .sort(([left], [right]) => right - left)) {
  const [least] = [...shares].sort((left, right) => left.cost - right.cost);
  least?.files.push(file);
  if (least) least.cost += cost;
}
const queue = shares.filter((share) => share.files.length);
const results: Awaited<ReturnType<typeof run>>[] = [];
const work = async (): Promise<void> => {
  for (let next = queue.shift(); next; next = queue.shift()) results.push(await run(next.files));
};
await Promise.all(Array.from({ length: cores }, work));
const sum = (key: 'total' | 'passed') => results.reduce((all, result) => all + result[key], 0);
console.log(
  `\n  Total:     ${sum('total')}\n  Passed:    ${sum('passed')}\n  Duration:  ${Date.now() - began} ms, ${cores} processes`,
);
// Nothing to run is no success
process.exitCode =
  sum('total') > 0 && sum('total') === sum('passed') && results.every(({ code }) => code === 0)
    ? 0
    : 1;
