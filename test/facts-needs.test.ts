import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { app, mixExs, mixLock, projectOf } from './support/fixture.ts';

const phoenix = '{:phoenix, "~> 1.8"}';

test('an umbrella: files that each mix.exs reads, path dependencies, and who has the assets aliases', () => {
  const project = projectOf({
    'mix.exs': mixExs('apps_path: "services", deps: []'),
    'mix.lock': mixLock({}),
    VERSION: '1.0.0',
    'services/front/mix.exs': mixExs(
      `app: :front, version: @version, deps: [${phoenix}, {:core, in_umbrella: true}, {:core2, path: "../core2"}, {:money, path: "../../vendor/money"}, {:far, path: "../../../far"}], aliases: ["assets.deploy": ["phx.digest"]]`,
      '  @version File.read!("../../VERSION")',
    ),
    'services/front/lib/endpoint.ex':
      'defmodule Front.Endpoint do\n  use Phoenix.Endpoint, otp_app: :front\nend',
    'services/core2/mix.exs': mixExs('app: :core2, deps: []'),
    'vendor/money/mix.exs': mixExs(
      'app: :money, version: File.read!("REVISION"), deps: [{:coins, path: "../coins"}]',
    ),
    'vendor/money/REVISION': '2',
    'vendor/coins/mix.exs': mixExs('app: :coins, deps: []'),
  });
  assert.equal([project.appsPath, project.assets.appDir], ['services', 'services/front']);
  assert.equal(project.inputs.mix, ['VERSION', 'vendor/money/REVISION']);
  assert.equal(
    project.deps.pathSources.map(({ name, dir }) => [name, dir]),
    [
      ['money', 'vendor/money'],
      ['far', null],
      ['coins', 'vendor/coins'],
    ],
  );
  assert.equal(project.inputs.outside, ['../far']);
  assert.match(project.notes.join('\n'), "../far above the app's folder");
});

test("files that mix.exs reads, those it can't load without, and those it copies into the release", () => {
  const functions = [
    '  @version File.read!("VERSION")',
    '  defp notes do\n    case File.read("NOTES") do\n      {:ok, text} -> text\n      _ -> ""\n    end\n  end',
    '  defp copy(release), do: File.cp!(Path.join(["extra", "run.sh"]), release.path)',
  ].join('\n');
  const project = app({
    'mix.exs': mixExs(
      `app: :shop, version: @version, description: notes(), deps: [${phoenix}], releases: [shop: [steps: [:assemble, &copy/1]]]`,
      functions,
    ),
    VERSION: '1.0.0',
    NOTES: '',
    'extra/run.sh': '',
  });
  assert.equal(
    [project.inputs.mix, project.inputs.requiredByMix],
    [['VERSION', 'NOTES'], ['VERSION']],
  );
  assert.equal(project.mixSteps.copied, ['extra/run.sh']);
});

test('files that mix.exs reads outside of its functions', () => {
  const text = mixExs(
    `app: :shop, version: @version, deps: [${phoenix}]`,
    '  @version "0.1.0"',
  ).replace(
    /^/,
    'Code.require_file("mix/helpers.exs", __DIR__)\nFile.read!(Path.join(__DIR__, "OTHER"))\n',
  );
  const files = ['mix/helpers.exs', 'OTHER'];
  const emptyFiles = Object.fromEntries(files.map((file) => [file, '']));
  assert.equal(app({ 'mix.exs': text, ...emptyFiles }).inputs.mix, files);
});

test('files are told apart by when they are read: by the configuration, at boot, while compiling', () => {
  const project = app({
    'config/config.exs':
      'import Config\nCode.require_file("helper.exs", __DIR__)\nimport_config "prod.exs"\n',
    'config/helper.exs': 'defmodule Helper do\nend',
    'config/runtime.exs':
      'import Config\nCode.require_file("late.exs", __DIR__)\nconfig :shop, motd: File.read!("MOTD")\n',
    'config/late.exs': 'defmodule Late do\nend',
    MOTD: 'hello',
    'docs/terms.md': '# Terms',
    'pages/a/one.md': '# One',
    'rules/limits.yml': 'a: 1',
    'lib/shop/terms.ex':
      'defmodule Shop.Terms do\n  @path Path.join(__DIR__, "../../docs/terms.md")\n  @external_resource @path\n  @pages for page <- Path.wildcard("pages/**/*.md"), do: File.read!(page)\n  @own File.read!("priv/own.txt")\n  @limits YamlElixir.read_from_file!("rules/limits.yml")\n  @names ~w(README.md)\n  def later, do: File.read!("README.md")\nend',
    'priv/own.txt': '',
    'README.md': '',
  });
  assert.equal(
    [project.inputs.config, project.inputs.runtime],
    [['config/helper.exs'], ['config/late.exs', 'MOTD']],
  );
  assert.equal(project.inputs.compile, ['docs/terms.md', 'pages', 'rules/limits.yml']);
});

