/** Random projects, answers and edits. ROUNDS=10000 runs so many rounds of each test; without it they take seconds. */
import { spawnSync } from 'node:child_process';
import TOML from '@iarna/toml';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '../generators/descriptors.ts';
import { type Answers, questionNames } from '../src/answers/questions.ts';
import type { OnConflict } from '../src/edit/conflict.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import { kindOf } from '../src/plan/file.ts';
import { plan, presentIn } from '../src/plan/plan.ts';
import { Problem } from '../src/problem.ts';
import { nextSteps } from '../src/run/steps.ts';
import {
  complete,
  FLAGS,
  type Flags,
  projectOf,
  shop,
  type Texts,
  withChanges,
} from './support/fixture.ts';

const numRuns = Number(process.env.ROUNDS ?? 15);
/** Fewer rounds of edits, since each runs everything up to ten times. */
const editRuns = Number(process.env.ROUNDS ?? 8);

interface Outcome {
  texts: Texts;
  answers: Answers;
  /** How many files have a conflict. */
  conflicts: number;
}

/** The repo after a run; undefined where it is refused by a Problem. Any other error is a defect. */
function run(texts: Texts, flags: Flags, onConflict?: OnConflict): Outcome | undefined {
  try {
    const project = projectOf(texts);
    const answers = complete(flags, project);
    const changes = plan(files, { project, answers: answers }, onConflict);
    return {
      texts: withChanges(texts, changes),
      answers,
      conflicts: changes.filter(({ ours }) => ours !== undefined).length,
    };
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** The files that another run would change. @param answers without them those that the files give */
function remainingChanges(texts: Texts, answers?: Answers, onConflict?: OnConflict): string[] {
  const project = projectOf(texts);
  return plan(files, { project, answers: answers ?? complete({}, project) }, onConflict)
    .filter((change) => kindOf(change) !== 'same')
    .map(({ path }) => path);
}

const ELIXIR_FILES = [
  'config/runtime.exs',
  'lib/shop_web/plugs/health.ex',
  'lib/shop_web/endpoint.ex',
  'mix.exs',
];
const WRITTEN_FILES = ['Dockerfile', 'fly.toml', '.dockerignore', ...ELIXIR_FILES];
let assertions = 0;

/** @iarna/toml 3.0 refuses CRLF after a comment. */
const parseToml = (text = '') => TOML.parse(text.replaceAll('\r\n', '\n'));

/** Every file that we write can be parsed by the program that reads it. */
function assertParses(texts: Texts): void {
  parseToml(texts['fly.toml']);
  const errors = validate(texts.Dockerfile ?? '').filter(({ severity }) => severity === 1);
  assert.equal(errors, []);
  for (const path of ELIXIR_FILES) assert.is(parseElixir(texts[path] ?? '').problem, null, path);
  for (const path of WRITTEN_FILES) assert.not.match(texts[path] ?? '', /&#|&quot;|<%/, path);
  // Starting a shell takes long
  if (assertions++ % 20 === 0) {
    const input = (texts['rel/env.sh.eex'] ?? '').replaceAll('\r\n', '\n');
    assert.is(spawnSync('sh', ['-n'], { input, encoding: 'utf8' }).stderr, '');
  }
}

const crlf = (text: string): string => text.replace(/\r?\n/g, '\r\n');

const answers: fc.Arbitrary<Flags> = fc.record(
  {
    app: fc.constantFrom('shop', 'a', 'my-shop-2'),
    region: fc.constantFrom('lhr', 'iad', 'Frankfurt'),
    postgres: fc.constantFrom('shop-db', 'managed', 'managed:abc123', 'external'),
    host: fc.constantFrom('shop.example.com', 'www.example.org'),
    base: fc.constantFrom('alpine', 'debian'),
    memory: fc.constantFrom('256mb', '512mb', '1gb', '2gb'),
    psql: fc.constantFrom('yes', 'no'),
    migrate: fc.constantFrom('yes', 'no'),
    background: fc.constantFrom('yes', 'no'),
  },
  { requiredKeys: ['app', 'region', 'postgres'] },
);

const flyTomls = [
  'app = "old"\n\n[env]\n  A = "1"\n\n[http_service]\n  internal_port = 8080\n  auto_stop_machines = "stop"\n',
  'app = \'old\' # mine\nprimary_region = \'ams\'\nkill_timeout = 5\nprocesses = []\n\n[[services]]\n  http_checks = []\n  internal_port = 8080\n  protocol = "tcp"\n  [services.concurrency]\n    hard_limit = 25\n    soft_limit = 20\n\n  [[services.ports]]\n    handlers = ["http"]\n    port = 80\n',
  'env = { A = "1" }\n[http_service]\ninternal_port = 9000\n[processes]\nweb = "x"\nworker = "y"\n',
  '[[env]]\nA = "1"\n[[env]]\nB = "2"\n[vm]\nmemory_mb = 512\n[[services]]\ninternal_port = 25\nprocesses = ["m"]\n[[services]]\ninternal_port = 4001\n[[services.ports]]\nhandlers = ["tls", "http"]\nport = 443\n',
];

const RUNTIMES = [
  'import Config\n',
  'import Config\n\nif config_env() == :prod do\n  config :shop, Shop.Repo, pool_size: 3\nend',
  'import Config\r\nconfig :shop, a: 1\r\n',
];
const IDLE = {
  'lib/shop/application.ex':
    'defmodule Shop.Application do\n  use Application\n  def start(_, _), do: Supervisor.start_link([Shop.Repo, ShopWeb.Endpoint], [])\nend\n',
};
const HEALTH = {
  'lib/shop_web/router.ex':
    'defmodule ShopWeb.Router do\n  use Phoenix.Router\n  get "/up", ShopWeb.HealthController, :show\n  get "/health", ShopWeb.HealthController, :show\nend\n',
};

/** The fixture with other files and versions. */
const projects: fc.Arbitrary<Texts> = fc
  .record({
    elixir: fc.constantFrom('1.18.4-otp-27', '1.17.3-otp-26', '1.15.8-otp-26', '1.19.1-otp-28'),
    'config/runtime.exs': fc.constantFrom(undefined, ...RUNTIMES),
    'rel/env.sh.eex': fc.constantFrom(
      ...[undefined, '', '#!/bin/sh\nexport A=1', '#!/bin/sh\r\nexport A=1\r\n'],
    ),
    '.dockerignore': fc.constantFrom(undefined, 'mine\n', '\uFEFFmine\r\n/deps/', '**\n!lib\n'),
    'fly.toml': fc.constantFrom(undefined, ...flyTomls, ...flyTomls.map(crlf)),
    idle: fc.constantFrom({}, IDLE),
    health: fc.constantFrom({}, HEALTH),
  })
  .map(({ elixir, idle, health, ...files }) =>
    shop({ '.tool-versions': `elixir ${elixir}\n`, ...files, ...idle, ...health }),
  );

/** What a person does to a file. */
interface Edit {
  file: string;
  /** The place in the file, in thousandths of its lines. */
  position: number;
  action: string;
}
const FILES =
  'Dockerfile Dockerfile fly.toml fly.toml .dockerignore rel/env.sh.eex config/runtime.exs lib/shop_web/endpoint.ex';
const ACTIONS = 'comment comment comment entry crlf open delete blank append';
const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    file: fc.constantFrom(...FILES.split(' ')),
    position: fc.integer({ min: 0, max: 999 }),
    action: fc.constantFrom(...ACTIONS.split(' ')),
  }),
  { maxLength: 6 },
);

