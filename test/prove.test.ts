import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocketServer } from 'ws';
import { flyConfig } from '../src/fly/fly-config.ts';
import { liveJoin } from '../src/prove/browser.ts';
import { deployOf } from '../src/prove/deploy.ts';
import { type Engine, findEngine, type Outcome, type Variables } from '../src/prove/engine.ts';
import { exitCode, type Proof, prove } from '../src/prove/prove.ts';
import { lineText, summaryText } from '../src/prove/screen.ts';
import { ownDatabase } from '../src/prove/throwaway-database.ts';
import { faultLines, leaks, unreachable } from '../src/prove/verdict.ts';
import { app, mixLock, type Texts } from './support/fixture.ts';

const FLY = `app = "shop"
primary_region = "lhr"
kill_signal = "SIGTERM"
kill_timeout = "1s"
[env]
  PHX_HOST = "shop.example.com"
[http_service]
  internal_port = 4000
  [[http_service.checks]]
    path = "/health"
    interval = "100ms"
    grace_period = "0s"
    [http_service.checks.headers]
      X-Forwarded-Proto = "https"
[[vm]]
  memory = "512mb"
`;

const LIVE = `<html><head><meta name="csrf-token" content="token"></head>
<script defer src="/assets/app.js?vsn=d"></script>
<div id="phx-1" data-phx-main data-phx-session="signed" data-phx-static="static"></div></html>`;

