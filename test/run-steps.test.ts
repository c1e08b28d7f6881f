import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '../generators/descriptors.ts';
import { BUDGET, monthlyCost, PRICES_AS_OF } from '../src/fly/cost.ts';
import type { Account } from '../src/fly/live.ts';
import { parsePostgres } from '../src/fly/postgres.ts';
import { presentIn } from '../src/plan/plan.ts';
import { costLines } from '../src/run/report.ts';
import { nextSteps, type StepContext } from '../src/run/steps.ts';
import {
  complete,
  FLAGS,
  type Flags,
  projectOf,
  shop,
  shopLock,
  type Texts,
} from './support/fixture.ts';

const invocation = { command: 'npx plop', cwd: '/work' } as const;
/** What an account may hold: apps by name, and whether they were deployed. */
const account = (apps: Record<string, boolean>, organization = 'acme'): Account => ({
  flyctl: 'logged in',
  apps: Object.entries(apps).map(([name, deployed]) => ({ name, organization, deployed })),
  organizations: ['personal', 'acme'],
});

/** The steps after a run on the fixture, in which `changes` were made before. */
function steps(flags: Flags = {}, changes: Texts = {}, known: Partial<StepContext> = {}): string {
  const project = projectOf(shop(changes));
  const answers = complete({ ...FLAGS, ...flags }, project);
  return nextSteps({
    project,
    answers: answers,
    present: presentIn(files, project),
    steps: undefined,
    appFolder: '/work/shop',
    invocation,
    hadSwitch: true,
    secrets: undefined,
    faults: [],
    ...known,
  });
}

const cost = (flags: Flags, changes: Texts = {}): string => {
  const project = projectOf(shop(changes));
  return costLines({ project, answers: complete({ ...FLAGS, ...flags }, project) });
};

test('machine and database are in the total, with the date of the prices', () => {
  const text = cost({});
  assert.match(
    text,
    `About $8.09 a month (prices of ${PRICES_AS_OF}): $5.92 app machine (shared-cpu-1x, 1024 MB) + $2.17 Postgres app`,
  );
  assert.not.match(text, 'more than $20');
  assert.not.match(text, 'for the time it sleeps');
});

test('past $20 a warning says what brings it under', () => {
  const text = cost({ postgres: 'managed' });
  assert.match(text, 'About $46.72 a month');
  assert.match(
    text,
    'That is more than $20 a month; a Postgres app that you look after yourself (--postgres NAME) instead makes it $8.09.',
  );
  assert.ok(monthlyCost(1024, parsePostgres('shop-db'), true).total < BUDGET);
});

test('costs that the total leaves out are named', () => {
  assert.match(cost({ postgres: 'external' }), 'the database outside Fly comes on top');
  const two = '[http_service]\nauto_stop_machines = "off"\nmin_machines_running = 2\n';
  assert.match(cost({}, { 'fly.toml': two }), 'About $6.21 a month (prices of 2026-08): 2 x');
  const groups = '[processes]\nweb = ""\njobs = ""\n[http_service]\nprocesses = ["web"]\n';
  assert.match(cost({}, { 'fly.toml': groups }), 'machines of jobs come on top');
  assert.match(cost({ background: 'no' }), 'the machine costs less for the time it sleeps');
  assert.match(
    cost({}, { 'fly.toml': 'app = "shop"\n[[vm]]\n  size = "performance-2x"\n' }),
    'What performance-2x costs is not in the table',
  );
});

const assertInOrder = (text: string, parts: string[]) => {
  const places = parts.map((part) => text.indexOf(part));
  const sorted = [...places].sort((left, right) => left - right);
  assert.equal(places, sorted, text);
  assert.not(places.includes(-1), text);
};

const DEMANDS = {
  'config/prod.exs': 'import Config\nconfig :shop, key: System.fetch_env!("LICENCE")\n',
  'config/runtime.exs': `${shop()['config/runtime.exs'] ?? ''}\nconfig :shop, :stripe, System.fetch_env!("STRIPE_SECRET")\nconfig :shop, :hook, System.fetch_env!("STRIPE_SECRET")\n`,
};
const DEPLOYED = { 'fly.toml': 'app = "shop"\nprimary_region = "lhr"\n' };

