import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SHOP } from './support.ts';
import { type } from './terminal.ts';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const ANSWERS = ['--app', 'shop', '--region', 'lhr', '--postgres', 'shop-db'];
let app = '';

test.before.each(() => {
  app = mkdtempSync(join(tmpdir(), 'phoenix-fly-'));
  cpSync(SHOP, app, { recursive: true });
});
test.after.each(() => rmSync(app, { recursive: true, force: true }));

function plop(generator: string, args: string[], dest = app): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--import', 'tsx', 'node_modules/plop/bin/plop.js', generator, '--dest', dest, '--', ...args], { cwd: HERE }, (error, stdout, stderr) => resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out: stdout + stderr }));
    child.stdin?.end();
  });
}

test('writes everything, then finds nothing to change, then one file alone', async () => {
  const first = await plop('fly', [...ANSWERS, '--write', 'yes']);
  assert.is(first.code, 0, first.out);
  assert.match(first.out, 'fly deploy --ha=false');
  assert.ok(existsSync(join(app, 'fly.toml')));
  const second = await plop('fly', [...ANSWERS, '--write', 'yes']);
  assert.is(second.code, 0);
  assert.match(second.out, 'Nothing to change');
  assert.match((await plop('dockerfile', [])).out, 'Nothing to change');
});

test('--write no shows the diff and writes nothing', async () => {
  const run = await plop('fly', [...ANSWERS, '--write', 'no']);
  assert.is(run.code, 0);
  assert.match(run.out, '+app = "shop"');
  assert.not(existsSync(join(app, 'fly.toml')));
});

/** A repo that is spoilt, in a folder of its own. */
function spoilt(spoil: (folder: string) => void): string {
  const folder = join(app, 'spoilt', String(spoiltCount++));
  cpSync(SHOP, folder, { recursive: true });
  spoil(folder);
  return folder;
}
let spoiltCount = 0;

const bad: [string, string[], RegExp, ((folder: string) => void)?][] = [
  ['a bad app name', ['--app', 'My_Shop', '--region', 'lhr'], /--app: "My_Shop".*my-shop/],
  ['an unknown region', ['--region', 'xyz'], /"xyz" is not a Fly region/],
  ['a retired region', ['--region', 'sea'], /closed the region sea; use sjc/],
  ['an unknown flag', ['--regoin', 'lhr'], /--regoin is no flag of fly/],
  ['a missing answer', [], /pass --region/],
  ['an overwrite without a word', ANSWERS, /pass --write yes/],
  ['a broken fly.toml', ANSWERS, /fly.toml is not valid TOML/, (folder) => writeFileSync(join(folder, 'fly.toml'), 'app = ')],
  ['no lock', ANSWERS, /no mix.lock/, (folder) => rmSync(join(folder, 'mix.lock'))],
  ['no mix.exs', ANSWERS, /no mix.exs/, (folder) => rmSync(join(folder, 'mix.exs'))],
];
test('whatever is wrong: one clear message, exit 1, nothing written', async () => {
  await Promise.all(
    bad.map(async ([name, args, message, spoil]) => {
      const folder = spoilt(spoil ?? (() => {}));
      const run = await plop('fly', args, folder);
      assert.is(run.code, 1, `${name}: ${run.out}`);
      assert.match(run.out, message, name);
      assert.not(existsSync(join(folder, 'Dockerfile')), name);
    }),
  );
});

test('a person answers three questions and says yes', async () => {
  const run = await type(app, [[/app name/, '\r'], [/Region/, 'london'], [/London/, '\r'], [/Postgres cluster/, '\r'], [/Write \d files/, 'y\r']]);
  assert.is(run.code, 0, run.out);
  const fly = readFileSync(join(app, 'fly.toml'), 'utf8');
  assert.match(fly, 'primary_region = "lhr"');
  assert.match(fly, 'fly postgres attach shop-db');
});

test('a file alone asks for nothing that it does not need, and the output has no line of the spinner', async () => {
  const run = await plop('dockerignore', ['--write', 'no']);
  assert.is(run.code, 0, run.out);
  assert.not.match(run.out, /^- /m);
});

test('Ctrl-C ends with 130 and writes nothing', async () => {
  const run = await type(app, [[/app name/, '\u0003']]);
  assert.is(run.code, 130, run.out);
  assert.not(existsSync(join(app, 'fly.toml')));
});

test.run();
