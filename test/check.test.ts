import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result } from '../src/check/check.ts';
import { runMain } from './support/commands.ts';
import { afterFly, FLAGS, type Flags, planFor, SHOP, shop } from './support/fixture.ts';
import { checkTexts, generated, replaceIn, resultFor, umbrella, unmet } from './support/traps.ts';

const DOCKERFILE = 'Dockerfile';
const FLY = 'fly.toml';
const RUNTIME = 'config/runtime.exs';

for (const [name, flags] of Object.entries<Flags>({
  'a Fly Postgres app': FLAGS,
  'Managed Postgres on Debian': { ...FLAGS, postgres: 'managed:abc', base: 'debian' },
  'a database outside Fly, a host of its own': {
    ...FLAGS,
    postgres: 'external',
    host: 'shop.example.com',
  },
  'migrations, no psql, half the memory': { ...FLAGS, migrate: 'yes', psql: 'no', memory: '512mb' },
})) {
  test(`after fly all is met: ${name}`, () => assert.equal(unmet(generated(flags)), []));
}

test('after fly all is met: an older fly.toml and a lax check_origin', () => {
  const texts = shop({
    'config/prod.exs':
      'import Config\n\nconfig :shop, ShopWeb.Endpoint, check_origin: false, force_ssl: [rewrite_on: [:x_forwarded_proto]]\n',
    'fly.toml':
      'app = "shop"\nkill_timeout = 5\n\n[[services]]\n  internal_port = 5432\n  protocol = "tcp"\n  [[services.ports]]\n    port = 5432\n\n[[services]]\n  internal_port = 8080\n  protocol = "tcp"\n  [services.concurrency]\n    hard_limit = 25\n    soft_limit = 20\n  [[services.ports]]\n    handlers = ["http"]\n    port = 80\n  [[services.ports]]\n    handlers = ["tls", "http"]\n    port = 443\n',
  });
  const written = afterFly(texts, { ...FLAGS, memory: '1gb' });
  // The owner's word counts, and is named
  assert.equal(unmet(written), ['R3.3 advice']);
});

test('a health check of a file or a route of the owner is no fault', () => {
  const checked = (path: string) =>
    replaceIn(generated(), FLY, 'path = "/health"', `path = "${path}"`);
  const router = 'lib/shop_web/router.ex';
  const route = (line: string) =>
    `defmodule ShopWeb.Router do\n  use Phoenix.Router\n  ${line}\nend\n`;
  const file = { ...checked('/robots.txt'), 'priv/static/robots.txt': '' };
  const own = { ...checked('/api/up'), [router]: route('get "/up", ShopWeb.Up, :show') };
  for (const texts of [file, own]) assert.is(resultFor(texts, 'R2.5').verdict, 'met');
  const gone = { ...checked('/api/up'), [router]: route('# get "/up", ShopWeb.Up, :show') };
  for (const texts of [checked('/robots.txt'), gone])
    assert.is(resultFor(texts, 'R2.5').verdict, 'must');
  const before = shop({ [FLY]: checked('/robots.txt')[FLY], 'priv/static/robots.txt': '' });
  assert.not(planFor(before).some(({ path }) => path.includes('health')));
});

test('a health route that asks the database is said to', () => {
  const asking = (action: string) => {
    const texts = shop({
      'lib/shop_web/router.ex':
        'defmodule ShopWeb.Router do\n  use Phoenix.Router\n  get "/up", HealthController, :show\nend\n',
      'lib/shop_web/health.ex': `defmodule ShopWeb.HealthController do\n  def show(conn, _), do: ${action}\n  def other(_, _), do: Shop.Repo.all(X)\n  defp ask, do: Ecto.Adapters.SQL.query(Shop.Repo, "SELECT 1")\nend\n`,
    });
    return resultFor(afterFly(texts), 'R2.5');
  };
  assert.is(asking('Shop.Repo.query!("SELECT 1")').verdict, 'advice');
  assert.match(asking('ask()').findings[0]?.what ?? '', '/up asks the database');
  assert.is(asking('text(conn, "ok")').verdict, 'met');
});

test('without the files no requirement is met, and the edit is a command', () => {
  const missing = checkTexts(shop({ 'config/runtime.exs': undefined }));
  assert.is(
    missing.filter(({ verdict }) => verdict === 'must' || verdict === 'should').length,
    missing.length,
  );
  assert.match(missing[0]?.findings[0]?.edit ?? '', 'npx plop dockerfile');
});

test('after fly all is met: an umbrella', () => assert.equal(unmet(umbrella()), []));

test('a repo that the generators refuse is checked, and no edit names a generator', () => {
  const sqlite = replaceIn(
    replaceIn(shop(), 'lib/shop/repo.ex', 'Ecto.Adapters.Postgres', 'Ecto.Adapters.SQLite3'),
    'mix.exs',
    ':postgrex',
    ':ecto_sqlite3',
  );
  assert.match(resultFor(sqlite, 'R1.1').findings[0]?.edit ?? '', /^write it yourself; .* SQLite/);
});