test('the first steps name, in order, what the app needs', () => {
  assertInOrder(steps({ host: 'shop.example.com' }, DEMANDS), [
    '  cd shop\n',
    'fly apps create shop --org personal\n',
    'SECRET_KEY_BASE=$(openssl',
    'fly postgres create --name shop-db --org personal --region lhr',
    'fly postgres attach shop-db --app shop',
    'STRIPE_SECRET  config/runtime.exs:',
    'fly secrets import --stage --app shop',
    'LICENCE  read while',
    'fly deploy --ha=false --build-secret LICENCE="$LICENCE"',
    'fly certs add shop.example.com',
    'fly ssh console --app shop -C /app/bin/migrate\n',
    'workers = [Shop.Trader]\n',
  ]);
});

test('a database: a new cluster is attached once its id is known; one outside Fly is a value', () => {
  assertInOrder(steps({ postgres: 'managed' }), [
    'fly mpg create --name shop-db',
    'CLUSTER_ID:\n  fly mpg attach CLUSTER_ID',
    'DIRECT_DATABASE_URL',
    'secrets import',
  ]);
  const picked = steps({ postgres: 'managed:abc' });
  assert.match(picked, 'fly mpg attach abc --app shop\n\n');
  assert.not.match(picked, 'mpg create');
  const outside = steps({ postgres: 'external' });
  assertInOrder(outside, ['DATABASE_URL  of your database', 'secrets import', 'fly deploy']);
  assert.not.match(outside, 'attach');
});

test('all workers are named, and Oban starts without queues where they do not run', () => {
  const modules = 'defmodule Shop.One do\nend\ndefmodule Shop.Two do\nend\n';
  const start =
    'defmodule Shop.Application do\n  use Application\n  def start(_, _), do: Supervisor.start_link([Shop.One, Shop.Two], [])\nend\n';
  const own = { 'lib/shop/application.ex': start, 'lib/shop/workers.ex': modules };
  assert.match(steps({}, own), 'workers = [Shop.One, Shop.Two]\n  children = if enabled');
  const nested = modules.replace(
    'defmodule Shop.Two do',
    'defmodule Shop.Three do\nend\n$&\n  use Supervisor\n  def init(_), do: Supervisor.init([Shop.Three], [])',
  );
  assert.match(steps({}, { ...own, 'lib/shop/workers.ex': nested }), '[Shop.One, Shop.Two]\n');
  const oban = steps(
    {},
    {
      'lib/shop/application.ex': '',
      'mix.lock': shopLock({ oban: [] }),
      'mix.exs': (shop()['mix.exs'] ?? '').replace('{:bandit', '{:oban, "~> 2.0"}, {:bandit'),
    },
  );
  assert.match(oban, '{Oban, if(enabled, do: options, else: Keyword.merge(options, queues: false');
  assert.not.match(oban, 'workers = ');
});

test('an app that runs is told of the switch for its workers once', () => {
  const files = {
    'fly.toml': 'app = "shop"\n',
    'lib/shop/ticker.ex': 'defmodule Shop.Ticker do\n  use GenServer\nend\n',
  };
  assert.match(steps({}, files, { hadSwitch: false }), 'In application.ex');
  assert.not.match(steps({}, files, { hadSwitch: true }), 'In application.ex');
});

test('an address that the app demands is named, whatever was answered about the database', () => {
  const own = '\nconfig :shop, Shop.Repo, url: System.fetch_env!("DATABASE_URL")\n';
  const runtime = { 'config/runtime.exs': `${shop()['config/runtime.exs'] ?? ''}${own}` };
  assert.match(steps({ postgres: 'none' }, runtime), /DATABASE_URL {2}config\/runtime/);
  assert.not.match(steps({}, runtime), /DATABASE_URL {2}/);
});

