/** Repos of people who mean harm, and repos that are large, deep or odd. */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import TOML from '@iarna/toml';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '../generators/descriptors.ts';
import { refuseUnsupported } from '../src/answers/refusals.ts';
import { check } from '../src/check/check.ts';
import { verdictsOf } from '../src/check/verdicts.ts';
import { intoBlock } from '../src/edit/block.ts';
import { mergeLines } from '../src/edit/lines.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import { detect } from '../src/facts/detect.ts';
import { factsOf } from '../src/facts/facts-json.ts';
import { trustedPath } from '../src/fly/flyctl.ts';
import { plan } from '../src/plan/plan.ts';
import { INVISIBLE, Problem, printable, printableJson } from '../src/problem.ts';
import * as quote from '../src/quote.ts';
import { diffOf } from '../src/run/preview.ts';
import { print } from '../src/run/terminal.ts';
import { openTree, treeOf } from '../src/tree.ts';
import { COSTLY } from './support/costly.ts';
import { complete, FLAGS, SHOP, shop, type Texts, writeFiles } from './support/fixture.ts';

const numRuns = Number(process.env.ROUNDS ?? 60);

let folder = '';
test.before.each(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hostile-'));
});
test.after.each(() => fs.rmSync(folder, { recursive: true, force: true }));

/** All that is printed and written about a repo; undefined where it is refused by a Problem. Any other error is a defect. */
function outputFor(texts: Texts): string | undefined {
  try {
    const project = detect(treeOf(texts));
    const printed = [verdictsOf(check(project), true), JSON.stringify(factsOf(project))];
    refuseUnsupported(project);
    const answers = complete(FLAGS, project);
    const changes = plan(files, { project, answers: answers, command: 'npx plop' });
    return [...printed, diffOf(changes), ...changes.map(({ after }) => after)]
      .map(printable)
      .join('\n');
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

const CHARACTERS =
  'a b\'"`$#{}()[];&|<>*?!~%\\/=:,.-_@^+\n\r\té日\u0000\u007f\u009b\u200b\u202e\u2028\uFEFF';
const characters = fc.constantFrom(...CHARACTERS, '#{', '$(', '${', '\u001b[2J', '\u{E0001}');
const hostile = fc.array(characters, { maxLength: 12 }).map((parts) => parts.join(''));

/** A quoted text; undefined where it is refused. */
function quotedOrRefused(quoteText: (text: string) => string, text: string): string | undefined {
  try {
    return quoteText(text);
  } catch (error) {
    assert.instance(error, Problem);
    return undefined;
  }
}

test('a text that is quoted for a language is read back as it was', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      assert.is(TOML.parse(`a = ${quote.tomlString(text)}`).a, text);
      assert.is(quote.tomlString(text).search(INVISIBLE), -1);
      const { body, problem } = parseElixir(`[${quote.elixirAtom(text)}, 1]`);
      assert.equal([problem, body.length, body[0]?.is], [null, 1, 'list'], text);
      const copied = quotedOrRefused((path) => quote.copyPaths([path, './']), text);
      assert.ok(copied === undefined || !/[\r\n]|^-/.test(copied));
      const path = quotedOrRefused(quote.shellPath, text);
      assert.ok(path === undefined || !path.startsWith('-'));
    }),
    { numRuns },
  );
  for (const name of ['', 'shop', 'Shop.repo', 'A b', 'A\nB', 'Elixir.', '"A"'])
    assert.throws(() => quote.elixirModule(name), /is no module name/);
  assert.is(quote.elixirModule('Shop.Repo'), 'Shop.Repo');
});

test('words that are quoted for a shell arrive as they are', () => {
  const texts = fc
    .sample(hostile, numRuns)
    .filter((text) => quotedOrRefused(quote.shellWord, text) !== undefined);
  const out = execFileSync('sh', ['-c', `printf '%s\\0' ${texts.map(quote.shellWord).join(' ')}`]);
  assert.equal(out.toString().split('\0').slice(0, -1), texts);
});

test('nothing that a terminal obeys or hides is printed, and JSON stays JSON', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      assert.is(printable(text).search(INVISIBLE), -1);
      assert.not.match(printable(text), '\r');
      assert.is(printableJson({ text }).search(INVISIBLE), -1);
      assert.ok(JSON.parse(printableJson({ text })));
    }),
    { numRuns },
  );
  assert.is(printable('a\r\nb\n'), 'a\nb\n');
  assert.is(printable('\u001b[31m\u202e'), '\\u001b[31m\\u202e');
});

