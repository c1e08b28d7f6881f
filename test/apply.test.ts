import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change } from '../src/plan/file.ts';
import { apply, recover } from '../src/write/apply.ts';
import { checksum, settle, swap } from '../src/write/swap.js';

type Texts = Record<string, string>;
let root = '';
let staging = '';

test.before.each(() => {
  root = mkdtempSync(join(tmpdir(), 'apply-'));
  staging = join(tmpdir(), `phoenix-fly-${checksum(root).slice(0, 16)}-test`);
  put(OLD);
});
test.after.each(() =>
  [root, staging].forEach((path) => rmSync(path, { recursive: true, force: true })),
);

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
      [path]: entry.isSymbolicLink() ? 'link' : readFileSync(join(folder, entry.name), 'utf8'),
    };
  });
  return Object.assign({}, ...entries) as Texts;
}

const leftovers = () =>
  readdirSync(tmpdir()).filter((name) =>
    name.startsWith(`phoenix-fly-${checksum(root).slice(0, 16)}`),
  );

test('all files come in, modes stay, nothing is left over', () => {
  chmodSync(join(root, 'a.txt'), 0o751);
  apply(root, CHANGES);
  assert.equal(tree(), NEW);
  assert.is(statSync(join(root, 'a.txt')).mode & 0o777, 0o751);
  assert.equal(leftovers(), []);
  assert.is(recover(root), undefined);
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

/** The staging folder of a run that was killed after so many renames. */
function killedAfter(renames: number, journal = 'journal'): void {
  const files = CHANGES.map(({ path, before, after }) => ({
    path,
    before: before === undefined ? null : checksum(before),
    after: checksum(after),
  }));
  mkdirSync(staging);
  writeFileSync(
    join(staging, journal),
    JSON.stringify({ root, folders: ['lib', 'lib/deep'], files }),
  );
  CHANGES.forEach(({ path, before, after }, index) => {
    writeFileSync(join(staging, `${index}.new`), after);
    if (before !== undefined) writeFileSync(join(staging, `${index}.old`), before);
    if (index >= renames) return;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    renameSync(join(staging, `${index}.new`), join(root, path));
  });
}

for (const renames of [0, 1, 2, 3]) {
  test(`killed after ${renames} renames: the next run ${renames ? 'completes' : 'forgets'} it`, () => {
    killedAfter(renames);
    assert.is(
      recover(root),
      renames ? 'An earlier run was killed while it wrote; its changes were completed.' : undefined,
    );
    assert.equal(tree(), renames ? NEW : OLD);
    assert.equal(leftovers(), []);
  });

  test(`no guard came up, or it was killed after ${renames} renames: the run makes the others`, () => {
    killedAfter(renames);
    assert.is(settle(staging, true), 'completed');
    assert.equal(tree(), NEW);
    assert.equal(leftovers(), []);
  });

  test(`killed while ${renames} renames were undone: the next run undoes them`, () => {
    killedAfter(renames, 'undo');
    assert.match(recover(root) ?? '', 'its changes were undone');
    assert.equal(tree(), OLD);
  });
}

test('killed before the first rename: the tree is the old one and the staging folder goes', () => {
  mkdirSync(staging);
  writeFileSync(join(staging, '0.new'), 'new a\n');
  assert.is(recover(root), undefined);
  assert.equal(tree(), OLD);
  assert.equal(leftovers(), []);
});

test('what was edited after the kill stays', () => {
  killedAfter(1);
  put({ 'config/b.txt': 'edited since' });
  recover(root);
  assert.equal(tree(), { ...NEW, 'config/b.txt': 'edited since' });
});

test('what somebody else wrote meanwhile is not undone, be it the same', () => {
  killedAfter(0, 'undo');
  put({ 'a.txt': 'new a\n' });
  recover(root);
  assert.is(tree()['a.txt'], 'new a\n');
});

test('a step that fails undoes those before it', () => {
  killedAfter(1);
  symlinkSync('nowhere', join(root, 'lib'));
  assert.is(settle(staging), 'undone');
  assert.equal(tree(), { ...OLD, lib: 'link' });
});

test('a file that changes between the last look and the renames stops all of them', () => {
  killedAfter(0);
  put({ 'config/b.txt': 'edited' });
  assert.throws(() => swap(staging), /changed meanwhile/);
  assert.equal(tree(), { ...OLD, 'config/b.txt': 'edited' });
});

test('the guard of a dead parent begins nothing, ends what was begun, and clears up', async () => {
  for (const [renames, journal] of [
    [0, 'draft'],
    [0, 'journal'],
    [1, 'journal'],
  ] as const) {
    put(OLD);
    rmSync(join(root, 'lib'), { recursive: true, force: true });
    killedAfter(renames, journal);
    const guard = spawn(
      process.execPath,
      [fileURLToPath(new URL('../src/write/guard.js', import.meta.url)), staging, '1'],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    );
    guard.stdin.destroy();
    await once(guard, 'exit');
    assert.equal(tree(), renames ? NEW : OLD);
    assert.equal(leftovers(), []);
  }
});

test.run();
