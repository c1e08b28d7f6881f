import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runtimeExs } from '../generators/runtime-exs.ts';
import { ourBlock } from '../src/edit/block.ts';
import {
  afterFly,
  FLAGS,
  type Flags,
  notesOf,
  planFor,
  projectOf,
  shop,
  shopLock,
  type Texts,
  withChanges,
} from './support/fixture.ts';
import { checkTexts, findingsOf, resultFor } from './support/traps.ts';

const RUNTIME = 'config/runtime.exs';
const STOCK = `import Config

if System.get_env("PHX_SERVER") do
  config :shop, ShopWeb.Endpoint, server: true
end

config :shop, ShopWeb.Endpoint, http: [port: String.to_integer(System.get_env("PORT", "4000"))]

if config_env() == :prod do
  maybe_ipv6 = if System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: []

  config :shop, Shop.Repo,
    url: System.get_env("DATABASE_URL") || raise("DATABASE_URL is missing"),
    pool_size: String.to_integer(System.get_env("POOL_SIZE") || "10"),
    socket_options: maybe_ipv6

  host = System.get_env("PHX_HOST") || "example.com"

  config :shop, ShopWeb.Endpoint,
    url: [host: host, port: 443, scheme: "https"],
    http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}],
    secret_key_base: System.get_env("SECRET_KEY_BASE") || raise("SECRET_KEY_BASE is missing")
end
`;

/** A stock Phoenix 1.8 app, with changes. */
const stock = (changes: Record<string, string | undefined> = {}): Texts =>
  shop({
    [RUNTIME]: STOCK,
    'config/config.exs': `${shop()['config/config.exs']}
config :logger, :default_formatter, format: "$time $metadata[$level] $message\\n", metadata: [:request_id]
`,
    ...changes,
  });
/** The stock file with more settings of the owner's. */
const withSettings = (...settings: string[]): Texts =>
  stock({ [RUNTIME]: `${STOCK}\n${settings.map((one) => `config ${one}\n`).join('')}` });
const HOST_READ = 'System.get_env("PHX_HOST") || "example.com"';
const URL_READ = 'System.get_env("DATABASE_URL") || raise("DATABASE_URL is missing")';
const PORT_READ = 'String.to_integer(System.get_env("PORT", "4000"))';
const stockWith = (from: string, to: string): Texts => {
  assert.ok(STOCK.includes(from), from);
  return stock({ [RUNTIME]: STOCK.replace(from, () => to) });
};
/** The files on which the verdicts here depend. */
const run = (texts: Texts, flags: Flags = FLAGS): Texts =>
  ['fly-toml', 'runtime-exs'].reduce(
    (done, file) => withChanges(done, planFor(texts, flags, undefined, file)),
    texts,
  );
const block = (texts: Texts, flags: Flags = FLAGS): string =>
  ourBlock(planFor(texts, flags, undefined, 'runtime-exs')[0]?.after ?? '') ?? '';
const EXTERNAL = { ...FLAGS, postgres: 'external' };
const MANAGED = { ...FLAGS, postgres: 'managed' };
const HOST = { ...FLAGS, host: 'shop.example.org' };
const lock = (name: string, version: string): string => shopLock({ [`${name} ${version}`]: [] });

test('a stock Phoenix 1.8 app gets a short block, without what its own file does', () => {
  for (const flags of [FLAGS, HOST]) {
    const lines = block(stock(), flags);
    assert.ok(lines.split('\n').length <= 33, lines);
    for (const key of ['server:', 'secret_key_base', 'pool_size', 'DATABASE_URL', 'http:', 'ip:'])
      assert.not.match(lines, key);
    for (const key of ['BACKGROUND_ENABLED', ':tls', 'LOG_LEVEL']) assert.match(lines, key);
  }
  assert.match(block(stock(), HOST), 'check_origin: ["//#{host}", "//#{fly_host}"]');
  assert.not.match(block(stock()), 'check_origin');
});