/** Lines that a person adds at the end of a file. */
const ENTRIES: Record<string, (n: number) => string[]> = {
  Dockerfile: (n) => [`LABEL user${n}="1"`],
  'fly.toml': (n) => [`[user${n}]`, `  user${n} = 'x'`],
  '.dockerignore': (n) => [`user${n}`, `!user${n}/keep`],
  'rel/env.sh.eex': (n) => [`export USER${n}=1`],
  'config/runtime.exs': (n) => [`config :shop, user${n}: 1`],
  'lib/shop_web/endpoint.ex': (n) => [`# user${n}`],
};

interface Edited {
  texts: Texts;
  /** The lines that were added. */
  added: [file: string, line: string][];
  /** A line of ours was deleted, which a run may not be able to mend. */
  isOursDeleted: boolean;
}

function applyEdits(before: Texts, list: readonly Edit[], firstNumber: number): Edited {
  const edited: Edited = { texts: { ...before }, added: [], isOursDeleted: false };
  for (const [index, edit] of list.entries()) applyEdit(edited, edit, firstNumber + index);
  return edited;
}

function applyEdit(edited: Edited, { file, position, action }: Edit, number: number): void {
  const text = edited.texts[file];
  if (text === undefined) return;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(newline);
  const lastLine = lines.pop() ?? '';
  if (lastLine) lines.push(lastLine);
  const index = Math.floor((position / 1000) * (lines.length + 1));
  const line = lines[index] ?? '';
  const isOurs = index < lines.length && !/user/i.test(line);
  const additions: Record<string, string[] | undefined> = {
    comment: [`# user ${number} "'\`$\{x} \${y} <b> & \\.`],
    entry: ENTRIES[file]?.(number),
  };
  const added = additions[action] ?? [];
  lines.splice(action === 'entry' ? lines.length : index, 0, ...added);
  for (const addition of added) edited.added.push([file, addition]);
  if (action === 'blank') lines.splice(index, 0, '');
  if (action === 'append' && file === 'fly.toml' && isOurs && line.includes(' = '))
    lines[index] += ` # user ${number}`;
  if (action === 'delete' && isOurs) {
    edited.isOursDeleted ||= Boolean(line.trim());
    lines.splice(index, 1);
  }
  const otherNewline = newline === '\n' ? '\r\n' : '\n';
  const ending = action === 'crlf' ? otherNewline : newline;
  const endsWithoutNewline = action === 'open' || (lastLine && action !== 'entry');
  edited.texts[file] = lines.join(ending) + (endsWithoutNewline ? '' : ending);
}

