import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { refuseAnswers, refuseUnsupported } from '../src/answers/supported.ts';
import { assets } from '../src/docker/asset-steps.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import { forceSslAdvice } from '../src/facts/force-ssl.ts';
import { kindOf } from '../src/plan/file.ts';
import { after, complete, FLAGS, planFor, projectOf, shop } from './support.ts';

type Texts = Record<string, string>;

/** The instructions of the planned Dockerfile, which must hold no error; a second plan must change nothing. */
function instructions(texts: Texts, flags = FLAGS): string[] {
  const changes = planFor(texts, flags);
  const text = changes.find((change) => change.path === 'Dockerfile')?.after ?? '';
  assert.equal(
    validate(text)
      .filter((one) => one.severity === 1)
      .map((one) => one.message),
    [],
  );
  assert.equal(
    planFor(after(texts, changes), flags)
      .filter((change) => kindOf(change) !== 'same')
      .map((change) => change.path),
    [],
  );
  return DockerfileParser.parse(text)
    .getInstructions()
    .map((one) => one.getTextContent().replaceAll(/ *\\\r?\n */g, ' '));
}

const at = (lines: readonly string[], part: string): number =>
  lines.findIndex((line) => line.includes(part));
const line = (lines: readonly string[], part: string): string => lines[at(lines, part)] ?? '';

/** All of the parts, one after the other. */
function inOrder(lines: readonly string[], ...parts: string[]): void {
  let from = -1;
  for (const part of parts) {
    const found = lines.findIndex((one, index) => index > from && one.includes(part));
    assert.ok(found > from, `${part} after line ${from} of\n${lines.join('\n')}`);
    from = found;
  }
}

const mix = (fields: string, rest = ''): string =>
  `defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop, version: "0.1.0", elixir: "~> 1.14", ${fields}]\n  def application, do: [mod: {Shop.Application, []}]\n${rest}end\n`;

const umbrella = (
  root = 'releases: [depot: [applications: [shop: :permanent, shop_web: :permanent]]], ',
): Texts => {
  const own = shop();
  const child = (app: string, deps: string, aliases = '') =>
    `defmodule ${app === 'shop' ? 'Shop' : 'ShopWeb'}.MixProject do\n  use Mix.Project\n  def project, do: [app: :${app}, version: "0.1.0", build_path: "../../_build", config_path: "../../config/config.exs", deps: [${deps}]${aliases}]\n  def application, do: [mod: {${app === 'shop' ? 'Shop' : 'ShopWeb'}.Application, []}]\nend\n`;
  const web = Object.entries(own).filter(
    ([path]) => path.startsWith('lib/shop_web') || path.startsWith('assets/'),
  );
  return {
    'mix.exs': `defmodule Depot.MixProject do\n  use Mix.Project\n\n  def project do\n    [\n      ${root}apps_path: "apps",\n      version: "0.1.0"\n    ]\n  end\nend\n`,
    'mix.lock': own['mix.lock'] ?? '',
    'config/config.exs':
      'import Config\nconfig :shop, ecto_repos: [Shop.Repo]\nimport_config "#{config_env()}.exs"\n',
    'config/prod.exs': 'import Config\n',
    'apps/shop/mix.exs': child('shop', '{:ecto_sql, "~> 3.13"}, {:postgrex, ">= 0.0.0"}'),
    'apps/shop/lib/shop/application.ex':
      'defmodule Shop.Application do\n  use Application\n  def start(_, _), do: Supervisor.start_link([Shop.Repo], [])\nend\n',
    'apps/shop/lib/shop/repo.ex':
      'defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n',
    'apps/shop_web/mix.exs': child(
      'shop_web',
      '{:phoenix, "~> 1.8"}, {:shop, in_umbrella: true}, {:esbuild, "~> 0.10"}',
      ', aliases: ["assets.deploy": ["esbuild shop_web --minify", "phx.digest"]]',
    ),
    ...Object.fromEntries(
      web.map(([path, text]) => [
        `apps/shop_web/${path}`,
        text.replaceAll('otp_app: :shop', 'otp_app: :shop_web'),
      ]),
    ),
  };
};

