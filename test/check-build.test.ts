/** What `check` says of Dockerfiles that somebody else wrote: what does not build, does not boot, and no more than that. */
import { stripVTControlCharacters } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mustFaults as allFaults, check } from '../src/check/check.ts';
import { verdictsOf } from '../src/check/verdicts.ts';
import { detect, type Project } from '../src/facts/detect.ts';
import { runCheck } from '../src/run/check-command.ts';
import { treeOf } from '../src/tree.ts';
import { textsBefore } from './projects.ts';
import { planFor, projectOf, SHOP, shop } from './support.ts';
import { generated, judge, spoil, type Texts, testTraps } from './traps.ts';

const DOCKERFILE = 'Dockerfile';

/** A stock Phoenix app with the Dockerfile of `mix phx.gen.release --docker`, as `fly launch` leaves it. */
const launched = (): Texts => ({ ...stock });
const stock = textsBefore('fly-launch');

const mustFaults = (project: Project) =>
  allFaults(project).filter((line) => !line.includes('the file is not there'));

testTraps(
  `
B3 must: a task of assets that mix.exs has no alias for
--- mix.exs
- "assets.deploy":
+ "assets.other":
Dockerfile: RUN mix assets.deploy => remove \`mix assets.deploy\`

B3 must: a task of a package that production lacks
- RUN mix release
+ RUN mix do sentry.package_source_code + release
Dockerfile: RUN mix do sentry => what it needs

B3 must: a folder that the repo lacks
- COPY assets assets
+ COPY assets assets
+ COPY ["fonts", "./fonts/"]
Dockerfile: COPY ["fonts" => commit it

B1 must: an Elixir image that was never built for that OTP
- docker.io/hexpm/elixir:\${ELIXIR_VERSION}-erlang-\${OTP_VERSION}-debian-\${DEBIAN_VERSION}
+ elixir:1.18.4-otp-24-slim
Dockerfile: ARG BUILDER_IMAGE => hub.docker.com

B1 must: a tag that hexpm never had
- -erlang-\${OTP_VERSION}-debian-\${DEBIAN_VERSION}"
+ "
Dockerfile: ARG ELIXIR_VERSION => hub.docker.com

B1 must: bullseye
- bookworm-20251020
+ bullseye-20240904
Dockerfile: ARG => trixie

R1.6 must: a release of another name is copied
- /rel/shop ./
+ /rel/shoop ./
Dockerfile: COPY --from=builder => write shop

R1.6 must: a program that the release has not
- CMD ["/app/bin/server"]
+ CMD ["/app/bin/serve"]
Dockerfile: CMD => write shop

B6 must: a folder kept out that is copied
- /cover/
-
+ /cover/
+ rel
+
.dockerignore: rel => remove the line \`rel\`

R1.4 must: a secret in the image
- USER nobody
+ ENV STRIPE_SECRET=live_0123456789abcdef
+ USER nobody
Dockerfile: ENV STRIPE_SECRET => fly secrets set STRIPE_SECRET

B3 advice: a setting of mix.exs from an environment that the build has not
- mod: {
+ env: [key: System.get_env("PARTNER_KEY")],
+       mod: {
mix.exs: env: [key: => PARTNER_KEY: mix.exs:

R1.1 must: hooks that the bundler imports before the compiler writes them
--- Dockerfile
- RUN mix compile
-
+
--- Dockerfile
- COPY config/runtime.exs
+ RUN mix compile
+ COPY config/runtime.exs
Dockerfile: RUN mix assets.deploy => below \`mix compile\`

B6 must: a public key kept out that the code names
- .git
-
+ .git
+ **/*.pem
+
--- priv/keys/login.pem
+ -----BEGIN PUBLIC KEY-----
+ AAAA
+ -----END PUBLIC KEY-----
--- lib/shop/login.ex
+ defmodule Shop.Login do
+   @key File.read!("priv/keys/login.pem")
+   def key, do: @key
+ end
.dockerignore: **/*.pem => !priv/keys/login.pem
`,
  launched,
);

