import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dockerfile } from '../generators/dockerfile.ts';
import { refuseAnswers } from '../src/answers/refusals.ts';
import { check } from '../src/check/check.ts';
import { foldLines } from '../src/docker/fold.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import { treeOf } from '../src/tree.ts';
import { testDockerfiles, withoutPart, withPart } from './support/dockerfile.ts';
import { afterFly, complete, FLAGS, notesOf, planFor, projectOf, shop } from './support/fixture.ts';
import {
  alias,
  appModule,
  type Changes,
  dep,
  field,
  lock,
  mix,
  umbrella,
  uses,
} from './support/shop-changes.ts';

const DEBIAN = { ...FLAGS, base: 'debian' };
const OTP_29 = { '.tool-versions': 'elixir 1.20.7-otp-29\n' };
const FWUP = appModule('Disk', 'def run, do: System.cmd("fwup", [])');
const SSR = appModule('SSR', 'def child, do: {NodeJS.Supervisor, [path: "x"]}');
const GIT = appModule('Build', 'def sha, do: System.cmd("git", ["rev-parse"])');

testDockerfiles({
  ...withPart([
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
    [
      {
        ...mix(dep('{:nif, path: "nif"}')),
        'nif/mix.exs':
          'defmodule Nif.MixProject do\n  use Mix.Project\n  def project, do: [app: :nif, compilers: [:elixir_make] ++ Mix.compilers()]\nend\n',
      },
      '--mount=type=tmpfs,target=/cache ',
    ],
    [mix(field('compilers: [:phoenix_live_view] ++ Mix.compilers()')), 'source=/app/_build'],
    [GIT, 'apk add --no-cache ca-certificates git '],
  ]),
  ...withoutPart([
    [{ '.tool-versions': 'elixir 1.19.1-otp-28\n' }, /lksctp/],
    [uses('sentry'), /package_source_code/],
  ]),
  'an ordinary app': {
    has: [
      'starts here, does\nCOPY priv priv\n … AS runner\n … ENV MIX_ENV=prod\n …  HOME=/tmp\n … EXPOSE 4000\n',
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
      ...appModule(
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
    texts: appModule('Disk', 'def run, do: System.cmd("fwup", [])'),
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
      ...appModule('Native', 'use Rustler, otp_app: :shop, crate: "fast"'),
      'native/fast/Cargo.toml': '[package]\nname = "fast"\n',
      'config/prod.exs': 'import Config\nconfig :shop, Shop.Native, skip_compilation?: true\n',
    },
    notes: /config\/prod.exs:2: skip_compilation\? leaves the crate of Shop.Native uncompiled/,
    has: [
      'RUN apk add --no-cache build-base cargo git … COPY native native',
      "the app's own Rust crates are compiled into priv",
      'mix do compile +  … AS runner … RUN apk add --no-cache ca-certificates libgcc',
    ],
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
  "Sentry's sources, packaged before the release": {
    texts: {
      ...uses('sentry'),
      'config/prod.exs':
        'import Config\nconfig :sentry, enable_source_code_context: true, root_source_code_paths: [File.cwd!()]\n',
    },
    has: [' + sentry.package_source_code + release --overwrite'],
  },
  // The task does not see it, and running it with runtime.exs needs the secrets
  "Sentry's sources, which runtime.exs alone asks for": {
    texts: {
      ...uses('sentry'),
      'config/runtime.exs':
        'import Config\nconfig :sentry, dsn: System.fetch_env!("SENTRY_DSN"), enable_source_code_context: true\n',
    },
    lacks: /package_source_code/,
    notes: /reads root_source_code_paths in config\/config.exs/,
  },
  "Sentry's sources, which runtime.exs asks for and prod.exs knows": {
    texts: {
      ...uses('sentry'),
      'config/prod.exs': 'import Config\nconfig :sentry, root_source_code_paths: [File.cwd!()]\n',
      'config/runtime.exs': 'import Config\nconfig :sentry, enable_source_code_context: true\n',
    },
    has: [' + sentry.package_source_code + release --overwrite'],
  },
  "Sentry's sources, where the task evaluates runtime.exs": {
    texts: {
      ...mix(dep('{:sentry, "~> 10.0"}')),
      ...lock({ 'sentry 10.0.2': [] }),
      'config/prod.exs': 'import Config\nconfig :sentry, enable_source_code_context: true\n',
    },
    lacks: /package_source_code/,
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
        'RUN ARCH="$(dpkg --print-architecture)" && echo "$ARCH" > /arch',
        'ENV LANG=en_US.UTF-8',
        'ENV MODEL_DIR=/app/models',
        'COPY --from=builder /app ./',
        'ENTRYPOINT ["/app/entrypoint.sh"]',
        'CMD ["/app/bin/server"]',
      ].join('\n'),
    },
    notes:
      /installs fwup, brotli, which this one[\s\S]*also has RUN mix run \(line 4\), ENV MODEL_DIR \(line 11\), ENTRYPOINT \/app\/entrypoint.sh \(line 13\), which/,
  },
});

const generate = (texts: Changes): string =>
  planFor(shop(texts), FLAGS, undefined, 'dockerfile')[0]?.after ?? '';

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

test('files in lib that are no code start the cache, and check names those that were added later', () => {
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

test('long lines are folded between words, never in quotes', () => {
  const words = Array.from({ length: 30 }, (_, index) => `package${index}`).join(' ');
  const folded = foldLines(`# It's ${words}\nRUN apk add ${words}\n`);
  assert.ok(folded.split('\n').every((line) => line.length <= 120));
  const joined = folded.replaceAll(/ \\\n */g, ' ').replaceAll('\n# ', ' ');
  assert.is(joined, `# It's ${words}\nRUN apk add ${words}\n`);
  const quoted = `RUN echo "${'a b '.repeat(40)}"`;
  assert.is(foldLines(quoted).replaceAll(/ \\\n */g, ' '), quoted);
});

test('an umbrella without a release gets one in mix.exs, however its list is written', () => {
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
  const written = afterFly(texts, flags);
  assert.match(
    written.Dockerfile ?? '',
    /COPY rel\/worker rel\/worker[\s\S]* release shop_worker --overwrite[\s\S]*CMD \["\/app\/bin\/shop_worker", "start"\]/,
  );
  assert.is(complete(FLAGS, projectOf(written)).release, 'shop_worker');
  assert.throws(() => complete(FLAGS, projectOf(texts)), /--release/);
  const refused = (release: string) => () =>
    refuseAnswers(projectOf(texts), complete({ ...FLAGS, release }, projectOf(texts)));
  assert.throws(refused('nope'), /no release nope; it has shop, shop_worker, thin/);
  assert.throws(refused('thin'), /include_erts/);
});

test('overlay scripts without the executable bit get it', () => {
  const texts = shop({ 'rel/overlays/migrate.sh': '#!/bin/sh\n' });
  const project = { ...projectOf(texts), tree: { ...treeOf(texts), executable: () => false } };
  const context = { project, answers: complete(FLAGS, project) };
  const [output] = dockerfile.outputs(context);
  assert.match(JSON.stringify(output?.view), '"--chmod=755 rel rel"');
});

test.run();