test('an umbrella copies each mix.exs before deps.get, compiles from the root and builds assets in the web app', () => {
  const lines = instructions(umbrella());
  inOrder(
    lines,
    'COPY config/config.exs config/prod.exs config/',
    'COPY apps/shop/mix.exs apps/shop/',
    'COPY apps/shop_web/mix.exs apps/shop_web/',
    'deps.get --only prod + deps.clean --unused + deps.compile --skip-umbrella-children',
    'COPY apps apps',
    'mix do compile + do --app shop_web cmd mix assets.deploy + release --overwrite --path /release',
    'CMD ["/app/bin/depot", "start"]',
  );
});

test("an umbrella's own assets.deploy stands for those of its apps", () => {
  const releases = 'releases: [depot: [applications: [shop: :permanent, shop_web: :permanent]]], ';
  const lines = instructions(
    umbrella(
      `${releases}aliases: ["assets.deploy": ["do --app shop_web cmd mix assets.deploy"]], `,
    ),
  );
  inOrder(lines, 'mix do compile + assets.deploy + release --overwrite --path /release');
});

test('an umbrella without a release gets one in mix.exs, in whatever way its list is written', () => {
  for (const texts of [
    umbrella(''),
    {
      ...umbrella(''),
      'mix.exs':
        'defmodule Depot.MixProject do\n  use Mix.Project\n  def project do\n    [apps_path: "apps",\n     version: "0.1.0"]\n  end\nend\n',
    },
  ]) {
    const changed = after(texts, planFor(texts));
    assert.is(parseElixir(changed['mix.exs'] ?? '').problem, null);
    assert.equal(projectOf(changed).release.names, ['shop']);
    assert.match(line(instructions(texts), 'CMD'), '/app/bin/shop');
  }
});

test('npm packages install beside the Elixir stages, with deps that package.json points to; Node itself only where a step calls it', () => {
  const packages = {
    'assets/package.json': '{"dependencies": {"phoenix": "file:../deps/phoenix", "topbar": "3"}}',
    'assets/package-lock.json': '{}',
    'assets/.nvmrc': 'v22.3.0',
  };
  const quiet = instructions(shop(packages));
  inOrder(
    quiet,
    'ARG NODE_VERSION=22',
    'AS deps',
    'deps.get --only prod',
    'FROM node:${NODE_VERSION}-alpine AS node',
    'COPY --from=deps /app/deps/phoenix',
    'npm ci',
    'FROM deps AS builder',
    'COPY --from=node /app/assets/node_modules',
    'mix do compile + assets.deploy + release',
  );
  assert.is(at(quiet, '--from=node /usr/local'), -1);
  const loud = instructions(
    shop({
      ...packages,
      'mix.exs': mix(
        'deps: [{:phoenix, "~> 1.8"}], aliases: ["assets.deploy": ["cmd --cd assets npm ci", "cmd --cd assets npm run deploy", "phx.digest"]]',
      ),
    }),
  );
  inOrder(
    loud,
    'COPY --from=node /usr/local /usr/local',
    'mix do compile + cmd --cd assets npm run deploy + phx.digest + release',
  );
});

test('each package manager installs by its lockfile', () => {
  const install = (files: Texts) =>
    line(
      instructions(shop({ 'assets/package.json': '{"dependencies": {"topbar": "3"}}', ...files })),
      'install',
    );
  assert.match(
    install({ 'assets/yarn.lock': '# yarn lockfile v1\n' }),
    /yarn install --frozen-lockfile$/,
  );
  assert.match(
    install({ 'assets/yarn.lock': '__metadata:\n  version: 8\n' }),
    /corepack enable && YARN_NODE_LINKER=node-modules yarn install --immutable$/,
  );
  assert.match(
    install({ 'assets/pnpm-lock.yaml': "lockfileVersion: '6.0'\n" }),
    /npm install --global pnpm@8 && pnpm install --frozen-lockfile$/,
  );
  assert.match(install({ 'assets/bun.lock': '{}' }), /bun install --frozen-lockfile$/);
  assert.match(
    line(
      instructions(
        shop({
          'assets/package.json': '{"dependencies": {"topbar": "3"}}',
          'assets/bun.lock': '{}',
        }),
      ),
      'AS node',
    ),
    'oven/bun:${BUN_VERSION}-alpine',
  );
});