test('what a run or a check prints is printable', () => {
  const { log } = console;
  const lines: string[] = [];
  console.log = (line: string) => lines.push(line);
  try {
    print('a\u001b[2Jb');
  } finally {
    console.log = log;
  }
  assert.equal(lines, ['a\\u001b[2Jb']);
});

test('secrets are masked wherever they are shown; the file stays', () => {
  const secrets = [
    'secret_key_base: "Zm9vYmFyYmF6"',
    'password: "hunter22"',
    '"API_TOKEN" => "abcdefgh"',
    'url: "ecto://shop:hunter22@db.example.com/shop"',
    'System.put_env("STRIPE_API_KEY", "sk_live_51HabcdefghijklmnopQR")',
    'ENV GITHUB_TOKEN=ghp_0123456789abcdefghijABCDEFGHIJ012345',
    'anything: "0123456789abcdef0123456789abcdef0123456789abcdef"',
  ];
  for (const line of secrets) {
    const shown = printable(line);
    assert.match(shown, '********');
    for (const part of ['Zm9v', 'hunter22', 'abcdefgh', 'sk_live', 'ghp_', '0123456789abcdef'])
      assert.not.match(shown, part);
  }
  for (const line of [
    'secret_key_base: System.get_env("SECRET_KEY_BASE")',
    'fly secrets set SECRET_KEY_BASE=$(openssl rand -base64 48) --stage --app shop',
    'fly deploy --build-secret GITHUB_TOKEN="$GITHUB_TOKEN"',
    'RUN --mount=type=secret,id=GITHUB_TOKEN,required=true true',
    'ecto://USER:PASSWORD@HOST/DATABASE',
    'for name <- ["SHOP_TOKEN", "DATABASE_URL"], do: System.fetch_env!(name)',
    'token_variable: "SHOP_TOKEN"',
  ])
    assert.is(printable(line), line);
});

test('JSON keeps its keys, and the names of variables and modules; a secret in a text is masked', () => {
  const value = {
    what: 'no secrets',
    file: 'Dockerfile',
    otpApp: 'share_secret',
    module: 'ShareSecret',
    requiredEnv: ['SECRET_KEY_BASE', 'DATABASE_URL'],
    background: ['Shop.ByApiKey', 'Shop.Projector'],
    odd: 'a\r\u202e"b',
  };
  assert.equal(JSON.parse(printableJson(value)), value);
  const messages = ['token: "abcdefgh"', 'url "ecto://shop:hunter22@db/shop"'];
  assert.equal(JSON.parse(printableJson(messages)), [
    'token: "********"',
    'url "ecto://shop:********@db/shop"',
  ]);
});

const OUTSIDE = 'elixir 9.9.9-otp-99\n';
test('no symbolic link makes a run read outside the repo', () => {
  const outside = join(folder, 'outside');
  writeFiles(outside, { '.tool-versions': OUTSIDE, 'mix.exs': 'outside', 'shop.ex': 'outside' });
  const app = join(folder, 'app');
  fs.cpSync(SHOP, app, { recursive: true });
  fs.rmSync(join(app, '.tool-versions'));
  fs.symlinkSync(join(outside, '.tool-versions'), join(app, '.tool-versions'));
  fs.symlinkSync(outside, join(app, 'lib/outside'));
  fs.symlinkSync('..', join(app, 'up'));
  const tree = openTree(app);
  const outsides = ['lib', 'up', '..', 'lib/../..'].map((dir) => `${dir}/outside/mix.exs`);
  for (const path of ['.tool-versions', ...outsides, 'a\0b'])
    assert.is(tree.read(path), undefined, path);
  assert.equal(
    [...tree.paths].filter((path) => /outside/.test(path)),
    [],
  );
  // One that leads to a file of the repo is read, as Docker does
  fs.symlinkSync('mix.exs', join(app, 'linked.exs'));
  assert.ok(openTree(app).paths.has('linked.exs'));
  assert.is(openTree(app).read('linked.exs'), tree.read('mix.exs'));
  fs.rmSync(join(app, 'linked.exs'));
  // The folder that is opened may itself be a link
  fs.symlinkSync(app, join(folder, 'linked'));
  assert.equal([...openTree(join(folder, 'linked')).paths], [...tree.paths]);
  assert.is(openTree(join(folder, 'linked')).read('../outside/mix.exs'), undefined);
});

