import { readFileSync } from 'node:fs';
import { validate } from 'dockerfile-utils';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dockerfile } from '../generators/dockerfile.ts';
import { refuseAnswers, refuseUnsupported } from '../src/answers/refusals.ts';
import { check } from '../src/check/check.ts';
import { foldLines } from '../src/docker/fold.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import { chooseImage } from '../src/fly/images.ts';
import { treeOf } from '../src/tree.ts';
import {
  afterFly,
  complete,
  FLAGS,
  notesOf,
  planFor,
  projectOf,
  shop,
  shopLock,
  withoutUndefined,
} from './support/fixture.ts';

type Texts = Record<string, string | undefined>;
const generate = (texts: Texts, file = 'dockerfile'): string =>
  planFor(shop(texts), FLAGS, undefined, file)[0]?.after ?? '';

/** An edit of the fixture's mix.exs. */
type Edit = [from: string | RegExp, to: string];
const dep = (...deps: string[]): Edit => ['{:phoenix,', `${deps.join(', ')},\n      {:phoenix,`];
const alias = (text: string): Edit => ['"assets.deploy":', `${text},\n      "assets.deploy":`];
const field = (text: string): Edit => ['app: :shop,', `app: :shop, ${text},`];
const deploys = (steps: string): Edit => [/"assets.deploy": .*/, `"assets.deploy": [${steps}]`];
const NO_ALIAS: Edit = [/aliases: aliases\(\)/, 'aliases: []'];
const mix = (...edits: Edit[]): Texts => ({
  'mix.exs': edits.reduce((text, [from, to]) => {
    assert.ok(text.search(from) >= 0, `nothing to edit: ${from}`);
    return text.replace(from, () => to);
  }, shop()['mix.exs'] ?? ''),
});
const lock = (packages: Record<string, string[]>): Texts => ({ 'mix.lock': shopLock(packages) });
/** A package in mix.exs and in the lock. */
const uses = (name: string, ...needs: string[]): Texts => ({
  ...mix(dep(`{:${name}, "~> 1.0"}`)),
  ...lock({ [name]: needs, ...Object.fromEntries(needs.map((need) => [need, []])) }),
});
const module = (name: string, ...lines: string[]): Texts => ({
  [`lib/shop/${name.toLowerCase()}.ex`]: `defmodule Shop.${name} do\n${lines.map((line) => `  ${line}\n`).join('')}end\n`,
});
const NPM = {
  'assets/package.json': '{"dependencies": {"topbar": "3"}}',
  'assets/package-lock.json': '{}',
};
const withLock = (name: string, text = '{}'): Texts => ({
  'assets/package.json': NPM['assets/package.json'],
  [`assets/${name}`]: text,
});

const RELEASES = 'releases: [depot: [applications: [shop: :permanent, shop_web: :permanent]]], ';
function umbrella(root = RELEASES): Record<string, string> {
  const { 'mix.lock': locked = '', ...own } = shop();
  const child = (app: string, name: string, rest: string) =>
    `defmodule ${name}.MixProject do\n  use Mix.Project\n  def project, do: [app: :${app}, version: "0.1.0", build_path: "../../_build", ${rest}]\n  def application, do: [mod: {${name}.Application, []}]\nend\n`;
  const web = Object.entries(own).filter(([path]) => /^(lib\/shop_web|assets\/)/.test(path));
  return {
    'mix.exs': `defmodule Depot.MixProject do\n  use Mix.Project\n\n  def project do\n    [\n      ${root}apps_path: "apps",\n      version: "0.1.0"\n    ]\n  end\nend\n`,
    'mix.lock': locked,
    'config/config.exs':
      'import Config\nconfig :shop, ecto_repos: [Shop.Repo]\nimport_config "#{config_env()}.exs"\n',
    'config/prod.exs': 'import Config\n',
    'apps/shop/mix.exs': child(
      'shop',
      'Shop',
      'deps: [{:ecto_sql, "~> 3.13"}, {:postgrex, ">= 0.0.0"}]',
    ),
    'apps/shop/lib/shop/application.ex':
      'defmodule Shop.Application do\n  use Application\n  def start(_, _), do: Supervisor.start_link([Shop.Repo], [])\nend\n',
    'apps/shop/lib/shop/repo.ex': own['lib/shop/repo.ex'] ?? '',
    'apps/shop_web/mix.exs': child(
      'shop_web',
      'ShopWeb',
      'deps: [{:phoenix, "~> 1.8"}, {:shop, in_umbrella: true}, {:esbuild, "~> 0.10"}], aliases: ["assets.deploy": ["esbuild shop_web --minify", "phx.digest"]]',
    ),
    ...Object.fromEntries(
      web.map(([path, text]) => [
        `apps/shop_web/${path}`,
        text.replaceAll('otp_app: :shop', 'otp_app: :shop_web'),
      ]),
    ),
  };
}