test('a package of a workspace installs from the lockfile above it', () => {
  const lines = instructions(
    shop({
      'package.json': '{"private": true, "workspaces": ["assets"]}',
      'package-lock.json': '{}',
      'assets/package.json': '{"name": "assets", "dependencies": {"topbar": "3"}}',
    }),
  );
  inOrder(
    lines,
    'AS node',
    'WORKDIR /app',
    'COPY package.json package-lock.json ./',
    'COPY assets/package.json /app/assets/',
    'npm ci --no-audit --no-fund && mkdir -p /app/assets/node_modules',
    'COPY --from=node /app/node_modules /app/node_modules',
    'COPY --from=node /app/assets/node_modules /app/assets/node_modules',
  );
  assert.is(lines.filter((one) => one.startsWith('FROM')).length, 6);
});

test('without assets.deploy the build script runs, and a note says so', () => {
  const texts = shop({
    'mix.exs': mix('deps: [{:phoenix, "~> 1.8"}]'),
    'assets/package.json': '{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}}',
    'assets/package-lock.json': '{}',
  });
  assert.match(
    line(instructions(texts), 'npm run'),
    'mix do compile + cmd --cd assets npm run build + phx.digest + release',
  );
  assert.match(assets(projectOf(texts)).notes.join(), 'no assets.deploy alias');
  const bare = shop({
    'mix.exs': mix('deps: [{:phoenix, "~> 1.8"}]'),
    'assets/package.json': '{"dependencies": {"topbar": "3"}}',
  });
  assert.match(assets(projectOf(bare)).notes.join(), 'no package.json has a build script');
});

test('private dependencies are fetched with secrets that no layer keeps', () => {
  const lines = instructions(
    shop({
      'mix.exs': mix(
        'deps: [{:phoenix, "~> 1.8"}, {:inner, "~> 1.0", organization: "acme"}, {:oban_pro, "~> 1.5", repo: "oban"}, {:tools, git: "git@github.com:acme/tools.git"}]',
      ),
    }),
  );
  const get = line(lines, 'deps.get --only prod');
  for (const part of [
    'id=HEX_ACME_KEY,required=true',
    'hex.organization auth acme',
    'hex.organization deauth acme',
    'hex.repo add oban',
    'hex.repo remove oban',
    'id=GITHUB_TOKEN',
    '@github.com/.insteadOf',
    '=git@github.com:',
  ])
    assert.ok(get.includes(part), `${part} in ${get}`);
  assert.is(
    lines.filter((one) => /^(ARG|ENV)/.test(one) && /KEY|TOKEN|SECRET/.test(one)).length,
    0,
  );
  assert.throws(
    () =>
      instructions(
        shop({ 'mix.exs': mix('deps: [{:phoenix, "~> 1.8"}, {:x, "~> 1.0", repo: "elsewhere"}]') }),
      ),
    /private Hex repository "elsewhere"/,
  );
});

test('variables that the configuration demands while building come as secrets, to each command that reads it', () => {
  const lines = instructions(
    shop({ 'config/prod.exs': 'import Config\nconfig :shop, key: System.fetch_env!("LICENCE")\n' }),
  );
  for (const command of [
    'mix do deps.get --only prod + deps.clean --unused + deps.loadpaths + assets.setup',
    'mix do compile + assets.deploy + release',
  ])
    assert.match(
      lines.find((one) => one.startsWith('RUN') && one.includes(command)) ?? '',
      new RegExp(
        `id=LICENCE,required=true .*export LICENCE="\\$\\(cat /run/secrets/LICENCE\\)" && .*${command.replaceAll('+', '\\+')}`,
      ),
    );
});

