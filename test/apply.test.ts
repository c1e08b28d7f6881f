import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change } from '../src/plan/file.ts';
import { apply } from '../src/write/apply.ts';
import { BUNDLE } from './commands.ts';

type Texts = Record<string, string>;
let root = '';
let temporary = '';

test.before.each(() => {
  root = mkdtempSync(join(tmpdir(), 'apply-'));
  temporary = mkdtempSync(join(tmpdir(), 'apply-tmp-'));
  process.env.TMPDIR = temporary;
  put(OLD);
});
test.after.each(() => {
  delete process.env.TMPDIR;
  for (const folder of [root, temporary]) rmSync(folder, { recursive: true, force: true });
});

const OLD: Texts = { 'a.txt': 'old a\n', 'config/b.txt': 'old b\r\n', 'other.txt': 'other' };
const CHANGES: Change[] = [
  { path: 'a.txt', before: 'old a\n', after: 'new a\n' },
  { path: 'config/b.txt', before: 'old b\r\n', after: 'new b\r\n' },
  { path: 'lib/deep/c.txt', before: undefined, after: 'new c\n' },
];
const NEW: Texts = {
  ...OLD,
  ...Object.fromEntries(CHANGES.map(({ path, after }) => [path, after])),
};

function put(texts: Texts, into = root): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(into, path)), { recursive: true });
    writeFileSync(join(into, path), text);
  }
}

/** Every file by its path; folders end in a slash. */
function tree(folder = root, prefix = ''): Texts {
  const entries = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory())
      return Object.keys(tree(join(folder, entry.name), `${path}/`)).length
        ? tree(join(folder, entry.name), `${path}/`)
        : { [`${path}/`]: '' };
    return {
      [path]: entry.isFile() ? readFileSync(join(folder, entry.name), 'utf8') : 'link or pipe',
    };
  });
  return Object.assign({}, ...entries) as Texts;
}

/** Of ours: tsx keeps things there as well. */
const leftovers = () => readdirSync(temporary).filter((name) => name.includes('phoenix-fly'));

test('all files come in, modes stay, nothing is left over', () => {
  chmodSync(join(root, 'a.txt'), 0o751);
  apply(root, CHANGES);
  assert.equal(tree(), NEW);
  assert.is(statSync(join(root, 'a.txt')).mode & 0o777, 0o751);
  assert.equal(leftovers(), []);
});

test('one file alone', () => {
  apply(root, CHANGES.slice(0, 1));
  assert.equal(tree(), { ...OLD, 'a.txt': 'new a\n' });
  assert.equal(leftovers(), []);
});

const refused: [string, () => void, RegExp][] = [
  [
    'a file that changed',
    () => put({ 'config/b.txt': 'edited' }),
    /config\/b.txt changed meanwhile; run again/,
  ],
  ['a file that was deleted', () => rmSync(join(root, 'a.txt')), /a.txt changed meanwhile/],
  ['a file that appeared', () => put({ 'lib/deep/c.txt': 'mine' }), /c.txt changed meanwhile/],
  [
    'a link where a file should be',
    () => symlinkSync(join(root, 'other.txt'), join(mk('lib/deep'), 'c.txt')),
    /c.txt is a symbolic link/,
  ],
  [
    'a link where a folder should be',
    () => symlinkSync(tmpdir(), join(root, 'lib')),
    /lib is a symbolic link where a folder/,
  ],
  ['a folder where a file should be', () => mk('lib/deep/c.txt'), /c.txt is a folder; move it/],
  [
    'a pipe where a file should be',
    () => execFileSync('mkfifo', [join(mk('lib/deep'), 'c.txt')]),
    /c.txt is a pipe or a device/,
  ],
  ['a file where a folder should be', () => put({ lib: 'file' }), /lib is a file where a folder/],
  [
    'other than UTF-8',
    () => writeFileSync(join(root, 'a.txt'), Buffer.from([0x6f, 0xff, 0x0a])),
    /a.txt is not UTF-8 text/,
  ],
];
function mk(path: string): string {
  mkdirSync(join(root, path), { recursive: true });
  return join(root, path);
}