test('what only the running release knows is unknown, never met', () => {
  const IPV6 = 'if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])';
  const FORMATTER = 'config :logger, :default_formatter';
  const HANDLER = 'config :logger, :default_handler, formatter: Shop.Logs.new()\n  ';
  for (const [id, file, from, to] of [
    ['R3.2', RUNTIME, 'String.to_integer(System.get_env("POOL_SIZE", "10"))', 'Shop.Sizes.pool()'],
    ['R1.3', DOCKERFILE, 'alpine:${ALPINE_VERSION}', 'registry.example.com/base:7'],
    ['R1.1', DOCKERFILE, 'mix ', 'make '],
    ['R2.1', FLY, '"lhr"', '"zzz"'],
    ['R1.6', RUNTIME, 'System.get_env("PHX_SERVER") in ~w(true 1)', 'Shop.Sizes.server()'],
    ['R2.3', RUNTIME, IPV6, 'Shop.Sizes.socket()'],
    ['R3.5', RUNTIME, FORMATTER, HANDLER + FORMATTER],
    ['R3.3', RUNTIME, '      raise "environment', '      System.halt(1) && "environment'],
  ] as const)
    assert.is(resultFor(replaceIn(generated(), file, from, to), id).verdict, 'unknown', from);
  const { [RUNTIME]: runtime = '', ...others } = generated();
  const pool = '    pool_size: String.to_integer(System.get_env("POOL_SIZE", "10")),\n';
  const condition = 'if Shop.Env.large?() do\n  config :shop, Shop.Repo, pool_size: 40\nend\n';
  const hosted = generated({ ...FLAGS, host: 'shop.example.com' });
  for (const [id, texts] of [
    ['R3.3', replaceIn(hosted, RUNTIME, '["//#{host}", "//#{fly_host}"]', 'Shop.Origins.all()')],
    ['R2.5', { ...generated(), [FLY]: 'app = ' }],
    ['R1.4', shop({ [FLY]: 'app = "shop"\n[build]\n  image = "registry.example.com/shop:1"\n' })],
    ['R3.2', { ...others, [RUNTIME]: runtime.replace(pool, '') + condition }],
    ['R3.1', { ...others, [RUNTIME]: `${runtime}\nif x do\n` }],
  ] as const)
    assert.is(resultFor(texts, id).verdict, 'unknown', id);
});

test('what is no fault but worth knowing is a note', () => {
  const SSL = 'force_ssl: [rewrite_on: [:x_forwarded_proto]]';
  const { [RUNTIME]: runtime = '', ...others } = generated();
  for (const [id, texts, note] of [
    [
      'R2.5',
      replaceIn(generated(), 'config/prod.exs', SSL, `${SSL}, exclude: [paths: ["/health"]]`),
      'prod.exs:3: exclude is beside force_ssl',
    ],
    ['R1.3', generated({ ...FLAGS, psql: 'no' }), 'the image has no psql'],
    ['R2.7', { ...others, [RUNTIME]: `${runtime}\nSystem.fetch_env!("STRIPE")\n` }, 'STRIPE'],
    ['R3.1', { ...others, 'config/releases.exs': runtime }, 'rename it to config/runtime.exs'],
  ] as const)
    assert.match(resultFor(texts, id).notes.join(), note);
});

test('a finding has weight, file, line, what is wrong and the edit', () => {
  const texts = replaceIn(generated(), FLY, '[[vm]]', '[[processes]]');
  assert.equal(resultFor(texts, 'R2.2').findings, [
    {
      weight: 'advice',
      file: FLY,
      line: null,
      what: 'no [[vm]]: a first deploy gets 256 MB, and the Erlang VM may run out of memory',
      edit: 'npx plop fly-toml -- --memory 1gb, or at the end:\n[[vm]]\nsize = "shared-cpu-1x"\nmemory = "1gb"',
    },
  ]);
});

test('other ways to write the same are met', () => {
  const stock = replaceIn(
    generated(),
    RUNTIME,
    'if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])',
    'if(System.get_env("ECTO_IPV6", "false") in ["true", "1"], do: [:inet6], else: [])',
  );
  const service = replaceIn(
    stock,
    FLY,
    '[http_service.checks.headers]',
    '[http_service.checks.headers] # mine',
  );
  const dockerfile = replaceIn(
    replaceIn(service, DOCKERFILE, 'mix do compile + ', 'mix do '),
    DOCKERFILE,
    '# Assets are built after',
    'RUN <<EOF\nmix do compile\nEOF\n# Assets are built after',
  );
  const server = {
    ...replaceIn(
      replaceIn(dockerfile, DOCKERFILE, 'PHX_SERVER=true ', ''),
      DOCKERFILE,
      'CMD ["/app/bin/shop", "start"]',
      'ENTRYPOINT ["/sbin/tini", "--"]\nCMD ["/app/bin/server"]',
    ),
    'rel/overlays/bin/server':
      '#!/bin/sh\nset -eu\ncd -P -- "$(dirname -- "$0")"\nPHX_SERVER=true exec ./shop start\n',
  };
  assert.equal(unmet(server), []);
});

test('the command: exit code 1 for a must, with --strict for any; --json for scripts', async () => {
  const check = (...args: string[]) => runMain('check', '--dest', SHOP, ...args);
  const plain = await check();
  assert.is(plain.code, 1);
  assert.match(plain.out, /must {5}R1\.1 .*\n +must: Dockerfile: the file is not there/);
  const { code, out } = await check('--json');
  assert.is(code, 1);
  const ids = (JSON.parse(out) as Result[]).map(({ id }) => id);
  assert.equal(
    ids,
    checkTexts(shop()).map(({ id }) => id),
  );
  assert.is((await check('--strict', ...ids.flatMap((id) => ['--skip', id]))).code, 0);
  const unknown = await check('--skip', 'R9.9: none');
  assert.is(unknown.code, 1);
  assert.match(unknown.out, 'there is no requirement R9.9');
});

test.run();
