import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { flyConfig } from '../src/fly/fly-config.ts';
import { readAttachCommand } from '../src/fly/postgres.ts';
import { treeOf } from '../src/tree.ts';
import { FLAGS, type Flags, planFor, shop, type Texts, writtenTo } from './support/fixture.ts';
import {
  changedPaths,
  generate,
  parseFlyToml,
  valueAt,
  withoutWorkers,
  withWorkers,
} from './support/fly-toml.ts';

/** The flags of somebody who presses Enter. */
const enter = (theirs: string): Flags => {
  const { app, region } = flyConfig(treeOf({ 'fly.toml': theirs }));
  return { app: app ?? 'shop', region: region ?? 'lhr' };
};

const SERVICE = '[http_service]\ninternal_port = 4000\n';

test('a [build] that bypasses the Dockerfile is a conflict: it stays, or is removed', () => {
  const bypasses = [
    'builder = "heroku/buildpacks:20"',
    'buildpacks = ["https://example.com/elixir"]',
    'image = "registry.fly.io/shop:1"',
    'build-target = "dev"',
    'dockerfile = "docker/Dockerfile.prod"',
    'builtin = "node"',
  ];
  for (const line of bypasses) {
    const theirs = `[build]\n  # why\n  ${line}\n  args = { A = "1" }\n${SERVICE}`;
    const key = line.split(' ')[0] ?? '';
    const { after, ours = '', notes } = generate(theirs);
    assert.ok(after.includes(line), line);
    assert.ok(
      notes.some((note) => note.startsWith(`with ${line.split(' ')[0]} under [build]`)),
      line,
    );
    assert.is(valueAt(parseFlyToml(ours), `build.${key}`), undefined, line);
    assert.is(valueAt(parseFlyToml(ours), 'build.args.A'), '1');
    assert.is(generate(theirs, { conflict: 'replace' }).after, ours);
  }
  for (const line of ['dockerfile = "Dockerfile"', 'dockerfile = "./Dockerfile"', '[build.args]'])
    assert.is(generate(`[build]\n${line}\n${SERVICE}`).ours, undefined, line);
  assert.equal(generate('build.builder = "x"\n', { conflict: 'replace' }).data.build, undefined);
});

test('an app that runs without [[vm]] gets none, unless asked, and is told so', () => {
  const theirs = `app = "shop"\n${SERVICE}`;
  const unasked = generate(theirs);
  assert.is(unasked.data.vm, undefined);
  assert.match(unasked.notes.join(), /no \[\[vm\]\]/);
  const small = generate('[[vm]]\nsize = "shared-cpu-1x"\n').notes.join();
  assert.match(small, /\[\[vm\]\] names no memory, .*--memory 1gb/);
  const asked = generate(theirs, { flags: { ...FLAGS, memory: '1gb' } });
  assert.equal(asked.data.vm, [{ size: 'shared-cpu-1x', memory: '1gb' }]);
  assert.equal(asked.notes, []);
  assert.is(valueAt(generate('').data, 'vm.0.memory'), '1gb');
});

const vm = (line: string) => `${SERVICE}[[vm]]\n${line}\n`;
const service = (port: number) =>
  `[[services]]\ninternal_port = ${port}\n[[services.ports]]\nport = ${port}\nhandlers = ["http"]\n`;
const GROUPS = `${SERVICE}processes = ["worker", "app"]\n`;

