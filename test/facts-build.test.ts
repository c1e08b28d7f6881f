import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { factsOf } from '../src/facts/facts-json.ts';
import { readPins } from '../src/facts/versions.ts';
import { openTree } from '../src/tree.ts';
import { app, mixExs, mixLock, projectOf, type Texts } from './support/fixture.ts';

const assertNative = (
  names: string[],
  packages: Record<string, string[]>,
  deps: string,
  more: Texts = {},
) => assert.equal(app({ 'mix.lock': mixLock(packages), ...more }, deps).deps.nif, names);

const withGit = (packages: Record<string, string[]>, ...names: string[]) => ({
  'mix.lock': mixLock(packages).replace(
    /}\n$/,
    `${names.map((name) => `  "${name}": {:git, "https://host/${name}.git", "sha", []},\n`).join('')}}\n`,
  ),
});

test('native packages: by what they are built with, or known to be C', () => {
  assertNative(
    ['hasher', 'parser', 'jiffy'],
    {
      hasher: ['elixir_make'],
      parser: ['rustler_precompiled'],
      jiffy: [],
      cowboy: ['ranch'],
      ranch: [],
      rustler_precompiled: [],
    },
    ', {:hasher, "~> 1.0"}, {:parser, "~> 1.0"}, {:jiffy, "~> 1.0"}, {:plug_cowboy, "~> 2.0"}',
  );
});