for (const [name, spoil, message] of refused) {
  test(`${name} is refused, and the tree stays`, () => {
    spoil();
    const before = tree();
    const changes = CHANGES.map((change) =>
      name === 'other than UTF-8' && change.path === 'a.txt'
        ? { ...change, before: 'o\uFFFD\n' }
        : change,
    );
    assert.throws(
      () => apply(root, changes),
      (error: Error) =>
        message.test(error.message) && error.message.startsWith('nothing was written'),
    );
    assert.equal(tree(), before);
    assert.equal(leftovers(), []);
  });
}

test('a temporary folder that is a file: staged beside the repo', () => {
  process.env.TMPDIR = join(root, 'a.txt');
  apply(root, CHANGES);
  assert.equal(tree(), NEW);
});

test('a rename that fails: those before it are put back, folders too', () => {
  const changes = [...CHANGES, { path: 'a.txt', before: 'old a\n', after: 'again\n' }];
  assert.throws(() => apply(root, changes), /nothing was written: a.txt changed meanwhile/);
  assert.equal(tree(), OLD);
  assert.equal(leftovers(), []);
});

test('a file with a second name is replaced under its own name only', () => {
  linkSync(join(root, 'a.txt'), join(root, 'same.txt'));
  apply(root, CHANGES);
  assert.equal(tree(), { ...NEW, 'same.txt': 'old a\n' });
});

test('Ctrl-C amid the writing: the new tree, nothing left over', () => {
  const script = `
    const { apply } = await import(${JSON.stringify(`${BUNDLE}/src/write/apply.js`)});
    apply(${JSON.stringify(root)}, ${JSON.stringify(CHANGES)}.map((change) => ({ ...change, get after() {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(process.pid, signal);
      return change.after;
    } })));`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  assert.is(status, 0, String(stderr));
  assert.equal(tree(), NEW);
  assert.equal(leftovers(), []);
});

test('two runs at once: one writes, the other says so', async () => {
  const rounds = 40;
  for (let round = 0; round < rounds; round++) put(OLD, join(root, String(round)));
  const race = (who: string, start: number) => `
    const { apply } = await import(${JSON.stringify(`${BUNDLE}/src/write/apply.js`)});
    const results = [];
    for (let round = 0; round < ${rounds}; round++) {
      const next = ${start} + round * 8;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, next - 1 - Date.now()));
      while (Date.now() < next);
      const mine = ${JSON.stringify(CHANGES)}.map((change) => ({ ...change, after: change.after + ${JSON.stringify(who)} }));
      try { apply(${JSON.stringify(root)} + '/' + round, mine); results.push('wrote'); } catch (error) { results.push(error.message); }
    }
    console.log(JSON.stringify(results));`;
  const begin = Date.now() + 500;
  const [ours = [], theirs = []] = await Promise.all(
    ['A', 'B'].map(async (who) => {
      const args = ['--input-type=module', '-e', race(who, begin)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      return JSON.parse(stdout) as string[];
    }),
  );
  for (let round = 0; round < rounds; round++) {
    const winner = ours[round] === 'wrote' ? 'A' : 'B';
    assert.equal(tree(join(root, String(round))), {
      ...OLD,
      ...Object.fromEntries(CHANGES.map(({ path, after }) => [path, after + winner])),
    });
    const other = (winner === 'A' ? theirs : ours)[round] ?? '';
    assert.match(other, /^nothing was written: (.* changed meanwhile|another run is writing here)/);
  }
  assert.equal(leftovers(), []);
});

test('the lock of a run that was killed holds nobody up', () => {
  const name = createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 16);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const lock = join(temporary, `phoenix-fly-${process.getuid?.()}-${name}.lock`);
  symlinkSync(String(process.pid), lock);
  assert.throws(() => apply(root, CHANGES), /another run is writing here; run again/);
  rmSync(lock);
  symlinkSync(String(dead), lock);
  apply(root, CHANGES);
  assert.equal(leftovers(), []);
});

test.run();
