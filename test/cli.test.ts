import { spawnSync } from 'node:child_process';
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

function plop(generator: string, args: string[], dest = app): { code: number | null; out: string } {
  const run = spawnSync(process.execPath, ['--import', 'tsx', 'node_modules/plop/bin/plop.js', generator, '--dest', dest, '--', ...args], { cwd: HERE, encoding: 'utf8', input: '' });
  return { code: run.status, out: run.stdout + run.stderr };
}

test('writes everything, then finds nothing to change, then one file alone', () => {
  const first = plop('fly', [...ANSWERS, '--write', 'yes']);
  assert.is(first.code, 0, first.out);
  assert.match(first.out, 'fly deploy --ha=false');
  assert.ok(existsSync(join(app, 'fly.toml')));
  const second = plop('fly', [...ANSWERS, '--write', 'yes']);
  assert.is(second.code, 0);
  assert.match(second.out, 'Nothing to change');
  assert.match(plop('dockerfile', []).out, 'Nothing to change');
});

test('--write no shows the diff and writes nothing', () => {
  const run = plop('fly', [...ANSWERS, '--write', 'no']);
  assert.is(run.code, 0);
  assert.match(run.out, '+app = "shop"');
  assert.not(existsSync(join(app, 'fly.toml')));
});

const bad: [string, string[], RegExp][] = [
  ['a bad app name', ['--app', 'My_Shop', '--region', 'lhr'], /--app: "My_Shop".*my-shop/],
  ['an unknown region', ['--region', 'xyz'], /"xyz" is not a Fly region/],
  ['a retired region', ['--region', 'sea'], /closed the region sea; use sjc/],
  ['an unknown flag', ['--regoin', 'lhr'], /--regoin is no flag of fly/],
  ['a missing answer', [], /pass --region/],
  ['an overwrite without a word', ANSWERS, /pass --write yes/],
];
for (const [name, args, message] of bad) {
  test(`${name}: one clear message, exit 1, nothing written`, () => {
    const run = plop('fly', args);
    assert.is(run.code, 1, run.out);
    assert.match(run.out, message);
    assert.not(existsSync(join(app, 'fly.toml')));
  });
}

test('what is not a Phoenix app, has no lock or a broken fly.toml is refused', () => {
  writeFileSync(join(app, 'fly.toml'), 'app = ');
  assert.match(plop('fly', ANSWERS).out, 'fly.toml is not valid TOML');
  rmSync(join(app, 'mix.lock'));
  assert.match(plop('fly', ANSWERS).out, 'no mix.lock');
  rmSync(join(app, 'mix.exs'));
  const run = plop('fly', ANSWERS);
  assert.match(run.out, 'no mix.exs');
  assert.is(run.code, 1);
});

test('a person answers three questions and says yes', async () => {
  const run = await type(app, [[/app name/, '\r'], [/Region/, 'london'], [/London/, '\r'], [/Postgres cluster/, '\r'], [/Write \d files/, 'y\r']]);
  assert.is(run.code, 0, run.out);
  const fly = readFileSync(join(app, 'fly.toml'), 'utf8');
  assert.match(fly, 'primary_region = "lhr"');
  assert.match(fly, 'fly postgres attach shop-db');
});

test('a file alone asks for nothing that it does not need, and the output has no line of the spinner', () => {
  const run = plop('dockerignore', ['--write', 'no']);
  assert.is(run.code, 0, run.out);
  assert.not.match(run.out, /^- /m);
});

test('Ctrl-C ends with 130 and writes nothing', async () => {
  const run = await type(app, [[/app name/, '\u0003']]);
  assert.is(run.code, 130, run.out);
  assert.not(existsSync(join(app, 'fly.toml')));
});

test.run();
