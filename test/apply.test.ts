import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change } from '../src/plan/file.ts';
import { problemOf } from '../src/problem.ts';
import { apply } from '../src/write/apply.ts';
import { BUNDLE } from './commands.ts';
import { writeFiles } from './support.ts';

type Texts = Record<string, string>;
let root = '';
let temporary = '';

test.before.each(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'apply-'));
  temporary = fs.mkdtempSync(join(tmpdir(), 'apply-tmp-'));
  process.env.TMPDIR = temporary;
  writeFiles(root, OLD);
});
test.after.each(() => {
  delete process.env.TMPDIR;
  for (const folder of [root, temporary]) fs.rmSync(folder, { recursive: true, force: true });
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

const at = (path: string): string => join(root, path);

/** Every file by its path; folders end in a slash. */
function tree(folder = root, prefix = ''): Texts {
  const entries = fs.readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory())
      return Object.keys(tree(join(folder, entry.name), `${path}/`)).length
        ? tree(join(folder, entry.name), `${path}/`)
        : { [`${path}/`]: '' };
    return {
      [path]: entry.isFile() ? fs.readFileSync(join(folder, entry.name), 'utf8') : 'link or pipe',
    };
  });
  return Object.assign({}, ...entries) as Texts;
}

/** Of ours: tsx keeps things there as well. */
const leftovers = () => fs.readdirSync(temporary).filter((name) => name.includes('phoenix-fly'));

test('all files come in, modes stay, nothing is left over', () => {
  fs.chmodSync(join(root, 'a.txt'), 0o751);
  apply(root, CHANGES);
  assert.equal(tree(), NEW);
  assert.is(fs.statSync(join(root, 'a.txt')).mode & 0o777, 0o751);
  assert.equal(leftovers(), []);
});

test('one file alone', () => {
  apply(root, CHANGES.slice(0, 1));
  assert.equal(tree(), { ...OLD, 'a.txt': 'new a\n' });
  assert.equal(leftovers(), []);
});

/** What is there meanwhile, and what is said; `before` is what a.txt was read as. */
const REFUSED: [string, () => void, RegExp, before?: string][] = [
  [
    'an edit',
    () => writeFiles(root, { 'config/b.txt': 'edited' }),
    /b.txt changed meanwhile; run again/,
  ],
  ['a deleted file', () => fs.rmSync(at('a.txt')), /a.txt changed meanwhile/],
  ['a new file', () => writeFiles(root, { 'lib/deep/c.txt': 'mine' }), /c.txt changed meanwhile/],
  ['a link', () => fs.symlinkSync(at('other.txt'), inFolder('c.txt')), /c.txt is a symbolic link/],
  ['a linked folder', () => fs.symlinkSync(tmpdir(), at('lib')), /lib is a symbolic link where a/],
  ['a folder', () => fs.mkdirSync(inFolder('c.txt')), /c.txt is a folder; move it/],
  ['a pipe', () => execFileSync('mkfifo', [inFolder('c.txt')]), /c.txt is a pipe or a device/],
  ['a file as a folder', () => writeFiles(root, { lib: 'file' }), /lib is a file where a folder/],
  [
    'other than UTF-8',
    () => fs.writeFileSync(at('a.txt'), Buffer.from([0x6f, 0xff, 0x0a])),
    /a.txt is not UTF-8 text/,
    'o\uFFFD\n',
  ],
];
function inFolder(name: string): string {
  fs.mkdirSync(at('lib/deep'), { recursive: true });
  return at(`lib/deep/${name}`);
}

for (const [name, spoil, message, read] of REFUSED)
  test(`${name} in the way is refused, and the tree stays`, () => {
    spoil();
    const there = tree();
    const changes = CHANGES.map(({ path, before, after }) => ({
      path,
      before: path === 'a.txt' && read ? read : before,
      after,
    }));
    const said = problemOf(() => apply(root, changes)) ?? '';
    assert.match(said, message);
    assert.match(said, /^nothing was written/);
    assert.equal(tree(), there);
    assert.equal(leftovers(), []);
  });

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
  fs.linkSync(join(root, 'a.txt'), join(root, 'same.txt'));
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
  for (let round = 0; round < rounds; round++) writeFiles(at(String(round)), OLD);
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
  const name = createHash('sha256').update(fs.realpathSync(root)).digest('hex').slice(0, 16);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const lock = join(temporary, `phoenix-fly-${process.getuid?.()}-${name}.lock`);
  fs.symlinkSync(String(process.pid), lock);
  assert.throws(() => apply(root, CHANGES), /another run is writing here; run again/);
  fs.rmSync(lock);
  fs.symlinkSync(String(dead), lock);
  apply(root, CHANGES);
  assert.equal(leftovers(), []);
});

test.run();