test('a path dependency is in the image before deps.get; one above the app is refused', () => {
  const vendored = shop({
    'mix.exs': mix('deps: [{:phoenix, "~> 1.8"}, {:lib_x, path: "vendor/lib_x"}]'),
    'vendor/lib_x/mix.exs':
      'defmodule LibX.MixProject do\n  use Mix.Project\n  def project, do: [app: :lib_x, version: "0.1.0", deps: []]\nend\n',
  });
  inOrder(instructions(vendored), 'COPY vendor/lib_x vendor/lib_x', 'deps.get --only prod');
  assert.throws(
    () =>
      refuseUnsupported(
        projectOf(
          shop({ 'mix.exs': mix('deps: [{:phoenix, "~> 1.8"}, {:lib_x, path: "../lib_x"}]') }),
        ),
      ),
    /lib_x is above the app/,
  );
});

test('dependencies without musl builds make Debian the default, and Rust is for the builder alone', () => {
  const lock = (shop()['mix.lock'] ?? '').replace(
    /}\s*$/,
    '  "exla": {:hex, :exla, "0.9.0", "00", [:make, :mix], [{:elixir_make, "~> 0.6", [hex: :elixir_make, repo: "hexpm", optional: false]}, {:xla, "~> 0.8", [hex: :xla, repo: "hexpm", optional: false]}], "hexpm", "00"},\n  "xla": {:hex, :xla, "0.8.0", "00", [:make, :mix], [{:elixir_make, "~> 0.6", [hex: :elixir_make, repo: "hexpm", optional: false]}], "hexpm", "00"},\n}\n',
  );
  const lines = instructions(
    shop({ 'mix.exs': mix('deps: [{:phoenix, "~> 1.8"}, {:exla, "~> 0.9"}]'), 'mix.lock': lock }),
  );
  assert.match(line(lines, 'AS os'), 'debian:');
  const rustler = (shop()['mix.lock'] ?? '').replace(
    /}\s*$/,
    '  "rustler": {:hex, :rustler, "0.36.0", "00", [:mix], [], "hexpm", "00"},\n}\n',
  );
  const crate = instructions(
    shop({
      'mix.lock': rustler,
      'lib/shop/native.ex':
        'defmodule Shop.Native do\n  use Rustler, otp_app: :shop, crate: "fast"\nend\n',
      'native/fast/Cargo.toml': '[package]\nname = "fast"\n',
    }),
  );
  inOrder(
    crate,
    'RUN apk add --no-cache build-base cargo git',
    'COPY native native',
    'mix do compile + ',
    'AS runner',
    'RUN apk add --no-cache ca-certificates libgcc',
  );
});

test('asset tools that came without a musl build at first ask for Debian only in those versions', () => {
  const base = (name: string, version: string) => {
    const lock = (shop()['mix.lock'] ?? '').replace(
      /}\s*$/,
      `  "${name}": {:hex, :${name}, "${version}", "00", [:mix], [], "hexpm", "00"},\n}\n`,
    );
    return complete(
      FLAGS,
      projectOf(
        shop({
          'mix.exs': mix(`deps: [{:phoenix, "~> 1.8"}, {:${name}, "~> 0.1"}]`),
          'mix.lock': lock,
        }),
      ),
    ).base;
  };
  assert.equal(
    [base('dart_sass', '0.7.1'), base('bun', '1.4.1'), base('tailwind', '0.3.0')],
    ['debian', 'debian', 'debian'],
  );
  assert.equal(
    [base('dart_sass', '0.8.0'), base('bun', '1.4.2'), base('tailwind', '0.3.1')],
    ['alpine', 'alpine', 'alpine'],
  );
});

