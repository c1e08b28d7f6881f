import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check, verdictOf, type Result } from '../src/check/check.ts';
import { openRepo } from '../src/check/repo.ts';
import { requirements } from '../src/check/requirements.ts';
import { found, type Findings } from '../src/check/verdict.ts';
import { after, FLAGS, planFor, projectOf, shop, SHOP } from './support.ts';

type Texts = Record<string, string>;
type Flags = typeof FLAGS;

/** The fixture app after `npx plop fly`. */
function generated(flags: Flags = FLAGS): Texts {
  const key = JSON.stringify(flags);
  const known = made.get(key) ?? after(shop(), planFor(shop(), flags));
  made.set(key, known);
  return { ...known };
}
const made = new Map<string, Texts>();
const results = (texts: Texts): Result[] => check(projectOf(texts));
const open = (texts: Texts): string[] => results(texts).flatMap(({ id, verdict }) => (verdict === 'met' ? [] : [`${id} ${verdict}`]));

const judge = (texts: Texts, id: string): Findings => {
  const requirement = requirements.find((one) => one.id === id);
  return requirement ? requirement.judge(openRepo(projectOf(texts))) : found();
};

/** One text of a file replaced; a spoiling that changes nothing is no test. */
function spoil(texts: Texts, path: string, from: string, to: string): Texts {
  const before = texts[path] ?? '';
  assert.ok(before.includes(from), `${path} has no ${from}`);
  return { ...texts, [path]: before.replaceAll(from, () => to) };
}

for (const [name, flags] of Object.entries<Flags>({
  'a Fly Postgres app': FLAGS,
  'Managed Postgres on Debian': { ...FLAGS, postgres: 'managed:abc', base: 'debian' },
  'a database outside Fly, a host of its own': { ...FLAGS, postgres: 'external', host: 'shop.example.com' },
  'migrations, no psql, half the memory': { ...FLAGS, migrate: 'yes', psql: 'no', memory: '512mb' },
})) {
  test(`after fly all is met: ${name}`, () => assert.equal(open(generated(flags)), []));
}

test('after fly all is met: an older fly.toml and a lax check_origin', () => {
  const texts = shop({
    'config/prod.exs': 'import Config\n\nconfig :shop, ShopWeb.Endpoint, check_origin: false, force_ssl: [rewrite_on: [:x_forwarded_proto]]\n',
    'fly.toml': 'app = "shop"\nkill_timeout = 5\n\n[[services]]\n  internal_port = 5432\n  protocol = "tcp"\n  [[services.ports]]\n    port = 5432\n\n[[services]]\n  internal_port = 8080\n  protocol = "tcp"\n  [services.concurrency]\n    hard_limit = 25\n    soft_limit = 20\n  [[services.ports]]\n    handlers = ["http"]\n    port = 80\n  [[services.ports]]\n    handlers = ["tls", "http"]\n    port = 443\n',
  });
  assert.equal(open(after(texts, planFor(texts))), []);
});

test('without the files everything is missing, and one command writes it', () => {
  const all = results(shop({ 'config/runtime.exs': undefined }));
  assert.is(all.filter(({ verdict }) => verdict === 'missing').length, all.length);
  assert.match(all[0]?.missing[0]?.edit ?? '', 'npx plop dockerfile');
});

const DOCKERFILE = 'Dockerfile';
const FLY = 'fly.toml';
const RUNTIME = 'config/runtime.exs';
const ENV_SH = 'rel/env.sh.eex';
const SETTINGS = { 'config/prod.exs': 'import Config\n\nconfig :shop, ShopWeb.Endpoint, force_ssl: [hsts: true]\n' };

