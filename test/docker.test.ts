import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dockerfile } from '../generators/dockerfile.ts';
import { check } from '../src/check/check.ts';
import { foldLines } from '../src/docker/fold.ts';
import { chooseImage } from '../src/fly/images.ts';
import { treeOf } from '../src/tree.ts';
import { after, complete, FLAGS, planFor, projectOf, shop } from './support.ts';

type Texts = Record<string, string | undefined>;
const planned = (texts: Texts, path = 'Dockerfile', flags = FLAGS): string =>
  planFor(shop(texts), flags, undefined, path === 'Dockerfile' ? 'dockerfile' : undefined).find(
    (change) => change.path === path,
  )?.after ?? '';
const notes = (texts: Texts, flags = FLAGS): string => {
  const project = projectOf(shop(texts));
  return (dockerfile.notes?.({ project, answers: complete(flags, project) }) ?? []).join('\n');
};
/** The last RUN of a stage's lines joined. */
const run = (text: string, word: string): string =>
  text
    .replaceAll(/ *\\\n */g, ' ')
    .split('\n')
    .find((line) => line.startsWith('RUN') && line.includes(word)) ?? '';
const runner = (text: string): string => text.slice(text.lastIndexOf('\nFROM '));
const mixWith = (from: string | RegExp, to: string): Texts => ({
  'mix.exs': (shop()['mix.exs'] ?? '').replace(from, to),
});
const locked = (packages: Record<string, string[]>): Texts => ({
  'mix.lock': (shop()['mix.lock'] ?? '').replace(
    /}\s*$/,
    `${Object.entries(packages)
      .map(
        ([name, needs]) =>
          `  "${name}": {:hex, :${name}, "11.0.0", "0", [:mix], [${needs.map((one) => `{:${one}, "~> 1.0", [hex: :${one}]}`).join(', ')}], "hexpm", "0"},\n`,
      )
      .join('')}}\n`,
  ),
});
const dep = (name: string): Texts =>
  mixWith('{:phoenix,', `{:${name}, "~> 1.0"},\n      {:phoenix,`);