test('a file that is too large is named in a note, or refused where nothing can be said without it', () => {
  fs.cpSync(SHOP, folder, { recursive: true });
  const large = 'x'.repeat(9 << 20);
  writeFiles(folder, { 'lib/large.ex': large });
  execFileSync('mkfifo', [join(folder, 'lib/pipe.ex')]);
  const { notes } = detect(openTree(folder));
  assert.match(notes.join('\n'), /lib\/large\.ex was not read: it has 9 MB/);
  writeFiles(folder, { 'mix.lock': large });
  assert.throws(() => detect(openTree(folder)), /mix\.lock was not read: it has 9 MB/);
});

test('a large file that the code reads while it compiles is copied, not read', () => {
  fs.cpSync(SHOP, folder, { recursive: true });
  writeFiles(folder, {
    'lib/shop/rows.ex':
      'defmodule Shop.Rows do\n  @rows File.read!("data/rows.csv")\n  def all, do: @rows\nend\n',
    'data/rows.csv': 'x'.repeat(9 << 20),
    '.dockerignore': 'cover\n',
  });
  const tree = openTree(folder);
  check(detect(tree));
  assert.equal(tree.skipped, []);
});

test('a folder that was not read is named where something is missing', () => {
  const tree = treeOf(shop({ 'lib/shop_web/endpoint.ex': undefined }));
  assert.throws(
    () => detect({ ...tree, skipped: ['lib was not looked at: permission denied'] }),
    /no endpoint found.*\(lib was not looked at/,
  );
});

test('a large folder further down does not hide the other folders, and a note says that there is more', () => {
  fs.cpSync(SHOP, folder, { recursive: true });
  writeFiles(
    folder,
    Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`assets/a/b/c/${index}/x`, ''])),
  );
  const project = detect(openTree(folder, 100));
  assert.is(project.endpoint.module, 'ShopWeb.Endpoint');
  assert.match(project.notes.join('\n'), /more than \d+ files/);
});

test('a flyctl in the repo or in the current folder is never started', () => {
  fs.mkdirSync(join(folder, '.git'));
  fs.mkdirSync(join(folder, 'apps/shop/bin'), { recursive: true });
  const before = process.env.PATH;
  const own = ['bin', 'apps/shop/bin'].map((path) => join(folder, path));
  process.env.PATH = ['.', 'bin', '', ...own, '/usr/bin'].join(':');
  try {
    assert.is(trustedPath(join(folder, 'apps/shop')), '/usr/bin');
  } finally {
    process.env.PATH = before;
  }
});

const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];
const JSONS = [
  ...['null', '[]', '1', '"a"', '{"workspaces":1}', '{"dependencies":[1]}'],
  '{"dependencies":{"a":1}}',
  '{"dependencies":{"vite":"1"},"scripts":{"build":1},"packageManager":7,"engines":"x","volta":[],"workspaces":{"packages":[1,null,"*"]}}',
];
const PATHS =
  'fly.toml Dockerfile config/runtime.exs rel/env.sh.eex mix.exs mix.lock .dockerignore assets/package.json'.split(
    ' ',
  );
const inEach = (text: (path: string) => string, paths = PATHS): Texts =>
  Object.fromEntries(paths.map((path) => [path, text(path)]));
const usingName = (name: string): Texts => ({
  'mix.exs': (shop()['mix.exs'] ?? '').replace('{:bandit', `{:${name}, "~> 1.0"}, {:bandit`),
  'mix.lock': (shop()['mix.lock'] ?? '').replace(
    '%{',
    `%{\n  "${name}": {:hex, :${name}, "1.0.0", "s", [:make], [], "hexpm", "s"},`,
  ),
  'assets/package.json': `{"dependencies":{"${name}":"1"},"scripts":{"${name}":"x"}}`,
  'fly.toml': `app = "shop"\nprimary_region = "${name}"\n[env]\n${name} = "1"\n[processes]\n${name} = "x"\n`,
  Dockerfile: `FROM alpine AS ${name}\nARG ${name}=1\nENV ${name}=\${${name}}\nCOPY --from=${name} a b\n`,
  'config/runtime.exs': `import Config\nconfig :${name}, ${name}: System.fetch_env!("${name}")\n`,
});
const ODD: [string, Texts][] = [
  ...JSONS.map((json): [string, Texts] => [
    `package.json: ${json}`,
    { 'assets/package.json': json, 'package.json': json },
  ]),
  ...NAMES.map((name): [string, Texts] => [`the name ${name}`, usingName(name)]),
  ['byte-order marks', inEach((path) => `\uFEFF${shop()[path] ?? ''}`)],
  [
    'empty files',
    inEach(
      () => '',
      [
        ...PATHS.filter((path) => !/^mix/.test(path)),
        ...['.tool-versions', 'mise.toml', 'package.json'],
      ],
    ),
  ],
];