test('values that are written, or not, for certain answers', () => {
  const cases: [theirs: string, flags: Flags, path: string, value: unknown][] = [
    // A [[vm]] without memory has that of its size, and keeps it
    [vm('size = "shared-cpu-2x"'), {}, 'vm.0.memory', undefined],
    [vm('size = "performance-1x"'), {}, 'vm.0.memory', undefined],
    [vm('size = "a10"'), {}, 'vm.0.memory', undefined],
    [vm('cpus = 4'), {}, 'vm.0.memory', undefined],
    [vm('size = "shared-cpu-2x"'), { memory: '1gb' }, 'vm.0.memory', '1gb'],
    [vm('size = "shared-cpu-2x"'), { memory: '512mb' }, 'vm.0.memory', undefined],
    [vm('size = "performance-1x"\nmemory = "2gb"'), { memory: '4gb' }, 'vm.0.memory', '4gb'],
    // One that is made up of CPUs gets no size, and memory that Fly can't give is no answer
    [vm('cpus = 1\nmemory = "512mb"'), { memory: '1gb' }, 'vm.0.size', undefined],
    [vm('memory = "300mb"'), {}, 'vm.0.memory', '1gb'],
    // A new one names its process group where there are others
    [GROUPS, { memory: '1gb' }, 'vm.0.processes', undefined],
    [
      `${GROUPS}[processes]\nworker = "w"\napp = "a"\n`,
      { memory: '1gb' },
      'vm.0.processes.0',
      'app',
    ],
    // Of several services the one on the port of [env] serves the pages
    [
      `[env]\nPORT = "8080"\n${service(3000)}${service(8080)}`,
      {},
      'services.0.http_checks',
      undefined,
    ],
    [
      `[env]\nPORT = "8080"\n${service(3000)}${service(8080)}`,
      {},
      'services.1.http_checks.0.path',
      '/health',
    ],
    ['[env]\nPORT = "8080"\n', {}, 'http_service.internal_port', 8080],
    // Of a host with its scheme the host is meant
    ['[env]\nPHX_HOST = "https://shop.org/"\n', {}, 'env.PHX_HOST', 'shop.org'],
    // A machine with swap can't be suspended
    ['swap_size_mb = 512\n', {}, 'http_service.auto_stop_machines', 'stop'],
    // A database that is reached without IPv6 is one outside Fly, unless answered otherwise
    ['[env]\nECTO_IPV6 = "false"\n', { postgres: undefined }, 'env.ECTO_IPV6', 'false'],
    ['[env]\nECTO_IPV6 = "false"\n', {}, 'env.ECTO_IPV6', 'true'],
  ];
  for (const [theirs, flags, path, value] of cases)
    assert.is(
      valueAt(generate(theirs, { flags: { ...FLAGS, ...flags } }).data, path),
      value,
      theirs,
    );
  assert.match(
    generate('[env]\nECTO_IPV6 = "false"\n').notes.join(),
    'env.ECTO_IPV6 is "true" in place of "false"',
  );
});

test('checks of theirs get the header only where force_ssl would redirect them', () => {
  const theirs = `${SERVICE}[[http_service.checks]]\npath = "/up"\n`;
  const headers = (forceSsl: string | null) => {
    const project = { ...withoutWorkers, endpoint: { ...withoutWorkers.endpoint, forceSsl } };
    return valueAt(generate(theirs, { project }).data, 'http_service.checks.0.headers');
  };
  assert.equal(headers('[hsts: true]'), { 'X-Forwarded-Proto': 'https' });
  assert.is(headers('false'), undefined);
  assert.is(headers(null), undefined);
});

test('an empty list gives way to our check without a note', () => {
  const theirs = '[[services]]\ninternal_port = 4000\nhttp_checks = []\n';
  const { data, notes } = generate(theirs);
  assert.is(valueAt(data, 'services.0.http_checks.0.path'), '/health');
  assert.not.match(notes.join('\n'), 'http_checks');
});

test("memory that the machine can't have is refused", () =>
  assert.throws(
    () => generate('', { flags: { ...FLAGS, memory: '4gb' } }),
    /shared-cpu-1x machine has 256 to 2048 MB/,
  ));

test('a strategy that runs two machines at once is a conflict with background work', () => {
  const deploy = (strategy: string) => `[deploy]\nstrategy = "${strategy}"\n${SERVICE}`;
  for (const strategy of ['bluegreen', 'canary']) {
    const { after, ours = '' } = generate(deploy(strategy), { project: withWorkers });
    assert.match(after, `strategy = "${strategy}"`);
    assert.match(ours, 'strategy = "rolling"');
    assert.is(generate(deploy(strategy)).ours, undefined);
  }
  assert.is(generate(deploy('immediate'), { project: withWorkers }).ours, undefined);
});

test('choices that contradict a requirement stay, and are shown as a conflict', () => {
  const cases: [theirs: string, path: string, theirValue: unknown, ourValue: unknown][] = [
    ['force_https = false', 'http_service.force_https', false, true],
    ['[env]\nPORT = "9000"', 'env.PORT', '9000', '4000'],
  ];
  for (const [lines, path, theirValue, ourValue] of cases) {
    const { data, ours = '', notes } = generate(`${SERVICE}${lines}\n`);
    assert.is(valueAt(data, path), theirValue, path);
    assert.is(valueAt(parseFlyToml(ours), path), ourValue, path);
    assert.not.match(notes.join(), path);
  }
});