test('an ordinary app gets a page: at most 70 lines, 120 wide, each RUN at most 8 lines', () => {
  const text = planned({});
  const lines = text.trimEnd().split('\n');
  assert.ok(lines.length <= 70, String(lines.length));
  const long = lines.filter((line) => line.length > 120 && !line.startsWith('# phoenix-fly'));
  assert.equal(long, []);
  for (const [, body = ''] of text.matchAll(/^(RUN (?:.*\\\n)*.*)$/gm))
    assert.ok(body.split('\n').length <= 8, body);
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
  const plain = planned({ 'lib/shop/page.html.heex': '<p>' });
  assert.not.match(plain, 'AS files');
  assert.match(plain, 'starts here, does\nCOPY priv priv\n');
  const words = { 'lib/shop/words.txt': 'one' };
  const text = planned(words);
  assert.match(text, 'COPY priv priv\nCOPY lib lib\nRUN find lib -type f');
  assert.match(text, 'starts here, does\nCOPY --from=files /app ./\n');
  const findings = (dockerfile: string) =>
    check(projectOf({ ...after(shop(words), planFor(shop(words))), Dockerfile: dockerfile }))
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

test("images: the minor's tag where the exact one is unknown or has holes, the exact one where it is safe", () => {
  const choose = (version: string | null, otp: string | null, requirement: string) =>
    chooseImage({ elixir: { version, otp, requirements: [requirement] } }, 'alpine');
  assert.equal(choose(null, null, '~> 1.15'), { elixir: '1.18', otp: 27, os: '3.24', notes: [] });
  assert.match(choose('1.18.4', '27', '~> 1.15').notes.join(), 'CVE-2026-109821');
  assert.is(choose('1.18.4', '27', '~> 1.15').elixir, '1.18');
  assert.match(choose('1.19.8', '28', '~> 1.15').notes.join(), 'is not known');
  assert.is(choose('1.19.8', '28', '~> 1.15').elixir, '1.19');
  assert.is(choose('1.21.0', '29', '~> 1.21').elixir, '1.21');
  assert.is(choose('1.17.3', '26', '~> 1.15').elixir, '1.17.3');
  assert.match(choose('1.18.4', '21', '~> 1.15').notes.join(), 'OTP 21 is not used');
  assert.not.match(choose('1.18.4', '27', '~> 1.15').notes.join(), 'is not used');
  assert.match(choose('1.17.3', '26', '~> 1.15').notes.join(), 'no security fixes');
  assert.is(choose('1.18.4', '27', '== 1.18.4').elixir, '1.18.4');
  assert.match(
    choose('1.16.3', '26', '~> 1.17').notes.join(),
    'is the nearest that mix.exs allows',
  );
  assert.throws(() => choose(null, null, '~> 1.99'), /no official Elixir image/);
});

test("Heroku's pin is read", () => {
  const texts = {
    '.tool-versions': undefined,
    'elixir_buildpack.config': 'elixir_version=1.17.3\nerlang_version=26.2.5\n',
  };
  assert.match(planned(texts), /ARG ELIXIR_VERSION=1\.17\.3\nARG OTP_VERSION=26\n/);
});

test('OTP 29 opens libsctp at each start', () => {
  const pin = { '.tool-versions': 'elixir 1.20.7-otp-29\n' };
  assert.match(runner(planned(pin)), 'lksctp-tools');
  assert.match(runner(planned(pin, 'Dockerfile', { ...FLAGS, base: 'debian' })), 'libsctp1');
  assert.not.match(runner(planned({})), 'lksctp');
});

test('packages come by the closure of mix.lock, programs by their literal names', () => {
  const clips = {
    ...dep('thumbnex'),
    ...locked({ thumbnex: ['ffmpex', 'mogrify'], ffmpex: [], mogrify: [] }),
    'lib/shop/clips.ex':
      'defmodule Shop.Clips do\n  @pdf "pdftotext"\n  def text(path), do: System.cmd(@pdf, [path, "-"])\n  def odd, do: Port.open({:spawn_executable, "/opt/oddtool"}, [])\nend\n',
  };
  for (const name of ['ffmpeg', 'imagemagick', 'poppler-utils'])
    assert.match(runner(planned(clips)), name);
  assert.match(notes(clips), 'lib/shop/clips.ex:4 starts the program oddtool');
  assert.match(
    runner(planned({ ...dep('chromic_pdf'), ...locked({ chromic_pdf: [] }) })),
    'chromium',
  );
  assert.match(planned({}), ' HOME=/tmp');
  const fwup = {
    'lib/shop/disk.ex': 'defmodule Shop.Disk do\n  def run, do: System.cmd("fwup", [])\nend\n',
  };
  const debian = { ...FLAGS, base: 'debian' };
  assert.match(runner(planned(fwup)), / fwup /);
  assert.not.match(runner(planned(fwup, 'Dockerfile', debian)), /fwup| - /);
  assert.match(notes(fwup, debian), 'starts the program fwup, and which package');
});

test('builders have what packages are known to build with', () => {
  const html = { ...dep('fast_html'), ...locked({ fast_html: ['elixir_make'], elixir_make: [] }) };
  assert.match(run(planned(html), 'build-base'), ' cmake ');
  const dtls = { ...dep('ex_dtls'), ...locked({ ex_dtls: ['bundlex_stub'], bundlex_stub: [] }) };
  assert.match(
    run(planned(dtls, 'Dockerfile', { ...FLAGS, base: 'debian' }), 'build-essential'),
    /libssl-dev pkg-config/,
  );
});

test('binaries for glibc alone mean Debian, with the reason; an unknown NIF on Alpine is named', () => {
  const nif = (name: string) => ({
    ...dep(name),
    ...locked({ [name]: ['elixir_make', 'cc_precompiler'], elixir_make: [], cc_precompiler: [] }),
  });
  assert.match(planned(nif('adbc')), 'ARG DEBIAN_VERSION');
  assert.match(notes(nif('adbc')), 'adbc');
  assert.match(planned(nif('strange_nif')), 'ARG ALPINE_VERSION');
  assert.match(notes(nif('strange_nif')), 'Whether strange_nif (native code) runs on Alpine');
  assert.not.match(notes(nif('exqlite')), 'exqlite');
});

test('Node is in the image where a child starts it: from its stage, else as a package', () => {
  const child = {
    'lib/shop/ssr.ex':
      'defmodule Shop.SSR do\n  def child, do: {NodeJS.Supervisor, [path: "x"]}\nend\n',
  };
  assert.match(runner(planned(child)), /apk add .*nodejs/);
  const assets = {
    ...child,
    'assets/package.json': '{"dependencies": {"svelte": "5"}}',
    'assets/package-lock.json': '{}',
  };
  assert.match(runner(planned(assets)), 'COPY --from=node /usr/local/bin/node /usr/local/bin/');
  assert.not.match(runner(planned({})), 'node');
});

test('yarn 1 comes from npm, as newer Node images have none', () => {
  const yarn = {
    'assets/package.json': '{"dependencies": {"topbar": "3"}}',
    'assets/yarn.lock': '# yarn lockfile v1\n',
  };
  assert.match(
    planned(yarn),
    'npm install --global --force yarn@1 && yarn install --frozen-lockfile',
  );
});

test('folders that a `use` names are there while the code compiles', () => {
  const texts = {
    'lib/shop_web/storybook.ex':
      'defmodule ShopWeb.Storybook do\n  use PhoenixStorybook,\n    otp_app: :shop,\n    content_path: Path.expand("../../storybook", __DIR__),\n    css_path: "/assets/storybook.css"\nend\n',
    'storybook/button.story.exs': 'defmodule Button do\nend\n',
    'lib/shop/docs.ex':
      'defmodule Shop.Docs do\n  use Docs, from: "guides/deep", title: "no folder"\nend\n',
    'guides/deep/a.md': 'a',
    'lib/shop_web/stories.ex':
      'defmodule ShopWeb.Stories do\n  @stories Path.expand("../../stories", __DIR__)\n  use PhoenixStorybook, content_path: @stories\nend\n',
    'stories/a.story.exs': '',
    'lib/shop/schema.ex':
      'defmodule Shop.Schema do\n  use Absinthe.Schema\n  import_sdl path: "graphql/schema.graphql"\nend\n',
    'graphql/schema.graphql': '',
    'lib/shop/mail.ex':
      'defmodule Shop.Mail do\n  use Phoenix.Component\n  embed_templates "../../mails/*"\n  @version File.read!(Path.join(File.cwd!(), "VERSION"))\n  def version, do: @version\nend\n',
    'mails/hello.html.heex': '',
    VERSION: '1',
  };
  for (const path of ['stories', 'graphql/schema.graphql', 'mails', 'VERSION'])
    assert.match(planned(texts), new RegExp(`COPY .*\\b${path}\\b`));
  assert.match(planned(texts), 'COPY storybook storybook\n');
  assert.match(planned(texts), 'COPY guides/deep guides/deep\n');
});

test('the folder of a dependency that a module reads as well is copied once', () => {
  const text = planned({
    ...mixWith('{:phoenix,', '{:gadget, path: "vendor/gadget"},\n      {:phoenix,'),
    'vendor/gadget/mix.exs':
      'defmodule Gadget.MixProject do\n  use Mix.Project\n  def project, do: [app: :gadget]\nend\n',
    'lib/shop/docs.ex': 'defmodule Shop.Docs do\n  use Docs, from: "vendor/gadget"\nend\n',
  });
  assert.is(text.split('COPY vendor/gadget vendor/gadget\n').length, 2);
});

test("Sentry's sources are packaged before the release", () => {
  const texts = {
    ...dep('sentry'),
    ...locked({ sentry: [] }),
    'config/prod.exs':
      'import Config\nconfig :sentry, enable_source_code_context: true, root_source_code_paths: [File.cwd!()]\n',
  };
  assert.match(
    run(planned(texts), 'release --'),
    ' + sentry.package_source_code + release --overwrite',
  );
  assert.not.match(
    planned({ ...texts, 'config/prod.exs': 'import Config\n' }),
    'package_source_code',
  );
});

test('private repositories on two hosts are fetched with a token each, through the environment', () => {
  const text = planned(
    mixWith(
      '{:phoenix,',
      '{:one, git: "git@github.com:acme/one.git"},\n      {:two, git: "ssh://git@git.acme.com/two.git"},\n      {:phoenix,',
    ),
  );
  const fetch = run(text, 'deps.get');
  for (const id of ['GITHUB_TOKEN', 'GIT_ACME_COM_TOKEN'])
    assert.match(fetch, `--mount=type=secret,id=${id},required=true`);
  assert.match(fetch, 'GIT_CONFIG_COUNT=4');
  const from = [...fetch.matchAll(/GIT_CONFIG_VALUE_(\d)=(\S+)/g)].map(
    ([, n, url]) => `${n} ${url}`,
  );
  assert.equal(from, [
    '0 git@github.com:',
    '1 ssh://git@github.com/',
    '2 git@git.acme.com:',
    '3 ssh://git@git.acme.com/',
  ]);
});

test('an alias of deps.get does not run where its files are not', () => {
  const alias = mixWith(
    '"assets.deploy":',
    '"deps.get": ["deps.get", "gleam.deps.get", "cmd --cd assets npm install"],\n      "assets.deploy":',
  );
  const text = planned(alias);
  const get = run(text, 'Mix.Tasks.Deps.Get');
  assert.match(get, 'MIX_EXS=/none mix run --no-mix-exs -e ');
  assert.not.match(get, / deps\.get /);
  assert.match(run(text, ' release '), 'mix do gleam.deps.get + compile + ');
  assert.match(notes(alias), 'adds steps to deps.get');
  const compiled = mixWith(
    '"assets.deploy":',
    '"deps.compile": ["deps.compile", "shop.patch"],\n      "assets.deploy":',
  );
  assert.match(run(planned(compiled), ' release '), 'mix do shop.patch + compile + ');
  assert.match(notes(compiled), 'adds steps to deps.compile (an alias)');
});

test('what an alias of compile calls is in the builder', () => {
  const alias = mixWith(
    '"assets.deploy":',
    'compile: ["cmd --cd assets npm ci", "compile"],\n      "assets.deploy":',
  );
  const node = {
    'assets/package.json': '{"dependencies":{"a":"1"}}',
    'assets/package-lock.json': '{}',
  };
  assert.match(planned({ ...alias, ...node }), 'COPY --from=node /usr/local /usr/local');
  assert.not.match(planned(node), '--from=node /usr/local');
});

test("code of Mix's other compilers is copied", () => {
  const text = planned({ 'src/shop_lexer.xrl': '', 'include/shop.hrl': '', 'cli/src/a.erl': '' });
  assert.match(text, 'COPY src src\nCOPY include include\n');
  assert.match(text, 'find lib src include -type f -exec touch');
  assert.not.match(planned({ 'src/app.js': '' }), 'COPY src');
});

test('archives and compilers of mix.exs; a compiler that may write beside its build starts anew', () => {
  const text = planned(
    mixWith(
      /app: :shop,/,
      'app: :shop,\n      archives: [mix_gleam: "~> 0.6"],\n      compilers: [:gleam] ++ Mix.compilers(),',
    ),
  );
  assert.match(run(text, 'local.hex'), "mix archive.install --force hex mix_gleam '~> 0.6'");
  assert.match(run(text, 'build-base'), 'build-base git gleam');
  assert.not.match(text, 'from=deps,source=/app/_build');
  assert.match(text, 'the compiler gleam may write files outside _build');
  const own = planned(
    mixWith(
      /app: :shop,/,
      'app: :shop,\n      compilers: [:phoenix_live_view] ++ Mix.compilers(),',
    ),
  );
  assert.match(own, 'from=deps,source=/app/_build');
});

test('mix.exs that asks git finds it, in the builder alone', () => {
  const texts = mixWith(
    'version: "0.1.0"',
    'version: elem(System.cmd("git", ["describe", "--tags"]), 0)',
  );
  const text = planned(texts);
  assert.ok(text.indexOf('COPY .git .git') < text.indexOf('deps.get'));
  const ignore = planned(texts, '.dockerignore');
  for (const path of ['.git/HEAD', '.git/refs', '.git/objects']) assert.match(ignore, `!${path}\n`);
  assert.match(notes(texts), 'The build asks git');
  assert.not.match(planned({}, '.dockerignore'), '!.git');
  const read = {
    ...mixWith('version: "0.1.0"', 'version: elem(Code.eval_file("version.exs"), 0)'),
  };
  const script = 'elem(System.cmd("git", ["describe"]), 0)\n';
  assert.match(planned({ ...read, 'version.exs': script }), 'COPY .git .git');
});

test('a module that asks git while it compiles finds it in the builder, and the image has no git', () => {
  const build = (code: string) => ({
    'lib/shop/build.ex': `defmodule Shop.Build do\n${code}\nend\n`,
  });
  const text = planned(build('  @sha :os.cmd(~c"git rev-parse HEAD")\n  def sha, do: @sha'));
  assert.ok(text.indexOf('COPY .git .git') > text.indexOf('AS builder'));
  assert.not.match(run(text, 'ca-certificates'), /\bgit\b/);
  const late = planned(build('  def sha, do: System.cmd("git", ["rev-parse"])'));
  assert.not.match(late, 'COPY .git');
  assert.match(run(late, 'ca-certificates'), /\bgit\b/);
});

test('what a step of the release copies is in the builder', () => {
  const texts: Texts = {
    ...mixWith(
      /app: :shop,/,
      'app: :shop,\n      releases: [shop: [overlays: ["ops/overlay"], steps: [:assemble, &extra/1]]],',
    ),
    'ops/overlay/motd': 'hello',
    'seeds/a.csv': '1',
  };
  texts['mix.exs'] = (texts['mix.exs'] ?? '').replace(
    /end\s*$/,
    '\n  defp extra(release) do\n    File.cp_r!("seeds", Path.join(release.path, "seeds"))\n    release\n  end\nend\n',
  );
  assert.match(planned(texts), 'COPY ops/overlay ops/overlay\n');
  assert.match(planned(texts), 'COPY seeds seeds\n');
});

test('overlay scripts without the executable bit get it', () => {
  const texts = shop({ 'rel/overlays/migrate.sh': '#!/bin/sh\n' });
  const tree = { ...treeOf(texts), executable: () => false };
  const project = { ...projectOf(texts), tree };
  const [output] = dockerfile.outputs({ project, answers: complete(FLAGS, project) });
  assert.match(JSON.stringify(output?.view), '"--chmod=755 rel rel"');
  assert.match(
    (dockerfile.notes?.({ project, answers: complete(FLAGS, project) }) ?? []).join(),
    'git update-index --chmod=+x rel/overlays/migrate.sh',
  );
});

test('what a replaced Dockerfile has beyond ours is named: packages, and other lines', () => {
  const foreign = [
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
  ].join('\n');
  const said = notes({ Dockerfile: foreign });
  assert.match(said, 'Your Dockerfile installs fwup, brotli, which this one');
  assert.match(
    said,
    'also has RUN mix run (line 4), ENV MODEL_DIR (line 10), ENTRYPOINT /app/entrypoint.sh (line 12), which',
  );
  assert.not.match(notes({ Dockerfile: planned({}) }), 'Your Dockerfile');
});

test('.dockerignore: local asset builds stay out, assets that are source stay in', () => {
  assert.match(
    planned({}, '.dockerignore'),
    '\n/priv/static/assets\n/priv/static/cache_manifest.json\n',
  );
  const source = { 'priv/static/assets/app.css': 'body {}' };
  assert.not.match(planned(source, '.dockerignore'), 'priv/static/assets');
  assert.match(
    planned({ ...source, '.gitignore': '/priv/static/assets/\n' }, '.dockerignore'),
    '/priv/static/assets\n',
  );
});

test(".dockerignore: what the build reads is let in over the owner's lines, public keys too, private ones never", () => {
  const texts = {
    '.dockerignore': '*.json\nmix.lock\n',
    'assets/package.json': '{"dependencies": {"topbar": "3"}}',
    'assets/package-lock.json': '{}',
    'test/fixtures/public.pem': '-----BEGIN PUBLIC KEY-----\nMII\n',
    'priv/keys/public.pem': '-----BEGIN PUBLIC KEY-----\nMII\n',
    'priv/keys/private.pem': '-----BEGIN PRIVATE KEY-----\nMII\n',
  };
  const text = planned(texts, '.dockerignore');
  for (const path of ['mix.lock', 'priv/keys/public.pem']) assert.match(text, `!${path}\n`);
  assert.not.match(text, /!(priv\/keys\/private|test\/fixtures)/);
  assert.ok(text.includes('*.json\nmix.lock\n'));
  assert.match(text, '!**/.env*.example');
  assert.not.match(planned({ '.dockerignore': '.env*\n' }, '.dockerignore'), '.example');
  const settings = (value: string) => ({
    'config/prod.exs': 'import Config\nimport_config "prod.secret.exs"\n',
    'config/prod.secret.exs': `import Config\nconfig :shop, ShopWeb.Endpoint, secret_key_base: ${value}\n`,
  });
  const asked = settings('System.get_env("SECRET_KEY_BASE")');
  assert.match(planned(asked, '.dockerignore'), '!config/prod.secret.exs\n');
  assert.not.match(planned(settings('"8Kd0"'), '.dockerignore'), '!config/prod.secret.exs');
});

test.run();