test('rounds of edits and reruns: no line is lost, a second run changes nothing, all files parse', () => {
  fc.assert(
    fc.property(
      projects,
      answers,
      fc.array(
        fc.tuple(edits, answers, fc.constantFrom('leave' as const, 'merge' as const), fc.boolean()),
        { minLength: 1, maxLength: 3 },
      ),
      (project, flags, rounds) => {
        const first = run(project, flags);
        if (!first) return;
        let { texts } = first;
        assertParses(texts);
        const theirs: Edited['added'] = [];
        let isOursDeleted = false;
        let conflicts = 0;
        for (const [index, [list, nextFlags, onConflict, bumpsElixir]] of rounds.entries()) {
          const edited = applyEdits(texts, list, index * 10);
          theirs.push(...edited.added);
          isOursDeleted ||= edited.isOursDeleted;
          if (bumpsElixir) edited.texts['.tool-versions'] = 'elixir 1.16.3-otp-26\n';
          const rerun = run(edited.texts, nextFlags, onConflict);
          if (!rerun) {
            // A mark or a bracket may have been deleted, and some answers fit no run of this project
            if (!isOursDeleted && run(project, nextFlags))
              assert.unreachable(`refused: ${JSON.stringify(nextFlags)}`);
            return;
          }
          texts = rerun.texts;
          for (const [file, line] of theirs)
            assert.ok(texts[file]?.split(/\r?\n/).includes(line), `${file} lost ${line}`);
          if (!isOursDeleted) assertParses(texts);
          // Line endings stay, but in a script, which doesn't run with CRLF
          for (const file of Object.keys(ENTRIES))
            if (file !== 'rel/env.sh.eex' && edited.texts[file]?.includes('\r\n'))
              assert.is(
                /[^\r]\n/.test(texts[file] ?? ''),
                /[^\r]\n/.test(edited.texts[file] ?? ''),
                `${file}: line endings`,
              );
          assert.equal(
            remainingChanges(texts, rerun.answers, onConflict),
            [],
            'a second run has more to do',
          );
          conflicts += rerun.conflicts;
          // Where the owner's lines won, the files don't say what was answered
          if (!isOursDeleted && !conflicts)
            assert.equal(remainingChanges(texts), [], 'the answers are not in the files');
        }
      },
    ),
    { numRuns: editRuns, includeErrorInReport: true },
  );
});

