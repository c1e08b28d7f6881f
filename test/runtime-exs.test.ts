import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runtimeExs } from '../generators/runtime-exs.ts';
import { complete } from '../src/answers/questions.ts';
import type { Finding } from '../src/check/rule.ts';
import { ourBlock } from '../src/edit/block.ts';
import { after, FLAGS, planFor, projectOf, shop } from './support.ts';
import { type Flags, judge, results, type Texts } from './traps.ts';

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
const owned = (...settings: string[]): Texts =>
  stock({ [RUNTIME]: `${STOCK}\n${settings.map((one) => `config ${one}\n`).join('')}` });
const spoilt = (from: string, to: string): Texts => {
  assert.ok(STOCK.includes(from), from);
  return stock({ [RUNTIME]: STOCK.replace(from, () => to) });
};
const run = (texts: Texts, flags: Flags = FLAGS): Texts => after(texts, planFor(texts, flags));
const block = (texts: Texts, flags: Flags = FLAGS): string =>
  ourBlock(planFor(texts, flags, undefined, 'runtime-exs')[0]?.after ?? '') ?? '';
const EXTERNAL = { ...FLAGS, postgres: 'external' };
const MANAGED = { ...FLAGS, postgres: 'managed' };
const HOST = { ...FLAGS, host: 'shop.example.org' };
const lock = (name: string, version: string): string =>
  (shop()['mix.lock'] ?? '').replace(
    /}\s*$/,
    `  "${name}": {:hex, :${name}, "${version}", "00", [:mix], [], "hexpm", "00"},\n}\n`,
  );
const findings = (texts: Texts, id: string): Finding[] => judge(texts, id).findings;
const says = (texts: Texts, id: string): string =>
  findings(texts, id)
    .map(({ weight, file, line, what }) => `${weight} ${file}:${line} ${what}`)
    .join('\n');