test('the key is set under the name by which the app reads it', () => {
  const own =
    '\nconfig :shop, ShopWeb.Endpoint, secret_key_base: System.fetch_env!("PHX_SECRET")\n';
  const runtime = `${shop()['config/runtime.exs'] ?? ''}${own}`;
  const text = steps({}, { 'config/runtime.exs': runtime });
  assert.match(text, 'fly secrets set PHX_SECRET=$(openssl');
  assert.not.match(text, /SECRET_KEY_BASE|PHX_SECRET {2}/);
});

test('the address of the database is set under the name by which the app reads it', () => {
  const own = '\nconfig :shop, Shop.Repo, url: System.fetch_env!("PG_URL")\n';
  const runtime = { 'config/runtime.exs': `${shop()['config/runtime.exs'] ?? ''}${own}` };
  const text = steps({}, runtime);
  assert.match(text, 'fly postgres attach shop-db --app shop --variable-name PG_URL\n');
  assert.not.match(text, /PG_URL {2}/);
  const outside = steps({ postgres: 'external' }, runtime);
  assert.match(outside, 'PG_URL  of your database');
  assert.not.match(outside, /DATABASE_URL|PG_URL {2}config/);
  // Made of several variables, none of which takes it
  const made = `"ecto://#{System.fetch_env!("DB_USER")}:#{System.fetch_env!("DB_PASS")}@db/shop"`;
  const parts = runtime['config/runtime.exs'].replace('System.fetch_env!("PG_URL")', made);
  assert.not.match(steps({}, { 'config/runtime.exs': parts }), 'variable-name');
});

test('without flyctl or a login, those steps come first', () => {
  const absent = steps({}, {}, { flyctl: 'absent' });
  assertInOrder(absent, ['fly.io/docs/flyctl/install', 'fly auth login\n', 'fly apps create']);
  assertInOrder(steps({}, {}, { flyctl: 'logged out' }), ['fly auth login\n', 'fly apps create']);
  assert.not.match(steps(), 'auth login');
});

test('steps for what the account has are left out', () => {
  const some = steps({}, DEMANDS, { ...account({ 'shop-db': true }), secrets: [] });
  assert.match(some, 'fly apps create shop --org acme\n');
  assert.not.match(some, 'postgres create');
  const most = steps({}, DEMANDS, {
    ...account({ shop: false, 'shop-db': true }),
    secrets: ['SECRET_KEY_BASE', 'DATABASE_URL'],
  });
  assert.not.match(most, /apps create|postgres create|attach|SECRET_KEY_BASE|auth login/);
  assertInOrder(most, ['STRIPE_SECRET', 'fly deploy --ha=false']);
  const secrets = ['SECRET_KEY_BASE', 'DATABASE_URL', 'STRIPE_SECRET'];
  const known = { ...account({ shop: false }), secrets: secrets };
  assert.not.match(steps({}, DEMANDS, known), /import|need a value/);
});

