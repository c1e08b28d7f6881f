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
import { refuseUnsafe, writeChanges } from '../src/write/write-changes.ts';
import { BUNDLE } from './support/commands.ts';
import { type Texts, writeFiles } from './support/fixture.ts';

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

const inRoot = (path: string): string => join(root, path);

/** The files below a folder by path; an empty folder ends in a slash. */
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

/** What we left in the temporary folder, where other programs keep things too. */
const leftovers = () => fs.readdirSync(temporary).filter((name) => name.includes('phoenix-fly'));

test('all files are written, modes stay, nothing is left over', () => {
  fs.chmodSync(join(root, 'a.txt'), 0o751);
  writeChanges(root, CHANGES);
  assert.equal(tree(), NEW);
  assert.is(fs.statSync(join(root, 'a.txt')).mode & 0o777, 0o751);
  assert.equal(leftovers(), []);
});

test('one file can be written alone', () => {
  writeChanges(root, CHANGES.slice(0, 1));
  assert.equal(tree(), { ...OLD, 'a.txt': 'new a\n' });
  assert.equal(leftovers(), []);
});

/** What happens before the writing, and the message. `before` is the text that a.txt was planned from. */
const REFUSED: [name: string, change: () => void, message: RegExp, before?: string][] = [
  [
    'an edit',
    () => writeFiles(root, { 'config/b.txt': 'edited' }),
    /b.txt changed meanwhile; run again/,
  ],
  ['a deleted file', () => fs.rmSync(inRoot('a.txt')), /a.txt changed meanwhile/],
  ['a new file', () => writeFiles(root, { 'lib/deep/c.txt': 'mine' }), /c.txt changed meanwhile/],
  ['a link', () => fs.symlinkSync(inRoot('other.txt'), inFolder('c.txt')), /c.txt is a symbolic/],
  ['a linked folder', () => fs.symlinkSync(tmpdir(), inRoot('lib')), /lib is a file or a/],
  ['a folder', () => fs.mkdirSync(inFolder('c.txt')), /c.txt is a symbolic/],
  ['a pipe', () => execFileSync('mkfifo', [inFolder('c.txt')]), /c.txt is a symbolic/],
  ['a file as a folder', () => writeFiles(root, { lib: 'file' }), /lib is a file or a/],
  [
    'other than UTF-8',
    () => fs.writeFileSync(inRoot('a.txt'), Buffer.from([0x6f, 0xff, 0x0a])),
    /a.txt is not UTF-8 text/,
    'o\uFFFD\n',
  ],
];
function inFolder(name: string): string {
  fs.mkdirSync(inRoot('lib/deep'), { recursive: true });
  return inRoot(`lib/deep/${name}`);
}

for (const [name, change, message, textOfA] of REFUSED)
  test(`${name} in the way is refused, and the tree stays`, () => {
    change();
    const treeBefore = tree();
    const changes = CHANGES.map(({ path, before, after }) => ({
      path,
      before: path === 'a.txt' && textOfA ? textOfA : before,
      after,
    }));
    const problem = problemOf(() => writeChanges(root, changes)) ?? '';
    assert.match(problem, message);
    assert.match(problem, /^nothing was written/);
    assert.equal(tree(), treeBefore);
    assert.equal(leftovers(), []);
  });

test('without a temporary folder, files are staged beside the repo', () => {
  process.env.TMPDIR = join(root, 'a.txt');
  writeChanges(root, CHANGES);
  assert.equal(tree(), NEW);
});

test('when a rename fails, the files and folders before it are restored', () => {
  const changes = [...CHANGES, { path: 'a.txt', before: 'old a\n', after: 'again\n' }];
  assert.throws(() => writeChanges(root, changes), /nothing was written: a.txt changed meanwhile/);
  assert.equal(tree(), OLD);
  assert.equal(leftovers(), []);
});

test('what the disk says of a file before anything is written is one sentence', () => {
  const path = 'x'.repeat(300);
  const problem = problemOf(() => refuseUnsafe(root, { path, before: undefined, after: '' }));
  assert.is(problem, `nothing was written: ${path}: name too long`);
});

test('a file with a second hard link is replaced under its own name only', () => {
  fs.linkSync(join(root, 'a.txt'), join(root, 'same.txt'));
  writeChanges(root, CHANGES);
  assert.equal(tree(), { ...NEW, 'same.txt': 'old a\n' });
});

test('Ctrl-C amid the writing: the new tree, nothing left over', () => {
  const script = `
    const { writeChanges } = await import(${JSON.stringify(`${BUNDLE}/src/write/write-changes.js`)});
    writeChanges(${JSON.stringify(root)}, ${JSON.stringify(CHANGES)}.map((change) => ({ ...change, get after() {
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
  for (let round = 0; round < rounds; round++) writeFiles(inRoot(String(round)), OLD);
  const race = (who: string, start: number) => `
    const { writeChanges } = await import(${JSON.stringify(`${BUNDLE}/src/write/write-changes.js`)});
    const results = [];
    for (let round = 0; round < ${rounds}; round++) {
      const next = ${start} + round * 8;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, next - 1 - Date.now()));
      while (Date.now() < next);
      const mine = ${JSON.stringify(CHANGES)}.map((change) => ({ ...change, after: change.after + ${JSON.stringify(who)} }));
      try { writeChanges(${JSON.stringify(root)} + '/' + round, mine); results.push('wrote'); } catch (error) { results.push(error.message); }
    }
    console.log(JSON.stringify(results));`;
  const begin = Date.now() + 500;
  const [resultsOfA = [], resultsOfB = []] = await Promise.all(
    ['A', 'B'].map(async (who) => {
      const args = ['--input-type=module', '-e', race(who, begin)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      return JSON.parse(stdout) as string[];
    }),
  );
  for (let round = 0; round < rounds; round++) {
    const winner = resultsOfA[round] === 'wrote' ? 'A' : 'B';
    assert.equal(tree(join(root, String(round))), {
      ...OLD,
      ...Object.fromEntries(CHANGES.map(({ path, after }) => [path, after + winner])),
    });
    const loser = (winner === 'A' ? resultsOfB : resultsOfA)[round] ?? '';
    assert.match(loser, /^nothing was written: (.* changed meanwhile|another run is writing here)/);
  }
  assert.equal(leftovers(), []);
});

test('the lock of a run that was killed stops no other run', () => {
  const name = createHash('sha256').update(fs.realpathSync(root)).digest('hex').slice(0, 16);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const lock = join(temporary, `phoenix-fly-${process.getuid?.()}-${name}.lock`);
  fs.symlinkSync(String(process.pid), lock);
  assert.throws(() => writeChanges(root, CHANGES), /another run is writing here; run again/);
  fs.rmSync(lock);
  fs.symlinkSync(String(dead), lock);
  writeChanges(root, CHANGES);
  assert.equal(leftovers(), []);
});

test.run();