/** A setting of the owner's, and what our block does not hold then. */
const OWNED: [string, RegExp, Flags?][] = [
  [':shop, Shop.Repo, queue_interval: 60_000', /queue_/],
  [':shop, Shop.Repo, prepare: :named', /prepare/, MANAGED],
  [':shop, Shop.Repo, ssl: [verify: :verify_none]', /ssl:/, EXTERNAL],
  [':shop, ShopWeb.Endpoint, check_origin: false', /check_origin/, HOST],
  [':shop, ShopWeb.Endpoint, check_origin: ["//a.org"]', /check_origin/, HOST],
  [':shop, ShopWeb.Endpoint, check_origin: {Shop, :origin?, []}', /check_origin/, HOST],
  [':logger, :default_formatter, format: "$message\\n"', /format:/],
  [':logger, :default_formatter, metadata: [:trace_id]', /metadata:/],
  [':logger, :console, format: "$message\\n", metadata: [:pid]', /formatter/],
  [':logger, :default_handler, formatter: {LoggerJSON.Basic, []}', /formatter/],
  [':logger, backends: [LoggerJSON]', /format/],
  [':logger, level: String.to_atom(System.get_env("LOG_LEVEL", "info"))', /LOG_LEVEL/],
  [':shop, :https, verify: :verify_peer, cacerts: []', /:tls/],
  [':shop, :http, tls: [verify: :verify_peer, cacerts: []]', /:tls/],
  [':shop, :workers, System.get_env("BACKGROUND_ENABLED") != "false"', /:background/],
  [':tzdata, :data_dir, "/data"', /tzdata/],
];
/** The same where the owner has other lines in place of Phoenix's. */
const REPLACED: [string, string, RegExp][] = [
  ['String.to_integer(System.get_env("POOL_SIZE") || "10")', '40', /pool_size/],
  ['System.get_env("POOL_SIZE")', 'System.get_env("DB_POOL_SIZE")', /pool_size/],
  [`url: ${URL_READ}`, 'hostname: System.fetch_env!("DB_HOST")', /database_url/],
  ['System.get_env("DATABASE_URL")', 'System.get_env("DB_URL")', /url: d/],
  [`url: ${URL_READ}`, 'endpoints: [{"pg1.example.com", 5432}]', /database_url/],
  ['"PHX_HOST"', '"URL_HOST"', /url: \[/],
  [HOST_READ, '"shop.org"', /url: \[/],
  [HOST_READ, 'System.fetch_env!("PHX_HOST")', /PHX_HOST/],
  [HOST_READ, 'System.fetch_env!("WEB_HOST")', /check_origin|WEB_HOST/],
  ['{0, 0, 0, 0, 0, 0, 0, 0}', '{0, 0, 0, 0}', /ip:/],
  ['socket_options: maybe_ipv6', 'socket_options: [:inet]', /socket_options/],
];
const TZDATA = { 'mix.lock': lock('tzdata', '1.1.3') };
test('what the owner set is not set again', () => {
  for (const [setting, written, flags] of OWNED)
    assert.not.match(block({ ...withSettings(setting), ...TZDATA }, flags), written, setting);
  for (const [from, to, written] of REPLACED)
    assert.not.match(block(stockWith(from, to)), written, to);
  assert.match(block(stock(TZDATA)), 'config :tzdata, :autoupdate, :disabled');
});

test('a level of the owner stays until LOG_LEVEL is set', () => {
  assert.match(
    block(withSettings(':logger, level: :warning')),
    'if log_level = System.get_env("LOG_LEVEL") do\n    config :logger, level:',
  );
});

/** Settings of prod.exs that are no choice for the release, and what our block sets. */
const COMPILED: [string, string][] = [
  ['ShopWeb.Endpoint, url: [host: "localhost", port: 80]', 'url: [host: host, port: 443'],
  ['ShopWeb.Endpoint, url: [host: "example.com", port: 80]', 'url: [host: host, port: 443'],
  ['ShopWeb.Endpoint, url: [host: "shop.herokuapp.com", port: 80]', 'url: [host: host, port: 443'],
  ['ShopWeb.Endpoint, http: [ip: {127, 0, 0, 1}]', 'ip: {0, 0'],
  ['ShopWeb.Endpoint, secret_key_base: "abc"', 'secret_key_base:'],
  ['Shop.Repo, hostname: "localhost"', 'url: database_url'],
  // What is read while the image is built has its default there
  ['ShopWeb.Endpoint, url: [host: System.get_env("URL_HOST")]', 'url: [host: host'],
  ['ShopWeb.Endpoint, secret_key_base: System.get_env("SECRET")', 'secret_key_base:'],
];
test('placeholders and variables of the build are replaced', () => {
  const compiled = (setting: string) =>
    block(
      stock({
        [RUNTIME]: 'import Config\n',
        'config/prod.exs': `import Config\nconfig :shop, ${setting}\n`,
      }),
    );
  for (const [setting, written] of COMPILED) assert.match(compiled(setting), written);
  const chosen = 'ShopWeb.Endpoint, url: [host: System.get_env("URL_HOST") || "shop.org"]';
  assert.not.match(compiled(chosen), /url: \[host/);
});

test('machines without the [env] of fly.toml fall back to their name on fly.dev', () => {
  assert.match(
    block(shop({ [RUNTIME]: 'import Config\n' })),
    'System.get_env("PHX_HOST", fly_host)',
  );
  assert.match(block(stock()), 'url: [host: host]');
});

test('repos on another kind of database, or with an address of their own, are left alone', () => {
  const repo = (name: string, adapter: string) =>
    `defmodule Shop.${name} do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.${adapter}\nend\n`;
  const config = (repos: string) => `import Config\nconfig :shop, ecto_repos: [${repos}]\n`;
  const texts = shop({
    [RUNTIME]: 'import Config\nconfig :shop, Shop.Replica, url: System.get_env("REPLICA_URL")\n',
    'config/config.exs': config('Shop.Repo, Shop.Edge, Shop.Events, Shop.Replica'),
    'lib/shop/repo.ex':
      repo('Repo', 'Postgres') +
      repo('Edge', 'SQLite3') +
      repo('Events', 'ClickHouse') +
      repo('Replica', 'Postgres'),
  });
  const lines = block(texts);
  assert.is(lines.match(/url: database_url/g)?.length, 1);
  assert.not.match(lines, /Shop\.(Edge|Events|Replica)/);
  const verdicts = ['R3.2', 'R3.3', 'R2.3'].map((id) => findingsOf(run(texts), id)).join();
  assert.not.match(verdicts, /Edge|Events|Replica/);
  const alone = { ...texts, 'config/config.exs': config('Shop.Replica') };
  assert.match(block(alone), 'config :shop, Shop.Replica,');
});

test('a database outside Fly is reached over TLS that verifies, as the locked postgrex takes it', () => {
  assert.match(block(stock(), EXTERNAL), /ssl: \[\n {6}verify: :verify_peer/);
  assert.match(
    block(stock({ 'mix.lock': lock('postgrex', '0.17.5') }), EXTERNAL),
    /ssl: true,\n {4}ssl_opts: \[\n {6}verify: :verify_peer[\s\S]*server_name_indication/,
  );
  assert.match(block(stock(), EXTERNAL), 'prepare: if(pooled?, do: :unnamed, else: :named)');
  assert.not.match(block(stock()), /ssl:|prepare/);
});

test('Managed Postgres: unnamed statements, and migrations around the pooler', () => {
  const lines = block(stock(), MANAGED);
  assert.match(lines, 'prepare: :unnamed');
  assert.match(lines, 'if direct_url = eval? && System.get_env("DIRECT_DATABASE_URL") do');
  const around = stockWith(
    'System.get_env("DATABASE_URL") ||',
    '(System.get_env("RELEASE_COMMAND") == "eval" && System.get_env("DIRECT_DATABASE_URL")) || System.get_env("DATABASE_URL") ||',
  );
  assert.not.match(block(around, MANAGED), 'DIRECT_DATABASE_URL');
  // A repo that :ecto_repos doesn't list, at the same address and at another
  const jobs = (url: string) => ({
    ...stock({ [RUNTIME]: `${STOCK}\nconfig :shop, Shop.JobsRepo, url: ${url}\n` }),
    'lib/shop/jobs_repo.ex':
      'defmodule Shop.JobsRepo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n',
  });
  const shared = block(jobs('System.get_env("DATABASE_URL")'), MANAGED);
  assert.match(shared, /Shop.JobsRepo,[^:]*pool_size[\s\S]*prepare: :unnamed/);
  assert.not.match(shared, 'Shop.JobsRepo, url: direct_url');
  assert.not.match(block(jobs('System.get_env("JOBS_URL")'), MANAGED), 'Shop.JobsRepo');
});

const router = (call: string) => ({
  'lib/shop_web/router.ex': `defmodule ShopWeb.Router do\n  use Phoenix.Router\n  @value ${call}\nend\n`,
});
const STAFF = [
  ['Application.compile_env(:shop, :staff)', ':shop, :staff, name: System.get_env("STAFF")'],
  [
    'Application.compile_env!(:shop, [:staff, :name])',
    ':shop, staff: [name: System.get_env("STAFF")]',
  ],
] as const;
test('a setting that compile_env reads is never set at run time, and named where it is', () => {
  for (const [call, setting] of STAFF)
    assert.match(
      findingsOf(run({ ...withSettings(setting), ...router(call) }), 'R3.1'),
      /must config\/runtime.exs:25 the release stops at boot: :shop, staff.* lib\/shop_web\/router.ex:3/,
    );
  const tls = { ...stock(), ...router('Application.compile_env(:shop, :tls, [])') };
  const part = { ...stock(), ...router('Application.compile_env(:shop, [:tls, :verify])') };
  for (const texts of [tls, part]) assert.not.match(block(texts), ':tls');
  const level = { ...stock(), ...router('Application.compile_env(:logger, :level)') };
  assert.not.match(block(level), 'LOG_LEVEL');
  const same = {
    ...withSettings(':shop, :size, 3'),
    ...router('Application.compile_env(:shop, :size)'),
    'config/prod.exs': 'import Config\nconfig :shop, :size, 3\n',
  };
  for (const texts of [tls, level, same]) assert.is(resultFor(run(texts), 'R3.1').verdict, 'met');
  assert.is(resultFor(run(tls), 'R3.4').verdict, 'met');
});

const origins = (list: string) => withSettings(`:shop, ShopWeb.Endpoint, check_origin: ${list}`);
const socket = (list: string, handler = 'Phoenix.LiveView.Socket') =>
  stock({
    'lib/shop_web/endpoint.ex': `defmodule ShopWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :shop
  @other ["//a.org"]
  socket "/live", ${handler}, websocket: [check_origin: ${list}]
  plug ShopWeb.Router
end
`,
  });
const init = (config: string) => ({
  ...stock(),
  'lib/shop/repo.ex': `defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\n  def init(_, config) do\n    {:ok, ${config}}\n  end\nend\n`,
});
const SSL = ':shop, Shop.Repo, ssl: true';
const postgrex = (version: string) => ({
  ...withSettings(SSL),
  'mix.lock': lock('postgrex', version),
});
const FLAME = { 'mix.lock': lock('flame', '0.5.2') };
const fetches = stockWith(HOST_READ, 'System.fetch_env!("PHX_HOST")');
const webHost = stock({
  [RUNTIME]: `${STOCK.replace(HOST_READ, '"localhost"')}
if web = System.get_env("WEB_HOST"), do: config(:shop, ShopWeb.Endpoint, url: [host: web])
`,
});
/** What is said of a repo, of one after our run; '': nothing. */
const FINDINGS: [string, Texts, string | RegExp][] = [
  // Postgres on Fly has no TLS
  ['R3.2', run(withSettings(SSL)), 'must config/runtime.exs:25 Shop.Repo: ssl is on'],
  [
    'R3.2',
    run(init('Keyword.put(config, :ssl, true)')),
    'must lib/shop/repo.ex:4 Shop.Repo: in init, ssl is on',
  ],
  [
    'R3.2',
    run(init('Keyword.merge(config, ssl: true)')),
    'must lib/shop/repo.ex:4 Shop.Repo: in init, ssl is on',
  ],
  ['R3.2', run(init('Keyword.merge(config, ssl: [verify: :verify_none])')), 'in init, ssl is on'],
  ['R3.2', run(init('Keyword.put(config, :ssl, false)')), /^(?!.*in init)/s],
  [
    'R3.2',
    run(withSettings(':shop, Shop.Repo, url: System.fetch_env!("PG_URL") <> "?ssl=true"')),
    'Shop.Repo: ssl is on',
  ],
  ...[
    ':shop, Shop.Repo, ssl: [verify: :verify_none]',
    ':shop, Shop.Repo, ssl: true, ssl_opts: [verify: :verify_none]',
  ].map((setting): [string, Texts, string] => [
    'R3.2',
    run(withSettings(setting), EXTERNAL),
    'should config/runtime.exs:25 Shop.Repo: verify_none takes any certificate',
  ]),
  [
    'R3.2',
    run(postgrex('0.20.0'), EXTERNAL),
    'should config/runtime.exs:25 Shop.Repo: ssl: true of postgrex before 0.21.1',
  ],
  ['R3.2', run(postgrex('0.21.1'), EXTERNAL), /^(?!.*ssl)/s],
  [
    'R3.1',
    run(withSettings(':shop, ShopWeb.Endpoint, force_ssl: [hsts: true]')),
    'must config/runtime.exs:25 the release stops at boot: :shop, ShopWeb.Endpoint, force_ssl',
  ],
  // A release has no Mix
  ['R3.1', withSettings(':shop, env: "#{Mix.env()}"'), 'should config/runtime.exs:25'],
  ['R3.1', withSettings(':shop, env: config_env()', ':shop, a: 1 # Mix.env()'), ''],
  ['R3.3', run(origins('["https://a.org", "https://shop.example.org"]'), HOST), ''],
  ['R3.3', run(origins('["//*.example.org"]'), HOST), ''],
  ['R3.3', run(origins('["//shop.example.org", "//b.org"]'), HOST), ''],
  [
    'R3.3',
    run(origins('["https://a.org"]'), HOST),
    'must config/runtime.exs:25 check_origin does not list',
  ],
  ['R3.3', run(origins('false'), HOST), 'advice config/runtime.exs:25 check_origin: false'],
  // Without a fly.toml the name on fly.dev can't be compared with anything
  ['R3.3', origins('["//shop.fly.dev"]'), /^(?!.*check_origin does not list)/s],
  [
    'R3.3',
    run(socket('["https://a.org"]'), HOST),
    "must lib/shop_web/endpoint.ex:4 this socket's own",
  ],
  ['R3.3', run(socket('~w(//a.org //b.org)'), HOST), 'must lib/shop_web/endpoint.ex:4'],
  ['R3.3', run(socket('@other'), HOST), 'must lib/shop_web/endpoint.ex:4'],
  ['R3.3', run(socket('@other', 'ShopWeb.Widget'), HOST), 'should lib/shop_web/endpoint.ex:4'],
  [
    'R3.3',
    run(origins('String.split(System.get_env("ORIGINS") || "", ",")'), HOST),
    'should config/runtime.exs:25 LiveView sockets connect only from what ORIGINS lists',
  ],
  [
    'R3.3',
    run(socket('["//a.org"], timeout: 1], longpoll: [check_origin: ["//a.org"]'), HOST),
    /^(?!.*(own check_origin.*){2}).*own check_origin/s,
  ],
  ['R3.3', run(origins('[System.get_env("ORIGIN", "//shop.example.org")]'), HOST), ''],
  ['R3.3', run(socket('["//a.org", "//shop.example.org"]'), HOST), ''],
  ['R3.3', run(socket('[@host]'), HOST), ''],
  ['R3.3', run(socket('true'), HOST), ''],
  ['R3.3', webHost, /must config\/runtime.exs:\d+ links and LiveView sockets take/],
  // Machines of FLAME get no [env]
  ['R3.3', { ...fetches, ...FLAME }, "should config/runtime.exs:17 FLAME's machines"],
  ['R3.3', fetches, /^(?!.*FLAME)/s],
];
test("settings of the owner's that break on Fly are findings", () => {
  for (const [id, texts, words] of FINDINGS) {
    const findings = findingsOf(texts, id);
    if (words === '') assert.is(findings, '');
    else assert.match(findings, words);
  }
});

test('the value for a variable of allowed origins has the form in which it is read', () => {
  for (const [list, value] of [
    ['["//" <> System.get_env("ORIGIN", "a.org")]', 'shop.example.org'],
    ['["https://#{System.get_env("ORIGIN", "a.org")}"]', 'shop.example.org'],
    ['[System.get_env("ORIGIN", "//a.org")]', 'https://shop.example.org'],
  ] as const) {
    const [finding] = resultFor(run(origins(list), HOST), 'R3.3').findings;
    assert.match(finding?.edit ?? '', `add: ORIGIN = "${value}"`);
  }
});

test("a switch of the owner's turns TLS to the database off", () => {
  for (const [ssl, edit] of [
    [
      'System.get_env("DB_SSL", "true") == "true"',
      'in fly.toml below [env], set: DB_SSL = "false"',
    ],
    ['System.get_env("DB_SSLMODE") != "disable"', 'set: DB_SSLMODE = "disable"'],
    ['System.get_env("DB_NO_SSL") != "true"', 'set: DB_NO_SSL = "true"'],
    ['[cacertfile: System.get_env("DB_SSL_CA", "ca.pem")]', 'remove ssl;'],
  ] as const)
    for (const flags of [FLAGS, MANAGED]) {
      const texts = run(withSettings(`:shop, Shop.Repo, ssl: ${ssl}`), flags);
      assert.match(resultFor(texts, 'R3.2').findings[0]?.edit ?? '', edit);
    }
});

test('a fixed host is a fault where fly.toml names another', () => {
  const fly = { 'fly.toml': 'app = "shop"\n[env]\nPHX_HOST = "shop.fly.dev"\n' };
  const own = { ...stockWith(HOST_READ, '"shop.org"'), ...fly };
  assert.match(
    findingsOf(own, 'R3.3'),
    'must config/runtime.exs:null check_origin does not list PHX_HOST',
  );
  assert.match(block(own), 'check_origin: ["//shop.org", "//#{host}"]');
  assert.is(resultFor(run(own), 'R3.3').verdict, 'met');
});

test('links name the port that visitors come to', () => {
  const own = stockWith('port: 443, scheme', `port: ${PORT_READ}, scheme`);
  assert.match(findingsOf(own, 'R3.3'), 'links name the port that it listens on');
  assert.match(block(own), 'port: 443');
  assert.is(findingsOf(run(own), 'R3.3'), '');
});

test('older ways to serve and to listen on IPv6 are met', () => {
  const switched = stock({
    [RUNTIME]: STOCK.replace('if System.get_env("PHX_SERVER") do', 'if false do'),
    'config/prod.exs': 'import Config\nconfig :phoenix, :serve_endpoints, true\n',
  });
  assert.not.match(block(switched), 'server:');
  assert.is(resultFor(run(switched), 'R3.1').verdict, 'met');
  const inet6 = stockWith(
    'http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}]',
    'http: [:inet6, port: String.to_integer(System.get_env("PORT"))]',
  );
  assert.not.match(block(inet6), 'http:');
  assert.is(resultFor(run(inet6), 'R3.3').verdict, 'met');
});

test('a port of its own goes into fly.toml and Dockerfile', () => {
  const own = afterFly(stockWith(PORT_READ, '8080'));
  assert.match(own['fly.toml'] ?? '', 'internal_port = 8080');
  assert.match(own.Dockerfile ?? '', 'EXPOSE 8080');
  assert.is(resultFor(own, 'R3.3').verdict, 'met');
});

test('notes name settings that our block replaces, and those that break on Fly', () => {
  const notes = (texts: Texts, flags?: Flags) => notesOf(runtimeExs, projectOf(texts), flags);
  // What our block writes is no note
  const pool = 'pool_size: String.to_integer(System.get_env("POOL_SIZE") || "10"),';
  const optional = 'System.get_env("REPLICA_URL") || System.get_env("DATABASE_URL")';
  const replica = stock({
    [RUNTIME]: `import Config\nconfig :shop, Shop.Replica, url: ${optional}\n`,
  });
  for (const texts of [stock(), stockWith(pool, ''), replica]) assert.is(notes(texts), '');
  assert.match(
    notes(stockWith(HOST_READ, '"shop.herokuapp.com"')),
    'config/runtime.exs:19: url.host: "shop.herokuapp.com" is replaced by ours',
  );
  assert.match(notes(withSettings(SSL)), 'config/runtime.exs:25: Shop.Repo: ssl is on');
  assert.match(
    notes(origins('["//a.org"]'), HOST),
    'config/runtime.exs:25: check_origin does not list PHX_HOST',
  );
  assert.not.match(notes(withSettings(SSL), EXTERNAL), 'ssl is on');
});

test("a setting under a condition that can't be decided stays in force", () => {
  const texts = stock({
    [RUNTIME]: `${STOCK}\nif Shop.Config.public?() do\n  config :shop, ShopWeb.Endpoint, check_origin: ["//a.org"]\n  config :shop, :https, verify: :verify_peer, cacerts: []\nend\n`,
  });
  assert.not.match(block(texts, HOST), 'check_origin');
});

test('a secret that prod.exs reads is read again when the release boots', () => {
  const texts = stock({
    [RUNTIME]: undefined,
    'config/prod.exs':
      'import Config\nurl = System.get_env("DATABASE_URL") || raise("DATABASE_URL is missing")\nconfig :shop, Shop.Repo, url: url, pool_size: 4\nconfig :shop, ShopWeb.Endpoint, secret_key_base: System.fetch_env!("SECRET_KEY_BASE")\n',
  });
  for (const key of ['url: database_url', 'secret_key_base:']) assert.match(block(texts), key);
  assert.not.match(block(texts), 'pool_size');
  assert.is(resultFor(run(texts), 'R3.3').verdict, 'met');
});

test('after a run all is met, and a second run changes nothing', () => {
  for (const flags of [FLAGS, HOST, MANAGED, EXTERNAL]) {
    const texts = afterFly(stock(), flags);
    assert.equal(afterFly(texts, flags), texts);
    const open = checkTexts(texts).filter(({ verdict }) => /must|should|unknown/.test(verdict));
    assert.equal(
      open.map(({ id }) => id),
      [],
    );
  }
});

test.run();