test('a stock Phoenix 1.8 app gets a short block: what its own file does stands there alone', () => {
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

test('what the owner set is not set again', () => {
  const cases: [string, Texts, RegExp, Flags?][] = [
    [
      'a pool size',
      spoilt('String.to_integer(System.get_env("POOL_SIZE") || "10")', '40'),
      /pool_size/,
    ],
    [
      'a pool size from an own variable',
      spoilt('System.get_env("POOL_SIZE")', 'System.get_env("DB_POOL_SIZE")'),
      /pool_size/,
    ],
    ['queue settings', owned(':shop, Shop.Repo, queue_interval: 60_000'), /queue_/],
    [
      'a database by parts',
      spoilt(
        'url: System.get_env("DATABASE_URL") || raise("DATABASE_URL is missing")',
        'hostname: System.fetch_env!("DB_HOST")',
      ),
      /database_url/,
    ],
    [
      'a database by another name',
      spoilt('System.get_env("DATABASE_URL")', 'System.get_env("DB_URL")'),
      /url: d/,
    ],
    ['every origin', owned(':shop, ShopWeb.Endpoint, check_origin: false'), /check_origin/, HOST],
    [
      'a list of origins',
      owned(':shop, ShopWeb.Endpoint, check_origin: ["//a.org"]'),
      /check_origin/,
      HOST,
    ],
    [
      'origins of a module',
      owned(':shop, ShopWeb.Endpoint, check_origin: {Shop, :origin?, []}'),
      /check_origin/,
      HOST,
    ],
    ['a host from an own variable', spoilt('"PHX_HOST"', '"URL_HOST"'), /url: \[/],
    [
      'a host of its own',
      spoilt('System.get_env("PHX_HOST") || "example.com"', '"shop.org"'),
      /url: \[/,
    ],
    ['an address', spoilt('{0, 0, 0, 0, 0, 0, 0, 0}', '{0, 0, 0, 0}'), /ip:/],
    ['a format', owned(':logger, :default_formatter, format: "$message\\n"'), /format:/],
    ['metadata', owned(':logger, :default_formatter, metadata: [:trace_id]'), /metadata:/],
    [
      'a console of older Phoenix',
      owned(':logger, :console, format: "$message\\n", metadata: [:pid]'),
      /formatter/,
    ],
    [
      'a formatter',
      owned(':logger, :default_handler, formatter: {LoggerJSON.Basic, []}'),
      /formatter/,
    ],
    ['backends', owned(':logger, backends: [LoggerJSON]'), /format/],
    ['TLS options', owned(':shop, :https, verify: :verify_peer, cacerts: []'), /:tls/],
    [
      'a switch',
      owned(':shop, :workers, System.get_env("BACKGROUND_ENABLED") != "false"'),
      /:background/,
    ],
    ['prepared statements', owned(':shop, Shop.Repo, prepare: :named'), /prepare/, MANAGED],
    [
      'TLS of the database',
      owned(':shop, Shop.Repo, ssl: [verify: :verify_none]'),
      /ssl:/,
      EXTERNAL,
    ],
    [
      'socket options',
      spoilt('socket_options: maybe_ipv6', 'socket_options: [:inet]'),
      /socket_options/,
    ],
  ];
  for (const [name, texts, written, flags] of cases)
    assert.not.match(block(texts, flags), written, name);
});

test('a level of the owner stays until LOG_LEVEL is set', () => {
  assert.match(
    block(owned(':logger, level: :warning')),
    'if log_level = System.get_env("LOG_LEVEL") do\n    config :logger, level:',
  );
  assert.not.match(
    block(owned(':logger, level: String.to_atom(System.get_env("LOG_LEVEL", "info"))')),
    'LOG_LEVEL',
  );
});

test('a placeholder is no choice', () => {
  const compiled = (setting: string) =>
    stock({
      [RUNTIME]: 'import Config\n',
      'config/prod.exs': `import Config\nconfig :shop, ${setting}\n`,
    });
  for (const host of ['localhost', 'example.com', 'shop.herokuapp.com'])
    assert.match(
      block(compiled(`ShopWeb.Endpoint, url: [host: "${host}", port: 80]`)),
      'url: [host: host, port: 443',
    );
  assert.match(block(compiled('ShopWeb.Endpoint, http: [ip: {127, 0, 0, 1}]')), 'ip: {0, 0');
  assert.match(block(compiled('ShopWeb.Endpoint, secret_key_base: "abc"')), 'secret_key_base:');
  assert.match(block(compiled('Shop.Repo, hostname: "localhost"')), 'url: database_url');
});

test('machines without the [env] of fly.toml fall back to their name on fly.dev', () => {
  assert.match(
    block(shop({ [RUNTIME]: 'import Config\n' })),
    'System.get_env("PHX_HOST", fly_host)',
  );
  assert.match(block(stock()), 'url: [host: host]');
  assert.not.match(
    block(spoilt('System.get_env("PHX_HOST") || "example.com"', 'System.fetch_env!("PHX_HOST")')),
    'PHX_HOST',
  );
});

test('repos on another kind of database, or with an address of their own, are left alone', () => {
  const repo = (name: string, adapter: string) =>
    `defmodule Shop.${name} do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.${adapter}\nend\n`;
  const texts = shop({
    [RUNTIME]: 'import Config\nconfig :shop, Shop.Replica, url: System.get_env("REPLICA_URL")\n',
    'config/config.exs':
      'import Config\nconfig :shop, ecto_repos: [Shop.Repo, Shop.Edge, Shop.Events, Shop.Replica]\n',
    'lib/shop/repo.ex':
      repo('Repo', 'Postgres') +
      repo('Edge', 'SQLite3') +
      repo('Events', 'ClickHouse') +
      repo('Replica', 'Postgres'),
  });
  const lines = block(texts);
  assert.is(lines.match(/url: database_url/g)?.length, 1);
  assert.not.match(lines, /Shop\.(Edge|Events|Replica)/);
  const verdicts = ['R3.2', 'R3.3', 'R2.3'].map((id) => says(run(texts), id)).join();
  assert.not.match(verdicts, /Edge|Events|Replica/);
  const alone = {
    ...texts,
    'config/config.exs': 'import Config\nconfig :shop, ecto_repos: [Shop.Replica]\n',
  };
  assert.match(block(alone), 'config :shop, Shop.Replica,');
});

test('a database outside Fly is reached over TLS that verifies, as the locked postgrex takes it', () => {
  const verified = /ssl: \[\n {6}verify: :verify_peer/;
  assert.match(block(stock(), EXTERNAL), verified);
  assert.match(
    block(stock({ 'mix.lock': lock('postgrex', '0.17.5') }), EXTERNAL),
    /ssl: true,\n {4}ssl_opts: \[\n {6}verify: :verify_peer[\s\S]*server_name_indication/,
  );
  assert.match(block(stock(), EXTERNAL), 'prepare: if(pooled?, do: :unnamed, else: :named)');
  assert.not.match(block(stock()), /ssl:|prepare/);
  const bare = (version: string) =>
    says(
      run(
        {
          ...owned(':shop, Shop.Repo, ssl: true'),
          'mix.lock': lock('postgrex', version),
        },
        EXTERNAL,
      ),
      'R3.2',
    );
  assert.match(
    bare('0.20.0'),
    'should config/runtime.exs:25 Shop.Repo: ssl: true of postgrex before 0.21.1',
  );
  assert.not.match(bare('0.21.1'), 'ssl');
});

test('ssl left over from another platform is named: Postgres on Fly has none', () => {
  const texts = run(owned(':shop, Shop.Repo, ssl: true'));
  assert.match(says(texts, 'R3.2'), 'must config/runtime.exs:25 Shop.Repo: ssl is on');
});

test('ssl that init of a repo turns on is named too', () => {
  const init = (config: string) => ({
    'lib/shop/repo.ex': `defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\n  def init(_, config) do\n    {:ok, ${config}}\n  end\nend\n`,
  });
  for (const config of ['Keyword.put(config, :ssl, true)', 'Keyword.merge(config, ssl: true)'])
    assert.match(
      says(run({ ...stock(), ...init(config) }), 'R3.2'),
      'must lib/shop/repo.ex:4 Shop.Repo: in init, ssl is on',
    );
  const off = init('Keyword.put(config, :ssl, false)');
  assert.not.match(says(run({ ...stock(), ...off }), 'R3.2'), 'in init');
});

test('Managed Postgres: unnamed statements, and migrations around the pooler', () => {
  const lines = block(stock(), MANAGED);
  assert.match(lines, 'prepare: :unnamed');
  assert.match(lines, 'if direct_url = eval? && System.get_env("DIRECT_DATABASE_URL") do');
  const around = spoilt(
    'System.get_env("DATABASE_URL") ||',
    '(System.get_env("RELEASE_COMMAND") == "eval" && System.get_env("DIRECT_DATABASE_URL")) || System.get_env("DATABASE_URL") ||',
  );
  assert.not.match(block(around, MANAGED), 'DIRECT_DATABASE_URL');
});

test('a setting that compile_env reads is never set at run time, and named where it is', () => {
  const router = (call: string) => ({
    'lib/shop_web/router.ex': `defmodule ShopWeb.Router do\n  use Phoenix.Router\n  @value ${call}\nend\n`,
  });
  for (const [call, setting] of [
    ['Application.compile_env(:shop, :staff)', ':shop, :staff, name: System.get_env("STAFF")'],
    [
      'Application.compile_env!(:shop, [:staff, :name])',
      ':shop, staff: [name: System.get_env("STAFF")]',
    ],
  ] as const) {
    const texts = { ...owned(setting), ...router(call) };
    assert.match(
      says(run(texts), 'R3.1'),
      /must config\/runtime.exs:25 the release stops at boot: :shop, staff.* lib\/shop_web\/router.ex:3/,
    );
  }
  const tls = { ...stock(), ...router('Application.compile_env(:shop, :tls, [])') };
  assert.not.match(block(tls), ':tls');
  const part = { ...stock(), ...router('Application.compile_env(:shop, [:tls, :verify])') };
  assert.not.match(block(part), ':tls');
  assert.is(judge(run(tls), 'R3.1').verdict, 'met');
  assert.is(judge(run(tls), 'R3.4').verdict, 'met');
  const level = { ...stock(), ...router('Application.compile_env(:logger, :level)') };
  assert.not.match(block(level), 'LOG_LEVEL');
  assert.is(judge(run(level), 'R3.1').verdict, 'met');
  const same = {
    ...owned(':shop, :size, 3'),
    ...router('Application.compile_env(:shop, :size)'),
    'config/prod.exs': 'import Config\nconfig :shop, :size, 3\n',
  };
  assert.is(judge(run(same), 'R3.1').verdict, 'met');
});

test('force_ssl at run time stops the boot', () => {
  assert.match(
    says(run(owned(':shop, ShopWeb.Endpoint, force_ssl: [hsts: true]')), 'R3.1'),
    'must config/runtime.exs:25 the release stops at boot: :shop, ShopWeb.Endpoint, force_ssl',
  );
});

test('origins are compared with the host that fly.toml names', () => {
  const with_ = (origins: string) =>
    run(owned(`:shop, ShopWeb.Endpoint, check_origin: ${origins}`), HOST);
  for (const origins of [
    '["https://a.org", "https://shop.example.org"]',
    '["//*.example.org"]',
    '["//shop.example.org", "//b.org"]',
  ])
    assert.is(judge(with_(origins), 'R3.3').verdict, 'met', origins);
  assert.match(
    says(with_('["https://a.org"]'), 'R3.3'),
    'must config/runtime.exs:25 check_origin does not list',
  );
  assert.match(says(with_('false'), 'R3.3'), 'advice config/runtime.exs:25 check_origin: false');
  const socket = (origins: string) =>
    says(
      run(
        stock({
          'lib/shop_web/endpoint.ex': `defmodule ShopWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :shop
  socket "/live", Phoenix.LiveView.Socket, websocket: [check_origin: ${origins}]
  plug ShopWeb.Router
end
`,
        }),
        HOST,
      ),
      'R3.3',
    );
  assert.match(socket('["https://a.org"]'), "must lib/shop_web/endpoint.ex:3 this socket's own");
  for (const origins of ['["//a.org", "//shop.example.org"]', '[@host]', 'true'])
    assert.is(socket(origins), '');
  // Without a fly.toml the name on fly.dev can't be compared with anything
  const early = owned(':shop, ShopWeb.Endpoint, check_origin: ["//shop.fly.dev"]');
  assert.not.match(says(early, 'R3.3'), 'check_origin does not list');
});

test("a host of the app's own is a fault where fly.toml names another, and its sockets have no list", () => {
  const own = spoilt('System.get_env("PHX_HOST") || "example.com"', '"shop.org"');
  const fly = { 'fly.toml': 'app = "shop"\n[env]\nPHX_HOST = "shop.fly.dev"\n' };
  assert.match(
    says({ ...own, ...fly }, 'R3.3'),
    'must config/runtime.exs:null check_origin does not list PHX_HOST',
  );
  assert.match(block({ ...own, ...fly }), 'check_origin: ["//shop.org", "//#{host}"]');
  assert.is(judge(run({ ...own, ...fly }), 'R3.3').verdict, 'met');
});

test("a host from the owner's variable gets no list of origins; fly.toml has to set the variable", () => {
  const HOST_READ = 'System.get_env("PHX_HOST") || "example.com"';
  const demanded = spoilt(HOST_READ, 'System.fetch_env!("WEB_HOST")');
  assert.not.match(block(demanded), /check_origin|WEB_HOST/);
  const optional = stock({
    [RUNTIME]: `${STOCK.replace(HOST_READ, '"localhost"')}
if web = System.get_env("WEB_HOST"), do: config(:shop, ShopWeb.Endpoint, url: [host: web])
`,
  });
  assert.match(
    says(optional, 'R3.3'),
    /must config\/runtime.exs:\d+ links and LiveView sockets take/,
  );
});

test('links name the port that visitors come to', () => {
  const port = 'port: 443, scheme';
  const own = spoilt(port, 'port: String.to_integer(System.get_env("PORT", "4000")), scheme');
  assert.match(says(own, 'R3.3'), 'links name the port that it listens on');
  assert.match(block(own), 'port: 443');
  assert.is(says(run(own), 'R3.3'), '');
});

test('a release has no Mix', () => {
  assert.match(says(owned(':shop, env: "#{Mix.env()}"'), 'R3.1'), 'should config/runtime.exs:25');
  assert.is(says(owned(':shop, env: config_env()', ':shop, a: 1 # Mix.env()'), 'R3.1'), '');
});

test('machines of FLAME, which get no [env], are named where the app demands PHX_HOST', () => {
  const demands = spoilt(
    'System.get_env("PHX_HOST") || "example.com"',
    'System.fetch_env!("PHX_HOST")',
  );
  const texts = { ...demands, 'mix.lock': lock('flame', '0.5.2') };
  assert.match(says(texts, 'R3.3'), "should config/runtime.exs:17 FLAME's machines");
  assert.not.match(says(demands, 'R3.3'), 'FLAME');
});

test('the older switch of Phoenix serves too', () => {
  const texts = stock({
    [RUNTIME]: STOCK.replace('if System.get_env("PHX_SERVER") do', 'if false do'),
    'config/prod.exs': 'import Config\nconfig :phoenix, :serve_endpoints, true\n',
  });
  assert.not.match(block(texts), 'server:');
  assert.is(judge(run(texts), 'R3.1').verdict, 'met');
});

test('the older way to listen on IPv6 is one', () => {
  const old = spoilt(
    'http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}]',
    'http: [:inet6, port: String.to_integer(System.get_env("PORT"))]',
  );
  assert.is(judge(run(old), 'R3.3').verdict, 'met');
  assert.not.match(block(old), 'http:');
});

test('a port of its own goes into fly.toml and Dockerfile', () => {
  const own = run(spoilt('String.to_integer(System.get_env("PORT", "4000"))', '8080'));
  assert.match(own['fly.toml'] ?? '', 'internal_port = 8080');
  assert.match(own.Dockerfile ?? '', 'EXPOSE 8080');
  assert.is(judge(own, 'R3.3').verdict, 'met');
});

test('what gives way to our block, and what the owner set that breaks on Fly, is said', () => {
  const notes = (texts: Texts, flags: Flags = FLAGS): string => {
    const project = projectOf(texts);
    return (runtimeExs.notes?.({ project, answers: complete(flags, project, {}) }) ?? []).join(
      '\n',
    );
  };
  assert.is(notes(stock()), '');
  // What our block writes is no note
  assert.is(
    notes(spoilt('pool_size: String.to_integer(System.get_env("POOL_SIZE") || "10"),', '')),
    '',
  );
  assert.match(
    notes(spoilt('System.get_env("PHX_HOST") || "example.com"', '"shop.herokuapp.com"')),
    'config/runtime.exs:19: url.host: "shop.herokuapp.com" is replaced by ours',
  );
  assert.match(
    notes(owned(':shop, Shop.Repo, ssl: true')),
    'config/runtime.exs:25: Shop.Repo: ssl is on',
  );
  assert.match(
    notes(owned(':shop, ShopWeb.Endpoint, check_origin: ["//a.org"]'), HOST),
    'config/runtime.exs:25: check_origin does not list PHX_HOST',
  );
  assert.not.match(notes(owned(':shop, Shop.Repo, ssl: true'), EXTERNAL), 'ssl is on');
});

test("a setting below a condition is its owner's, whatever the condition comes out as", () => {
  const texts = stock({
    [RUNTIME]: `${STOCK}\nif Shop.Config.public?() do\n  config :shop, ShopWeb.Endpoint, check_origin: ["//a.org"]\n  config :shop, :https, verify: :verify_peer, cacerts: []\nend\n`,
  });
  assert.not.match(block(texts, HOST), 'check_origin');
});

test('what is read while the image is built has its default there', () => {
  const compiled = (setting: string) =>
    stock({
      [RUNTIME]: 'import Config\n',
      'config/prod.exs': `import Config\nconfig :shop, ShopWeb.Endpoint, ${setting}\n`,
    });
  assert.not.match(
    block(compiled('url: [host: System.get_env("URL_HOST") || "shop.org"]')),
    /url: \[host/,
  );
  assert.match(block(compiled('url: [host: System.get_env("URL_HOST")]')), 'url: [host: host');
  assert.match(block(compiled('secret_key_base: System.get_env("SECRET")')), 'secret_key_base:');
});

test('a secret that the build demands is read when the release boots', () => {
  const texts = stock({
    [RUNTIME]: undefined,
    'config/prod.exs':
      'import Config\nurl = System.get_env("DATABASE_URL") || raise("DATABASE_URL is missing")\nconfig :shop, Shop.Repo, url: url, pool_size: 4\nconfig :shop, ShopWeb.Endpoint, secret_key_base: System.fetch_env!("SECRET_KEY_BASE")\n',
  });
  for (const key of ['url: database_url', 'secret_key_base:']) assert.match(block(texts), key);
  assert.not.match(block(texts), 'pool_size');
  assert.is(judge(run(texts), 'R3.3').verdict, 'met');
});

test('tzdata, which writes below the release, keeps to the time zones that it came with', () => {
  const texts = stock({ 'mix.lock': lock('tzdata', '1.1.3') });
  assert.match(block(texts), 'config :tzdata, :autoupdate, :disabled');
  assert.not.match(
    block({ ...texts, [RUNTIME]: `${STOCK}\nconfig :tzdata, :data_dir, "/data"\n` }),
    'tzdata',
  );
});

test('a second run changes nothing, and all is met but what the owner chose', () => {
  for (const flags of [FLAGS, HOST, MANAGED, EXTERNAL]) {
    const texts = run(stock(), flags);
    assert.equal(run(texts, flags), texts);
    const open = results(texts).filter(({ verdict }) => /must|should|unknown/.test(verdict));
    assert.equal(
      open.map(({ id }) => id),
      [],
    );
  }
});

test.run();
