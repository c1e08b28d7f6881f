/**
 * Runs the tests in as many processes as there are cores, and prints one sum. Usage: npm test [-- PATTERN]
 * Tests and commands are bundled before: a process starts in a third of a second, from TypeScript in more than one.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { build } from 'esbuild';
import { BUNDLING } from './bundling.ts';

const began = Date.now();
const root = fileURLToPath(new URL('..', import.meta.url));
const built = `${root}.test`;
const wanted = new RegExp(process.argv[2] ?? '');
const files = readdirSync(`${root}test`).filter(
  (file) => /\.test\.ts$/.test(file) && wanted.test(file),
);

await build({
  ...BUNDLING,
  absWorkingDir: root,
  entryPoints: [
    ...files.map((file) => `test/${file}`),
    'bin/phoenix-fly.ts',
    'plopfile.ts',
    'src/write/apply.ts',
  ],
  outdir: built,
  sourcemap: true,
  plugins: [
    {
      name: 'files beside a module are found from where it was written',
      setup: ({ onLoad }) =>
        onLoad({ filter: /\.ts$/ }, ({ path }) => ({
          contents: readFileSync(path, 'utf8').replaceAll(
            'import.meta.url',
            JSON.stringify(pathToFileURL(path).href),
          ),
          loader: 'ts',
        })),
    },
  ],
});

/** Runs some files in one process. @returns how many tests there were, and how many passed */
function run(share: readonly string[]): Promise<{ total: number; passed: number; code: number }> {
  const pattern = `^(${share.join('|').replaceAll('.ts', '.js').replaceAll('.', '\\.')})$`;
  const uvu = ['--enable-source-maps', 'node_modules/uvu/bin.js', '.test/test', pattern];
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

const cores = Math.max(1, Math.min(availableParallelism(), 4));
/** About how long a file takes: those that start programs wait for them. */
function costOf(file: string): number {
  const text = readFileSync(`${root}test/${file}`, 'utf8');
  return text.length * (/commands\.ts|child_process/.test(text) ? 3 : 1);
}
// More shares than cores, so that one that takes long is no reason to wait
const shares = Array.from({ length: 3 * cores }, () => ({ cost: 0, files: [] as string[] }));
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
if (!process.env.KEEP) rmSync(built, { recursive: true, force: true });
const sum = (key: 'total' | 'passed') => results.reduce((all, result) => all + result[key], 0);
console.log(
  `\n  Total:     ${sum('total')}\n  Passed:    ${sum('passed')}\n  Duration:  ${Date.now() - began} ms, ${cores} processes`,
);
// Nothing to run is no success
process.exitCode =
  sum('total') > 0 && sum('total') === sum('passed') && results.every(({ code }) => code === 0)
    ? 0
    : 1;