test('settings that work stay, without a note', () => {
  const theirs = `app = "shop"
primary_region = "lhr"
kill_signal = "SIGQUIT"
kill_timeout = 10
[deploy]
release_command = "bin/own"
[env]
PHX_HOST = "shop.example.com"
PORT = "4000"
POOL_SIZE = 3
[http_service]
internal_port = 4000
auto_stop_machines = "suspend"
min_machines_running = 1
[http_service.concurrency]
type = "requests"
soft_limit = 200
[[http_service.checks]]
path = "/up"
[[vm]]
memory = "512mb"
`;
  for (const project of [withWorkers, withoutWorkers]) {
    const { data, notes } = generate(theirs, { project, flags: enter(theirs) });
    assert.equal(changedPaths(parseFlyToml(theirs), data), []);
    assert.equal(notes, []);
  }
});

test('an answer about background work changes only what contradicts it', () => {
  const launched = `${SERVICE}auto_stop_machines = "stop"\nauto_start_machines = true\nmin_machines_running = 0\n`;
  const stays = generate(launched, { project: withWorkers });
  assert.equal(changedPaths(parseFlyToml(launched), stays.data), [
    'http_service.auto_stop_machines',
    'http_service.auto_start_machines',
    'http_service.min_machines_running',
  ]);
  assert.match(stays.notes.join(), 'http_service.min_machines_running is 1 in place of 0');
  const idle = { flags: { ...FLAGS, background: 'no' } };
  const two = `${SERVICE}auto_stop_machines = "stop"\nmin_machines_running = 2\n`;
  for (const [theirs, options, key, value] of [
    [two, { project: withWorkers }, 'min_machines_running', 2],
    [two, idle, 'auto_stop_machines', 'stop'],
    [two, idle, 'min_machines_running', 0],
    [`${SERVICE}auto_stop_machines = "off"\n`, idle, 'auto_stop_machines', 'suspend'],
  ] as const)
    assert.is(valueAt(generate(theirs, options).data, `http_service.${key}`), value, theirs);
});

test('POOL_SIZE is not written for an app that counts its connections otherwise', () => {
  for (const [size, written] of [
    ['40', undefined],
    ['String.to_integer(System.get_env("DB_POOL_SIZE", "12"))', undefined],
    ['String.to_integer(System.get_env("POOL_SIZE", "12"))', '12'],
    ['String.to_integer(System.get_env("POOL_SIZE", "10"))', '10'],
  ] as const) {
    const runtime = `import Config\nconfig :shop, Shop.Repo, pool_size: ${size}\n`;
    const texts = shop({ 'config/runtime.exs': runtime, 'fly.toml': SERVICE });
    const [change] = planFor(texts, FLAGS, undefined, 'fly-toml');
    assert.is(valueAt(parseFlyToml(change?.after ?? ''), 'env.POOL_SIZE'), written, size);
    const [fresh] = planFor({ ...texts, 'fly.toml': '' }, FLAGS, undefined, 'fly-toml');
    assert.is(valueAt(parseFlyToml(fresh?.after ?? ''), 'env.POOL_SIZE'), written, size);
  }
});

test('the comment on the database names the variable that the app reads, and is read back', () => {
  const own = `${shop()['config/runtime.exs']}\nconfig :shop, Shop.Repo, url: System.fetch_env!("PG_URL")\n`;
  const texts = shop({ 'config/runtime.exs': own });
  const fly = (postgres: string, before = texts) =>
    writtenTo('fly.toml', before, { ...FLAGS, postgres });
  const comment = 'PG_URL is a secret, set by: fly postgres attach old-db --app shop';
  const first = fly('old-db');
  assert.match(first, `# ${comment} --variable-name PG_URL\n`);
  assert.is(readAttachCommand(first), 'old-db');
  const uncommented = { ...texts, 'fly.toml': '[env]\nECTO_IPV6 = "true"\n' };
  assert.is(readAttachCommand(fly('old-db', uncommented)), 'old-db');
  const outside = fly('external', { ...texts, 'fly.toml': first });
  assert.match(outside, 'fly secrets set PG_URL=ecto://');
  assert.not.match(outside, 'is a secret');
});

