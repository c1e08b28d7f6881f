import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '../generators/descriptors.ts';
import type { OnConflict } from '../src/edit/conflict.ts';
import { VERSION } from '../src/edit/version.ts';
import { kindOf } from '../src/plan/file.ts';
import { presentIn } from '../src/plan/plan.ts';
import { afterFly, FLAGS, planFor, projectOf, shop, type Texts } from './support/fixture.ts';

const run = (texts: Texts, onConflict?: OnConflict, flags = FLAGS): Texts =>
  afterFly(texts, flags, onConflict);

/** What a person edits in one file. */
function edit(texts: Texts, path: string, ...edits: [from: string | RegExp, to: string][]): Texts {
  let text = texts[path] ?? '';
  for (const [from, to] of edits) {
    assert.ok(from instanceof RegExp ? from.test(text) : text.includes(from), String(from));
    text = text.replace(from, to);
  }
  return { ...texts, [path]: text };
}

/** The files that a run changes. */
const changedFiles = (texts: Texts, onConflict?: OnConflict, flags = FLAGS): string[] =>
  planFor(texts, flags, onConflict)
    .filter((change) => kindOf(change) !== 'same')
    .map(({ path }) => path);
const conflictingFiles = (texts: Texts): string[] =>
  planFor(texts)
    .filter(({ ours }) => ours !== undefined)
    .map(({ path }) => path);

const newElixir = (texts: Texts): Texts =>
  edit(texts, '.tool-versions', ['1.18.4-otp-27', '1.17.3-otp-27']);

test('an untouched Dockerfile follows the facts; CRLF and a lost final newline are no edits', () => {
  const first = run(shop());
  for (const texts of [
    first,
    edit(first, 'Dockerfile', [/\n/g, '\r\n']),
    edit(first, 'Dockerfile', [/\n$/, '']),
  ]) {
    assert.equal(changedFiles(texts), []);
    const next = run(newElixir(texts));
    assert.match(next.Dockerfile ?? '', 'ARG ELIXIR_VERSION=1.17.3');
    assert.equal(conflictingFiles(newElixir(texts)), []);
    for (const ending of ['\r\n', '\n'])
      assert.is(next.Dockerfile?.endsWith(ending), texts.Dockerfile?.endsWith(ending));
    assert.not.match(next.Dockerfile ?? '', /[^\r]\n[\s\S]*\r\n|\r\n[\s\S]*[^\r]\n/);
    assert.equal(changedFiles(next), []);
  }
});