for (const [name, changes] of ODD)
  test(`${name}: taken, or refused by a Problem`, () => {
    const output = outputFor({ ...shop(), ...changes });
    assert.not.match(output ?? '', /undefined|\[object|NaN|native code/);
  });

/** A file that repeats a text. */
const LARGE: [path: string, unit: string, count: number][] = [
  ['.tool-versions', '\n', 900_000],
  ['.tool-versions', 'elixir 1.1-rc.', 60_000],
  ['.nvmrc', '1', 900_000],
  ['mise.toml', 'a = [', 50_000],
  ['package.json', '{"workspaces":[', 50_000],
  ['pnpm-workspace.yaml', 'packages:\n  - a\n', 50_000],
  ['Dockerfile', '#', 200_000],
  ['Dockerfile', 'FROM elixir:1.1 ', 20_000],
  ['Dockerfile', 'RUN a \\\n', 2_000],
  ['Dockerfile', 'FROM a AS a\nENV A=1\n', 2_000],
  ['Dockerfile', 'RUN "\n', 100_000],
  ['fly.toml', '[[services]]\ninternal_port = 1\n', 3_000],
  ['fly.toml', '[[http_service.checks]]\npath = "/a"\n', 5_000],
  ['fly.toml', '\n', 1_000_000],
  ['.dockerignore', '**/', 100_000],
  ['.dockerignore', '!*\n', 20_000],
  ['fly.toml', 'a = [', 50_000],
  ['fly.toml', '[[vm]]\n', 5_000],
  ['rel/env.sh.eex', 'if [ a ]; then\n', 10_000],
  ['rel/env.sh.eex', 'a\n', 500_000],
  ['rel/env.sh.eex', 'a=$( ', 39_000],
  ['rel/env.sh.eex', `A="${'\\a'.repeat(30)}\n`, 1],
];
/** CPU time is measured, so that other programs don't matter. */
function within3Seconds(run: () => void): void {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  assert.ok(user + system < 3_000_000, `${(user + system) / 1000} ms`);
}

for (const [path, unit, count] of LARGE)
  test(`${path} of ${count} times ${JSON.stringify(unit)} takes no longer than 3 seconds`, () =>
    within3Seconds(() => outputFor({ ...shop(), [path]: unit.repeat(count) })));

/** The costly repos that are always tried; with ROUNDS all are, which takes half a minute. */
const QUICK =
  /^(a list that doubles|(blank lines|slashes|prefix operators) in a row|a chain of names without arguments|functions without an end|a long word behind use)$/;
for (const [name, { files: costly, exceeds }] of Object.entries(COSTLY))
  if (process.env.ROUNDS || QUICK.test(name))
    test(`${name}: read within 3 seconds, with a note where the budget ended it`, () =>
      within3Seconds(() => {
        let notes = '';
        try {
          const project = detect(treeOf({ ...shop(), ...costly }));
          check(project);
          notes = project.notes.join('\n');
        } catch (error) {
          assert.instance(error, Problem);
          notes = (error as Problem).message;
        }
        assert.is(/here than is read/.test(notes), exceeds);
      }));

test('a problem is one line', () =>
  assert.is(new Problem('"a\nb" is none; give another').message, '"a\\nb" is none; give another'));

test('variables of a Dockerfile that double at each step are not expanded without end', () => {
  const lines = Array.from({ length: 60 }, (_, n) => `ARG A${n + 1}=\${A${n}}\${A${n}}\n`);
  outputFor({ ...shop(), Dockerfile: `ARG A0=xx\n${lines.join('')}FROM \${A60}\nUSER \${A60}\n` });
});

test('a fly.toml that overflows its parser is refused', () => {
  const deep = [
    `${'['.repeat(5000)}${']'.repeat(5000)}`,
    `${'{a='.repeat(5000)}1${'}'.repeat(5000)}`,
  ];
  for (const value of deep)
    assert.is(outputFor({ ...shop(), 'fly.toml': `a = ${value}` }), undefined);
});

test('a checksum that was edited is no longer ours', () => {
  const merge = intoBlock('rel/env.sh.eex', '#!/bin/sh');
  const edited = merge('#!/bin/sh\n', 'a', 'leave').replace(/\((\w+)\)/, '($1MINE)');
  assert.is(merge(edited, 'a', 'leave'), edited);
});

test('patterns with many stars take no time', () => {
  const name = `${'a'.repeat(200)}b`;
  const stars = `${'a*'.repeat(50)}c`;
  within3Seconds(() =>
    outputFor({
      ...shop(),
      [`packages/${name}/package.json`]: '{}',
      'package-lock.json': '{}',
      'package.json': `{"dependencies":{"a":"1"},"workspaces":["packages/${stars}"]}`,
      'config/config.exs': `import Config\nimport_config "${stars}.exs"\n`,
      [`config/${name}.exs`]: '',
      '.dockerignore': `${stars}\n`,
    }),
  );
});

/** What a person, a merge or a tool does to a file, at random places. */
const ACTIONS = 'insert,append,delete,double,mark,after mark,sum,double mark,indent,truncate,crlf';
const edits = fc.array(
  fc.record({
    action: fc.constantFrom(...ACTIONS.split(',')),
    line: fc.nat(200),
    column: fc.nat(100),
  }),
  { minLength: 1, maxLength: 4 },
);
type Edit = { action: string; line: number; column: number };

/** A text after edits, and the tokens in it that mark what its owner wrote. */
function edited(text: string, list: readonly Edit[]): { text: string; tokens: string[] } {
  const tokens: string[] = [];
  const newToken = (): string => {
    const token = `MINE${tokens.length}X`;
    tokens.push(token);
    return token;
  };
  const result = list.reduce((current, { action, line, column }) => {
    const lines = current.split('\n');
    const index = line % lines.length;
    const marks = [...lines.keys()].filter((key) => /phoenix-fly/.test(lines[key] ?? ''));
    const markIndex = marks[line % (marks.length || 1)] ?? index;
    const mark = lines[markIndex] ?? '';
    if (action === 'insert') lines.splice(index, 0, `# ${newToken()}`);
    if (action === 'append') lines[index] += ` # ${newToken()}`;
    if (action === 'delete') lines.splice(index, 1);
    if (action === 'double') lines.splice(column % lines.length, 0, lines[index] ?? '');
    if (action === 'mark')
      lines[markIndex] = `${mark.slice(0, column)}${newToken()}${mark.slice(column)}`;
    if (action === 'after mark') lines[markIndex] = `${mark} ${newToken()}`;
    if (action === 'sum') lines[markIndex] = mark.replace(/ ?\(\w+\)/, '');
    if (action === 'double mark') lines.splice(index, 0, mark);
    if (action === 'indent') lines[markIndex] = `  ${mark}`;
    if (action === 'truncate') lines.length = Math.max(1, index);
    const joined = lines.join('\n');
    return action === 'crlf' ? joined.replace(/\r?\n/g, '\r\n') : joined;
  }, text);
  return { text: result, tokens: tokens.filter((token) => result.includes(token)) };
}

const OLD = Array.from({ length: 12 }, (_, index) => (index % 4 ? `# line ${index}` : '')).join(
  '\n',
);
const NEW = `${OLD.replace('line 5', 'line five').replace('# line 9\n', '')}\n# more\n`;
const MERGES = {
  lines: mergeLines,
  block: intoBlock('rel/env.sh.eex', '#!/bin/sh'),
};
for (const [name, merge] of Object.entries(MERGES))
  test(`random edits of a file with our ${name}: nothing of its owner's is lost, and a second run changes nothing`, () => {
    const ours = merge(name === 'lines' ? undefined : '#!/bin/sh\nfirst\n', `${OLD}\n`, 'leave');
    fc.assert(
      fc.property(
        edits,
        fc.constantFrom('leave' as const, 'merge' as const),
        (list, onConflict) => {
          const { text, tokens } = edited(ours, list);
          try {
            const next = merge(text, NEW, onConflict);
            for (const token of tokens) assert.ok(next.includes(token), token);
            assert.is(merge(next, NEW, onConflict), next);
            const replaced = merge(text, NEW, 'replace');
            assert.is(merge(replaced, NEW, 'replace'), replaced);
          } catch (error) {
            assert.instance(error, Problem);
          }
        },
      ),
      { numRuns: numRuns * 10 },
    );
  });

test("env.sh's block stays a script that sh can read", () => {
  const script = MERGES.block('#!/bin/sh\n', OLD, 'leave');
  assert.is(spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' }).stderr, '');
});

test.run();
