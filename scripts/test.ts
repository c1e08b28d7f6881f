/**
 * Runs the tests in as many processes as there are cores, and prints one sum. Usage: npm test [-- PATTERN]
 * Tests and commands are bundled first: a process then starts in a third of a second, from TypeScript in more than one.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { BUNDLING } from './bundling.ts';

interface Result {
  total: number;
  passed: number;
  exitCode: number;
}

const started = Date.now();
const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = `${root}.test`;
const pattern = new RegExp(process.argv[2] ?? '');
const files = readdirSync(`${root}test`).filter(
  (file) => file.endsWith('.test.ts') && pattern.test(file),
);
const processes = Math.max(1, Math.min(availableParallelism(), 4));

/** A bundled module finds the files beside it where its source is. */
const sourceUrls: Plugin = {
  name: 'import.meta.url of the source',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const url = JSON.stringify(pathToFileURL(path).href);
      const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', url);
      return { contents, loader: 'ts' };
    }),
};

await build({
  ...BUNDLING,
  absWorkingDir: root,
  entryPoints: [
    ...files.map((file) => `test/${file}`),
    'bin/phoenix-fly.ts',
    'plopfile.ts',
    'src/write/write-changes.ts',
  ],
  outdir: bundle,
  sourcemap: true,
  plugins: [sourceUrls],
});

/** Runs files in one process, and prints its output when it ends. */
function run(files: readonly string[]): Promise<Result> {
  const names = files.map((file) => file.replace('.test.ts', '\\.test\\.js'));
  const uvu = ['node_modules/uvu/bin.js', '.test/test', `^(${names.join('|')})$`];
  const child = spawn(process.execPath, ['--enable-source-maps', ...uvu], {
    cwd: root,
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  return new Promise((resolve) =>
    child.on('close', (exitCode) => {
      process.stdout.write(output);
      const text = stripVTControlCharacters(output);
      const [, total = 0] = /^\s*Total:\s+(\d+)/m.exec(text) ?? [];
      const [, passed = 0] = /^\s*Passed:\s+(\d+)/m.exec(text) ?? [];
      resolve({ total: Number(total), passed: Number(passed), exitCode: exitCode ?? 1 });
    }),
  );
}

/** About how long a file takes, by its length; files that start programs wait for them. */
function costOf(file: string): number {
  const text = readFileSync(`${root}test/${file}`, 'utf8');
  return text.length * (/commands\.ts|child_process/.test(text) ? 3 : 1);
}

/** The files in shares, the slow ones first; more shares than processes, so that a slow one holds up little. */
function shareOut(files: readonly string[]): string[][] {
  const shares = Array.from({ length: 3 * processes }, (): string[] => []);
  const slowestFirst = files.toSorted((left, right) => costOf(right) - costOf(left));
  for (const [index, file] of slowestFirst.entries()) shares[index % shares.length]?.push(file);
  return shares.filter((share) => share.length);
}

const queue = shareOut(files);
const results: Result[] = [];
async function work(): Promise<void> {
  for (let share = queue.shift(); share; share = queue.shift()) results.push(await run(share));
}
await Promise.all(Array.from({ length: processes }, work));
if (!process.env.KEEP) rmSync(bundle, { recursive: true, force: true });

const total = results.reduce((sum, result) => sum + result.total, 0);
const passed = results.reduce((sum, result) => sum + result.passed, 0);
console.log(`
  Total:     ${total}
  Passed:    ${passed}
  Duration:  ${Date.now() - started} ms, ${processes} processes`);
// Nothing to run is no success
const isSuccess = total > 0 && passed === total && results.every(({ exitCode }) => exitCode === 0);
process.exitCode = isSuccess ? 0 : 1;