/** Parts of text that would be code if it were not quoted; `¦` is between them. */
const HOSTILE_PARTS =
  '"¦\'¦\n¦\r\n¦\\¦]¦}¦<%= evil() %>¦<% evil %>¦#{evil()}¦${evil}¦$(evil)¦`evil`¦ evil = 1¦\nRUN evil\n¦\n[evil]\n¦; evil¦&& evil¦|¦' +
  '\nend\nevil()\n¦ --evil¦é😀¦ ¦/¦..¦,¦\u0000¦\u007f¦\u2028¦"""¦\'\'\'¦#¦:¦@¦%¦*¦evil';
const hostile = fc
  .array(fc.constantFrom('x'.repeat(3000), ...HOSTILE_PARTS.split('¦')), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join(''));

/** Every name that Elixir code calls, reads or sets. */
function namesIn(node: unknown, names = new Set<string>()): Set<string> {
  if (Array.isArray(node)) node.forEach((child) => namesIn(child, names));
  else if (typeof node === 'object' && node !== null) {
    const { is, name } = node as { is?: string; name?: unknown };
    if (is !== 'atom' && typeof name === 'string') names.add(name);
    // The name of an atom is its source, in which an interpolation is code
    if (is === 'atom' && /(^|[^\\])(\\\\)*#\{/.test(String(name))) names.add(String(name));
    Object.values(node).forEach((child) => namesIn(child, names));
  }
  return names;
}

const keysOf = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, child]) => [key, ...keysOf(child)]);

/** What the owner's files say is code in none of ours. */
function assertHarmless(before: Texts, texts: Texts): void {
  const written = (path: string): string =>
    texts[path] === before[path] ? '' : (texts[path] ?? '');
  const own = keysOf(parseToml(before['fly.toml']));
  assert.equal(
    keysOf(parseToml(texts['fly.toml'])).filter(
      (key) => key.includes('evil') && !own.includes(key),
    ),
    [],
    'fly.toml',
  );
  for (const instruction of DockerfileParser.parse(written('Dockerfile')).getInstructions()) {
    assert.match(instruction.getKeyword(), /^(ARG|FROM|WORKDIR|ENV|RUN|COPY|EXPOSE|USER|CMD)$/);
    const rest = instruction.getArgumentsContent() ?? '';
    if (rest.startsWith('[')) JSON.parse(rest);
    // evil as an argument does no harm, at the start of a command it would run
    else if (instruction.getKeyword() === 'RUN')
      assert.not.match(
        instruction
          .getTextContent()
          .replaceAll('\\\n', ' ')
          .replaceAll(/"[^"$`\\]*"|'[^']*'|\\'/g, ''),
        /([;&|(`\n]|\$\{|^)\s*evil(?!=)/,
        rest.slice(0, 200),
      );
  }
  for (const path of ['config/runtime.exs', 'mix.exs'].filter(written)) {
    const { body, problem } = parseElixir(texts[path] ?? '');
    assert.is(problem, null, path);
    const namesBefore = namesIn(parseElixir(before[path] ?? '').body);
    assert.equal(
      [...namesIn(body)].filter((name) => name.includes('evil') && !namesBefore.has(name)),
      [],
      path,
    );
  }
  assert.not.match(written('rel/env.sh.eex'), /evil|<%/);
}

test('hostile answers are refused, or stay text', () => {
  const before = shop();
  fc.assert(
    fc.property(
      fc.constantFrom(...questionNames),
      fc.constantFrom('', 'managed:', 'shop'),
      hostile,
      (name, front, text) => {
        const texts = run(before, { ...FLAGS, [name]: front + text })?.texts;
        if (texts) assertHarmless(before, texts);
      },
    ),
    { numRuns, includeErrorInReport: true },
  );
});