test('only paths that are read come into the build', () => {
  const reads = (...lines: string[]) => {
    const found = app({
      'lib/shop/x.ex': `defmodule Shop.X do\n${lines.join('\n')}\n@own File.read!("priv/own")\nend`,
      'docs/a.md': '',
      'pages/a.md': '',
    }).inputs;
    return [...found.compile, ...found.outside];
  };
  assert.equal(reads('@name "docs"', '@gone "../../../elsewhere"', 'schema "docs" do\nend'), []);
  assert.equal(reads('embed_templates "docs/*"', '@all [File.ls!("pages")]'), ['pages']);
  assert.equal(reads('embed_templates "../../docs/*"'), ['docs']);
  assert.equal(reads('@dir "docs"', '@text File.read!(Path.join(@dir, "a.md"))'), ['docs/a.md']);
  assert.equal(reads('@dir "docs"', '@external_resource @dir'), ['docs']);
  assert.equal(reads('path = "docs/a.md"', '@text File.read!(path)'), ['docs/a.md']);
  assert.equal(reads('@all Path.wildcard("docs/**/*.md")'), ['docs']);
  assert.equal(reads('@text File.read!("../VERSION")'), ['../VERSION']);
  assert.equal(reads('use Posts, from: "docs", to: "../../elsewhere"'), ['docs']);
  assert.equal(reads('use Posts, from: "../../../elsewhere", to: "../../docs"'), ['docs']);
});

test("programs: one in a nested module is listed once, with that module's use of it", () => {
  const { programs } = app({
    'lib/x.ex':
      'defmodule X do\n  defmodule Y do\n    @sha System.cmd("git", [])\n  end\n  def run, do: System.cmd("git", [])\n  def again, do: System.cmd("git", [])\nend',
  });
  assert.equal(
    programs.map(({ name, compileTime, line }) => [name, compileTime, line]),
    [
      ['git', false, 5],
      ['git', true, 3],
    ],
  );
});

test('Rust: a crate of the app is compiled with what lies at the top for it; precompiled ones need no cargo', () => {
  const crate = {
    'Cargo.toml': '[workspace]',
    'Cargo.lock': '',
    'mix.lock': mixLock({
      rustler: [],
      rustler_precompiled: [],
      crate: ['rustler'],
      ready: ['rustler_precompiled', 'rustler?'],
    }),
  };
  const rust = (deps: string, code = '') => {
    const { deps: found, inputs } = app({ ...crate, 'lib/hash.ex': code }, deps);
    return [found.nif, found.rust, inputs.compile];
  };
  const own = 'defmodule Shop.Hash do\n  use Rustler, otp_app: :shop, crate: "hash"\nend';
  const rustler = ', {:rustler, "~> 0.30"}';
  assert.equal(rust(rustler, own), [['rustler'], ['rustler'], ['Cargo.toml', 'Cargo.lock']]);
  assert.equal(rust(rustler), [[], [], []]);
  const packages = ', {:crate, "~> 1.0"}, {:ready, "~> 1.0"}';
  assert.equal(rust(packages), [['crate', 'ready'], ['crate'], []]);
});

test('sources of dependencies: git over https or ssh, other folders, hex organisations, other hex repositories', () => {
  const { deps } = app(
    {
      'mix.lock': mixLock({}).replace(
        '}\n',
        '  "e": {:hex, :e, "1.0.0", "sum", [:mix], [], "hexpm:umbra", "sum"},\n}\n',
      ),
    },
    ', {:a, github: "x/a"}, {:b, git: "git@host:b.git"}, {:c, "~> 1.0", organization: "acme"}, {:d, "~> 1.0", repo: "oban"}, {:e, "~> 1.0"}, {:f, git: "ssh://host/f.git", only: :dev}, {:g, path: "../g"}',
  );
  assert.equal(deps.gitSources, [
    { name: 'a', url: 'https://github.com/x/a.git', ssh: false },
    { name: 'b', url: 'git@host:b.git', ssh: true },
  ]);
  assert.equal([deps.git, deps.path, deps.private], [['a', 'b'], ['g'], ['b', 'c', 'd', 'e']]);
  assert.equal([deps.hexOrganizations, deps.hexRepos], [['acme', 'umbra'], ['oban']]);
  const stale = mixLock({}).replace('}\n', '  "h": {:git, "https://host/h.git", "sha", []},\n}\n');
  assert.equal(app({ 'mix.lock': stale }, ', {:h, path: "libs/h"}').deps.git, []);
});

test('a package.json: Yarn 2, workspaces, what the install reads, the Node it is pinned to', () => {
  const [berry, npm] = app({
    'package.json':
      '{"workspaces":["ui/*"],"packageManager":"yarn@4.1.0","dependencies":{"left":"1"}}',
    'yarn.lock': '__metadata:\n  version: 8\n',
    '.yarnrc.yml': 'nodeLinker: node-modules\n',
    '.yarn/releases/yarn-4.1.0.cjs': '',
    'ui/core/package.json': '{}',
    '.tool-versions': 'nodejs 22.11.0\nelixir 1.18.4\n',
    'assets/package.json':
      '{"dependencies":{"phoenix":"file:../deps/phoenix"},"packageManager":"pnpm@9","engines":{"node":">=18"}}',
    'assets/package-lock.json': '{}',
    'assets/.nvmrc': 'v20\n',
  }).assets.nodePackages;
  assert.equal([berry?.manager, berry?.berry, berry?.nodeVersion], ['yarn', true, '22.11.0']);
  assert.is(berry?.packageManager, 'yarn@4.1.0');
  assert.equal(
    berry?.installFiles.join(' '),
    'package.json yarn.lock .yarnrc.yml .yarn/releases/yarn-4.1.0.cjs ui/core/package.json',
  );
  assert.equal([npm?.manager, npm?.berry, npm?.nodeVersion], ['npm', false, '20']);
  assert.equal([npm?.lockfile, npm?.fileDeps], ['package-lock.json', ['deps/phoenix']]);
});