testTraps(`
B6 must: a lockfile kept out that npm installs from
- fly.toml
-
+ fly.toml
+ **/package-lock.json
+
--- Dockerfile
- FROM os AS runner
+ FROM node:22-slim AS node
+ COPY assets/package*.json ./
+ RUN npm ci
+ FROM os AS runner
--- assets/package.json
+ {"dependencies":{"topbar":"1"}}
--- assets/package-lock.json
+ {}
.dockerignore: **/package-lock.json => !assets/package-lock.json
`);

test('nothing that stops the Dockerfile of phx.gen.release is found in it', () =>
  assert.equal(mustFaults(projectOf(launched())), []));

for (const [name, spoilt] of Object.entries<() => Texts>({
  'a program of the base image': () =>
    spoil(launched(), DOCKERFILE, 'CMD ["/app/bin/server"]', 'CMD ["/bin/sh", "/app/bin/server"]'),
  'a link to the release': () =>
    spoil(
      launched(),
      DOCKERFILE,
      'CMD ["/app/bin/server"]',
      'RUN ln -s /app/bin/shop /app/bin/web\nENV PHX_SERVER=true\nCMD ["/app/bin/web", "start"]',
    ),
  'a word that is no secret': () =>
    spoil(launched(), DOCKERFILE, 'ENV MIX_ENV="prod"', 'ENV MIX_ENV="prod" SECRET_KEY_BASE=nokey'),
  'packages of Node that an alias installs': () => ({
    ...spoil(
      launched(),
      'mix.exs',
      '"assets.setup": [',
      '"assets.setup": ["cmd --cd assets npm install", ',
    ),
    'assets/package.json': '{"dependencies":{"topbar":"1"}}',
  }),
  'a file that mix.exs can do without': () => ({
    ...spoil(
      launched(),
      'mix.exs',
      '  def application',
      '  def version, do: with({:ok, text} <- File.read("VERSION"), do: text)\n\n  def application',
    ),
    VERSION: '1.0',
  }),
  'a task of the repo itself': () => ({
    ...spoil(launched(), DOCKERFILE, 'RUN mix release', 'RUN mix assets.icons && mix release'),
    'lib/mix/tasks/assets.icons.ex':
      'defmodule Mix.Tasks.Assets.Icons do\n  use Mix.Task\n  def run(_), do: :ok\nend\n',
  }),
  'a runner that is newer than the builder': () =>
    spoil(
      launched(),
      DOCKERFILE,
      'docker.io/debian:${DEBIAN_VERSION}',
      'docker.io/debian:trixie-slim',
    ),
}))
  test(`no must: ${name}`, () => assert.equal(mustFaults(projectOf(spoilt())), []));

test('a health check on a file of priv/static is answered, and needs no plug', () => {
  const texts = spoil(generated(), 'fly.toml', 'path = "/health"', 'path = "/robots.txt"');
  assert.is(judge(texts, 'R2.5').verdict, 'must');
  const found = { ...texts, 'priv/static/robots.txt': 'User-agent: *\n' };
  assert.is(judge(found, 'R2.5').verdict, 'met');
  const before = { ...shop(), 'fly.toml': texts['fly.toml'] ?? '', 'priv/static/robots.txt': '' };
  assert.not(planFor(before).some(({ path }) => path.includes('health')));
});

test('a script that is started and may not be executed', () => {
  const notExecutable = (path: string) => ({
    ...treeOf(launched()),
    executable: (one: string) => one !== path,
  });
  for (const script of ['rel/overlays/bin/server', 'rel/overlays/bin/migrate'])
    assert.equal(mustFaults(detect(notExecutable(script))), [
      `${script}: it is started, but is not executable: permission denied`,
    ]);
  assert.equal(mustFaults(detect(notExecutable('rel/overlays/bin/other'))), []);
  const mended = (launched()[DOCKERFILE] ?? '').replace('COPY rel rel', 'COPY --chmod=755 rel rel');
  const executable = (path: string) => path !== 'rel/overlays/bin/server';
  const tree = { ...treeOf({ ...launched(), [DOCKERFILE]: mended }), executable };
  assert.equal(mustFaults(detect(tree)), []);
  const copied = (launched()[DOCKERFILE] ?? '').replace(
    /CMD .*/,
    'COPY start.sh /app/start.sh\nCMD ["/app/start.sh"]',
  );
  const script = { 'start.sh': '#!/bin/sh\nPHX_SERVER=true exec /app/bin/shop start\n' };
  const own = { ...treeOf({ ...launched(), ...script, [DOCKERFILE]: copied }) };
  const only = (path: string) => path !== 'start.sh';
  assert.equal(mustFaults(detect({ ...own, executable: only })), [
    'start.sh: it is started, but is not executable: permission denied',
  ]);
  const read = copied.replace('["/app/start.sh"]', '["sh", "/app/start.sh"]');
  const byShell = treeOf({ ...launched(), ...script, [DOCKERFILE]: read });
  assert.equal(mustFaults(detect({ ...byShell, executable: only })), []);
});