const elixirString = (text: string): string => JSON.stringify(text).replaceAll('#', '\\#');
const elixirAtom = (text: string): string => `:${elixirString(text)}`;

/** The fixture with a text inserted: as it is in place of TEXT, as Elixir's in place of STRING and ATOM. */
const insertAt =
  (path: string, from: string | RegExp, to: string, more: Texts = {}) =>
  (text: string): Texts => {
    const filled = (template: string) =>
      template
        .replaceAll('STRING', () => elixirString(text))
        .replaceAll('ATOM', () => elixirAtom(text))
        .replaceAll('TEXT', () => text);
    const before = shop()[path] ?? '';
    assert.ok(before.search(from) >= 0, `nothing to edit in ${path}`);
    const addedFiles = Object.entries(more).map(([name, body]) => [filled(name), filled(body)]);
    return shop({
      [path]: before.replace(from, () => filled(to)),
      ...Object.fromEntries(addedFiles),
    });
  };
const renamed = (text: string, mix: Texts = shop()): Texts =>
  Object.fromEntries(
    Object.entries(mix).map(([path, source]) => [
      path,
      source.replaceAll(/:shop\b/g, () => elixirAtom(text)),
    ]),
  );
const ASSETS = '"esbuild shop --minify"';
const NPM = {
  'assets/package.json': '{"dependencies":{"a":"1"}}',
  'assets/package-lock.json': '{}',
};
const dependency = (options: string, more?: Texts) =>
  insertAt('mix.exs', /{:bandit/, `{:secret, ${options}}, {:bandit`, more);
const config = (file: string, line: string, more?: Texts) =>
  insertAt(`config/${file}.exs`, 'import Config', `import Config\n${line}`, more);
const release = (list: string) =>
  insertAt('mix.exs', 'app: :shop,', `app: :shop, releases: [${list}],`);
const file = (path: string, text: string, more?: Texts) => insertAt(path, /^[\s\S]*$/, text, more);

/** Places in a repo whose text gets into a file of ours. */
const slots: Record<string, (text: string) => Texts> = {
  'the OTP app': renamed,
  'the OTP app of a release with a name': (text) =>
    renamed(text, insertAt('mix.exs', 'version: ', 'releases: [shop: []], version: ')('')),
  'a release': release('{ATOM, []}'),
  'the release templates': release('shop: [rel_templates_path: STRING]'),
  'a file that mix.exs reads': insertAt('mix.exs', '"0.1.0"', 'File.read!(STRING)', {
    TEXT: '1.0.0',
  }),
  'a configuration file': config('prod', 'import_config STRING', {
    'config/TEXT': 'import Config\n',
  }),
  'a health route': (text) =>
    file(
      'lib/shop_web/router.ex',
      'defmodule ShopWeb.Router do\n  use Phoenix.Router\n  scope STRING do\n    get "/health", ShopWeb.HealthController, :show\n  end\nend\n',
    )(`/${text}`),
  'a variable of the build': config('prod', 'System.fetch_env!(STRING)'),
  'a variable at boot': config('runtime', 'config :shop, a: System.fetch_env!(STRING)'),
  'a native dependency': insertAt(
    'mix.exs',
    '{:bandit',
    '{ATOM, "~> 1.0"}, {:rustler, "~> 0.30"}, {:bandit',
    {
      'mix.lock': (shop()['mix.lock'] ?? '').replace(
        '%{',
        '%{\n  STRING: {:hex, ATOM, "1.0.0", "s", [:make], [{:elixir_make, "~> 0.4", [hex: :elixir_make, repo: "hexpm", optional: false]}], "hexpm", "s"},\n  "elixir_make": {:hex, :elixir_make, "0.8.4", "s", [:mix], [], "hexpm", "s"},',
      ),
    },
  ),
  'a Hex organization': dependency('"~> 1.0", organization: STRING'),
  'a Hex repository': dependency('"~> 1.0", repo: STRING'),
  'a git host': (text) => dependency('git: STRING')(`git@${text}:a/b.git`),
  'a dependency by path': dependency('path: STRING', {
    'TEXT/mix.exs':
      'defmodule Secret.MixProject do\n  use Mix.Project\n  def project, do: [app: :secret]\nend\n',
  }),
  'a step of assets.deploy': insertAt('mix.exs', ASSETS, '"cmd npm install", STRING'),
  'an esbuild profile': insertAt('mix.exs', /"assets.deploy": .*/, '', {
    'config/config.exs':
      'import Config\nconfig :esbuild, STRING: [args: []]\nconfig :shop, ShopWeb.Endpoint, url: [host: "x"]\nimport_config "prod.exs"\n',
  }),
  'a folder of Node packages': (text) =>
    insertAt('mix.exs', ASSETS, '"cmd --cd TEXT npm run build"', {
      'TEXT/package.json': '{"scripts":{"build":"x"},"dependencies":{"a":"1"}}',
      'TEXT/package-lock.json': '{}',
    })(text.replaceAll(/["\\#]/g, '')),
  'the Node version': file('.nvmrc', 'TEXT', NPM),
  'the Elixir version': file('.tool-versions', 'elixir TEXT\nerlang TEXT\n'),
  'the app in fly.toml': (text) =>
    file(
      'fly.toml',
      'app = TEXT\nprimary_region = TEXT\n[env]\nPHX_HOST = TEXT\n',
    )(JSON.stringify(text)),
  'comments of fly.toml': (text) =>
    file('fly.toml', '# fly postgres attach TEXT\n')(text.replaceAll(/[\r\n]/g, '')),
  'a Dockerfile of ours': file(
    'Dockerfile',
    '# Written by phoenix-fly 0.1.0\nARG ELIXIR_VERSION=TEXT\nARG DEBIAN_VERSION=TEXT\nCOPY _build/prod/rel/TEXT ./\n# phoenix-fly: TEXT',
  ),
  'a .dockerignore': file('.dockerignore', 'TEXT'),
  'fly.toml itself': file('fly.toml', 'TEXT'),
  'mix.lock': insertAt('mix.lock', /$/, 'TEXT'),
};

/** The commands that a run tells the person to paste. */
function pastedBlocks(texts: Texts, answers: Answers): string[] {
  const project = projectOf(texts);
  const context = {
    project,
    answers,
    present: presentIn(files, project),
    appFolder: `/work/${project.appDir}`,
    invocation: { command: 'npx plop', cwd: '/work' } as const,
    hadSwitch: false,
    secrets: [],
    faults: [],
    flyctl: 'absent' as const,
    apps: undefined,
    organizations: undefined,
  };
  const lists = (['first', 'next'] as const).map((steps) => nextSteps({ ...context, steps }));
  return lists
    .flatMap((list) => list.split('\n\n'))
    .map((block) => block.split('\n').filter((line) => line.startsWith('  ')))
    .filter((lines) => lines.some((line) => /^ {2}(fly|cd) /.test(line)))
    .map((lines) => lines.join('\n'));
}

test('hostile repos are refused, or what is in them stays text, in the next steps too', () => {
  const blocks = new Set<string>();
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(slots)), hostile, (slot, text) => {
      const before = slots[slot]?.(text) ?? {};
      const special: Record<string, Flags> = {
        'the app in fly.toml': { postgres: 'shop-db' },
        'comments of fly.toml': { app: 'shop', region: 'lhr' },
      };
      const outcome = run(before, special[slot] ?? FLAGS);
      if (!outcome) return;
      assertHarmless(before, outcome.texts);
      for (const block of pastedBlocks(before, outcome.answers)) blocks.add(block);
    }),
    { numRuns: numRuns * 3, includeErrorInReport: true },
  );
  const stubs = ['fly', 'cd', 'mix', 'openssl'].map((name) => `${name}() { :; }\n`).join('');
  const script = [...blocks].map((block) => `eval '${block.replaceAll("'", "'\\''")}'\n`).join('');
  const input = `${stubs}evil() { echo evil; }\n${script}`;
  const { stdout, stderr } = spawnSync('sh', { input, encoding: 'utf8' });
  assert.equal([stdout, stderr], ['', '']);
});

test.run();