interface Shape {
  /** What is other than in the fixture; or an umbrella. */
  texts?: Texts;
  flags?: typeof FLAGS;
  /** Parts of the Dockerfile, one after the other (…); lines that go on are one. */
  has?: string[];
  lacks?: RegExp;
  notes?: RegExp;
}
const DEBIAN = { ...FLAGS, base: 'debian' };
const OTP_29 = { '.tool-versions': 'elixir 1.20.7-otp-29\n' };
const FWUP = module('Disk', 'def run, do: System.cmd("fwup", [])');
const SSR = module('SSR', 'def child, do: {NodeJS.Supervisor, [path: "x"]}');
const GIT = module('Build', 'def sha, do: System.cmd("git", ["rev-parse"])');
const CHILD_ALIAS = 'aliases: ["assets.deploy": ["do --app shop_web cmd mix assets.deploy"]], ';
const SETUP: Edit = [
  /"assets.setup": .*/,
  '"assets.setup": ["esbuild.install --if-missing", "cmd --cd assets npm ci", "shop.icons"],',
];
/** One thing, and what it puts into the Dockerfile, or doesn't. */
const ABSENT: [Texts, RegExp][] = [
  [GIT, /COPY \.git/],
  [{ '.tool-versions': 'elixir 1.19.1-otp-28\n' }, /lksctp/],
  [uses('sentry'), /package_source_code/],
  [
    {
      'config/runtime.exs': 'import Config\nconfig :shop, a: File.read!("config/regions.json")\n',
      'config/regions.json': '[]',
    },
    /COPY config\/regions/,
  ],
  [{ 'src/app.js': '' }, /COPY src/],
];
const PARTS: [Texts, string, typeof FLAGS?][] = [
  // OTP 29 opens libsctp at each start
  [OTP_29, 'AS runner … lksctp-tools'],
  [OTP_29, 'AS runner … libsctp1', DEBIAN],
  // bookworm's cargo is too old for rustler
  [uses('native', 'rustler'), 'build-essential ca-certificates cargo-web git', DEBIAN],
  [uses('chromic_pdf'), 'AS runner … chromium'],
  [uses('fast_xml'), 'expat-dev … AS runner … expat'],
  [uses('fast_html', 'elixir_make'), 'apk add --no-cache build-base cmake '],
  [uses('ex_dtls', 'bundlex_stub'), 'build-essential … libssl-dev pkg-config', DEBIAN],
  [FWUP, 'AS runner …  fwup '],
  [SSR, 'AS runner … apk add  … nodejs'],
  [{ ...NPM, ...SSR }, 'AS runner … COPY --from=node /usr/local/bin/node /usr/local/bin/'],
  [
    { ...NPM, ...mix(alias('compile: ["cmd --cd assets npm ci", "compile"]')) },
    'COPY --from=node /usr/local /usr/local … the alias compile in mix.exs may write files outside',
  ],
  [mix(deploys('"assets.deploy", "phx.digest"')), 'mix do compile + assets.deploy + release'],
  [
    {
      ...mix(dep('{:nif, path: "nif"}')),
      'nif/mix.exs':
        'defmodule Nif.MixProject do\n  use Mix.Project\n  def project, do: [app: :nif, compilers: [:elixir_make] ++ Mix.compilers()]\nend\n',
    },
    '--mount=type=tmpfs,target=/cache ',
  ],
  [
    {
      'config/prod.exs': 'import Config\nconfig :shop, version: File.read!("VERSION")\n',
      VERSION: '1',
    },
    'COPY VERSION ./\n … AS deps',
  ],
  [
    { 'package.json': '{"dependencies": {"vite": "7"}}', 'vite.config.js': '' },
    'AS builder … COPY package.json vite.config.js ./\n',
  ],
  // Newer Node images have no Yarn 1
  [withLock('yarn.lock', '# yarn lockfile v1\n'), '--global --force yarn@1 && yarn install --froz'],
  [
    { ...withLock('yarn.lock', '__metadata:\n  version: 8\n'), '.nvmrc': '25' },
    'npm install --global corepack && corepack enable && YARN_NODE_LINKER=node-modules yarn install --immutable\n',
  ],
  [
    withLock('pnpm-lock.yaml', "lockfileVersion: '6.0'\n"),
    'npm install --global pnpm@8 && pnpm install --frozen-lockfile\n',
  ],
  [
    withLock('bun.lock'),
    'FROM oven/bun:${BUN_VERSION}-alpine AS node … bun install --frozen-lockfile\n',
  ],
  [mix(field('compilers: [:phoenix_live_view] ++ Mix.compilers()')), 'source=/app/_build'],
  [GIT, 'apk add --no-cache ca-certificates git '],
  [{ 'config/regions.json': '[]' }, 'deps.loadpaths … COPY config config\n … mix do compile'],
  [
    { 'config/runtime.exs': undefined, 'config/releases.exs': 'import Config\n' },
    'COPY config/releases.exs config/\n',
  ],
  [mix(SETUP), 'mix do deps.get …  + esbuild.install --if-missing && cp -a'],
  [umbrella(`${RELEASES}${CHILD_ALIAS}`), 'mix do compile + assets.deploy + release --overwrite'],
];
const SHAPES: Record<string, Shape> = {
  'an ordinary app': {
    has: [
      'starts here, does\nCOPY priv priv\n … AS runner\n …  HOME=/tmp\n … EXPOSE 4000\n',
      'USER 65534:65534\n … CMD ["/app/bin/shop", "start"]\n',
    ],
    lacks: /AS (files|node)|lksctp|--from=node|COPY \.git/,
  },
  "Heroku's pin": {
    texts: {
      '.tool-versions': undefined,
      'elixir_buildpack.config': 'elixir_version=1.17.3\nerlang_version=26.2.5\n',
    },
    has: ['ARG ELIXIR_VERSION=1.17.3\nARG OTP_VERSION=26\n'],
  },
  'packages by the closure of mix.lock, programs by their literal names': {
    texts: {
      ...mix(dep('{:thumbnex, "~> 1.0"}')),
      ...lock({ thumbnex: ['ffmpex', 'mogrify'], ffmpex: [], mogrify: [] }),
      ...module(
        'Clips',
        '@pdf "pdftotext"',
        'def text(path), do: System.cmd(@pdf, [path, "-"])',
        'def page(path), do: System.shell("wkhtmltopdf #{path} -")',
        'def bin(name), do: System.shell("tool-#{name} -")',
        'def odd, do: Port.open({:spawn_executable, "/opt/oddtool"}, [])',
      ),
    },
    has: ['AS runner … ffmpeg … imagemagick … poppler-utils'],
    notes:
      /lib\/shop\/clips.ex:4 starts the program wkhtmltopdf(?![\s\S]*tool-)[\s\S]*clips.ex:6 starts the program oddtool/,
  },
  "a program that Debian hasn't": {
    texts: module('Disk', 'def run, do: System.cmd("fwup", [])'),
    flags: DEBIAN,
    lacks: /fwup|install .* - /,
    notes: /starts the program fwup, and which package/,
  },
  'a binary for glibc alone': {
    texts: uses('adbc', 'elixir_make', 'cc_precompiler'),
    has: ['ARG DEBIAN_VERSION … FROM debian:'],
    notes: /glibc only of: adbc/,
  },
  'packages that need what no system package brings': {
    texts: uses('pdf_generator', 'zigler'),
    notes: /pdf_generator starts wkhtmltopdf[\s\S]*zigler compiles with Zig/,
  },
  'a native package that nobody knows': {
    texts: uses('strange_nif', 'elixir_make', 'cc_precompiler'),
    has: ['ARG ALPINE_VERSION'],
    notes: /Whether strange_nif \(native code\) runs on Alpine/,
  },
  'a package whose program no system has': {
    texts: uses('pdf_generator'),
    notes: /pdf_generator starts a program that the image's system has no package of/,
  },
  'a native package that runs on musl': {
    texts: uses('exqlite', 'elixir_make', 'cc_precompiler'),
    notes: /^(?!.*exqlite)/s,
  },
  'Rust of the app, for the builder alone': {
    texts: {
      ...lock({ rustler: [] }),
      ...module('Native', 'use Rustler, otp_app: :shop, crate: "fast"'),
      'native/fast/Cargo.toml': '[package]\nname = "fast"\n',
    },
    has: [
      'RUN apk add --no-cache build-base cargo git … COPY native native',
      "the app's own Rust crates are compiled into priv",
      'mix do compile +  … AS runner … RUN apk add --no-cache ca-certificates libgcc',
    ],
  },
  'npm packages beside the Elixir stages, with deps that package.json points to': {
    texts: {
      ...NPM,
      'assets/package.json': '{"dependencies": {"phoenix": "file:../deps/phoenix", "topbar": "3"}}',
      'assets/.nvmrc': 'v22.3.0',
    },
    has: [
      'ARG NODE_VERSION=22 … AS deps … deps.get --only prod',
      'FROM node:${NODE_VERSION}-alpine AS node … COPY --from=deps /app/deps/phoenix',
      'npm ci … FROM deps AS builder … COPY --from=node /app/assets/node_modules',
      'mix do compile + assets.deploy + release',
    ],
    lacks: /--from=node \/usr\/local/,
  },
  'Node itself where a step calls it': {
    texts: {
      ...NPM,
      ...mix(deploys('"cmd --cd assets npm ci", "cmd --cd assets npm run deploy", "phx.digest"')),
    },
    has: [
      'COPY --from=node /usr/local /usr/local',
      'mix do compile + cmd --cd assets npm run deploy + phx.digest + release',
    ],
  },
  'a workspace: packages install from the lockfile above them': {
    texts: {
      'package.json': '{"private": true, "workspaces": ["assets", "packages/*", "deps/*"]}',
      'package-lock.json': '{}',
      'packages/ui/package.json': '{"name": "ui"}',
      'packages/my ui/package.json': '{"name": "my-ui"}',
      'assets/package.json': '{"name": "assets", "dependencies": {"topbar": "3"}}',
    },
    has: [
      'AS node … WORKDIR /app\n … COPY package.json package-lock.json ./',
      'COPY assets/package.json /app/assets/',
      'npm ci --no-audit --no-fund && mkdir -p /app/assets/node_modules /app/packages/ui/node_modules',
      'COPY --from=node /app/node_modules /app/node_modules',
      'COPY --from=node /app/assets/node_modules /app/assets/node_modules',
      'COPY --from=node ["/app/packages/my ui/node_modules","/app/packages/my ui/node_modules"]',
      'COPY packages/ui packages/ui\n',
    ],
    lacks: /AS node-2/,
  },
  'the build script, without assets.deploy': {
    texts: {
      ...NPM,
      ...mix(NO_ALIAS),
      'assets/package.json': '{"scripts": {"build": "x"}, "devDependencies": {"vite": "7"}}',
    },
    has: ['mix do compile + cmd --cd assets npm run build + phx.digest + release'],
    notes: /no assets.deploy alias, so the image builds/,
  },
  'neither assets.deploy nor a build script': {
    texts: { ...NPM, ...mix(NO_ALIAS) },
    notes: /no package.json has a build script/,
  },
  'an app without assets to build, of which there is nothing to say': {
    texts: mix(NO_ALIAS, [/ *{:esbuild, .*\n/, '']),
    notes: /^(?!.*assets)/s,
  },
  'private dependencies: secrets that no layer keeps': {
    texts: mix(
      dep(
        '{:inner, "~> 1.0", organization: "acme"}',
        '{:oban_pro, "~> 1.5", repo: "oban"}',
        '{:one, git: "git@github.com:acme/one.git"}',
        '{:two, git: "ssh://git@git.acme.com/two.git"}',
      ),
    ),
    has: [
      'id=HEX_ACME_KEY,required=true … id=OBAN_LICENSE_KEY',
      'id=GITHUB_TOKEN,required=true … id=GIT_ACME_COM_TOKEN,required=true',
      'trap "mix do hex.organization deauth acme + hex.repo remove oban" EXIT',
      'hex.organization auth acme … hex.repo add oban … @github.com/.insteadOf',
      'GIT_CONFIG_VALUE_0=git@github.com:  … GIT_CONFIG_VALUE_1=ssh://git@github.com/ ',
      'GIT_CONFIG_COUNT=4 … GIT_CONFIG_VALUE_2=git@git.acme.com: ',
      'GIT_CONFIG_VALUE_3=ssh://git@git.acme.com/  … deps.get --only prod',
    ],
    lacks: /^(ARG|ENV).*(KEY|TOKEN|SECRET)/m,
  },
  'variables that the configuration demands, for each command that reads it': {
    texts: {
      'config/prod.exs': 'import Config\nconfig :shop, key: System.fetch_env!("LICENCE")\n',
    },
    has: [
      'id=LICENCE,required=true … export LICENCE="$(cat /run/secrets/LICENCE)" && ',
      'deps.get --only prod + deps.clean --unused + deps.loadpaths + assets.setup',
      'id=LICENCE,required=true … export LICENCE="$(cat /run/secrets/LICENCE)" && ',
      'mix do compile + assets.deploy + release',
    ],
  },
  'a path dependency, which is there before deps.get, and copied once': {
    texts: {
      ...mix(dep('{:gadget, path: "vendor/gadget"}')),
      'vendor/gadget/mix.exs':
        'defmodule Gadget.MixProject do\n  use Mix.Project\n  def project, do: [app: :gadget]\nend\n',
      ...module('Docs', 'use Docs, from: "vendor/gadget"'),
    },
    has: ['COPY vendor/gadget vendor/gadget\n … deps.get --only prod'],
    lacks: /COPY vendor[\s\S]*COPY vendor/,
  },
  'folders and files that macros read while the code compiles': {
    texts: {
      'lib/shop_web/storybook.ex':
        'defmodule ShopWeb.Storybook do\n  use PhoenixStorybook,\n    content_path: Path.expand("../../storybook", __DIR__),\n    css_path: "/assets/storybook.css"\nend\n',
      'storybook/button.story.exs': 'defmodule Button do\nend\n',
      ...module('Docs', 'use Docs, from: "guides/deep", title: "no folder"'),
      'guides/deep/a.md': 'a',
      ...module(
        'Stories',
        '@stories Path.expand("../../stories", __DIR__)',
        'use PhoenixStorybook, content_path: @stories',
      ),
      'stories/a.story.exs': '',
      ...module('Posts', 'use NimblePublisher, from: "./posts/**/*.md", as: :posts'),
      'posts/2026/a.md': '',
      ...module(
        'Schema',
        'use Absinthe.Schema',
        'import_sdl path: "graphql/schema.graphql"',
        'terms_file!("legal/terms.md")',
      ),
      'graphql/schema.graphql': '',
      'legal/terms.md': '',
      ...module(
        'Mail',
        'use Phoenix.Component',
        'embed_templates "../../mails/*"',
        '@version File.read!(Path.join(File.cwd!(), "VERSION"))',
        'def version, do: @version',
      ),
      'mails/hello.html.heex': '',
      VERSION: '1',
    },
    has: [
      'COPY storybook … COPY guides/deep … COPY stories … COPY posts posts\n … COPY graphql/schema.graphql … COPY legal/terms.md … COPY mails',
      'COPY VERSION',
    ],
  },
  "Sentry's sources, packaged before the release": {
    texts: {
      ...uses('sentry'),
      'config/prod.exs':
        'import Config\nconfig :sentry, enable_source_code_context: true, root_source_code_paths: [File.cwd!()]\n',
    },
    has: [' + sentry.package_source_code + release --overwrite'],
  },
  "Sentry's sources, which an alias packages already": {
    texts: {
      ...uses('sentry'),
      ...mix(
        dep('{:sentry, "~> 1.0"}'),
        alias('release: ["sentry.package_source_code", "release"]'),
      ),
      'config/prod.exs': 'import Config\nconfig :sentry, enable_source_code_context: true\n',
    },
    lacks: /package_source_code/,
  },
  'an alias of deps.get, which does not run where its files are not': {
    texts: mix(alias('"deps.get": ["deps.get", "gleam.deps.get", "cmd --cd assets npm install"]')),
    has: [
      'MIX_EXS=/none mix run --no-mix-exs -e  … Mix.Tasks.Deps.Get',
      'mix do gleam.deps.get + compile + ',
    ],
    lacks: / deps\.get /,
    notes: /adds steps to deps.get/,
  },
  'an alias of deps.compile': {
    texts: mix(alias('"deps.compile": ["deps.compile", "shop.patch"]')),
    has: ['mix do shop.patch + compile + '],
    notes: /adds steps to deps.compile \(an alias\)/,
  },
  "code of Mix's other compilers": {
    texts: { 'src/shop_lexer.xrl': '', 'include/shop.hrl': '', 'cli/src/a.erl': '' },
    has: ['COPY src src\nCOPY include include\n … find lib src include -type f -exec touch'],
  },
  'scripts that aliases run, and what lies beside them': {
    texts: {
      ...mix(
        alias(
          '"phx.digest": ["phx.digest", "cmd make seal"], stamp: ["cmd ./scripts/stamp.sh"], release: ["stamp", "release"], lint: ["cmd ci/lint.sh"], compile: ["cmd sh -c \\". ./.env && true\\"", "compile"]',
        ),
      ),
      'scripts/stamp.sh': '#!/bin/sh\n',
      'ci/lint.sh': '#!/bin/sh\n',
      Makefile: 'seal:\n',
      '.env': '',
    },
    has: ['AS builder … COPY Makefile Makefile\n … COPY scripts scripts\n … mix do compile'],
    lacks: /COPY (ci|\.env)/,
  },
  'what elixir_make compiles: the Makefile, and the folders that it names': {
    texts: {
      ...mix(field('compilers: [:elixir_make] ++ Mix.compilers()')),
      Makefile:
        'all:\n\tcc -Ivendor_c/include c_src/x.c\ndocs:\n\tdocker build -f Dockerfile .\n\tfly deploy -c fly.toml\n',
      'docs/a.md': '',
      'c_src/x.c': '',
      'vendor_c/include/x.h': '',
    },
    has: [
      'COPY Makefile Makefile\n … COPY c_src c_src\n … COPY vendor_c vendor_c\n … mix do compile',
    ],
    lacks: /COPY (Dockerfile|fly|docs)/,
  },
  'an install among the steps of an alias in assets.deploy, which the Node stage has done': {
    texts: {
      ...NPM,
      ...mix(
        deploys('"assets.build", "phx.digest"'),
        alias(
          `"assets.build": ["cmd npm --prefix assets ci", "cmd sh -c 'cd assets && npm run build'"], "phx.digest": ["phx.digest", "shop.seal"]`,
        ),
      ),
    },
    has: ["compile + cmd sh -c 'cd assets && npm run build' + phx.digest + release"],
  },
  'aliases that double at each step, which are followed once': {
    texts: mix(
      deploys('"a0", "phx.digest"'),
      ...Array.from({ length: 30 }, (_, n) => alias(`a${n}: ["a${n + 1}", "a${n + 1}"]`)),
    ),
    has: [' + assets.deploy + release'],
  },
  'folders that a step of the release copies, however they are named': {
    texts: {
      ...mix([
        'defp aliases',
        '@extra "extra"\n  def seal(r), do: File.cp_r!(Path.expand("certs", __DIR__), r) && File.cp_r!(@extra, r) && ("more" |> File.cp_r!(r))\n\n  defp aliases',
      ]),
      'certs/a.txt': '',
      'extra/a.txt': '',
      'more/a.txt': '',
    },
    has: ['COPY certs certs\n … COPY extra extra\n … COPY more more\n'],
  },
  'elixir_make in the folder of the app': {
    texts: {
      ...mix(field('compilers: [:elixir_make | Mix.compilers()], make_cwd: "."')),
      Makefile: '',
    },
    has: ['COPY Makefile Makefile\n'],
  },
  "the folder of elixir_make's own": {
    texts: {
      ...mix(field('compilers: [:elixir_make | Mix.compilers()], make_cwd: "fft"')),
      'fft/Makefile': '',
    },
    has: ['COPY fft fft\n'],
  },
  'databases that a package looks for in its own folder': {
    texts: uses('ua_inspector'),
    has: ['assets.deploy + ua_inspector.download --force + release'],
  },
  'databases that an alias downloads': {
    texts: {
      ...mix(
        dep('{:ua_inspector, "~> 3.0"}'),
        alias('release: ["ua_inspector.download --force", "release"]'),
      ),
      ...lock({ ua_inspector: [] }),
    },
    lacks: /ua_inspector\.download/,
  },
  'a function among the steps, which may call Node': {
    texts: { ...NPM, ...mix(deploys('&build/1, "phx.digest"')) },
    has: ['COPY --from=node /usr/local /usr/local'],
  },
  'settings above the folder of the assets that extend them': {
    texts: {
      ...NPM,
      'assets/tsconfig.json': '{"extends": "../tsconfig.base.json"}',
      'tsconfig.base.json': '{}',
      'tsconfig.json': '{}',
    },
    has: ['COPY tsconfig.base.json ./\n'],
  },
  'a release that is packed too: the image holds it once': {
    texts: mix(field('releases: [shop: [steps: [:assemble, :tar]]]')),
    has: ['release --overwrite --path /release && rm /release/*.tar.gz\n'],
  },
  'archives, and a compiler that may write beside its build: that starts anew': {
    texts: {
      ...mix(field('archives: [mix_gleam: "~> 0.6"], compilers: [:gleam] ++ Mix.compilers()')),
      'gleam.toml': 'name = "shop"',
    },
    has: [
      'apk add --no-cache build-base git gleam',
      "mix archive.install --force hex mix_gleam '~> 0.6'",
      'COPY gleam.toml gleam.toml … the compiler gleam may write files outside _build',
    ],
    lacks: /from=deps,source=\/app\/_build/,
  },
  'mix.exs that asks git': {
    texts: mix(['"0.1.0"', 'elem(System.cmd("git", ["describe", "--tags"]), 0)']),
    has: ['COPY .git .git\n … deps.get'],
    notes: /The build asks git/,
  },
  'a file of mix.exs that asks git': {
    texts: {
      ...mix(['"0.1.0"', 'elem(Code.eval_file("version.exs"), 0)']),
      'version.exs': 'elem(System.cmd("git", ["describe"]), 0)\n',
    },
    has: ['COPY .git .git\n'],
  },
  'a module that asks git while it compiles': {
    texts: module('Build', '@sha :os.cmd(~c"git rev-parse HEAD")', 'def sha, do: @sha'),
    has: ['AS builder … COPY .git .git\n'],
    lacks: /ca-certificates.*\bgit\b/,
  },
  'what a step of the release copies': {
    texts: {
      ...mix(field('releases: [shop: [overlays: ["ops/overlay"], steps: [:assemble, &extra/1]]]'), [
        /end\s*$/,
        '\n  defp extra(release) do\n    File.cp_r!("seeds", Path.join(release.path, "seeds"))\n    release\n  end\nend\n',
      ]),
      'ops/overlay/motd': 'hello',
      'seeds/a.csv': '1',
    },
    has: ['COPY seeds seeds\n … COPY ops/overlay ops/overlay\n'],
  },
  'a file that runtime.exs reads': {
    texts: {
      'config/runtime.exs':
        'import Config\nCode.require_file("../support/settings.exs", __DIR__)\n',
      'support/settings.exs': 'defmodule Settings do\nend\n',
    },
    has: [
      'deps.loadpaths … COPY config/runtime.exs config/\n',
      'COPY support/settings.exs support/\n … mix do compile',
    ],
  },
  'an umbrella: each mix.exs before deps.get, compiled from the root, assets in the web app': {
    texts: umbrella(),
    has: [
      'COPY config/config.exs config/prod.exs config/\n',
      'COPY apps/shop/mix.exs apps/shop/\n … COPY apps/shop_web/mix.exs apps/shop_web/\n',
      'deps.get --only prod + deps.clean --unused + deps.compile --skip-umbrella-children',
      'COPY apps apps\n',
      'mix do compile + do --app shop_web cmd mix assets.deploy + release --overwrite --path /release',
      'CMD ["/app/bin/depot", "start"]',
    ],
  },
  'what a replaced Dockerfile has beyond ours': {
    texts: {
      Dockerfile: [
        'FROM elixir:1.18-slim AS builder',
        'ENV MIX_ENV=prod MODEL_DIR=/app/models',
        'RUN apt-get update && apt-get install -y git fwup brotli libstdc++6 >/dev/null 2>&1',
        'RUN mix deps.get --only prod && mix compile \\\n  && mix run -e "Shop.load_model()"',
        'RUN mix assets.deploy && mix release',
        'FROM debian:trixie-slim',
        "RUN sed -i '/en_US/s/^# //' /etc/locale.gen && locale-gen && useradd shop",
        'ENV LANG=en_US.UTF-8',
        'ENV MODEL_DIR=/app/models',
        'COPY --from=builder /app ./',
        'ENTRYPOINT ["/app/entrypoint.sh"]',
        'CMD ["/app/bin/server"]',
      ].join('\n'),
    },
    notes:
      /installs fwup, brotli, which this one[\s\S]*also has RUN mix run \(line 4\), ENV MODEL_DIR \(line 10\), ENTRYPOINT \/app\/entrypoint.sh \(line 12\), which/,
  },
};

for (const [texts, part, flags = FLAGS] of PARTS) SHAPES[part] = { texts, has: [part], flags };
for (const [texts, lacks] of ABSENT) SHAPES[`no ${lacks}`] = { texts, lacks };

for (const [name, { texts, flags = FLAGS, has = [], lacks, notes }] of Object.entries(SHAPES))
  test(`${name}: a Dockerfile without errors, which a second run leaves as it is`, () => {
    const before = texts && 'apps/shop/mix.exs' in texts ? withoutUndefined(texts) : shop(texts);
    const [change] = planFor(before, flags, undefined, 'dockerfile');
    const text = change?.after ?? '';
    const errors = validate(text).filter(({ severity }) => severity === 1);
    assert.equal(errors, []);
    const again = planFor({ ...before, Dockerfile: text }, flags, undefined, 'dockerfile');
    assert.is(again[0]?.after, text);
    const joined = text.replaceAll(/ *\\\n */g, ' ');
    let from = 0;
    for (const part of has.flatMap((parts) => parts.split(' … '))) {
      const found = joined.indexOf(part, from);
      assert.ok(found >= 0, `${part} behind ${joined.slice(0, from)}§${joined.slice(from)}`);
      from = found + part.length;
    }
    if (lacks) assert.not.match(joined, lacks);
    if (notes) assert.match(notesOf(dockerfile, projectOf(before), flags), notes);
  });

test('a page for an ordinary app: at most 70 lines, 120 wide, each RUN at most 8 lines', () => {
  const text = generate({});
  const lines = text.trimEnd().split('\n');
  assert.ok(lines.length <= 70, String(lines.length));
  const long = lines.filter((line) => line.length > 120 && !line.startsWith('# phoenix-fly'));
  assert.equal(long, []);
  for (const [, body = ''] of text.matchAll(/^(RUN (?:.*\\\n)*.*)$/gm))
    assert.ok(body.split('\n').length <= 8, body);
  assert.not.match(notesOf(dockerfile, projectOf(shop({ Dockerfile: text }))), 'Your Dockerfile');
});

test('the template reads like the file: few control lines, no view value with a line break', () => {
  const template = readFileSync(new URL('../templates/Dockerfile.ejs', import.meta.url), 'utf8');
  const lines = template.trimEnd().split('\n');
  const control = lines.filter((line) => /^\s*<%[^=-]/.test(line));
  assert.ok(control.length / lines.length <= 0.15, `${control.length} of ${lines.length}`);
  const project = projectOf(shop());
  const [output] = dockerfile.outputs({ project, answers: complete(FLAGS, project) });
  assert.not.match(JSON.stringify(output?.view), /\\n/);
});

test('files among the code that are no code begin the cache, and check names those that came later', () => {
  const plain = generate({ 'lib/shop/page.html.heex': '<p>' });
  assert.not.match(plain, 'AS files');
  const words = { 'lib/shop/words.txt': 'one' };
  const text = generate(words);
  assert.match(text, 'COPY priv priv\nCOPY lib lib\nRUN find lib -type f');
  assert.match(text, 'starts here, does\nCOPY --from=files /app ./\n');
  const findings = (dockerfile: string) =>
    check(projectOf({ ...afterFly(shop(words)), Dockerfile: dockerfile }))
      .find(({ id }) => id === 'B3')
      ?.findings.map(({ weight, what }) => `${weight}: ${what}`);
  assert.equal(findings(text), []);
  assert.match(findings(plain)?.join() ?? '', /^should: lib\/shop\/words.txt may be read/);
});

test('what is too wide is folded between words, never in quotes', () => {
  const words = Array.from({ length: 30 }, (_, index) => `package${index}`).join(' ');
  const folded = foldLines(`# It's ${words}\nRUN apk add ${words}\n`);
  assert.ok(folded.split('\n').every((line) => line.length <= 120));
  const joined = folded.replaceAll(/ \\\n */g, ' ').replaceAll('\n# ', ' ');
  assert.is(joined, `# It's ${words}\nRUN apk add ${words}\n`);
  const quoted = `RUN echo "${'a b '.repeat(40)}"`;
  assert.is(foldLines(quoted).replaceAll(/ \\\n */g, ' '), quoted);
});

/** Version, OTP and requirement of Elixir; the tag; a note. */
const IMAGES: [string | null, string | null, string, string, RegExp?][] = [
  ['1.18.4', '27', '~> 1.15', '1.18', /^(?!.*is not used).*CVE-2026-109821/],
  ['1.19.8', '28', '~> 1.15', '1.19', /is not known/],
  ['1.21.0', '29', '~> 1.21', '1.21'],
  ['1.17.3', '26', '~> 1.15', '1.17.3', /no security fixes/],
  ['1.18.4', '21', '~> 1.15', '1.18', /OTP 21 is not used/],
  ['1.18.4', '27', '== 1.18.4', '1.18.4'],
  ['1.16.3', '26', '~> 1.17', '1.17', /is the nearest that mix.exs allows/],
];
test("images: the minor's tag where the exact one is unknown or has holes, the exact one where it is safe", () => {
  const choose = (version: string | null, otp: string | null, requirement: string) =>
    chooseImage({ elixir: { version, otp, requirements: [requirement] } }, 'alpine');
  assert.equal(choose(null, null, '~> 1.15'), { elixir: '1.18', otp: 27, os: '3.24', notes: [] });
  for (const [version, otp, requirement, tag, note] of IMAGES) {
    const { elixir, notes } = choose(version, otp, requirement);
    assert.is(elixir, tag, `${version} ${requirement}`);
    if (note) assert.match(notes.join(), note);
  }
  assert.throws(() => choose(null, null, '~> 1.99'), /no official Elixir image/);
});

test('asset tools that came without a musl build at first ask for Debian only in those versions', () => {
  const base = (tool: string) =>
    complete(
      FLAGS,
      projectOf(
        shop({ ...mix(dep(`{:${tool.split(' ')[0]}, "~> 0.1"}`)), ...lock({ [tool]: [] }) }),
      ),
    ).base;
  for (const tool of ['dart_sass 0.7.1', 'bun 1.4.1', 'tailwind 0.3.0'])
    assert.is(base(tool), 'debian', tool);
  for (const tool of ['dart_sass 0.8.0', 'bun 1.4.2', 'tailwind 0.3.1'])
    assert.is(base(tool), 'alpine', tool);
});

test('an umbrella without a release gets one in mix.exs, in whatever way its list is written', () => {
  const mixExs =
    'defmodule Depot.MixProject do\n  use Mix.Project\n  def project do\n    [apps_path: "apps",\n     version: "0.1.0"]\n  end\nend\n';
  for (const texts of [umbrella(''), { ...umbrella(''), 'mix.exs': mixExs }]) {
    const changed = afterFly(texts);
    assert.is(parseElixir(changed['mix.exs'] ?? '').problem, null);
    assert.equal(projectOf(changed).release.names, ['shop']);
    assert.match(changed.Dockerfile ?? '', 'CMD ["/app/bin/shop"');
  }
});

test('several releases: the flag decides, an unknown one is refused, the Dockerfile remembers it', () => {
  const texts = shop(
    mix(
      field(
        'releases: [shop: [], shop_worker: [rel_templates_path: "rel/worker"], thin: [include_erts: false]]',
      ),
    ),
  );
  const flags = { ...FLAGS, release: 'shop_worker' };
  const done = afterFly(texts, flags);
  assert.match(
    done.Dockerfile ?? '',
    /COPY rel\/worker rel\/worker[\s\S]* release shop_worker --overwrite[\s\S]*CMD \["\/app\/bin\/shop_worker", "start"\]/,
  );
  assert.is(complete(FLAGS, projectOf(done)).release, 'shop_worker');
  assert.throws(() => complete(FLAGS, projectOf(texts)), /--release/);
  const refused = (release: string) => () =>
    refuseAnswers(projectOf(texts), complete({ ...FLAGS, release }, projectOf(texts)));
  assert.throws(refused('nope'), /no release nope; it has shop, shop_worker, thin/);
  assert.throws(refused('thin'), /include_erts/);
});

const SECRET = { 'config/prod.exs': 'import Config\nimport_config "prod.secret.exs"\n' };
const committed = (setting: string) => ({
  ...SECRET,
  'config/prod.secret.exs': `import Config\nconfig :shop, ShopWeb.Endpoint, ${setting}\n`,
});
const repoOn = (adapter: string) => ({
  'lib/shop/repo.ex': `defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.${adapter}\nend\n`,
});
const REFUSED: [string, Record<string, string>, RegExp][] = [
  ['a dependency above the app', shop(mix(dep('{:x, path: "../x"}'))), /x is above the app/],
  [
    'a private repository of an unknown address',
    shop(mix(dep('{:x, "~> 1.0", repo: "elsewhere"}'))),
    /private Hex repository "elsewhere"/,
  ],
  ['SQLite', shop(repoOn('SQLite3')), /SQLite/],
  ['MySQL in a Fly Postgres app', shop(repoOn('MyXQL')), /MySQL/],
  ['an import of secrets', shop(SECRET), /prod\.secret\.exs/],
  [
    'committed secrets',
    shop(committed('secret_key_base: "abc", http: [port: System.get_env("PORT")]')),
    /prod\.secret\.exs/,
  ],
  [
    'an import of secrets in an app of an umbrella',
    { ...umbrella(), 'apps/shop/config/prod.exs': SECRET['config/prod.exs'] },
    /apps\/shop\/config\/prod\.exs imports prod\.secret\.exs/,
  ],
];
const attempt = (texts: Record<string, string>) => () => {
  const project = projectOf(texts);
  refuseUnsupported(project);
  refuseAnswers(project, complete(FLAGS, project));
  planFor(texts);
};
test('what would come out half right is refused, naming it', () => {
  for (const [name, texts, message] of REFUSED) assert.throws(attempt(texts), message, name);
  const reads = 'secret_key_base: System.get_env("SECRET_KEY_BASE") || raise("none")';
  assert.not.throws(attempt(shop(committed(reads))));
  const mysql = projectOf(shop(repoOn('MyXQL')));
  assert.is(complete({ app: 'shop', region: 'lhr' }, mysql).postgres.kind, 'external');
});

test('overlay scripts without the executable bit get it, those in priv are named', () => {
  const script = '#!/bin/sh\n';
  const texts = shop({ 'rel/overlays/migrate.sh': script, 'priv/bin/thumb.sh': script });
  const project = { ...projectOf(texts), tree: { ...treeOf(texts), executable: () => false } };
  const context = { project, answers: complete(FLAGS, project) };
  const [output] = dockerfile.outputs(context);
  assert.match(JSON.stringify(output?.view), '"--chmod=755 rel rel"');
  assert.match(
    notesOf(dockerfile, project),
    /--chmod=\+x rel\/overlays\/migrate.sh\n[\s\S]*--chmod=\+x priv\/bin\/thumb.sh$/,
  );
});

test('scripts without the executable bit: in each app of an umbrella, quoted, and no image is read', () => {
  const script = '#!/bin/sh\n';
  const texts = {
    ...umbrella(),
    'apps/shop_web/priv/my thumb.sh': script,
    'apps/shop_web/priv/bad\nname.sh': script,
    'rel/overlays/a $b.sh': script,
    'priv/static/logo.png': script,
  };
  const tree = {
    ...treeOf(texts),
    read: (path: string) => {
      assert.not.match(path, /png$/);
      return treeOf(texts).read(path);
    },
    executable: () => false,
  };
  const project = { ...projectOf(texts), tree };
  const notes = notesOf(dockerfile, project);
  assert.match(notes, "--chmod=+x 'rel/overlays/a $b.sh'");
  assert.match(notes, "--chmod=+x 'apps/shop_web/priv/my thumb.sh'");
  assert.not.match(notes, 'name.sh');
});

const ASSETS = { 'priv/static/assets/app.css': 'body {}' };
const DESCRIBE = mix(['"0.1.0"', 'elem(System.cmd("git", ["describe", "--tags"]), 0)']);
const PEM = (kind: string) => `-----BEGIN ${kind} KEY-----\nMII\n`;
/** The repo, lines that its .dockerignore has, and what it hasn't. */
const IGNORES: [string, Texts, string[], RegExp?][] = [
  [
    'local asset builds stay out',
    {},
    ['\n/priv/static/assets\n/priv/static/cache_manifest.json\n'],
    /!\.git/,
  ],
  ['assets that are source stay in', ASSETS, [], /priv\/static\/assets/],
  [
    'assets that git ignores are no source',
    { ...ASSETS, '.gitignore': '/priv/static/assets/\n' },
    ['/priv/static/assets\n'],
  ],
  ['what git needs', DESCRIBE, ['!.git/HEAD\n', '!.git/refs\n', '!.git/objects\n']],
  [
    "what the build reads, over the owner's lines; public keys too, private ones never",
    {
      ...NPM,
      '.dockerignore': '*.json\nmix.lock\n',
      'test/fixtures/public.pem': PEM('PUBLIC'),
      'priv/keys/public.pem': PEM('PUBLIC'),
      'priv/keys/private.pem': PEM('PUBLIC') + PEM('PRIVATE'),
    },
    ['*.json\nmix.lock\n', '!mix.lock\n', '!priv/keys/public.pem\n', '!**/.env*.example'],
    /!(priv\/keys\/private|test\/fixtures)/,
  ],
  [
    'certificates that the configuration reads',
    {
      'config/prod.exs': 'import Config\nconfig :shop, ca: File.read!("certs/ca.pem")\n',
      'certs/ca.pem': PEM('PUBLIC'),
    },
    ['!certs/ca.pem\n'],
  ],
  [
    'the folder of the release, and that of a script, but no secrets in them',
    {
      ...mix(alias('release: ["cmd sh scripts/stamp.sh", "release"]')),
      'scripts/stamp.sh': '',
      '.dockerignore': 'rel\nscripts\n',
    },
    ['!rel\nrel/**/.env*\n', '\nrel/**/*.key\n', '!scripts\nscripts/**/.env*\n'],
  ],
  [
    'a private key that the code reads stays out; a file of ours that is new comes in',
    {
      ...module('Key', '@key File.read!("own.pem")', 'def key, do: @key'),
      'own.pem': PEM('PRIVATE'),
      'config/runtime.exs': undefined,
      '.dockerignore': '*.pem\n**/*.exs\n',
    },
    ['!config/runtime.exs\n', '!mix.exs\n'],
    /!own/,
  ],
  ['an example that its owner keeps out', { '.dockerignore': '.env*\n' }, [], /\.example/],
  [
    'settings that only read the environment',
    committed('secret_key_base: System.get_env("SECRET_KEY_BASE")'),
    ['!config/prod.secret.exs\n'],
  ],
  ['settings that hold a secret', committed('secret_key_base: "8Kd0"'), [], /!config\/prod.secret/],
];
test('.dockerignore keeps junk and secrets out, and lets in what the build reads', () => {
  for (const [name, texts, has, lacks] of IGNORES) {
    const text = generate(texts, 'dockerignore');
    for (const line of has) assert.ok(text.includes(line), `${name}: ${line} in\n${text}`);
    if (lacks) assert.not.match(text, lacks, name);
  }
});

test.run();
