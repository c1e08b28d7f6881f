/** What `check` says of Dockerfiles that somebody else wrote: what does not build, does not boot, and no more than that. */
import { stripVTControlCharacters } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mustFaults as allFaults, check } from '../src/check/check.ts';
import { verdictsOf } from '../src/check/verdicts.ts';
import { detect, type Project } from '../src/facts/detect.ts';
import { treeOf } from '../src/tree.ts';
import { projectOf, shop, type Texts } from './support/fixture.ts';
import { textsBefore } from './support/projects.ts';
import {
  findingsOf,
  generated,
  patched,
  replaceIn,
  resultFor,
  testTraps,
} from './support/traps.ts';

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

B3 must: an overlay that is started, where only env.sh.eex is copied
- COPY rel rel
+ COPY rel/env.sh.eex rel/
Dockerfile: RUN mix release => COPY rel rel

B3 should: an overlay that nothing starts
- COPY rel rel
+ COPY rel/env.sh.eex rel/
--- Dockerfile
- CMD ["/app/bin/server"]
+ ENV PHX_SERVER=true
+ CMD ["/app/bin/hello", "start"]
--- fly.toml
- release_command = '/app/bin/migrate'
Dockerfile: RUN mix release => COPY rel rel

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
+ /cover/
+ rel
.dockerignore: rel => remove the line \`rel\`

R1.4 must: a secret in the image
- USER nobody
+ ENV STRIPE_SECRET=live_0123456789abcdef
+ USER nobody
Dockerfile: ENV STRIPE_SECRET => fly secrets set STRIPE_SECRET

B3 must: a script that package.json lacks
--- assets/package.json
+ {"scripts": {"build": "vite build"}}
--- Dockerfile
- RUN mix assets.deploy
+ RUN npm run deploy --prefix assets
Dockerfile: RUN npm run deploy => add the script deploy

R1.6 must: a release that mix.exs does not have
- RUN mix release
+ RUN mix do compile, release other
Dockerfile: RUN mix do compile => write shop

R1.6 must: a release of Distillery's
- RUN mix release
+ RUN mix distillery.release
Dockerfile: RUN mix distillery => write: mix release

B3 advice: a setting of mix.exs from an environment that the build has not
- mod: {
+ env: [key: System.get_env("PARTNER_KEY")],
+       mod: {
mix.exs: env: [key: => PARTNER_KEY: mix.exs:

B3 should: a secret whose default the build bakes in
--- config/prod.exs
- import Config
+ import Config
+ config :shop, :token_secret, System.get_env("TOKEN_SECRET") || "Lu8xpRC9"
config/prod.exs: config :shop, :token_secret => TOKEN_SECRET: config/prod.exs:2

R1.1 must: hooks that the bundler imports before the compiler writes them
--- Dockerfile
- RUN mix compile
+
--- Dockerfile
- COPY config/runtime.exs
+ RUN mix compile
+ COPY config/runtime.exs
Dockerfile: RUN mix assets.deploy => below \`mix compile\`

B6 must: a public key kept out that the code names
- .git
+ .git
+ **/*.pem
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
B6 must: migrations kept out
--- .dockerignore
- .git
+ .git
+ priv/repo
--- priv/repo/migrations/1_make.exs
+ 1
.dockerignore: priv/repo => !priv/repo/migrations/1_make.exs

B6 must: a lockfile kept out that npm installs from
- fly.toml
+ fly.toml
+ **/package-lock.json
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

test('migrations among the tests may stay out of the build', () => {
  const texts = { ...generated(), 'test/support/priv/repo/migrations/1_make.exs': '1' };
  assert.equal(resultFor(texts, 'B6').findings, []);
});

test('the Dockerfile of phx.gen.release has no must', () =>
  assert.equal(mustFaults(projectOf(launched())), []));

for (const block of `
a program of the base image
--- Dockerfile
- CMD ["/app/bin/server"]
+ CMD ["/bin/sh", "/app/bin/server"]

a link to the release
--- Dockerfile
- CMD ["/app/bin/server"]
+ RUN ln -s /app/bin/shop /app/bin/web
+ ENV PHX_SERVER=true
+ CMD ["/app/bin/web", "start"]

a word that is no secret
--- Dockerfile
- ENV MIX_ENV="prod"
+ ENV MIX_ENV="prod" SECRET_KEY_BASE=nokey