test('comeonin is native up to 3', () => {
  for (const [version, names] of [
    ['2.6.0', ['comeonin']],
    ['4.1.2', []],
  ] as const)
    assert.equal(
      app(
        {
          'mix.lock': mixLock({ comeonin: [] }).replace(
            /("comeonin": \{:hex, :comeonin, ")[^"]*/,
            `$1${version}`,
          ),
        },
        ', {:comeonin, "~> 2.0"}',
      ).deps.nif,
      names,
    );
});

test('not native: packages with an optional builder, and packages for tests only', () => {
  assertNative([], { image: ['rustler?'] }, ', {:image, "~> 1.0"}');
  assertNative(
    [],
    { checker: ['html'], html: ['elixir_make'] },
    ', {:checker, "~> 1.0", only: :test}',
  );
  assertNative(
    ['html'],
    { page: ['html'], checker: ['html'], html: ['elixir_make'] },
    ', {:page, "~> 1.0"}, {:checker, "~> 1.0", only: :test}',
  );
});

test('a well-known native package from git, which lists no dependencies', () =>
  assertNative(['exla'], {}, ', {:exla, github: "x/nx"}, {:tidy, github: "x/t"}', {
    ...withGit({}, 'exla', 'tidy'),
  }));

test('native packages that no dependency lists: they may belong to a git dependency, unless apps usually name them themselves', () => {
  const packages = { bcrypt_elixir: ['elixir_make'], odd_nif: ['elixir_make'], elixir_make: [] };
  const git = withGit(packages, 'g');
  assertNative([], packages, '');
  assertNative(['odd_nif'], packages, ', {:g, github: "x/g"}', git);
  assertNative([], packages, ', {:g, github: "x/g", app: false, compile: false}', git);
  assertNative(['bcrypt_elixir'], packages, ', {:bcrypt_elixir, "~> 3.0"}');
  assertNative(['bcrypt_elixir', 'odd_nif'], packages, ', {:far, path: "../far"}');
  assertNative(['odd_nif'], packages, ', {:near, path: "near"}', {
    'near/mix.exs': mixExs('app: :near, deps: [{:odd_nif, "~> 1.0"}]'),
  });
});

test('mix.exs is read as the build would, with no variable set', () => {
  const { deps } = app({
    'mix.exs': mixExs(
      'app: :shop, deps: [phoenix(), {:store, path: Path.join(System.get_env("LIBS", "libs"), "store")}]',
      '  defp phoenix do\n    if path = System.get_env("PHOENIX"), do: {:phoenix, path: path}, else: {:phoenix, github: "fork/phoenix"}\n  end',
    ),
    'libs/store/mix.exs': '',
  });
  assert.equal([deps.git, deps.pathSources[0]?.dir], [['phoenix'], 'libs/store']);
});

test('LiveView: a dependency of the app, or used; not merely locked', () => {
  const locked = { 'mix.lock': mixLock({ phoenix_live_view: [] }) };
  assert.is(app(locked).phoenix.liveView, false);
  assert.is(app(locked, ', {:phoenix_live_view, "~> 1.0"}').phoenix.liveView, true);
});

const npm = (json: object, file = 'package.json', aliases = '') =>
  app({
    'mix.exs': mixExs(
      `app: :shop, deps: [{:phoenix, "~> 1.8"}], aliases: ["assets.deploy": [${aliases}]]`,
    ),
    [file]: JSON.stringify(json),
    [file.replace('package.json', 'package-lock.json')]: '{}',
  });

const assertPackageJsons = (files: string[], ...json: Parameters<typeof npm>) =>
  assert.equal(npm(...json).assets.packageJsons, files);

test('package.json: what the asset build needs, not what only checks', () => {
  assertPackageJsons([], {
    devDependencies: { prettier: '3', 'erd-tool': '1' },
    scripts: { 'lint:check': 'prettier .', 'create-erd': 'x' },
  });
  assert.match(npm({ devDependencies: { prettier: '3' } }).notes.join('\n'), 'only tools');
  assertPackageJsons(['package.json'], { devDependencies: { vite: '6' } });
  assertPackageJsons(
    ['assets/package.json'],
    { dependencies: { three: '1' } },
    'assets/package.json',
  );
  assertPackageJsons([], { devDependencies: { eslint: '9' } }, 'assets/package.json');
  assertPackageJsons(
    ['assets/package.json'],
    { devDependencies: { eslint: '9' } },
    'assets/package.json',
    '"cmd npm run build"',
  );
});

test('a package.json that holds no object is named in a note', () => {
  for (const text of ['[]', '"x"', 'null', '{'])
    assert.match(app({ 'package.json': text }).notes.join('\n'), 'is not valid JSON', text);
});

test('package.json without a lockfile: the manager that it names, and a note', () => {
  const bare = app({
    'assets/package.json': JSON.stringify({ dependencies: { a: '1' }, packageManager: 'pnpm@9' }),
  });
  assert.is(bare.assets.nodePackages[0]?.manager, 'pnpm');
  assert.match(bare.notes.join('\n'), 'no lockfile');
});

test('an asset tool counts where mix.lock has it, once', () => {
  assert.equal(app({}, ', {:esbuild, "~> 0.10"}').assets.tools, []);
  const bun = {
    'mix.lock': mixLock({ bun: [] }),
    'assets/package.json': '{"dependencies":{"a":"1"}}',
    'assets/bun.lock': '',
  };
  assert.equal(app(bun, ', {:bun, "~> 1.4"}').assets.tools, ['bun']);
});

const assertPins = (expected: (string | null)[], files: Texts) => {
  const { elixirVersion, otpVersion, versionSource } = factsOf(app(files));
  assert.equal([elixirVersion, otpVersion, versionSource], expected);
};

test('version pins in each spelling', () => {
  assertPins(['1.18.4', '27.3.4', '.tool-versions'], {
    '.tool-versions': 'nodejs 22.1.0\nelixir v1.18.4-otp-27\nerlang 27.3.4\n',
  });
  assertPins(['1.16.2', null, '.rtx.toml'], { '.rtx.toml': '[tools]\nelixir = "1.16.2"\n' });
  assertPins(['1.19.4', '28', '.mise.toml'], {
    '.mise.toml': '[tools]\nelixir = "1.19.4-otp-28"\n',
  });
  assertPins(['1.14.0', '24.0.1', 'Dockerfile'], {
    '.tool-versions': 'nodejs 22.1.0\n',
    Dockerfile:
      '# FROM hexpm/elixir:1.12.0-erlang-24.0\nARG BUILDER="hexpm/elixir:1.14.0-erlang-24.0.1-debian-x"\n',
  });
  assertPins(['1.18.1', '27.2', 'docker/prod.Dockerfile'], {
    'docker/prod.Dockerfile': 'ARG ELIXIR_VERSION=1.18.1\nARG OTP_VERSION=27.2\n',
    'docker/dev.Dockerfile': 'ARG ELIXIR_VERSION=1.16.0\n',
  });
  assertPins([null, null, null], { 'docker/dev.Dockerfile': 'ARG ELIXIR_VERSION=1.16.0\n' });
  const two = { '.tool-versions': 'elixir 1.18.4\n', Dockerfile: 'ARG ELIXIR_VERSION=1.17.3\n' };
  assert.match(app(two).notes.join('\n'), 'Dockerfile says Elixir 1.17.3');
  const ours = { ...two, Dockerfile: `# Written by phoenix-fly 0.2.0.\n${two.Dockerfile}` };
  assert.not.match(app(ours).notes.join('\n'), 'says Elixir');
});

test('an app in a subfolder: pins beside and above it are named relative to it', () => {
  const inFolder = (pin: string, text = 'elixir 1.18.4\n') => {
    const { appDir, elixir } = projectOf({
      'site/mix.exs': mixExs('app: :s, deps: [{:phoenix, "~> 1.8"}]'),
      'site/mix.lock': mixLock({}),
      'site/lib/e.ex': 'defmodule SWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :s\nend',
      [pin]: text,
    });
    return [appDir, elixir.source];
  };
  assert.equal(inFolder('site/.tool-versions'), ['site', '.tool-versions']);
  assert.equal(inFolder('.tool-versions'), ['site', '../.tool-versions']);
  const image = 'FROM elixir:1.17-alpine\n';
  assert.equal(inFolder('docker/Dockerfile', image), ['site', '../docker/Dockerfile']);
});

test("git's folder above the app is out of the build's reach", () => {
  const files = (folder: string) =>
    projectOf({
      [`${folder}mix.exs`]: mixExs(
        'app: :s, version: elem(System.cmd("git", ["describe"]), 0), deps: [{:phoenix, "~> 1.8"}]',
      ),
      [`${folder}mix.lock`]: mixLock({}),
      [`${folder}lib/s.ex`]: 'defmodule S.Endpoint do\n  use Phoenix.Endpoint, otp_app: :s\nend',
    });
  const { mixSteps, notes } = files('site/');
  assert.is(mixSteps.git, null);
  assert.match(notes.join(), ".git lies above the app's folder");
  assert.is(files('').mixSteps.git, 'history');
});

test('on disk, pins above the folder count up to the root of the git repo', () => {
  const root = mkdtempSync(join(tmpdir(), 'pins-'));
  try {
    mkdirSync(join(root, 'repo/.git'), { recursive: true });
    mkdirSync(join(root, 'repo/apps/shop'), { recursive: true });
    writeFileSync(join(root, '.tool-versions'), 'elixir 1.1.1\n');
    assert.is(readPins(openTree(join(root, 'repo/apps/shop')), []).source, null);
    writeFileSync(join(root, 'repo/.tool-versions'), 'elixir 1.18.4\n');
    assert.is(readPins(openTree(join(root, 'repo/apps/shop')), []).source, '../../.tool-versions');
    assert.is(openTree(join(root, 'repo/apps')).read('../../.tool-versions'), undefined);
  } finally {
    rmSync(root, { recursive: true });
  }
});

/** Workers of an app whose Application has these functions, or starts this list. */
const assertWorkers = (names: string[], body: string, more: Texts = {}) => {
  const modules = ['A', 'B', 'C', 'Repo', 'Telemetry'].map(
    (name) => `defmodule Shop.${name} do\nend\n`,
  );
  const start = body.startsWith('[')
    ? `def start(_, _), do: Supervisor.start_link(${body}, [])`
    : body;
  const files = {
    'lib/shop/all.ex': `${modules.join('')}defmodule ShopWeb.Telemetry do\nend`,
    'lib/shop/application.ex': `defmodule Shop.Application do\n  use Application\n  alias Shop.B\n  @decoys [Shop.C]\n  ${start}\nend`,
    ...more,
  };
  assert.equal(app(files).background, names, body);
};

test('background: children in the lists that start/2 and its functions write', () => {
  assertWorkers(['Shop.A'], '[Shop.Repo, ShopWeb.Telemetry, Shop.A, ShopWeb.Endpoint]');
  assertWorkers(['Shop.B'], '[{Phoenix.PubSub, name: Shop.A}, {B, []}]');
  assertWorkers(['Shop.A'], '[%{id: Shop.C, start: {Shop.A, :start_link, []}}]');
  assertWorkers(
    ['Shop.B', 'Shop.A'],
    '[Supervisor.child_spec({B, []}, id: :b), Shop.A.child_spec([])]',
  );
  assertWorkers(['Shop.A', 'Shop.B'], '[worker(Shop.A, []) | if(on?(), do: [B], else: [])]');
  assertWorkers(
    ['Shop.A', 'Shop.B'],
    'def start(_, _), do: children(1) |> Supervisor.start_link([])\n  defp children(_) do\n    list = [Shop.A]\n    if on?(), do: list ++ [B], else: list\n  end',
  );
  assertWorkers(['Shop.A'], '[strategy: :one_for_one, children: [Shop.A]]');
  assertWorkers(['Shop.A'], '[Shop.Db, Shop.A]', {
    'lib/shop/db.ex': 'defmodule Shop.Db do\n  use Ecto.Repo, otp_app: :shop\nend',
  });
});

test('background: no children are options, calls by name, and processes that only serve', () => {
  assertWorkers([], '[{Some.Listener, filters: [Shop.A], on: {B, :start, []}}]');
  assertWorkers(
    [],
    'def start(_, _), do: [measurements: [{Shop.A, :count, []}], handlers: [B]] |> Supervisor.start_link()',
  );
  assertWorkers(['Shop.A'], '[{Some.Monitor, [%{id: :a, start: {Shop.A, :start_link, []}}]}]');
  assertWorkers([], '[%{id: :a, start: {Registry, :start_link, [Shop.A]}}]');
  assertWorkers(
    ['Shop.Presence', 'Shop.PubSub'],
    '[Shop.Vault, Shop.Limit, Shop.Commands, Shop.Presence, Shop.PubSub]',
    {
      'lib/shop/own.ex':
        'defmodule Shop.Vault do\n  use Cloak.Vault, otp_app: :shop\nend\ndefmodule Shop.Limit do\n  use Hammer, backend: :ets\nend\ndefmodule Shop.Commands do\n  use Commanded.Application, otp_app: :shop\nend\ndefmodule Shop.Presence do\n  use GenServer\nend\ndefmodule Shop.PubSub do\n  use Commanded.Event.Handler\nend',
    },
  );
});

test('background: of modules with one name, the one that is not nested in another', () =>
  assertWorkers(['State.A'], '[]', {
    'mix.exs': mixExs(
      'app: :shop, deps: [{:phoenix, "~> 1.8"}]',
      '  def application, do: [mod: {State, []}]',
    ),
    'lib/a.ex': 'defmodule State.A do\n  defmodule State do\n  end\nend',
    'lib/state.ex':
      'defmodule State do\n  use Application\n  def start(_, _), do: Supervisor.start_link([State.A], [])\nend',
  }));

test('background: children of supervisors', () => {
  const tree = {
    'lib/shop/tree.ex':
      'defmodule Shop.Tree do\n  use Supervisor\n  def start_link(x), do: Supervisor.start_link(__MODULE__, x)\n  def init(_), do: Supervisor.init([Shop.C, Shop.Tree], strategy: :one_for_one)\nend',
  };
  assertWorkers(['Shop.C', 'Shop.Tree'], 'def start(_, _), do: Shop.Tree.start_link([])', tree);
  assertWorkers(['Shop.Tree', 'Shop.C'], '[Shop.Tree]', tree);
});

test('background: job libraries of production', () => {
  assert.equal(
    app(
      { 'mix.lock': mixLock({ oban: [], quantum: [] }) },
      ', {:oban, "~> 2.0"}, {:quantum, "~> 3.0", only: :dev}',
    ).background,
    ['oban'],
  );
});

test('an endpoint that only a comment or a doc mentions is not detected', () => {
  const facts = app({
    'lib/shop/metrics.ex':
      'defmodule Shop.Metrics do\n  @moduledoc "use Phoenix.Endpoint, otp_app: :shop"\n  # use Phoenix.Endpoint\nend',
  });
  assert.is(facts.endpoint.module, 'ShopWeb.Endpoint');
  assert.not.match(facts.notes.join('\n'), 'Several endpoints');
});

test('a package.json above assets/ counts only when it bundles', () => {
  const packageJsons = (above: string) =>
    app({
      'assets/package.json': '{"dependencies":{"left":"1"}}',
      'package.json': `{"dependencies":{"${above}":"6"}}`,
    }).assets.packageJsons;
  assert.equal(packageJsons('browser-tests'), ['assets/package.json']);
  assert.equal(packageJsons('vite'), ['package.json', 'assets/package.json']);
});

test('code outside lib is read where elixirc_paths has it', () => {
  const paths =
    '  defp paths(:test), do: ["lib", "support"]\n  defp paths(_), do: ["lib", "vendor"]';
  const { endpoint } = app({
    'mix.exs': mixExs(
      'app: :shop, deps: [{:phoenix, "~> 1.8"}], elixirc_paths: paths(Mix.env())',
      paths,
    ),
    'lib/shop_web/endpoint.ex': undefined,
    'vendor/e.ex': 'defmodule V.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\nend',
  });
  assert.is(endpoint.module, 'V.Endpoint');
});

test.run();