test('edits in a Dockerfile and our changes are merged', () => {
  const withEdits = (texts: Texts) =>
    edit(
      texts,
      'Dockerfile',
      ['build-base git', 'build-base git nodejs'],
      [/$/, 'LABEL mine=1'],
      [/^EXPOSE.*\n/m, ''],
    );
  const next = run(newElixir(withEdits(run(shop()))));
  const body = ({ Dockerfile = '' }: Texts) =>
    Dockerfile.replace(/^# phoenix-fly keeps .*\n?/m, '').trimEnd();
  assert.is(body(next), body(withEdits(run(newElixir(shop())))));
  assert.equal([...changedFiles(next), ...conflictingFiles(next)], []);
  // The same change made by hand is no conflict
  const same = edit(run(shop()), 'Dockerfile', ['ELIXIR_VERSION=1.18', 'ELIXIR_VERSION=1.17.3']);
  assert.equal(conflictingFiles(newElixir(same)), []);
});

test('a conflict leaves the file alone; merge lets theirs win, replace ours, and neither comes back', () => {
  const mine = newElixir(
    edit(
      run(shop()),
      'Dockerfile',
      [/ARG OTP_VERSION=.*/, 'ARG OTP_VERSION=26'],
      ['build-base git', 'build-base git nodejs'],
    ),
  );
  assert.equal(conflictingFiles(mine), ['Dockerfile']);
  assert.equal(changedFiles(mine), []);
  const flags = { ...FLAGS, psql: 'no' };
  const merged = run(mine, 'merge', flags);
  const replaced = run(mine, 'replace', flags);
  for (const { Dockerfile } of [merged, replaced]) {
    assert.match(Dockerfile ?? '', 'build-base git nodejs');
    assert.not.match(Dockerfile ?? '', 'postgresql-client');
  }
  assert.match(merged.Dockerfile ?? '', 'ARG OTP_VERSION=26');
  assert.match(replaced.Dockerfile ?? '', 'ARG OTP_VERSION=27');
  for (const texts of [merged, replaced])
    assert.equal([...changedFiles(texts), ...conflictingFiles(texts)], []);
});

test("a Dockerfile of the owner's stays, unless --conflict replace", () => {
  const own = shop({ Dockerfile: 'FROM elixir:1.18-alpine\nARG MINE=1\n' });
  assert.not(changedFiles(own).includes('Dockerfile'));
  assert.equal(conflictingFiles(own), ['Dockerfile']);
  assert.is(run(own, 'merge').Dockerfile, own.Dockerfile);
  assert.match(run(own, 'replace').Dockerfile ?? '', 'Written by phoenix-fly');
});

for (const [path, line, added] of [
  ['config/runtime.exs', 'queue_target: 500', 'queue_target: 900'],
  ['rel/env.sh.eex', 'inet6_tcp', 'inet_tcp'],
] as const) {
  test(`${path}: an edit inside the block is a conflict, text around it is not`, () => {
    const first = run(shop({ 'rel/env.sh.eex': '#!/bin/sh\r\nexport MINE=1' }));
    const around = edit(first, path, [/$/, '# below']);
    assert.equal([...changedFiles(around), ...conflictingFiles(around)], []);
    const inside = edit(around, path, [line, added]);
    assert.equal(conflictingFiles(inside), [path]);
    assert.is(run(inside)[path], inside[path]);
    assert.equal(run(inside, 'replace'), around);
  });

  test(`${path}: a deleted block comes back, unless its owner says none; damaged marks are refused`, () => {
    const first = run(shop());
    const without = edit(first, path, [/^# >>>[\s\S]*^# <<<.*\n/m, '']);
    assert.is(run(without)[path]?.trimEnd(), first[path]?.trimEnd());
    const none = edit(without, path, [/$/, '# phoenix-fly: none\n']);
    assert.equal([...changedFiles(none), ...conflictingFiles(none)], []);
    for (const mark of [/^# <<<.*\n/m, /^# >>>.*\n/m])
      assert.throws(
        () => run(edit(first, path, [mark, ''])),
        new RegExp(`${path.replaceAll('.', '\\.')}: the marks`),
      );
    assert.throws(() => run(edit(first, path, [/$/, first[path] ?? ''])), /no longer one pair/);
  });
}

test('answers are read back from the files, also those that changed since', () => {
  let texts = shop({ 'fly.toml': 'app = "own"\n[env]\nECTO_IPV6 = "true"\n' });
  for (const [postgres, database] of [
    ['shop-db', 'fly postgres attach shop-db'],
    ['managed:abc', 'fly mpg attach abc'],
    ['external', 'The database is outside Fly'],
    ['none', 'No database'],
    ['other-db', 'fly postgres attach other-db'],
  ] as const) {
    texts = run(texts, 'leave', {
      region: 'lhr',
      postgres,
      host: 'www.example.com',
      memory: '512mb',
      base: 'debian',
      psql: 'no',
      background: 'no',
    });
    assert.match(texts['fly.toml'] ?? '', database);
    assert.equal(changedFiles(texts, 'leave', {}), []);
    assert.is(
      presentIn(files, projectOf({ ...texts, 'config/runtime.exs': 'import Config\n' })).postgres,
      postgres,
    );
  }
});

test('the comment above what lets a machine sleep says that somebody was asked', () => {
  const written = run(shop(), 'leave', { ...FLAGS, background: 'no' })['fly.toml'] ?? '';
  const comments = written.match(/^ *#.*\n/gm) ?? [];
  const others = comments.filter((comment) => !comment.includes('machine may sleep'));
  assert.is(comments.length - others.length, 1);
  const flyToml = others.reduce((text, comment) => text.replace(comment, ''), written);
  assert.is(presentIn(files, projectOf({ ...shop(), 'fly.toml': flyToml })).background, 'no');
});

test('the database is answered in one comment of fly.toml, wherever it is moved; other comments stay', () => {
  const first = run(shop());
  const source = /^ *# DATABASE_URL is a secret.*\n/m.exec(first['fly.toml'] ?? '')?.[0] ?? '';
  const notes = '# No database migrations here\n# old: fly postgres attach old-db\n';
  for (const texts of [
    edit(first, 'fly.toml', [source, `${source}\n`]),
    edit(first, 'fly.toml', [source, ''], [/^/, `${notes}${source}`]),
    edit(first, 'fly.toml', [source, `${source.trimEnd()} (or ask Jo)\n`]),
  ]) {
    const otherFiles = changedFiles(texts, 'leave', {}).filter((path) => path !== 'fly.toml');
    assert.equal([...otherFiles, ...changedFiles(run(texts, 'leave', {}), 'leave', {})], []);
    assert.is(
      run(texts)['fly.toml']?.includes('(or ask Jo)'),
      texts['fly.toml']?.includes('(or ask Jo)'),
    );
    const next = run(texts, 'leave', { ...FLAGS, postgres: 'none' });
    assert.not.match(next['fly.toml'] ?? '', 'attach shop-db');
    if (texts['fly.toml']?.includes(notes)) assert.ok(next['fly.toml']?.startsWith(notes));
    assert.equal(changedFiles(next, 'leave', {}), []);
  }
});

test('--psql is read from the last stage; a PHX_HOST that is no host name is replaced', () => {
  const first = run(shop(), 'leave', { ...FLAGS, base: 'debian' });
  assert.equal(changedFiles(first, 'leave', {}), []);
  const edited = edit(first, 'Dockerfile', [/^# psql alone/m, '# mine\n# psql alone']);
  const merged = run(edited, 'merge', { ...FLAGS, base: 'alpine', psql: 'no' });
  assert.match(merged.Dockerfile ?? '', /^FROM os AS psql/m);
  assert.is(presentIn(files, projectOf(merged)).psql, 'no');
  assert.match(
    run(shop({ 'fly.toml': 'app = "shop"\n[env]\nPHX_HOST = "shop"\n' }))['fly.toml'] ?? '',
    'PHX_HOST = "shop.fly.dev"',
  );
});

test('a .dockerignore gains lines at its start, after a byte-order mark, and loses none', () => {
  const texts = run(shop({ '.dockerignore': '\uFEFFmine\r\n/deps/\r\n!.env.build' }));
  const lines = (texts['.dockerignore'] ?? '').split('\r\n');
  assert.is(lines[0], '\uFEFF**/.env*');
  assert.equal(lines.slice(-3), ['mine', '/deps/', '!.env.build']);
  assert.not(lines.includes('deps'));
  assert.equal(changedFiles(texts), []);
});

test('an untouched block follows the answers, in a CRLF file too', () => {
  for (const own of [
    'import Config\n',
    'import Config\r\n',
    'import Config\r\nconfig :shop, mine: 1',
  ]) {
    const next =
      run(run(shop({ 'config/runtime.exs': own })), 'leave', { ...FLAGS, postgres: 'managed' })[
        'config/runtime.exs'
      ] ?? '';
    assert.match(next, 'prepare: :unnamed');
    assert.ok(next.startsWith(own));
    assert.is(/[^\r]\n/.test(next), !own.includes('\r'));
  }
});

const generations = fileURLToPath(new URL('generations', import.meta.url));
const PATHS =
  'Dockerfile .dockerignore fly.toml rel/env.sh.eex config/runtime.exs lib/shop_web/plugs/health.ex lib/shop_web/endpoint.ex';
const generation = (name: string): Texts => {
  const read = (path: string) => [path, readFileSync(join(generations, name, path), 'utf8')];
  return shop(Object.fromEntries(PATHS.split(' ').map(read)));
};

test('files of a version without marks: blocks are renewed, the Dockerfile with --conflict replace', () => {
  const old = generation('unmarked');
  assert.equal(conflictingFiles(old), ['Dockerfile']);
  const next = run(old, 'replace');
  const fresh = run(shop());
  for (const path of ['Dockerfile', 'rel/env.sh.eex', 'config/runtime.exs'])
    assert.is(next[path], fresh[path], path);
  assert.equal(changedFiles(next), []);
});

test('a block stays as it is when its first line was edited', () => {
  const fresh = run(shop());
  const own = (fresh['rel/env.sh.eex'] ?? '').replace(/^# >>> .*/m, '$& (ours)');
  assert.is(run({ ...fresh, 'rel/env.sh.eex': own })['rel/env.sh.eex'], own);
});

for (const name of ['marked', 'seeded', 'cached']) {
  test(`files of an earlier version (${name}): all of it is renewed, and edits stay`, () => {
    const old = generation(name);
    const fresh = run(shop());
    assert.equal(conflictingFiles(old), []);
    const next = run(old);
    for (const path of ['rel/env.sh.eex', 'config/runtime.exs'])
      assert.is(next[path]?.replace(/^# >>>.*/m, ''), fresh[path]?.replace(/^# >>>.*/m, ''), path);
    const body = ({ Dockerfile = '' }: Texts) =>
      Dockerfile.replace(/^# (Written by )?phoenix-fly.*\n/gm, '');
    assert.is(body(next), body(fresh));
    const mine = (texts: Texts) =>
      edit(texts, 'Dockerfile', [/\n/, '\n# mine\n'], ['EXPOSE 4000', 'EXPOSE 4000 9568']);
    assert.is(body(run(mine(old))), body(mine(fresh)));
    assert.equal(changedFiles(next), []);
  });
}

test('VERSION is that of package.json', () => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  assert.is((JSON.parse(text) as { version: string }).version, VERSION);
});

test.run();