test('what native dependencies link to or start is in the final image', () => {
  const lock = (shop()['mix.lock'] ?? '').replace(
    /}\s*$/,
    '  "fast_xml": {:hex, :fast_xml, "1.1.55", "00", [:rebar3], [], "hexpm", "00"},\n}\n',
  );
  const lines = instructions(
    shop({
      'mix.exs': mix('deps: [{:phoenix, "~> 1.8"}, {:fast_xml, "~> 1.1"}]'),
      'mix.lock': lock,
    }),
  );
  inOrder(lines, 'expat-dev', 'AS runner', 'expat');
});

test('several releases: the flag decides, an unknown one is refused, the Dockerfile remembers it', () => {
  const texts = shop({
    'mix.exs': mix(
      'deps: [{:phoenix, "~> 1.8"}], releases: [shop: [], shop_worker: [rel_templates_path: "rel/worker"], thin: [include_erts: false]]',
    ),
  });
  const flags = { ...FLAGS, release: 'shop_worker' };
  const lines = instructions(texts, flags);
  inOrder(
    lines,
    'COPY rel/worker rel/worker',
    ' release shop_worker --overwrite --path /release',
    'CMD ["/app/bin/shop_worker", "start"]',
  );
  assert.is(complete(FLAGS, projectOf(after(texts, planFor(texts, flags)))).release, 'shop_worker');
  assert.throws(() => complete(FLAGS, projectOf(texts)), /--release/);
  const refused = (release: string) => () =>
    refuseAnswers(projectOf(texts), complete({ ...FLAGS, release }, projectOf(texts)));
  assert.throws(refused('nope'), /no release nope; it has shop, shop_worker, thin/);
  assert.throws(refused('thin'), /include_erts/);
});

test('what runtime.exs reads comes along, and of assets.setup only the downloads', () => {
  const runtime = (shop()['config/runtime.exs'] ?? '').replace(
    'import Config',
    'import Config\nCode.require_file("../support/settings.exs", __DIR__)',
  );
  inOrder(
    instructions(
      shop({
        'config/runtime.exs': runtime,
        'support/settings.exs': 'defmodule Settings do\nend\n',
      }),
    ),
    'deps.loadpaths',
    'COPY config/runtime.exs config/',
    'COPY support/settings.exs support/',
    'mix do compile',
  );
  inOrder(
    instructions(shop({ 'config/regions.json': '[]' })),
    'deps.loadpaths',
    'COPY config config',
    'mix do compile',
  );
  const aliases =
    'aliases: ["assets.setup": ["esbuild.install --if-missing", "cmd --cd assets npm ci", "shop.icons"], "assets.deploy": ["esbuild shop", "phx.digest"]]';
  assert.match(
    line(
      instructions(
        shop({ 'mix.exs': mix(`deps: [{:phoenix, "~> 1.8"}, {:esbuild, "~> 0.10"}], ${aliases}`) }),
      ),
      'esbuild.install',
    ),
    /mix do .*\+ esbuild\.install --if-missing && cp -a/,
  );
});