test('a release that mix.exs does not have can not be built', () => {
  const texts = spoil(
    launched(),
    DOCKERFILE,
    'RUN mix release',
    'RUN mix do compile, release other',
  );
  assert.match(mustFaults(projectOf(texts)).join(), 'there is no other');
});

test('mix phx.server serves without PHX_SERVER', () => {
  const dockerfile = 'FROM elixir:1.18\nCOPY . .\nCMD ["mix", "phx.server"]\n';
  const found = judge({ ...shop(), [DOCKERFILE]: dockerfile }, 'R1.6').findings;
  assert.equal(
    found.map(({ what }) => what),
    ['it starts with mix, not a release'],
  );
});

test('a script that package.json lacks', () => {
  const texts = (script: string) => ({
    ...launched(),
    'assets/package.json': `{"scripts": {"${script}": "vite build"}}`,
    [DOCKERFILE]: (launched()[DOCKERFILE] ?? '').replace(
      'RUN mix assets.deploy',
      'RUN npm run deploy --prefix assets',
    ),
  });
  const lacks = 'has no script deploy';
  assert.match(mustFaults(projectOf(texts('build'))).join(), lacks);
  assert.not.match(mustFaults(projectOf(texts('deploy'))).join(), lacks);
});

test('what a foreign Dockerfile can not do is one line each', () => {
  const texts = spoil(launched(), DOCKERFILE, 'bookworm-20251020', 'bullseye-20240904');
  assert.equal(mustFaults(projectOf(texts)), [
    "Dockerfile:4: Debian bullseye's packages are gone (end of life), so apt-get fails",
  ]);
});

test('a Dockerfile that is not what is built is never met', () => {
  for (const build of ['builder = "heroku/buildpacks:20"', 'image = "registry.example.com/shop"']) {
    const texts = spoil(generated(), 'fly.toml', '[env]', `[build]\n${build}\n\n[env]`);
    const { verdict, unknown } = judge(texts, 'R1.1');
    assert.is(verdict, 'unknown');
    assert.match(unknown[0]?.why ?? '', 'not built by this');
  }
});

test('the summary counts by weight, and says what is left', () => {
  const texts = spoil(generated(), DOCKERFILE, 'USER 65534:65534', 'USER root');
  const said = (skip: Record<string, string>, strict = false) =>
    stripVTControlCharacters(
      verdictsOf(check(projectOf(texts), new Map(Object.entries(skip))), strict),
    );
  assert.match(said({}), /open: 0 musts, 1 should, 0 advice, 0 unknown\. .*--strict/);
  assert.match(said({}), /should {3}R1\.4 .*\n +should: Dockerfile:\d+: the app runs as root/);
  const skipped = said({ 'R1.4': 'a volume that belongs to root' });
  assert.match(skipped, /skipped {2}R1\.4 .*\(a volume that belongs to root\)/);
  assert.match(skipped, /All \d+ requirements are met, 1 skipped\./);
});

test('exit code: 1 for a must, with --strict for any; --skip names a requirement', async () => {
  const { write } = process.stdout;
  const quietly = async (root: string, flags: Parameters<typeof runCheck>[1]) => {
    process.stdout.write = ((_text: string, done: () => void) => done()) as typeof write;
    try {
      return await runCheck(root, flags);
    } finally {
      process.stdout.write = write;
    }
  };
  const all = check(detect(treeOf({ ...generated() }))).map(({ id }) => id);
  assert.is(await quietly(SHOP, {}), 1);
  assert.is(await quietly(SHOP, { skip: all.join('\n'), strict: 'yes' }), 0);
  assert.throws(() => runCheck(SHOP, { skip: 'R9.9: none' }), 'there is no requirement R9.9');
});

test.run();
