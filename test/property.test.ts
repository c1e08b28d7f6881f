/** Random projects, answers and edits. ROUNDS=10000 runs that many rounds of each; the default stays within seconds. */
import { spawnSync } from 'node:child_process';
import TOML from '@iarna/toml';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '../generators/all.ts';
import { type Answers, type QuestionName, questionNames } from '../src/answers/questions.ts';
import type { OnConflict } from '../src/edit/conflict.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import { kindOf } from '../src/plan/file.ts';
import { plan, presentIn } from '../src/plan/plan.ts';
import { Problem } from '../src/problem.ts';
import { nextSteps } from '../src/run/steps.ts';
import { complete, FLAGS, projectOf, shop, withChanges } from './support.ts';

type Texts = Record<string, string>;
type Flags = Partial<Record<QuestionName, string>>;
const numRuns = Number(process.env.ROUNDS ?? 15);
/** A round of edits runs everything up to ten times; CI's many runs and ROUNDS find what is rare. */
const editRuns = Number(process.env.ROUNDS ?? 8);

interface Outcome {
  texts: Texts;
  answers: Answers;
  /** Files in which theirs stood against ours. */
  conflicts: number;
}

/** The tree after a run; undefined: refused in a sentence. Anything else thrown is a defect. */
function run(texts: Texts, flags: Flags, onConflict?: OnConflict): Outcome | undefined {
  try {
    const project = projectOf(texts);
    const answers = complete(flags, project);
    const changes = plan(files, { project, answers }, onConflict);
    return {
      texts: withChanges(texts, changes),
      answers,
      conflicts: changes.filter((one) => one.ours !== undefined).length,
    };
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** What a run with these answers, or with those it finds in the files, would still change. */
function left(texts: Texts, answers?: Answers, onConflict?: OnConflict): string[] {
  const project = projectOf(texts);
  return plan(files, { project, answers: answers ?? complete({}, project) }, onConflict)
    .filter((one) => kindOf(one) !== 'same')
    .map((one) => one.path);
}

const ELIXIR = [
  'config/runtime.exs',
  'lib/shop_web/plugs/health.ex',
  'lib/shop_web/endpoint.ex',
  'mix.exs',
];
const TEMPLATES = ['Dockerfile', 'fly.toml', '.dockerignore', ...ELIXIR];
let shells = 0;

/** @iarna/toml 3.0 refuses CRLF behind a comment. */
const parseToml = (text = '') => TOML.parse(text.replaceAll('\r\n', '\n'));

/** Every file that we write is what its reader takes. */
function parses(texts: Texts): void {
  parseToml(texts['fly.toml']);
  assert.equal(
    validate(texts.Dockerfile ?? '')
      .filter((one) => one.severity === 1)
      .map((one) => one.message),
    [],
  );
  for (const path of ELIXIR) assert.is(parseElixir(texts[path] ?? '').problem, null, path);
  for (const path of TEMPLATES) assert.not.match(texts[path] ?? '', /&#|&quot;|<%/, path);
  if (shells++ % 20 === 0)
    assert.is(
      spawnSync('sh', ['-n'], {
        input: (texts['rel/env.sh.eex'] ?? '').replaceAll('\r\n', '\n'),
        encoding: 'utf8',
      }).stderr,
      '',
    );
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

/** A Phoenix app with some of the files that others have. */
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

/** What a person does to a file; `at` is the place in it, in thousandths. */
interface Edit {
  file: string;
  at: number;
  what: string;
}
const FILES =
  'Dockerfile Dockerfile fly.toml fly.toml .dockerignore rel/env.sh.eex config/runtime.exs lib/shop_web/endpoint.ex';
const EDITS = 'comment comment comment entry crlf open delete blank behind';
const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    file: fc.constantFrom(...FILES.split(' ')),
    at: fc.integer({ min: 0, max: 999 }),
    what: fc.constantFrom(...EDITS.split(' ')),
  }),
  { maxLength: 6 },
);

/** Lines that somebody adds at the end of a file. */
const ENTRY: Record<string, (n: number) => string[]> = {
  Dockerfile: (n) => [`LABEL user${n}="1"`],
  'fly.toml': (n) => [`[user${n}]`, `  user${n} = 'x'`],
  '.dockerignore': (n) => [`user${n}`, `!user${n}/keep`],
  'rel/env.sh.eex': (n) => [`export USER${n}=1`],
  'config/runtime.exs': (n) => [`config :shop, user${n}: 1`],
  'lib/shop_web/endpoint.ex': (n) => [`# user${n}`],
};

interface Edited {
  texts: Texts;
  /** Of theirs. */
  lines: [file: string, line: string][];
  /** Something of ours is gone, which may be more than a run can mend. */
  deleted: boolean;
}

function change(before: Texts, list: readonly Edit[], from: number): Edited {
  const edited: Edited = { texts: { ...before }, lines: [], deleted: false };
  for (const [index, { file, at, what }] of list.entries()) {
    const text = edited.texts[file];
    if (text === undefined) continue;
    const newline = text.includes('\r\n') ? '\r\n' : '\n';
    const all = text.split(newline);
    const open = all.pop() ?? '';
    if (open) all.push(open);
    const place = Math.floor((at / 1000) * (all.length + 1));
    const here = all[place] ?? '';
    const isOurs = place < all.length && !/user/i.test(here);
    const n = from + index;
    const additions: Record<string, string[] | undefined> = {
      comment: [`# user ${n} "'\`$\{x} \${y} <b> & \\.`],
      entry: ENTRY[file]?.(n),
    };
    const added = additions[what] ?? [];
    all.splice(what === 'entry' ? all.length : place, 0, ...added);
    for (const line of added) edited.lines.push([file, line]);
    if (what === 'blank') all.splice(place, 0, '');
    if (what === 'behind' && file === 'fly.toml' && isOurs && here.includes(' = '))
      all[place] += ` # user ${n}`;
    if (what === 'delete' && isOurs) {
      edited.deleted ||= Boolean(here.trim());
      all.splice(place, 1);
    }
    const other = newline === '\n' ? '\r\n' : '\n';
    const ending = what === 'crlf' ? other : newline;
    const isOpen = what === 'open' || (open && what !== 'entry');
    edited.texts[file] = all.join(ending) + (isOpen ? '' : ending);
  }
  return edited;
}

test('rounds of edits and reruns: no line lost, nothing left to do afterwards, all of it parses', () => {
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
        parses(texts);
        const mine: [string, string][] = [];
        let deleted = false;
        let conflicts = 0;
        for (const [index, [list, next, onConflict, bump]] of rounds.entries()) {
          const edited = change(texts, list, index * 10);
          mine.push(...edited.lines);
          deleted ||= edited.deleted;
          if (bump) edited.texts['.tool-versions'] = 'elixir 1.16.3-otp-26\n';
          const rerun = run(edited.texts, next, onConflict);
          if (!rerun) {
            // A mark or a bracket may be among what was deleted; and some answers don't fit a fly.toml or a repo
            if (!deleted && run(project, next))
              assert.unreachable(`refused: ${JSON.stringify(next)}`);
            return;
          }
          texts = rerun.texts;
          for (const [file, line] of mine)
            assert.ok(texts[file]?.split(/\r?\n/).includes(line), `${file} lost ${line}`);
          if (!deleted) parses(texts);
          // A script with CRLF doesn't run: it is mended
          for (const file of Object.keys(ENTRY))
            if (file !== 'rel/env.sh.eex' && edited.texts[file]?.includes('\r\n'))
              assert.is(
                /[^\r]\n/.test(texts[file] ?? ''),
                /[^\r]\n/.test(edited.texts[file] ?? ''),
                `${file}: line endings`,
              );
          assert.equal(left(texts, rerun.answers, onConflict), [], 'a second run has more to do');
          conflicts += rerun.conflicts;
          // Where theirs won, a file may say something else for good
          if (!deleted && !conflicts)
            assert.equal(left(texts), [], 'the answers are not in the files');
        }
      },
    ),
    { numRuns: editRuns, includeErrorInReport: true },
  );
});