test('releases.exs stays the file that boots; prod.secret.exs and SQLite are refused; MySQL only from outside', () => {
  const old = planFor(
    shop({ 'config/runtime.exs': undefined, 'config/releases.exs': 'import Config\n' }),
  );
  assert.not(old.some((change) => change.path === 'config/runtime.exs'));
  assert.match(
    old.find((change) => change.path === 'config/releases.exs')?.after ?? '',
    'require_env',
  );
  assert.match(
    old.find((change) => change.path === 'Dockerfile')?.after ?? '',
    'COPY config/releases.exs config/',
  );
  assert.throws(
    () =>
      refuseUnsupported(
        projectOf(shop({ 'config/prod.exs': 'import Config\nimport_config "prod.secret.exs"\n' })),
      ),
    /prod\.secret\.exs/,
  );
  const committed = (secrets: string) => () =>
    refuseUnsupported(
      projectOf(
        shop({
          'config/prod.exs': 'import Config\nimport_config "prod.secret.exs"\n',
          'config/prod.secret.exs': `import Config\nconfig :shop, ShopWeb.Endpoint, ${secrets}\n`,
        }),
      ),
    );
  assert.not.throws(
    committed('secret_key_base: System.get_env("SECRET_KEY_BASE") || raise("none")'),
  );
  assert.throws(
    committed('secret_key_base: "abc", http: [port: System.get_env("PORT")]'),
    /prod\.secret\.exs/,
  );
  const inChild = {
    ...umbrella(),
    'apps/shop/config/prod.exs': 'import Config\nimport_config "prod.secret.exs"\n',
  };
  assert.throws(
    () => refuseUnsupported(projectOf(inChild)),
    /apps\/shop\/config\/prod\.exs imports prod\.secret\.exs/,
  );
  const repo = (adapter: string) =>
    shop({
      'lib/shop/repo.ex': `defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.${adapter}\nend\n`,
    });
  assert.throws(() => refuseUnsupported(projectOf(repo('SQLite3'))), /SQLite/);
  const mysql = projectOf(repo('MyXQL'));
  assert.is(complete({ app: 'shop', region: 'lhr' }, mysql).postgres.kind, 'external');
  assert.throws(() => refuseAnswers(mysql, complete(FLAGS, mysql)), /MySQL/);
});

test('force_ssl in each of its wrong shapes is answered with the edit; the right one with nothing', () => {
  const advice = (prod: string, more: Record<string, string> = {}) =>
    forceSslAdvice(
      projectOf(
        shop({
          'config/prod.exs': `import Config\n\nconfig :shop, ShopWeb.Endpoint, ${prod}\n`,
          ...more,
        }),
      ),
    );
  const right =
    'force_ssl: [rewrite_on: [:x_forwarded_proto], exclude: [paths: ["/health"], hosts: ["localhost", "127.0.0.1"]]]';
  assert.equal(advice(right), []);
  assert.match(
    advice('force_ssl: [hsts: true]').join(),
    'config/prod.exs:3: force_ssl has no rewrite_on',
  );
  assert.match(
    advice('force_ssl: [hsts: true]').join(),
    'config :shop, ShopWeb.Endpoint, force_ssl: [rewrite_on: [:x_forwarded_proto], hsts: true]',
  );
  assert.match(
    advice('force_ssl: [rewrite_on: [:x_forwarded_proto]], exclude: [paths: ["/health"]]').join(),
    'force_ssl: [exclude: [paths: ["/health"]], rewrite_on: [:x_forwarded_proto]]',
  );
  assert.match(advice('force_ssl: []').join(), 'force_ssl has no rewrite_on');
  assert.match(
    advice(right, { 'mix.lock': (shop()['mix.lock'] ?? '').replace('1.19.1', '1.18.0') }).join(),
    'needs plug 1.19.0, mix.lock has 1.18.0',
  );
  assert.match(
    advice('force_ssl: [rewrite_on: [:x_forwarded_proto], exclude: [paths: ["/health"]]]').join(),
    'add hosts: ["localhost", "127.0.0.1"]',
  );
  const late = {
    'config/runtime.exs':
      'import Config\nconfig :shop, ShopWeb.Endpoint, force_ssl: [hsts: true]\n',
  };
  // The release stops at boot, which the rules of runtime.exs say
  assert.equal(advice('url: [port: 443]', late), []);
});

test('what fly launch writes stops no background work; an answer of ours stays', () => {
  const launched = shop({
    'fly.toml':
      'app = "shop"\nprimary_region = "lhr"\n\n[http_service]\n  internal_port = 8080\n  auto_stop_machines = "stop"\n  min_machines_running = 0\n',
  });
  assert.is(complete(FLAGS, projectOf(launched)).background, true);
  const answered = after(launched, planFor(launched, { ...FLAGS, background: 'no' }));
  assert.is(complete({}, projectOf(answered)).background, false);
});

test.run();