test('an app that runs is only deployed again', () => {
  const first = /apps create|postgres create|attach|SECRET_KEY_BASE|--ha=false|certs|workers/;
  const again = steps({}, { ...DEMANDS, ...DEPLOYED });
  assert.not.match(again, first);
  assertInOrder(again, ['cd shop', 'STRIPE_SECRET', 'fly deploy', 'bin/migrate', '--steps first']);
  assert.match(again, 'fly secrets list --app shop says which are set');
  const source = '# The database is outside Fly: fly secrets set DATABASE_URL=ecto://...\n';
  const outside = { 'fly.toml': `app = "shop"\n[env]\n${source}ECTO_IPV6 = "false"\n` };
  assert.not.match(steps({ postgres: 'external' }, outside), 'DATABASE_URL');
  const live = { ...account({ shop: true }), secrets: ['SECRET_KEY_BASE', 'DATABASE_URL'] };
  const known = steps({}, { ...DEMANDS, ...DEPLOYED }, live);
  assert.not.match(known, first);
  assert.not.match(known, '--steps');
  assertInOrder(known, ['STRIPE_SECRET  config/runtime.exs', 'secrets import', 'fly deploy']);
  assert.is(known.split('STRIPE_SECRET').length, 2, 'each name once');
  assert.not.match(known, 'says which are set');
  assertInOrder(steps({ postgres: 'managed:abc' }, DEPLOYED), [
    'says which are set',
    'DIRECT_DATABASE_URL',
    'fly deploy',
  ]);
  // What is new
  const attached = '# DATABASE_URL is a secret, set by: fly postgres attach old-db --app shop\n';
  const moved = steps(
    { host: 'shop.example.com' },
    { 'fly.toml': `app = "shop"\n[env]\n${attached}POOL_SIZE = "10"\n` },
  );
  assertInOrder(moved, [
    'postgres create --name shop-db',
    'attach shop-db',
    'fly deploy',
    'certs add',
  ]);
  assert.match(moved, 'fly secrets unset DATABASE_URL --stage --app shop\n');
  const cluster = steps({ postgres: 'managed:abc' }, DEPLOYED);
  assertInOrder(cluster, ['fly mpg attach abc --app shop\n', 'DIRECT_DATABASE_URL', 'fly deploy']);
  assert.match(cluster, 'says which are set');
  assert.not.match(cluster, 'unset');
  const attachedTo = '# DATABASE_URL is a secret, set by: fly mpg attach old --app shop\n';
  const changed = { 'fly.toml': `app = "shop"\n[env]\n${attachedTo}POOL_SIZE = "8"\n` };
  const all = [...live.secrets, 'DIRECT_DATABASE_URL'];
  assertInOrder(steps({ postgres: 'managed:abc' }, changed, { ...live, secrets: all }), [
    'unset DATABASE_URL',
    'fly mpg attach abc',
    'DIRECT_DATABASE_URL',
    'secrets import',
  ]);
  // Written, and never deployed
  assert.match(steps({}, DEPLOYED, account({})), 'fly apps create');
  assert.match(steps({}, DEPLOYED, { steps: 'first' }), 'fly apps create');
  assert.not.match(steps({}, {}, { steps: 'next' }), 'fly apps create');
});

test('faults are named before the deploy', () => {
  const text = steps({}, {}, { faults: ['Dockerfile:1: bullseye is gone'] });
  assertInOrder(text, [
    'before you deploy (`check` says how):\n  Dockerfile:1: bullseye is gone\n',
    'fly deploy',
  ]);
});

/** The blocks of lines, each as it would be pasted. */
const blocks = (text: string): string[] =>
  text
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line.startsWith('  ')))
    .filter((lines) => lines.some((line) => /^ {2}(fly|cd) /.test(line)))
    .map((lines) => lines.map((line) => line.slice(2)).join('\n'));

const shells = ['sh', 'bash', 'dash', 'zsh', 'fish'].filter(
  (shell) => spawnSync(shell, ['-c', 'true']).status === 0,
);

test('each block of commands runs as it is in every shell', () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-fly-'));
  try {
    mkdirSync(join(folder, 'bin'));
    mkdirSync(join(folder, 'shop'));
    const script = '#!/bin/sh\nfor word in "$@"; do printf "<%s>" "$word"; done\necho\n';
    writeFileSync(join(folder, 'bin/fly'), script, { mode: 0o755 });
    const pasted = blocks(steps({ host: 'shop.example.com' }, DEMANDS, { flyctl: 'absent' }));
    assert.is(pasted.length, 4);
    // At zsh's prompt a comment is no comment
    assert.not.match(pasted.join('\n'), '#');
    for (const shell of shells) {
      const { stdout: all, stderr } = spawnSync(shell, ['-c', pasted.join('\n')], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${folder}/bin:${process.env.PATH}`, LICENCE: 'a b"c' },
      });
      assert.is(stderr, '', shell);
      assertInOrder(all, [
        '<auth><login>\n<apps><create><shop><--org><personal>\n<secrets><set><SECRET_KEY_BASE=',
        '<--stage>',
        '<postgres><attach><shop-db><--app><shop>\n',
        '<deploy><--ha=false><--build-secret><LICENCE=a b"c>\n<certs><add>',
        '<ssh><console><--app><shop><-C></app/bin/migrate>\n',
      ]);
      assert.match(all, /<SECRET_KEY_BASE=[\w+/]{64}>/, shell);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