/** What is spoilt, which requirement then is missing, at which line's text, and a part of the edit. */
const traps: [name: string, spoilt: () => Texts, id: string, place: string, edit: RegExp][] = [
  ['dependencies after the code (A32)', () => spoil(generated(), DOCKERFILE, 'COPY mix.exs mix.lock ./', 'COPY lib lib'), 'R1.1', 'Dockerfile: COPY lib lib', /COPY mix.exs mix.lock/],
  ['COPY . . (A18)', () => spoil(generated(), DOCKERFILE, 'COPY mix.exs mix.lock ./', 'COPY . .'), 'R1.1', 'Dockerfile: COPY . .', /RUN mix deps.compile/],
  ['dependencies of every environment', () => spoil(generated(), DOCKERFILE, 'deps.get --only prod', 'deps.get'), 'R1.1', 'Dockerfile: RUN --mount', /--only prod/],
  ['no cache mount', () => spoil(generated(), DOCKERFILE, '--mount=type=cache', '--network=default'), 'R1.1', 'Dockerfile: RUN --network', /type=cache/],
  ['assets before compile (A14)', () => spoil(spoil(generated(), DOCKERFILE, 'RUN mix compile\n', ''), DOCKERFILE, 'RUN mix assets.deploy\n', 'RUN mix assets.deploy\nRUN mix compile\n'), 'R1.1', 'Dockerfile: RUN mix assets.deploy', /below `mix compile`/],
  ['asset tools downloaded with each change (A15)', () => spoil(generated(), DOCKERFILE, 'RUN mix assets.setup', ''), 'R1.1', 'Dockerfile: RUN mix assets.deploy', /RUN mix assets.setup/],
  ['a task that runs twice', () => spoil(generated(), DOCKERFILE, 'RUN mix release', 'RUN mix compile\nRUN mix release'), 'R1.1', 'Dockerfile: RUN mix compile', /remove/],
  ['a runner with Elixir in it', () => spoil(generated(), DOCKERFILE, 'FROM os AS runner', 'FROM deps AS runner'), 'R1.2', 'Dockerfile: FROM elixir', /plain operating system/],
  ['one stage', () => spoil(generated(), DOCKERFILE, (generated()[DOCKERFILE] ?? '').slice((generated()[DOCKERFILE] ?? '').indexOf('FROM os AS runner')), 'CMD ["/app/_build/prod/rel/shop/bin/shop", "start"]'), 'R1.2', 'Dockerfile: FROM deps', /stage of its own/],
  ['a Node stage for nothing (A13)', () => spoil(generated(), DOCKERFILE, 'FROM os AS runner', 'FROM node:22-slim AS node\nFROM os AS runner'), 'R1.2', 'Dockerfile: FROM node', /remove the stage/],
  ['no CA certificates', () => spoil(generated(), DOCKERFILE, 'ca-certificates libstdc++', 'libstdc++'), 'R1.3', 'Dockerfile: RUN apk', /ca-certificates/],
  ['libncurses5 on trixie (A12)', () => spoil(spoil(generated({ ...FLAGS, base: 'debian' }), DOCKERFILE, 'DEBIAN_VERSION=bookworm', 'DEBIAN_VERSION=trixie'), DOCKERFILE, 'libncurses6', 'libncurses5'), 'R1.3', 'Dockerfile: RUN apt-get', /libncurses6/],
  ['root', () => spoil(generated(), DOCKERFILE, 'USER 65534:65534', 'USER root'), 'R1.4', 'Dockerfile: USER root', /USER 65534/],
  ['code that the app can change', () => spoil(generated(), DOCKERFILE, 'COPY --from=builder', 'COPY --from=builder --chown=nobody'), 'R1.4', 'Dockerfile: COPY --from=builder --chown', /remove --chown/],
  ['nowhere to write', () => spoil(generated(), DOCKERFILE, ' RELEASE_TMP=/tmp', ''), 'R1.4', 'Dockerfile: USER', /RELEASE_TMP/],
  ['a secret in the image (A27)', () => spoil(generated(), DOCKERFILE, 'WORKDIR /app\nENV', 'WORKDIR /app\nARG GITHUB_TOKEN\nENV'), 'R1.4', 'Dockerfile: ARG GITHUB_TOKEN', /type=secret,id=GITHUB_TOKEN/],
  ['ENV K V (A30)', () => spoil(generated(), DOCKERFILE, 'EXPOSE', 'ENV ERL_AFLAGS "-proto_dist inet6_tcp"\nEXPOSE'), 'R1.4', 'Dockerfile: ENV ERL_AFLAGS', /ENV ERL_AFLAGS="-proto_dist inet6_tcp"/],
  ['another port exposed (A3)', () => spoil(generated(), DOCKERFILE, 'EXPOSE 4000', 'EXPOSE 8080'), 'R1.5', 'Dockerfile: EXPOSE', /EXPOSE 4000/],
  ['a shell between Fly and the VM', () => spoil(generated(), DOCKERFILE, 'CMD ["/app/bin/shop", "start"]', 'CMD /app/bin/shop start'), 'R1.6', 'Dockerfile: CMD', /CMD \["\/app\/bin\/shop", "start"\]/],
  ['no PHX_SERVER (A3)', () => spoil(generated(), DOCKERFILE, 'PHX_SERVER=true', 'OTHER=1'), 'R1.6', 'Dockerfile: CMD', /ENV PHX_SERVER=true/],
  ['bullseye (A12)', () => spoil(generated({ ...FLAGS, base: 'debian' }), DOCKERFILE, 'DEBIAN_VERSION=bookworm', 'DEBIAN_VERSION=bullseye'), 'B1', 'Dockerfile: ARG DEBIAN_VERSION', /trixie/],
  ['builder and runner drift apart (A12)', () => spoil(generated(), DOCKERFILE, 'ALPINE_VERSION=3.24', 'ALPINE_VERSION=3.20'), 'B1', 'Dockerfile: ARG ALPINE_VERSION', /Alpine 3.24/],
  ['an Elixir that mix.exs refuses (A11)', () => spoil(generated(), DOCKERFILE, 'ELIXIR_VERSION=1.18.4', 'ELIXIR_VERSION=1.13.4'), 'B1', 'Dockerfile: ARG', /Elixir version/],
  ['a runner tag that moves', () => spoil(generated(), DOCKERFILE, 'alpine:${ALPINE_VERSION}', 'alpine:latest'), 'B1', 'Dockerfile: FROM alpine', /Alpine 3.24/],
  ['latin1 (A31)', () => spoil(generated(), DOCKERFILE, 'LANG=C.UTF-8', 'OTHER=1'), 'B2', 'Dockerfile: CMD', /ENV LANG=C.UTF-8/],
  ['a locale that nothing makes (A31)', () => spoil(generated({ ...FLAGS, base: 'debian' }), DOCKERFILE, 'LANG=C.UTF-8', 'LANG=en_US.UTF-8'), 'B2', 'Dockerfile: CMD', /C.UTF-8/],
  ['mix.lock left behind (A18)', () => spoil(generated(), DOCKERFILE, 'COPY mix.exs mix.lock ./', 'COPY mix.exs ./'), 'B3', 'Dockerfile: RUN --mount', /COPY mix.lock/],
  ['an imported config left behind (A17)', () => spoil({ ...generated(), 'config/extra.exs': 'import Config\n' }, 'config/prod.exs', 'import Config\n', 'import Config\nimport_config "extra.exs"\n'), 'B3', 'Dockerfile: RUN mix compile', /COPY config\/extra.exs config\//],
  ['rel copied, but not there (A16)', () => Object.fromEntries(Object.entries(generated()).filter(([path]) => path !== ENV_SH)), 'B3', 'Dockerfile: COPY rel', /npx plop env-sh/],
  ['packages of Node that nobody installs (A13)', () => ({ ...generated(), 'assets/package.json': '{"dependencies":{"topbar":"1"}}', 'assets/package-lock.json': '{}' }), 'B3', 'Dockerfile: RUN mix assets.deploy', /npm ci/],
  ['an app of the umbrella left behind (A20)', () => spoil(umbrella(), DOCKERFILE, ' apps/web/mix.exs', ''), 'B3', 'Dockerfile: RUN --mount', /COPY apps\/web\/mix.exs apps\/web\//],
  ['a private package without a key (A27)', () => spoil(generated(), 'mix.exs', '{:bandit, "~> 1.5"}', '{:bandit, "~> 1.5"}, {:oban_pro, "~> 1.5", repo: "oban"}'), 'B4', 'Dockerfile: RUN --mount', /build-secret/],
  ['a git dependency without git', () => spoil(spoil(generated(), 'mix.exs', '{:bandit, "~> 1.5"}', '{:bandit, "~> 1.5"}, {:heroicons, github: "tailwindlabs/heroicons"}'), DOCKERFILE, 'build-base git', 'build-base'), 'B4', 'Dockerfile: RUN --mount', /install git/],
  ['.env not kept out (A26)', () => spoil(generated(), '.dockerignore', '**/.env*\n', '.env.local\n'), 'B5', '.dockerignore: # Secrets', /^add at the top:\n\*\*\/\.env\*$/],
  ['the repository let in again', () => spoil(generated(), '.dockerignore', 'fly.toml\n', 'fly.toml\n!.git\n'), 'B5', '.dockerignore: !.git', /remove this line/],
  ['rel kept out (A26)', () => spoil(generated(), '.dockerignore', 'test\n', 'test\nrel/\n'), 'B6', '.dockerignore: rel/', /remove the line `rel\/`/],
  ['a key that flyctl rejects (C3)', () => spoil(generated(), FLY, 'method = "GET"', 'type = "http"'), 'R2.1', 'fly.toml: type = "http"', /remove it/],
  ['a retired region (C1)', () => spoil(generated(), FLY, '"lhr"', '"sea"'), 'R2.1', 'fly.toml: primary_region', /change it/],
  ['no [[vm]] (A21)', () => spoil(generated(), FLY, '[[vm]]', '[experimental]'), 'R2.2', 'fly.toml: ', /memory = "1gb"/],
  ['a machine that Fly does not sell (C6)', () => spoil(generated(), FLY, 'shared-cpu-1x', 'shared-cpu-3x'), 'R2.2', 'fly.toml: size', /shared-cpu-1x/],
  ['memory that the machine can not have (C6)', () => spoil(generated(), FLY, '"1gb"', '"4gb"'), 'R2.2', 'fly.toml: memory', /1gb/],
  ['256 MB (A21)', () => spoil(generated(), FLY, '"1gb"', '"256mb"'), 'R2.2', 'fly.toml: memory', /1gb/],
  ['IPv4 to a private name (A2)', () => spoil(generated(), FLY, 'ECTO_IPV6 = "true"', 'ECTO_IPV6 = "false"'), 'R2.3', 'fly.toml: [env]', /ECTO_IPV6 = "true"/],
  ['a pool too large (A7)', () => spoil(generated(), FLY, 'POOL_SIZE = "10"', 'POOL_SIZE = "100"'), 'R2.3', 'fly.toml: POOL_SIZE', /POOL_SIZE = "10"/],
  ['plain HTTP', () => spoil(generated(), FLY, 'force_https = true', 'force_https = false'), 'R2.4', 'fly.toml: force_https', /force_https = true/],
  ['a check that force_ssl redirects (A1)', () => spoil(generated(), FLY, 'X-Forwarded-Proto', 'X-Other'), 'R2.5', 'fly.toml: [http_service.checks.headers]', /X-Forwarded-Proto/],
  ['force_ssl without rewrite_on (A1)', () => ({ ...generated(), ...SETTINGS }), 'R2.5', 'config/prod.exs: config :shop', /force_ssl: \[rewrite_on: \[:x_forwarded_proto\], hsts: true\]/],
  ['the start page checked', () => spoil(generated(), FLY, 'path = "/health"', 'path = "/"'), 'R2.5', 'fly.toml: path', /path = "\/health"/],
  ['an interval in milliseconds (C3)', () => spoil(generated(), FLY, 'interval = "15s"', 'interval = 15'), 'R2.5', 'fly.toml: interval', /"15s"/],
  ['another port inside (A3)', () => spoil(generated(), FLY, 'internal_port = 4000', 'internal_port = 8080'), 'R2.6', 'fly.toml: internal_port', /internal_port = 4000/],
  ['sockets throttled (A33)', () => spoil(generated(), FLY, 'soft_limit = 1000', 'soft_limit = 20'), 'R2.6', 'fly.toml: soft_limit', /1000/],
  ['a secret in [env]', () => spoil(generated(), FLY, '[env]\n', '[env]\n  STRIPE_API_KEY = "sk_live_1"\n'), 'R2.7', 'fly.toml: STRIPE_API_KEY', /fly secrets set STRIPE_API_KEY/],
  ['workers stopped when idle (A9)', () => spoil(generated(), FLY, 'auto_stop_machines = "off"', 'auto_stop_machines = "stop"'), 'B7', 'fly.toml: auto_stop_machines', /"off"/],
  ['workers twice during a deploy', () => spoil(generated(), FLY, '"rolling"', '"bluegreen"'), 'B7', 'fly.toml: strategy', /rolling/],
  ['SIGINT (A22)', () => spoil(generated(), FLY, 'kill_signal = "SIGTERM"', ''), 'B8', 'fly.toml: app', /SIGTERM/],
  ['release_command without bin/migrate (A5)', () => spoil(generated(), FLY, '[deploy]\n', '[deploy]\n  release_command = "/app/bin/migrate"\n'), 'B9', 'fly.toml: release_command', /phx.gen.release/],
  ['env.sh unguarded (A23)', () => spoil(generated(), ENV_SH, '#!/bin/sh\n', '#!/bin/sh\nexport ERL_AFLAGS="-proto_dist inet6_tcp"\n'), 'B10', 'rel/env.sh.eex: export ERL_AFLAGS', /if \[ -n/],
  ["flyctl's node name (A23)", () => ({ ...generated(), [ENV_SH]: 'if [ -n "$FLY_APP_NAME" ]; then\n  export ERL_AFLAGS="-proto_dist inet6_tcp"\n  export RELEASE_NODE="${FLY_APP_NAME}-${FLY_IMAGE_REF##*-}@${FLY_PRIVATE_IP}"\nfi\n' }), 'B10', 'rel/env.sh.eex: export RELEASE_NODE', /tr -cd/],
  ['a test as the last line, under set -e (A23)', () => spoil(generated(), ENV_SH, '# <<< phoenix-fly', '[ -n "$DEBUG" ] && export VERBOSE=1'), 'B10', 'rel/env.sh.eex: [ -n "$DEBUG" ]', /if/],
  ['no web server in the release', () => spoil(generated(), RUNTIME, 'server: on?.("PHX_SERVER", "false") and not eval?', 'server: false'), 'R3.1', 'config/runtime.exs: ', /PHX_SERVER/],
  ['ECTO_IPV6 tested for presence (A2)', () => spoil(generated(), RUNTIME, 'if(on?.("ECTO_IPV6", "false"), do: [:inet6], else: [])', 'if(System.get_env("ECTO_IPV6"), do: [:inet6], else: [])'), 'R3.2', 'config/runtime.exs: socket_options', /~w\(true 1\)/],
  ['named statements on Managed Postgres (A6)', () => spoil(generated({ ...FLAGS, postgres: 'managed' }), RUNTIME, 'prepare: :unnamed,', ''), 'R3.2', 'config/runtime.exs: ', /prepare: :unnamed/],
  ['a pool of fixed size', () => spoil(generated(), RUNTIME, 'String.to_integer(System.get_env("POOL_SIZE", "10"))', '10'), 'R3.2', 'config/runtime.exs: ', /POOL_SIZE/],
  ['check_origin: false (A4)', () => spoil(generated(), RUNTIME, 'check_origin: ["//#{host}" | fly_host]', 'check_origin: false'), 'R3.3', 'config/runtime.exs: ', /check_origin: \["\/\/#\{host\}"\]/],
  ['check_origin without the host (A4)', () => spoil(generated(), RUNTIME, '["//#{host}" | fly_host]', '["//example.com"]'), 'R3.3', 'config/runtime.exs: ', /check_origin/],
  ['a host made up (A4)', () => spoil(generated(), RUNTIME, 'host = require_env.("PHX_HOST", "PHX_HOST under [env] in fly.toml")', 'host = System.get_env("PHX_HOST") || "example.com"'), 'R3.3', 'config/runtime.exs: host = System', /raise "PHX_HOST is missing/],
  ['IPv4 only', () => spoil(generated(), RUNTIME, '{0, 0, 0, 0, 0, 0, 0, 0}', '{0, 0, 0, 0}'), 'R3.3', 'config/runtime.exs: ', /\{0, 0, 0, 0, 0, 0, 0, 0\}/],
  ['any certificate', () => spoil(generated(), RUNTIME, 'verify: :verify_peer', 'verify: :verify_none'), 'R3.4', 'config/runtime.exs: ', /verify_peer/],
  ['a level that stays', () => spoil(generated(), RUNTIME, 'level: String.to_atom(log_level)', 'level: :info'), 'R3.5', 'config/runtime.exs: ', /LOG_LEVEL/],
  ['no request id', () => spoil(generated(), RUNTIME, '[:request_id]', '[:pid]'), 'R3.5', 'config/runtime.exs: ', /metadata: \[:request_id\]/],
  ['workers that can not be left out', () => spoil(generated(), RUNTIME, 'on?.("BACKGROUND_ENABLED", "true") and not eval?', 'true'), 'B11', 'config/runtime.exs: ', /BACKGROUND_ENABLED/],
];

function umbrella(): Texts {
  const child = (app: string, rest: string) => `defmodule ${app}.MixProject do\n  use Mix.Project\n  def project, do: [app: :${app.toLowerCase()}, deps: [${rest}]]\n  def application, do: []\nend\n`;
  const texts = {
    'mix.exs': 'defmodule Shops.MixProject do\n  use Mix.Project\n  def project, do: [apps_path: "apps", elixir: "~> 1.15", deps: [], releases: [shop: [applications: [web: :permanent]]]]\nend\n',
    'mix.lock': shop()['mix.lock'] ?? '',
    'config/config.exs': 'import Config\nconfig :web, Web.Endpoint, url: [host: "localhost"]\n',
    'apps/web/mix.exs': child('Web', '{:phoenix, "~> 1.8"}, {:bandit, "~> 1.5"}'),
    'apps/web/lib/web/endpoint.ex': 'defmodule Web.Endpoint do\n  use Phoenix.Endpoint, otp_app: :web\n  plug Web.Router\nend\n',
    'apps/core/mix.exs': child('Core', ''),
    'apps/core/lib/core.ex': 'defmodule Core do\nend\n',
  };
  return after(texts, planFor(texts, { ...FLAGS, postgres: 'none' }));
}

test('after fly all is met: an umbrella', () => assert.equal(open(umbrella()), []));

for (const [name, spoilt, id, place, edit] of traps) {
  test(`${id} ${name}`, () => {
    const texts = spoilt();
    const findings = judge(texts, id);
    const fitting = findings.missing.filter((one) => {
      const line = (texts[one.file] ?? '').split('\n')[(one.line ?? 1) - 1] ?? '';
      return `${one.file}: ${one.line === undefined ? '' : line.trim()}`.startsWith(place) && edit.test(one.edit);
    });
    assert.is(fitting.length, 1, JSON.stringify(findings, null, 1));
  });
}

test('what only the running release knows is unknown, never met', () => {
  const verdict = (texts: Texts, id: string) => verdictOf(judge(texts, id));
  assert.is(verdict(spoil(generated(), RUNTIME, 'String.to_integer(System.get_env("POOL_SIZE", "10"))', 'Shop.Sizes.pool()'), 'R3.2'), 'unknown');
  assert.is(verdict(spoil(generated(), RUNTIME, '["//#{host}" | fly_host]', 'Shop.Origins.all()'), 'R3.3'), 'unknown');
  assert.is(verdict(spoil(generated(), DOCKERFILE, 'alpine:${ALPINE_VERSION}', 'registry.example.com/base:7'), 'R1.3'), 'unknown');
  assert.is(verdict(spoil(generated(), DOCKERFILE, 'mix ', 'make '), 'R1.1'), 'unknown');
  assert.is(verdict({ ...generated(), [FLY]: 'app = ' }, 'R2.5'), 'unknown');
});

test('other ways to say the same are met', () => {
  const stock = spoil(generated(), RUNTIME, 'if(on?.("ECTO_IPV6", "false"), do: [:inet6], else: [])', 'if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])');
  const service = spoil(stock, FLY, '[http_service.checks.headers]', '[http_service.checks.headers] # mine');
  const dockerfile = spoil(service, DOCKERFILE, 'RUN mix compile\n', 'RUN <<EOF\nmix do compile\nEOF\n');
  const server = { ...spoil(spoil(dockerfile, DOCKERFILE, 'PHX_SERVER=true ', ''), DOCKERFILE, 'CMD ["/app/bin/shop", "start"]', 'ENTRYPOINT ["/sbin/tini", "--"]\nCMD ["/app/bin/server"]'), 'rel/overlays/bin/server': '#!/bin/sh\nset -eu\ncd -P -- "$(dirname -- "$0")"\nPHX_SERVER=true exec ./shop start\n' };
  assert.equal(open(server), []);
});

test('the command: exit code 1 for a repo that lacks something, --json for scripts, a clear line for what is no app', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, ['--import', 'tsx', ...args], { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  const person = run('bin/phoenix-fly.ts', 'check', '--dest', SHOP);
  assert.is(person.status, 1);
  assert.match(person.stdout, /missing {2}R1\.1 .*\n +Dockerfile: the file is not there/);
  const script = run('node_modules/plop/bin/plop.js', 'check', '--dest', SHOP, '--', '--json');
  assert.is(script.status, 1);
  assert.equal((JSON.parse(script.stdout) as Result[]).map(({ id }) => id), results(shop()).map(({ id }) => id));
  const nowhere = run('bin/phoenix-fly.ts', 'check', '--dest', 'templates');
  assert.is(nowhere.status, 1);
  assert.match(nowhere.stderr, 'no mix.exs');
});

test.run();