/** Text that would be code, were it not quoted. */
const PARTS =
  '"¦\'¦\n¦\r\n¦\\¦]¦}¦<%= evil() %>¦<% evil %>¦#{evil()}¦${evil}¦$(evil)¦`evil`¦ evil = 1¦\nRUN evil\n¦\n[evil]\n¦; evil¦&& evil¦|¦' +
  '\nend\nevil()\n¦ --evil¦é😀¦ ¦/¦..¦,¦\u0000¦\u007f¦\u2028¦"""¦\'\'\'¦#¦:¦@¦%¦*¦evil';
const hostile = fc
  .array(fc.constantFrom('x'.repeat(3000), ...PARTS.split('¦')), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(''));

/** Every name that is called, read or set in Elixir code of ours. */
function calls(node: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(node)) node.forEach((one) => calls(one, found));
  else if (typeof node === 'object' && node !== null) {
    const { is, name } = node as { is?: string; name?: unknown };
    if (is !== 'atom' && typeof name === 'string') found.add(name);
    // An atom's name is its source
    if (is === 'atom' && /(^|[^\\])(\\\\)*#\{/.test(String(name))) found.add(String(name));
    Object.values(node).forEach((one) => calls(one, found));
  }
  return found;
}

const keysOf = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, one]) => [key, ...keysOf(one)]);