/** An app as the engine would run it: Fly's check, the page and LiveView's socket. @param broken the part that fails */
async function startApp(broken: string): Promise<{ port: number; close(): void }> {
  const server = http.createServer((incoming, answer) => {
    const plain = incoming.headers['x-forwarded-proto'] !== 'https';
    const redirects = plain || (broken === 'health' && incoming.url === '/health');
    const loops = /^(page|ssl)$/.test(broken) && incoming.url !== '/health';
    if (redirects || loops) answer.writeHead(301, { location: incoming.url ?? '/' });
    if (broken === 'asset' && incoming.url === '/assets/app.js?vsn=d') answer.writeHead(404);
    answer.end(LIVE);
  });
  const sockets = new WebSocketServer({
    server,
    verifyClient: ({ origin, req }, decide) => {
      if (broken === 'ssl') return decide(false, 301);
      const isAllowed = broken !== 'origin' && origin === 'https://shop.example.com';
      decide(isAllowed && /^\/live\//.test(req.url ?? ''), isAllowed ? 404 : 403);
    },
  });
  sockets.on('connection', (socket) =>
    socket.on('message', (data) => {
      const [join, ref, topic] = JSON.parse(String(data)) as string[];
      socket.send(JSON.stringify([join, ref, topic, 'phx_reply', { status: 'ok', response: {} }]));
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () => {
      sockets.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

const TCP6 = (port: string, address = '0'.repeat(32)) =>
  `  sl  local_address rem_address st\n   0: ${address}:${port} ${'0'.repeat(32)}:0000 0A 0 0`;

type Answers = readonly [command: RegExp, answer: Partial<Outcome>][];

/** What the engine answers where a part is broken. */
const FAULTS: Record<string, Answers> = {
  build: [[/^build /, { code: 1, all: 'step\n** (Mix) no such module' }]],
  migrate: [[/migrate$/, { code: 1, all: '** (Postgrex.Error) no such table' }]],
  start: [
    [/^logs /, { all: '** (ArgumentError) POOL_SIZE' }],
    [/migrate$/, { code: 1, all: '** (ArgumentError) POOL_SIZE' }],
  ],
  boot: [[/proc\/net/, { all: TCP6('0FA1') }]],
  loop: [[/^logs /, { all: '[error] GenServer Shop.Trader terminating\n** (RuntimeError) no\n' }]],
  database: [[/query!/, { code: 1, all: '** (DBConnection.ConnectionError)' }]],
  starved: [[/rpc .*query!/, { code: 137, all: 'Killed' }]],
  tls: [[/handshake/, { all: 'handshake ok ' }]],
  user: [[/exec .*Uid/, { stdout: '0\n' }]],
  writable: [[/exec .* find /, { stdout: '/app/bin/shop\n' }]],
  eval: [[/ensure_all_started\(:shop\)/, { all: 'running Shop.Trader\n' }]],
  switch: [[/BACKGROUND_ENABLED=false/, { all: 'running Shop.Trader\n' }]],
  file: [[/ find \. /, { stdout: './.env\n' }]],
  history: [[/^history /, { stdout: 'ENV API_TOKEN=abcdefgh' }]],
  swallow: [[/proc\/1\/cmdline/, { stdout: 'sh /app/bin/entry ' }]],
};

const ANSWERS: Answers = [
  [/^image inspect --format \{\{.Size/, { stdout: '112000000' }],
  [/proc\/net/, { all: TCP6('0FA0') }],
  [/exec .*Uid/, { stdout: '65534\n' }],
  [/memory\.peak/, { stdout: '160200000' }],
  [/handshake/, { all: 'handshake error {:tls_alert, {:unknown_ca, ~c"x"}}' }],
  [/-app-\d+ .*rpc .*whereis/, { all: 'running Shop.Trader' }],
];

/** The command after which the app exits, and whether it was killed. */
const EXITS: Record<string, [command: RegExp, isKilled: boolean]> = {
  start: [/^run --detach .*-app-/, false],
  unflushed: [/^run --detach .*-app-/, false],
  loop: [/^port /, false],
  crash: [/rpc .*query/, false],
  gone: [/^start \S+-db-/, false],
  memory: [/rpc .*query/, true],
  starved: [/rpc .*query/, true],
  late: [/rpc .*whereis/, true],
};

/** The engine writes a line of this before each look at the log. */
const LATE_LOG = ['[notice] Starting', 'ERROR! Config provider failed with:', '** POOL_SIZE'];

/** An engine that answers as Podman did, but for the broken part. */
function recordedEngine(port: number, broken: string, name: string) {
  const commands: string[] = [];
  const environments: Variables[] = [];
  let isStopped = false;
  const answer = (line: string): Partial<Outcome> => {
    const ran = (pattern: RegExp) => commands.some((command) => pattern.test(command));
    const [lastCommand, isKilled] = EXITS[broken] ?? [/^$/, false];
    const hasExited = ran(lastCommand);
    if (hasExited && /^exec \S+-app-/.test(line)) return { code: 125, all: 'not running' };
    if (broken === 'short' && /^build /.test(line) && !ran(/^pull /))
      return { code: 125, all: 'STEP 1/4: FROM elixir:1.18 AS build\nError: short-name "elixir"' };
    const queries = commands.filter((command) => /query!/.test(command)).length;
    const isDropped = broken === 'stuck' || (broken === 'slow' && queries < 4);
    if (isDropped && ran(/^start /) && /query!/.test(line))
      return { code: 1, all: '** (DBConnection.ConnectionError) dropped' };
    if (broken === 'unflushed' && /^logs /.test(line)) {
      const reads = commands.filter((command) => /^logs /.test(command)).length;
      return { all: LATE_LOG.slice(0, reads).join('\n') };
    }
    if (/^port /.test(line)) return { stdout: `127.0.0.1:${port}` };
    if (/^kill /.test(line)) isStopped = !/stop|swallow/.test(broken);
    if (/^inspect /.test(line))
      return {
        stdout: `${!isStopped && !hasExited},${Number(hasExited)},${hasExited && isKilled}`,
      };
    const answers = [...(FAULTS[broken] ?? []), ...ANSWERS];
    return answers.find(([pattern]) => pattern.test(line))?.[1] ?? {};
  };
  const engine: Engine = {
    name,
    pause: async () => {},
    run: async (args, { env = {} } = {}) => {
      const line = args.join(' ');
      commands.push(line);
      environments.push(env);
      return { code: 0, stdout: '', all: '', ...answer(line) };
    },
  };
  return { ...engine, commands, environments };
}

const FILES: Texts = {
  'mix.lock': mixLock({ phoenix_live_view: [], ecto_sql: [], postgrex: [] }),
  'fly.toml': FLY,
  Dockerfile: 'FROM scratch\n',
  'config/config.exs':
    'import Config\nconfig :shop, ecto_repos: [Shop.Repo]\nimport_config "#{config_env()}.exs"\n',
  'config/runtime.exs': 'import Config\nSystem.fetch_env!("STRIPE_KEY")\n',
  'rel/overlays/bin/migrate': '',
  'lib/shop/repo.ex':
    'defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n',
  'lib/shop/trader.ex':
    'defmodule Shop.Trader do\n  use GenServer\n  def start_link(_), do: GenServer.start_link(__MODULE__, Application.get_env(:shop, :tls), name: __MODULE__)\nend\n',
  'lib/shop/application.ex':
    'defmodule Shop.Application do\n  use Application\n  def start(_type, _args) do\n    if Application.get_env(:shop, :background)[:enabled], do: :ok\n    Supervisor.start_link([Shop.Repo, Shop.Trader, ShopWeb.Endpoint], [])\n  end\nend\n',
  'lib/shop_web/endpoint.ex':
    'defmodule ShopWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\n  socket "/live", Phoenix.LiveView.Socket\nend\n',
};
const projectOf = (files: Texts = {}) =>
  app(
    { ...FILES, ...files },
    ', {:phoenix_live_view, "~> 1.1"}, {:ecto_sql, "~> 3.13"}, {:postgrex, ">= 0.0.0"}',
  );

const DEFAULTS = { folder: '.', path: '/', envFile: {}, databaseUrl: undefined, keep: false };

async function proofOf(
  broken: string,
  { files = {}, task = {}, begins = () => {}, name = 'podman' }: Partial<ProofOptions> = {},
): Promise<{ proof: Proof; engine: ReturnType<typeof recordedEngine> }> {
  const app = await startApp(broken);
  const engine = recordedEngine(app.port, broken, name);
  const watcher = { begins: (name: string) => begins(name, stopped), ends() {} };
  const stopped = new AbortController();
  try {
    const { keep, ...options } = { ...DEFAULTS, ...task };
    const wholeTask = { engine, project: projectOf(files), ...options };
    const proof = await prove(wholeTask, { watcher, signal: stopped.signal, keep });
    return { proof, engine };
  } finally {
    app.close();
  }
}

/** What differs from an ordinary proof. */
interface ProofOptions {
  files: Texts;
  task: { envFile?: Variables; databaseUrl?: string; keep?: boolean };
  begins(name: string, stopped: AbortController): void;
  /** The name of the engine. */
  name: string;
}

const failures = ({ lines }: Proof) =>
  lines.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name);

test('all lines are met, in the order of a deploy', async () => {
  const { proof } = await proofOf('');
  assert.equal(
    proof.lines.map(({ name, verdict }) => `${name} ${verdict}`),
    'build boot health migrate page socket database tls user background history stop memory'
      .split(' ')
      .map((name) => `${name} met`),
  );
  assert.is(exitCode(proof), 0);
  assert.match(summaryText(proof), 'shop is ready for fly deploy: 13 met');
  assert.match(proof.notes.join(), 'Placeholders stand for STRIPE_KEY');
});

/** What is broken, the line that fails, and what it says. */
const BROKEN: [broken: string, line: string, text: RegExp][] = [
  ['build', 'build', /stopped after/],
  ['migrate', 'migrate', /ended with 1\n.*no such table/],
  ['start', 'boot', /ended with exit code 1\n.*POOL_SIZE/],
  ['unflushed', 'boot', /exit code 1\n.*failed with:\n.*POOL_SIZE/],
  ['boot', 'boot', /listens on port 4001, and internal_port in fly.toml is 4000/],
  ['loop', 'boot', /ended with exit code 1\n.*Shop.Trader terminating/],
  ['health', 'health', /GET \/health gave 301 to \/health/],
  ['page', 'page', /redirects without end/],
  ['ssl', 'page', /redirects without end/],
  ['asset', 'page', /\/ asks for \/assets\/app.js\?vsn=d, which answered 404/],
  ['origin', 'socket', /check_origin does not hold it/],
  ['path', 'socket', /\/ws answered 404, and lib\/shop_web\/endpoint.ex has it at \/live/],
  ['database', 'database', /a query fails\n.*ConnectionError/],
  ['gone', 'database', /the app stopped when Postgres was restarted/],
  ['stuck', 'database', /no query succeeds .* after a restart of Postgres\n.*dropped/],
  ['crash', 'database', /the app has ended by itself, exit code 1/],
  ['memory', 'memory', /killed at the limit of 512 MB/],
  ['starved', 'memory', /killed at the limit/],
  ['late', 'memory', /killed at the limit/],
  ['tls', 'tls', /was accepted/],
  ['user', 'user', /runs as root/],
  ['writable', 'user', /its own code: \/app\/bin\/shop/],
  ['eval', 'background', /Shop.Trader runs in bin\/shop eval/],
  ['switch', 'background', /Shop.Trader runs with BACKGROUND_ENABLED=false/],
  ['history', 'history', /API_TOKEN/],
  ['file', 'history', /\.\/\.env stands in the image/],
  ['stop', 'stop', /SIGTERM did not end it within 1.0 s/],
  ['swallow', 'stop', /it goes to "sh \/app\/bin\/entry", which has to exec the release/],
];
const FILES_OF_FAULTS: Record<string, Texts> = {
  path: { 'assets/js/app.js': 'new LiveSocket("/ws", Socket)' },
};
for (const [broken, line, words] of BROKEN)
  test(`a broken ${broken} fails its line alone, and says why`, async () => {
    const { proof } = await proofOf(broken, { files: FILES_OF_FAULTS[broken] ?? {} });
    assert.equal(failures(proof), [line]);
    assert.is(exitCode(proof), 1);
    const [text = ''] = proof.lines.filter(({ name }) => name === line).map(lineText);
    assert.match(text, /^ {2}failed/);
    assert.match(text, words);
  });

test('a database that answers only a while after its restart is met', async () => {
  const { proof } = await proofOf('slow');
  assert.equal(failures(proof), []);
});

test('workers that crash are named, each once', async () => {
  const { proof } = await proofOf('loop');
  const crashed = 'GenServer Shop.Trader crashed and was started again: ** (RuntimeError) no.';
  assert.equal(
    proof.notes.filter((note) => /crashed/.test(note)),
    [crashed],
  );
});

test('containers, image and network are removed; values are in no command line', async () => {
  const { engine } = await proofOf('boot');
  const last = engine.commands.slice(-6).join('\n');
  assert.match(
    last,
    /^rm --force --volumes phoenix-fly-\w{8}-db-2\n.*-app-3\n(.*\n)*network rm phoenix-fly-/,
  );
  assert.match(last, 'rmi --force --no-prune localhost/phoenix-fly-prove:');
  assert.match(engine.commands.join('\n'), '--env SECRET_KEY_BASE --env');
  assert.not.match(engine.commands.join('\n'), /SECRET_KEY_BASE=|prove@/);
});

test('the throwaway database comes under the name by which the app reads its address', async () => {
  const proved = async (name: string) => {
    const runtime = `import Config\nconfig :shop, Shop.Repo, url: System.fetch_env!("${name}")\n`;
    const files = { 'config/runtime.exs': runtime };
    const envFile = { [name]: 'postgres://mine/shop' };
    const { proof, engine } = await proofOf('boot', { files, task: { envFile } });
    const values = engine.environments.flatMap((env) => env[name] ?? []);
    return { notes: proof.notes.join(), value: values.at(-1) ?? '' };
  };
  const { notes, value } = await proved('PG_URL');
  assert.match(value, /^postgres:\/\/postgres:prove@/);
  assert.match(notes, 'PG_URL of --env-file is not used');
  assert.not.match((await proved('LD_PRELOAD')).value, 'prove@');
});

test("variables that the repo names don't reach the engine's own environment", async () => {
  const { engine } = await proofOf('boot', {
    files: {
      'fly.toml': FLY.replace('[env]', '$&\nLD_PRELOAD = "./evil.so"\nDOCKER_HOST = "tcp://evil"'),
      'config/runtime.exs': 'import Config\nSystem.fetch_env!("LD_LIBRARY_PATH")\n',
    },
    task: { envFile: { STRIPE_KEY: 'sk' } },
  });
  assert.match(engine.commands.join('\n'), '--env LD_PRELOAD=./evil.so');
  const names = new Set(engine.environments.flatMap((env) => Object.keys(env)));
  const expected = 'DATABASE_URL DIRECT_DATABASE_URL DOCKER_BUILDKIT SECRET_KEY_BASE STRIPE_KEY';
  assert.is([...names].sort().join(' '), expected);
});

test("Docker builds with BuildKit; a note names the ignorefile that it doesn't read", async () => {
  const fly = FLY.replace('[env]', '[build]\nignorefile = "fly.ignore"\n[env]');
  const files = { 'fly.toml': fly, 'fly.ignore': 'deps\n' };
  const { proof, engine } = await proofOf('', { name: 'docker', files });
  assert.is(exitCode(proof), 0);
  assert.match(proof.notes.join(), 'Docker took .dockerignore, not fly.ignore');
  const build = engine.commands.findIndex((line) => /^build /.test(line));
  assert.is(engine.environments[build]?.DOCKER_BUILDKIT, '1');
});

test('after an interrupt, everything is removed too', async () => {
  const { proof, engine } = await proofOf('', {
    begins: (name, stopped) => name === 'health' && stopped.abort(),
  });
  assert.equal(
    proof.lines.map(({ name }) => name),
    ['build', 'boot'],
  );
  assert.match(engine.commands.at(-1) ?? '', /^rmi /);
});

test('--keep prints how to remove what is kept', async () => {
  const { proof, engine } = await proofOf('', { task: { keep: true } });
  assert.not.match(engine.commands.at(-1) ?? '', /^rmi /);
  assert.match(proof.url ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(
    summaryText(proof),
    /podman rm --force --volumes phoenix-fly-\w+-app-3; .*podman network rm/,
  );
});

test("Podman gets images by their whole names, and the Dockerfile's secrets by their ids", async () => {
  const { engine } = await proofOf('short', {
    files: {
      Dockerfile:
        'FROM elixir:1.18 AS build\nRUN --mount=type=secret,id=GITHUB_TOKEN mix deps.get\n',
    },
    task: { envFile: { GITHUB_TOKEN: 'hunter2hunter2' } },
  });
  const commands = engine.commands.join('\n');
  assert.match(commands, 'pull --quiet docker.io/library/elixir:1.18');
  assert.match(commands, '--secret=id=GITHUB_TOKEN,env=GITHUB_TOKEN');
  assert.not.match(commands, 'hunter2');
});

test('a build secret comes from --env-file alone, and only a required one has to', async () => {
  const built = async (options: string) => {
    const Dockerfile = `FROM scratch\nRUN --mount=type=secret,id=HOME${options} true\n`;
    const proved = await proofOf('', { files: { Dockerfile } }).catch((error: Error) => error);
    return proved instanceof Error ? proved.message : proved.engine.commands.join('\n');
  };
  assert.match(await built(',required=true'), 'the build needs HOME; write NAME=value into a file');
  assert.not.match(await built(''), 'secret=id=HOME');
});

test('a volume of fly.toml belongs to root, and no release_command sees it', async () => {
  const fly = `${FLY}[deploy]\nrelease_command = "bin/prepare"\n[mounts]\nsource = "data"\ndestination = "/data"\n`;
  const { engine, proof } = await proofOf('', { files: { 'fly.toml': fly } });
  const order = proof.lines.map(({ name }) => name).join(' ');
  assert.match(order, /^build migrate boot health page/);
  const mounted = engine.commands.filter((line) => line.includes(':/data:nocopy'));
  assert.match(mounted[0] ?? '', /--user 0 .*sh -c chown 0:0 \/data && chmod 755 \/data$/);
  assert.match(mounted[1] ?? '', /^run --detach .*-app-/);
  assert.not.match(engine.commands.find((line) => line.includes('bin/prepare')) ?? '', '/data');
  assert.match(engine.commands.join('\n'), /volume rm --force phoenix-fly-\w{8}\n/);
});

test('migrations run on the throwaway database only, unless another is named', async () => {
  const own = 'postgres://shop:hunter2@db.example.com/shop';
  const { proof, engine } = await proofOf('', { task: { envFile: { DATABASE_URL: own } } });
  assert.match(proof.notes.join(), 'only --database-url');
  assert.ok(engine.environments.every((env) => env.DATABASE_URL !== own || env.DOCKER_BUILDKIT));
  const named = await proofOf('', { task: { databaseUrl: own } });
  assert.ok(named.engine.environments.some((env) => env.DATABASE_URL === own));
  assert.not.match(named.engine.commands.join('\n'), 'postgres:17');
  const external = { 'config/runtime.exs': 'import Config\nconfig :shop, Shop.Repo, ssl: true\n' };
  const { engine: plain } = await proofOf('', { files: external });
  assert.ok(plain.environments.some((env) => env.DATABASE_URL?.endsWith('/prove?ssl=false')));
});

test("MySQL needs --database-url; localhost becomes the engine's name for this machine", async () => {
  const mysql = FILES['lib/shop/repo.ex']?.replace('Postgres', 'MyXQL') ?? '';
  const failure = await proofOf('', { files: { 'lib/shop/repo.ex': mysql } }).catch(
    (error: Error) => error.message,
  );
  assert.match(String(failure), 'mysql, and prove brings Postgres: name yours with --database-url');
  const [docker, podman] = ['docker', 'podman'].map((name) =>
    ownDatabase(name, 'postgres://me:pw@localhost:5432/shop'),
  );
  assert.is(docker?.url, 'postgres://me:pw@host.docker.internal:5432/shop');
  assert.equal(docker?.options, ['--add-host', 'host.docker.internal:host-gateway']);
  assert.is(podman?.url, 'postgres://me:pw@host.containers.internal:5432/shop');
});

test('the deploy is read from fly.toml', () => {
  const deploy = (section: string, files: Texts = {}) => {
    const project = projectOf({ ...files, 'fly.toml': FLY.replace('[env]', `${section}\n[env]`) });
    return deployOf(project, flyConfig(project.tree));
  };
  const { dockerfile, releaseCommand, memory, killTimeout, host, check } = deploy(
    '[build]\ndockerfile = "Dockerfile.fly"\n[deploy]\nrelease_command = "bin/prepare"',
    { 'Dockerfile.fly': 'FROM scratch\n' },
  );
  assert.equal(
    [dockerfile, releaseCommand, memory, killTimeout, host],
    ['Dockerfile.fly', 'bin/prepare', 512, 1000, 'shop.example.com'],
  );
  const headers = { 'X-Forwarded-Proto': 'https' };
  assert.equal(check, { method: 'GET', path: '/health', headers, timeout: 2000, grace: 0 });
  assert.throws(() => deploy('[build]\nimage = "x"'), /\[build\] image/);
  const outside = '[build]\nignorefile = "../../outside"';
  assert.throws(() => deploy(outside), /no \.\.\/\.\.\/outside in the repo/);
});

test('the first engine that answers, or why none does', async () => {
  const silent = { code: 1, stdout: '', all: '' };
  const works = { code: 0, stdout: '', all: '' };
  const down = {
    ...silent,
    all: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\nClient:\n Version:    28.2.2\n\nServer:\n',
  };
  const engineOf = (docker: Outcome, podman: Outcome) =>
    findEngine(
      Object.entries({ docker, podman }).map(([name, answer]) => ({
        name,
        pause: async () => {},
        run: async () => answer,
      })),
    ).catch((error: Error) => ({ name: error.message }));
  assert.is((await engineOf(down, works)).name, 'podman');
  assert.match((await engineOf(down, silent)).name, 'docker: Cannot connect');
  assert.match((await engineOf(silent, silent)).name, 'needs docker or podman on PATH');
});

test('from the sockets of the machine: whether Fly reaches the app', () => {
  const tables = `${TCP6('0FA0')}\n  1: 0100007F:1111 00000000:0000 0A\n  2: 00000000:0050 00000000:0000 01`;
  assert.is(unreachable(tables, 4000), '');
  assert.match(unreachable(tables, 8080), 'port 4000, and internal_port in fly.toml is 8080');
  assert.match(unreachable('  0: 0100007F:1111 00000000:0000 0A', 4000), 'PHX_SERVER');
  assert.match(unreachable('  0: 00000000:0FA0 00000000:0000 0A', 4000), 'IPv4 only');
  assert.match(unreachable(TCP6('0FA0', `${'0'.repeat(24)}01000000`), 4000), 'loopback');
});

test("telling lines of logs, secrets in the image's history, LiveView in a page", () => {
  assert.equal(faultLines('a\nb\n** (RuntimeError) DATABASE_URL is missing\nc'), [
    '** (RuntimeError) DATABASE_URL is missing',
    'c',
  ]);
  assert.equal(faultLines('a\nb'), ['a', 'b']);
  const drift = ['error: {:jason, "~> 9.0"}', 'but: {:jason, "~> 1.2"}', 'but: {:jason, "~> 1.4"}'];
  assert.equal(faultLines(drift.join('\n')), drift);
  const again = 'request_id=A1 [error] #PID<0.1> refused\n[info] GET /\n';
  assert.equal(faultLines(again + again.replace('A1', 'B2').replace('0.1', '0.2')), [
    'request_id=A1 [error] #PID<0.1> refused',
  ]);
  assert.equal(leaks(['ENV PORT=4000', 'ARG SECRET_KEY_BASE=abcdefghij'], []), ['SECRET_KEY_BASE']);
  assert.equal(leaks(['COPY x', 'RUN TOKEN="$(cat /run/secrets/TOKEN)" mix'], []), []);
  assert.equal(leaks(['RUN echo hunter2hunter2'], ['hunter2hunter2']), ['a value of --env-file']);
  assert.equal(leaks(['RUN printf "login me password ghp_0123456789abcdef" > x'], []), [
    'a token (ghp_…)',
  ]);
  const live = liveJoin('https://shop.example.com/', { headers: {}, body: LIVE });
  assert.is(live?.topic, 'lv:phx-1');
  const params = { _csrf_token: 'token', _mounts: 0 };
  const signed = { session: 'signed', static: 'static' };
  assert.equal(live?.payload, { url: 'https://shop.example.com/', params, ...signed });
  assert.is(liveJoin('/', { headers: {}, body: '<html></html>' }), undefined);
});

test.run();