test('a package.json counts for optional packages, and for a script that builds; Volta pins Node', () => {
  const packagesOf = (manifest: string) =>
    app({ 'client/package.json': manifest, 'client/package-lock.json': '{}' }).assets.nodePackages;
  assert.is(packagesOf('{"optionalDependencies":{"left":"1"}}').length, 1);
  const script = packagesOf('{"devDependencies":{"own":"1"},"scripts":{"build":"node b.js"}}');
  assert.is(script.length, 1);
  const [pinned] = packagesOf('{"dependencies":{"left":"1"},"volta":{"node":"20.11.1"}}');
  assert.is(pinned?.nodeVersion, '20.11.1');
});

test('Node as the Dockerfile has it, where no file pins it; older for old packages', () => {
  const nodeVersion = (Dockerfile: string, rest = '') => {
    const manifest = `{"dependencies":{"topbar":"3"}${rest}}`;
    return app({ 'assets/package.json': manifest, Dockerfile }).assets.nodePackages[0]?.nodeVersion;
  };
  const image = 'FROM elixir:1.18\nFROM --platform=linux/amd64 node:22-slim\n';
  assert.is(nodeVersion('RUN curl https://deb.nodesource.com/setup_20.x | bash -\n'), '20');
  assert.is(nodeVersion(image), '22');
  assert.is(nodeVersion(image, ',"engines":{"node":">=18"}'), '18');
  assert.is(nodeVersion('ARG NODE_VERSION=20\nFROM node:${NODE_VERSION}-alpine AS node\n'), '20');
  assert.is(nodeVersion('', ',"devDependencies":{"webpack":"4.41.5"}'), '16');
  assert.is(nodeVersion(image, ',"devDependencies":{"webpack":"^4","node-sass":"^4.1"}'), '14');
  assert.is(nodeVersion('FROM node:12\n', ',"devDependencies":{"webpack":"4.41.5"}'), '12');
  assert.is(nodeVersion(''), null);
});

test('a package of a workspace whose lockfile lies above it', () => {
  const packages = (yaml: string) =>
    app({
      'assets/package.json': '{"dependencies":{"left":"1"}}',
      'pnpm-lock.yaml': '',
      'pnpm-workspace.yaml': `packages:\n${yaml}`,
    }).assets.nodePackages;
  const [member] = packages('  - assets\n  - deps/phoenix\n');
  assert.equal([member?.manager, member?.lockfile], ['pnpm', 'pnpm-lock.yaml']);
  assert.equal([member?.workspaceDir, member?.fileDeps], ['.', ['deps/phoenix']]);
  assert.is(
    member?.installFiles.join(' '),
    'pnpm-lock.yaml assets/package.json pnpm-workspace.yaml',
  );
  const [outsider] = packages('  - ui/*\n');
  assert.equal([outsider?.lockfile, outsider?.workspaceDir], [null, null]);
  const [bun] = app({
    'assets/package.json':
      '{"workspaces":["../deps/*"],"dependencies":{"phoenix":"workspace:*","x":"link:../x"}}',
    'assets/bun.lock': '',
  }).assets.nodePackages;
  assert.equal(bun?.fileDeps, ['x', 'deps']);
});

test('variables that the build reads without a default', () => {
  const facts = app({
    'config/config.exs':
      'import Config\nconfig :shop, key: System.get_env("KEY"), host: System.get_env("HOST") || "x", port: System.get_env("PORT", "1"), salt: System.fetch_env!("SALT")\nif System.get_env("DEBUG"), do: config(:shop, debug: true)\n',
    'config/runtime.exs': 'import Config\nconfig :shop, late: System.get_env("LATE")\n',
    'lib/shop/x.ex':
      'defmodule Shop.X do\n  @token System.get_env("TOKEN")\n  @other System.get_env("OTHER") || "y"\n  def late, do: System.get_env("LATER")\nend',
  });
  assert.equal(facts.env.buildReads, [
    { name: 'KEY', file: 'config/config.exs', line: 2 },
    { name: 'TOKEN', file: 'lib/shop/x.ex', line: 2 },
  ]);
  assert.equal(facts.env.required, [
    { name: 'SALT', file: 'config/config.exs', line: 2, compileTime: true },
  ]);
  assert.match(facts.notes.join('\n'), 'KEY (config/config.exs:2), TOKEN (lib/shop/x.ex:2)');
});

test.run();