/** What was put in is nowhere code. */
function harmless(before: Texts, texts: Texts): void {
  const wrote = (path: string): string => (texts[path] === before[path] ? '' : (texts[path] ?? ''));
  const own = keysOf(parseToml(before['fly.toml']));
  assert.equal(
    keysOf(parseToml(texts['fly.toml'])).filter(
      (key) => key.includes('evil') && !own.includes(key),
    ),
    [],
    'fly.toml',
  );
  for (const instruction of DockerfileParser.parse(wrote('Dockerfile')).getInstructions()) {
    assert.match(instruction.getKeyword(), /^(ARG|FROM|WORKDIR|ENV|RUN|COPY|EXPOSE|USER|CMD)$/);
    const rest = instruction.getArgumentsContent() ?? '';
    if (rest.startsWith('[')) JSON.parse(rest);
    // As a word it is an argument; as a command it would run
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
  for (const path of ['config/runtime.exs', 'mix.exs'].filter(wrote)) {
    const { body, problem } = parseElixir(texts[path] ?? '');
    assert.is(problem, null, path);
    const had = calls(parseElixir(before[path] ?? '').body);
    assert.equal(
      [...calls(body)].filter((name) => name.includes('evil') && !had.has(name)),
      [],
      path,
    );
  }
  assert.not.match(wrote('rel/env.sh.eex'), /evil|<%/);
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
        if (texts) harmless(before, texts);
      },
    ),
    { numRuns, includeErrorInReport: true },
  );
});

const elixirString = (text: string): string => JSON.stringify(text).replaceAll('#', '\\#');
const elixirAtom = (text: string): string => `:${elixirString(text)}`;

/** The fixture with the text in a place: as it is where TEXT stands, as Elixir's STRING or ATOM. */
const put =
  (path: string, from: string | RegExp, to: string, more: Texts = {}) =>
  (text: string): Texts => {
    const filled = (template: string) =>
      template
        .replaceAll('STRING', () => elixirString(text))
        .replaceAll('ATOM', () => elixirAtom(text))
        .replaceAll('TEXT', () => text);
    const before = shop()[path] ?? '';
    assert.ok(before.search(from) >= 0, `nothing to edit in ${path}`);
    const others = Object.entries(more).map(([name, body]) => [filled(name), filled(body)]);
    return shop({
      [path]: before.replace(from, () => filled(to)),
      ...Object.fromEntries(others),
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
  put('mix.exs', /{:bandit/, `{:secret, ${options}}, {:bandit`, more);
const config = (file: string, line: string, more?: Texts) =>
  put(`config/${file}.exs`, 'import Config', `import Config\n${line}`, more);
const release = (list: string) => put('mix.exs', 'app: :shop,', `app: :shop, releases: [${list}],`);
const file = (path: string, text: string, more?: Texts) => put(path, /^[\s\S]*$/, text, more);

/** Places of a repo whose text comes into a file of ours. */
const slots: Record<string, (text: string) => Texts> = {
  'the OTP app': renamed,
  'the OTP app of a release with a name': (text) =>
    renamed(text, put('mix.exs', 'version: ', 'releases: [shop: []], version: ')('')),
  'a release': release('{ATOM, []}'),
  'the release templates': release('shop: [rel_templates_path: STRING]'),
  'a file that mix.exs reads': put('mix.exs', '"0.1.0"', 'File.read!(STRING)', { TEXT: '1.0.0' }),
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
  'a native dependency': put(
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
  'a step of assets.deploy': put('mix.exs', ASSETS, '"cmd npm install", STRING'),
  'an esbuild profile': put('mix.exs', /"assets.deploy": .*/, '', {
    'config/config.exs':
      'import Config\nconfig :esbuild, STRING: [args: []]\nconfig :shop, ShopWeb.Endpoint, url: [host: "x"]\nimport_config "prod.exs"\n',
  }),
  'a folder of Node packages': (text) =>
    put('mix.exs', ASSETS, '"cmd --cd TEXT npm run build"', {
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
  'mix.lock': put('mix.lock', /$/, 'TEXT'),
};

/** What a run tells its reader to paste. */
function pasted(texts: Texts, answers: Answers): string[] {
  const project = projectOf(texts);
  const context = {
    project,
    answers,
    present: presentIn(files, project),
    appFolder: `/work/${project.appDir}`,
    invocation: { command: 'npx plop', cwd: '/work' } as const,
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
      const done = run(before, special[slot] ?? FLAGS);
      if (!done) return;
      harmless(before, done.texts);
      for (const block of pasted(before, done.answers)) blocks.add(block);
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