packages of Node that an alias installs
--- mix.exs
- "assets.setup": [
+ "assets.setup": ["cmd --cd assets npm install",
--- assets/package.json
+ {"dependencies":{"topbar":"1"}}

a file that mix.exs can do without
--- mix.exs
-   def application
+   def version, do: with({:ok, text} <- File.read("VERSION"), do: text)
+
+   def application
--- VERSION
+ 1.0

a task of the repo itself
--- Dockerfile
- RUN mix release
+ RUN mix assets.icons && mix release
--- lib/mix/tasks/assets.icons.ex
+ defmodule Mix.Tasks.Assets.Icons do
+   use Mix.Task
+   def run(_), do: :ok
+ end

a script that package.json has
--- assets/package.json
+ {"scripts": {"deploy": "vite build"}}
--- Dockerfile
- RUN mix assets.deploy
+ RUN npm run deploy --prefix assets

a runner that is newer than the builder
--- Dockerfile
- docker.io/debian:\${DEBIAN_VERSION}
+ docker.io/debian:trixie-slim
`.split('\n\n'))
  test(`no must: ${block.trim().split('\n')[0]}`, () =>
    assert.equal(mustFaults(projectOf(patched(launched(), block))), []));

test('a script that is started must be executable', () => {
  const START = `
--- start.sh
+ #!/bin/sh
+ PHX_SERVER=true exec /app/bin/shop start
--- Dockerfile
- CMD ["/app/bin/server"]
+ COPY start.sh /app/start.sh
+ CMD ["/app/start.sh"]
`;
  const BY_SHELL = START.replace('["/app/start.sh', '["sh", "/app/start.sh');
  const CHMOD = '--- Dockerfile\n- COPY rel rel\n+ COPY --chmod=755 rel rel';
  for (const [script, diff, isFault] of [
    ['rel/overlays/bin/server', '', true],
    ['rel/overlays/bin/migrate', '', true],
    ['rel/overlays/bin/other', '', false],
    ['rel/overlays/bin/server', CHMOD, false],
    ['start.sh', START, true],
    ['start.sh', BY_SHELL, false],
  ] as const) {
    const tree = treeOf(patched(launched(), diff));
    const faults = mustFaults(detect({ ...tree, executable: (path) => path !== script }));
    const fault = `${script}: it is started, but is not executable: permission denied`;
    assert.equal(faults, isFault ? [fault] : [], `${script} ${diff}`);
  }
});

test('ubuntu:24.04 is noble', () => {
  const debian = '${DEBIAN_VERSION}';
  const runner = replaceIn(launched(), DOCKERFILE, `docker.io/debian:${debian}`, 'ubuntu:24.04');
  const texts = replaceIn(runner, DOCKERFILE, `debian-${debian}`, 'ubuntu-noble-20251013');
  assert.equal(resultFor(texts, 'B1').findings, []);
});

test('a file that the code reads while it compiles is named once where no COPY brings it', () => {
  const code =
    'defmodule Shop.Rows do\n  @rows File.read!("data/rows.csv")\n  def all, do: @rows\nend\n';
  const texts = { ...generated(), 'lib/shop/rows.ex': code, 'data/rows.csv': '1' };
  assert.match(
    findingsOf(texts, 'B3'),
    /^must Dockerfile:\d+ data\/rows\.csv is not there yet: .*$/,
  );
});

test('a .dockerignore of more than a thousand lines is judged without its lines', () => {
  const comments = '# none\n'.repeat(1100);
  const { findings } = resultFor({ ...generated(), '.dockerignore': `${comments}lib\n` }, 'B6');
  assert.match(findings[0]?.what ?? '', 'lib/');
  assert.not.match(findings[0]?.edit ?? '', 'undefined');
});

test('what only names or adds a package manager installs no packages', () => {
  const findings = (run: string) =>
    resultFor(
      replaceIn(generated(), DOCKERFILE, '\nWORKDIR /app\n', `\nRUN ${run}\nWORKDIR /app\n`),
      'R1.1',
    ).findings;
  for (const run of [
    'corepack enable pnpm',
    'apk add nodejs pnpm',
    'apt-get install -y nodejs yarn',
    'npm install --global pnpm',
    'yarn global add typescript',
    'npm run ci:build',
    'npm run install-fonts',
  ])
    assert.equal(findings(run), [], run);
  for (const run of [
    'npm ci',
    'npm --prefix assets --loglevel error --no-audit --no-fund i',
    'yarn',
    'pnpm add typescript',
  ])
    assert.match(findings(run)[0]?.what ?? '', 'downloads every package again', run);
});

test('mix phx.server serves without PHX_SERVER, but is no release', () => {
  const dockerfile = 'FROM elixir:1.18\nCOPY . .\nCMD ["mix", "phx.server"]\n';
  const findings = resultFor({ ...shop(), [DOCKERFILE]: dockerfile }, 'R1.6').findings;
  assert.equal(
    findings.map(({ what }) => what),
    ['it starts with mix, not a release'],
  );
});

test('each must of a foreign Dockerfile is one line', () => {
  const texts = replaceIn(launched(), DOCKERFILE, 'bookworm-20251020', 'bullseye-20240904');
  assert.equal(mustFaults(projectOf(texts)), [
    "Dockerfile:4: Debian bullseye's packages are gone (end of life), so apt-get fails",
  ]);
});

test('where [build] bypasses the Dockerfile, its requirements are unknown', () => {
  for (const build of ['builder = "heroku/buildpacks:20"', 'image = "registry.example.com/shop"']) {
    const texts = replaceIn(generated(), 'fly.toml', '[env]', `[build]\n${build}\n\n[env]`);
    const { verdict, unknown } = resultFor(texts, 'R1.1');
    assert.is(verdict, 'unknown');
    assert.match(unknown[0]?.why ?? '', 'not built by this');
  }
});

test('the summary counts findings by weight, and skipped requirements', () => {
  const texts = replaceIn(generated(), DOCKERFILE, 'USER 65534:65534', 'USER root');
  const summary = (skip: Record<string, string>, strict = false) =>
    stripVTControlCharacters(
      verdictsOf(check(projectOf(texts), new Map(Object.entries(skip))), strict),
    );
  assert.match(summary({}), /open: 0 musts, 1 should, 0 advice, 0 unknown\. .*--strict/);
  assert.match(summary({}), /should {3}R1\.4 .*\n +should: Dockerfile:\d+: the app runs as root/);
  const skipped = summary({ 'R1.4': 'a volume that belongs to root' });
  assert.match(skipped, /skipped {2}R1\.4 .*\(a volume that belongs to root\)/);
  assert.match(skipped, /All \d+ requirements are met, 1 skipped\./);
});

test.run();