test('host, port and origins are set under the names by which the app reads them', () => {
  const runtime = `import Config
config :shop, ShopWeb.Endpoint,
  url: [host: System.fetch_env!("PREVIEW_HOST"), port: 443, scheme: "https"],
  http: [port: String.to_integer(System.fetch_env!("PREVIEW_PORT"))],
  check_origin: String.split(System.fetch_env!("ORIGINS"), ",")
`;
  const own = shop({ 'config/runtime.exs': runtime });
  const fly = (texts: Texts) => writtenTo('fly.toml', texts);
  const { PREVIEW_HOST, PREVIEW_PORT, ORIGINS } = valueAt(
    parseFlyToml(fly(own)),
    'env',
  ) as typeof own;
  assert.is(`${PREVIEW_HOST} ${PREVIEW_PORT}`, 'shop.fly.dev 4000');
  assert.is(ORIGINS, 'https://shop.fly.dev');
  const dotenvy = `import Config
import Dotenvy
config :shop, ShopWeb.Endpoint,
  url: [host: env!("SITE_HOST", :string!)],
  http: [port: env!("SITE_PORT", :integer!)]
`;
  const read = valueAt(
    parseFlyToml(fly(shop({ 'config/runtime.exs': dotenvy }))),
    'env',
  ) as typeof own;
  assert.is(`${read.SITE_HOST} ${read.SITE_PORT}`, 'shop.fly.dev 4000');
  // TOML has no such bare key, and no shell can set it
  const spaced = runtime.replaceAll('PREVIEW_HOST', 'PREVIEW HOST');
  assert.not.match(fly(shop({ 'config/runtime.exs': spaced })), 'PREVIEW HOST');
  const mine = fly(own).replace('"https://shop.fly.dev"', '"https://a.org,https://shop.fly.dev"');
  assert.is(fly({ ...own, 'fly.toml': mine }), mine);
});

test('the web machines may sleep where another process group does the work', () => {
  const theirs = `${SERVICE}auto_stop_machines = "stop"\nprocesses = ["app"]\n[processes]\napp = "server"\nworker = "work"\n`;
  const { data, notes } = generate(theirs, { project: withWorkers, flags: enter(theirs) });
  assert.equal(changedPaths(parseFlyToml(theirs), data), []);
  assert.not.match(notes.join(), 'auto_stop');
  const served = theirs.replace('["app"]', '["app", "worker"]');
  assert.is(
    valueAt(generate(served, { project: withWorkers }).data, 'http_service.auto_stop_machines'),
    'off',
  );
});

/** The shapes that `fly launch` and owners of real apps left behind, 2020 to 2026. */
const SHAPES: Texts = {
  2020: `app = "shop"
kill_signal = "SIGINT"
kill_timeout = 5
[build]
  builder = "heroku/buildpacks"
[[services]]
  internal_port = 8080
  [services.concurrency]
    hard_limit = 25
    soft_limit = 20
  [[services.ports]]
    handlers = ["http"]
    port = "80"
  [[services.tcp_checks]]
    interval = 10000
`,
  2024: `app = 'shop'
primary_region = 'ams'
kill_signal = 'SIGTERM'
swap_size_mb = 512
[deploy]
  release_command = '/app/bin/migrate'
  strategy = 'bluegreen'
[env]
  ECTO_IPV6 = 'false'
  PHX_HOST = 'shop.fly.dev'
  PORT = '8080'
[http_service]
  internal_port = 8080
  force_https = true
  auto_stop_machines = 'stop'
  auto_start_machines = true
  min_machines_running = 0
  processes = ['app']
  [http_service.concurrency]
    type = 'connections'
    hard_limit = 1000
    soft_limit = 1000
[processes]
  app = '/app/bin/server'
  worker = '/app/bin/worker'
[[vm]]
  memory = '1gb'
  cpu_kind = 'shared'
  cpus = 1
[[vm]]
  size = 'performance-1x'
  processes = ['worker']
`,
};

test('real shapes: nothing is overruled in silence, and the second run changes nothing', () => {
  for (const [name, theirs] of Object.entries(SHAPES)) {
    for (const project of [withWorkers, withoutWorkers]) {
      const { after, data, notes } = generate(theirs, { project, flags: enter(theirs) });
      for (const path of changedPaths(parseFlyToml(theirs), data)) {
        const key = path.replaceAll(/\.\d+/g, '');
        assert.ok(
          notes.some((note) => note.startsWith(`${key} is `)),
          `${name}: ${path}`,
        );
      }
      assert.is(
        generate(after, { project, flags: enter(after) }).after,
        after,
        `${name}: second run`,
      );
    }
  }
});

test('fly.toml is parsed once', () => {
  const tree = treeOf({ 'fly.toml': SERVICE });
  assert.is(flyConfig(tree), flyConfig(tree));
  assert.throws(() => flyConfig(treeOf({ 'fly.toml': 'a = = 1' })), /not valid TOML: line 1/);
});

test.run();
