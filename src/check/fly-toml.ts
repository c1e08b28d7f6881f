import { Unknown } from '../elixir/value.ts';
import { serverRepos } from '../facts/project.ts';
import { type FlyConfig, type Table, tablesAt } from '../fly/fly-config.ts';
import { memoryOf } from '../fly/machine.ts';
import { isAppName } from '../fly/names.ts';
import { readAttachCommand } from '../fly/postgres.ts';
import { parseRegion } from '../fly/regions.ts';
import { Problem } from '../problem.ts';
import { setting } from './boot.ts';
import { hasPassword, isSecretName } from './dockerfile-user.ts';
import type { FlyFile } from './fly-file.ts';
import type { Repo } from './repo.ts';
import { type Findings, found, type Missing, unless } from './verdict.ts';

const at = (line: number | undefined, what: string, edit: string): Missing => ({
  what,
  edit,
  file: 'fly.toml',
  line,
});
const listAt = (table: Table, key: string) => tablesAt(table, key).map(({ data }) => data);
const section = (fly: FlyConfig, key: string): Table => listAt(fly.table, key)[0] ?? {};
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value ? value : undefined;

/** flyctl's own lists (flyctl internal/appconfig/{config,service,validation}.go, 2026-08); it rejects other keys with --strict. */
const TOP = new Set(
  'app primary_region kill_signal kill_timeout swap_size_mb console_command host_dedication_id build deploy env http_service services processes mounts vm checks files metrics statics restart experimental'.split(
    ' ',
  ),
);
const HTTP_SERVICE = new Set(
  'processes internal_port force_https auto_stop_machines auto_start_machines min_machines_running concurrency tls_options http_options checks machine_checks'.split(
    ' ',
  ),
);
const CHECK = new Set(
  'interval timeout grace_period method path protocol tls_skip_verify tls_server_name headers'.split(
    ' ',
  ),
);

/** R2.1: app and region are there and exist, and every key is one that flyctl knows. */
export function valid(_repo: Repo, fly: FlyFile): Findings {
  const { table: data, line } = fly;
  if (fly.problem) return found([at(undefined, fly.problem, 'mend the line that it names')]);
  const missing: Missing[] = [];
  if (!isAppName(text(data.app) ?? ''))
    missing.push(
      at(
        line('app'),
        text(data.app) ? `"${String(data.app)}" can't be an app name` : 'no app',
        'write: app = "NAME" in the first line, lower-case letters, digits and dashes',
      ),
    );
  const region = text(data.primary_region);
  const doubt: string[] = [];
  try {
    if (!region)
      missing.push(
        at(
          line('app'),
          'no primary_region, so Fly picks one',
          'write: primary_region = "lhr", or the one near your users',
        ),
      );
    else parseRegion(region);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // Fly may have opened it since; what it has closed is known
    if (error.message.includes('closed'))
      missing.push(at(line('primary_region'), error.message, 'change it'));
    else doubt.push(error.message);
  }
  const unknown = [
    ...Object.keys(data).filter((key) => !TOP.has(key)),
    ...Object.keys(section(fly, 'http_service'))
      .filter((key) => !HTTP_SERVICE.has(key))
      .map((key) => `http_service.${key}`),
    ...listAt(section(fly, 'http_service'), 'checks').flatMap((check, index) =>
      Object.keys(check)
        .filter((key) => !CHECK.has(key))
        .map((key) => `http_service.checks.${index}.${key}`),
    ),
  ];
  for (const key of unknown)
    missing.push(
      at(
        line(key),
        `flyctl knows no ${key.replace(/\.\d+/, '')}`,
        'remove it, or correct its name',
      ),
    );
  for (const name of Object.keys(fly.env).filter((one) => one.startsWith('FLY_')))
    missing.push(
      at(line(`env.${name}`), `${name}: names that begin with FLY_ are Fly's own`, 'remove it'),
    );
  const strategy = text(section(fly, 'deploy').strategy);
  if (strategy && !/^(rolling|immediate|canary|bluegreen)$/.test(strategy))
    missing.push(
      at(
        line('deploy.strategy'),
        `there is no strategy ${strategy}`,
        'write: strategy = "rolling"',
      ),
    );
  if (Object.keys(section(fly, 'processes')).length)
    if (fly.service?.path === 'http_service' && !section(fly, 'http_service').processes)
      missing.push(
        at(
          line('http_service'),
          'with [processes], each service names its own',
          'add: processes = ["app"]',
        ),
      );
  return found(missing, doubt);
}

const SHARED = /^shared-cpu-(1|2|4|6|8)x$/;
const PERFORMANCE = /^performance-(1|2|4|6|8|10|12|14|16)x$/;
const GPU = /^(a10|a100-40gb|a100-80gb|l40s)$/;

/** R2.2: a machine that Fly sells, with memory enough for the Erlang VM. `fly config validate` does not look at this. */
export function machine(_repo: Repo, fly: FlyFile): Findings {
  const vms = listAt(fly.table, 'vm');
  if (vms.length === 0)
    return found([
      at(
        undefined,
        'no [[vm]], so the first deploy gets 256 MB, and the Erlang VM runs out of memory',
        'at the end, add:\n[[vm]]\nsize = "shared-cpu-1x"\nmemory = "1gb"',
      ),
    ]);
  return found(
    vms.flatMap((vm, index): Missing[] => {
      const place = (key: string) =>
        fly.line(`vm.${index}.${key}`) ?? fly.line(`vm.${index}`) ?? fly.line('vm');
      const size =
        text(vm.size) ??
        (vm.cpu_kind === 'performance'
          ? `performance-${Number(vm.cpus ?? 1)}x`
          : `shared-cpu-${Number(vm.cpus ?? 1)}x`);
      const [, cpus] = SHARED.exec(size) ?? PERFORMANCE.exec(size) ?? [];
      if (GPU.test(size)) return [];
      if (cpus === undefined)
        return [
          at(
            place('size'),
            `Fly has no machine ${size}`,
            'write: size = "shared-cpu-1x" (or 2x, 4x, 8x, performance-1x …)',
          ),
        ];
      const per = SHARED.test(size) ? { least: 256, most: 2048 } : { least: 2048, most: 8192 };
      const given = vm.memory ?? vm.memory_mb;
      const memory = memoryOf(vm);
      if (memory === undefined)
        return [
          at(place('memory'), `"${String(given)}" is no amount of memory`, 'write: memory = "1gb"'),
        ];
      if (memory % 256 || memory < per.least * Number(cpus) || memory > per.most * Number(cpus))
        return [
          at(
            place(vm.memory === undefined ? 'memory_mb' : 'memory'),
            `${size} has ${per.least * Number(cpus)} to ${per.most * Number(cpus)} MB in steps of 256, not ${memory}; the deploy fails`,
            'write: memory = "1gb"',
          ),
        ];
      return unless(
        memory >= 512,
        at(
          place('memory'),
          `${memory} MB is too little for the Erlang VM`,
          'write: memory = "1gb"',
        ),
      );
    }),
  );
}

/** R2.3: the pool and the network fit the database, whose address is a secret. */
export function database(repo: Repo, fly: FlyFile): Findings {
  const { project, machine: given } = repo;
  if (project.database.repos.length === 0) return found();
  if (project.database.adapter === 'sqlite')
    return found(
      unless(
        listAt(fly.table, 'mounts').length,
        at(
          undefined,
          'each deploy starts with an empty database: its file lies in the machine',
          'at the end, add, and let DATABASE_PATH point there:\n[[mounts]]\nsource = "data"\ndestination = "/data"',
        ),
      ),
    );
  const attached = readAttachCommand(project.tree.read('fly.toml') ?? '');
  const external = attached === 'external';
  const missing: Missing[] = [];
  const unknown: string[] = [];
  const started = repo.boot();
  for (const module of serverRepos(project)) {
    const app = project.database.repoApps.get(module) ?? project.app.otpApp;
    const options = setting(started, app, module, 'socket_options');
    if (options instanceof Unknown)
      unknown.push(`whether ${module} speaks IPv6 is decided by ${options.why}`);
    else if (!external && !JSON.stringify(options ?? []).includes('inet6'))
      missing.push(
        at(
          fly.line('env'),
          `${module} looks for the database over IPv4, and Fly's private names have IPv6 addresses only`,
          'under [env], add: ECTO_IPV6 = "true"',
        ),
      );
    else if (external && JSON.stringify(options ?? []).includes('inet6'))
      missing.push(
        at(
          fly.line('env.ECTO_IPV6') ?? fly.line('env'),
          'databases outside Fly often have IPv4 addresses only',
          'write: ECTO_IPV6 = "false"',
        ),
      );
    const size = setting(started, app, module, 'pool_size');
    const most = attached?.startsWith('managed') ? 45 : 25;
    if (typeof size === 'number' && size > most)
      missing.push(
        at(
          fly.line('env.POOL_SIZE'),
          `${size} connections from each machine are more than a small Postgres has`,
          'write: POOL_SIZE = "10"',
        ),
      );
  }
  if (given.POOL_SIZE === undefined)
    missing.push(
      at(
        fly.line('env'),
        'no POOL_SIZE: how many connections a machine opens stands nowhere',
        `under [env], add: POOL_SIZE = "${attached?.startsWith('managed') ? 8 : 10}"`,
      ),
    );
  return found(missing, unknown);
}

/** R2.4 */
export function https(_repo: Repo, fly: FlyFile): Findings {
  return found(
    fly.service?.forceHttps
      ? []
      : [
          at(
            fly.line('http_service.force_https') ?? fly.line('http_service'),
            'plain HTTP is served as it is',
            fly.service?.path === 'http_service' || !fly.service
              ? 'under [http_service], write: force_https = true'
              : 'under the [[services.ports]] of port 80, write: force_https = true',
          ),
        ],
  );
}

/** R2.6: the port that the app listens on, and room for LiveView's sockets. */
export function connections(repo: Repo, fly: FlyFile): Findings {
  const { project } = repo;
  const service = fly.service;
  if (!service)
    return found([
      at(undefined, 'no [http_service], so nothing is served', '`npx plop fly-toml` writes it'),
    ]);
  const missing: Missing[] = [];
  const listens = setting(repo.boot(), project.app.otpApp, project.endpoint.module, 'http', 'port');
  const port = typeof listens === 'string' ? Number(listens) : listens;
  const place = (key: string) => fly.line(`${service.path}.${key}`) ?? fly.line(service.path);
  if (typeof port === 'number' && port !== (service.internalPort ?? 8080))
    missing.push(
      at(
        place('internal_port'),
        `the app listens on ${port}, and Fly knocks on ${service.internalPort ?? '8080 (the default)'}`,
        `write: internal_port = ${port}`,
      ),
    );
  const { type, soft_limit: soft, hard_limit: hard } = service.concurrency ?? {};
  const spot = fly.line(`${service.path}.concurrency`) ?? fly.line(service.path);
  const wanted = `[${service.path.replace(/\.\d+/, '')}.concurrency]\ntype = "connections"\nsoft_limit = 1000\nhard_limit = 1000`;
  if (!service.concurrency)
    missing.push(
      at(
        spot,
        'no concurrency: from 20 connections on, LiveView sockets are throttled',
        `add:\n${wanted}`,
      ),
    );
  else {
    if ((type ?? 'connections') !== 'connections')
      missing.push(
        at(
          place('concurrency.type'),
          'requests are counted, and a LiveView page is one request that never ends',
          'write: type = "connections"',
        ),
      );
    if (Number(soft ?? 20) < 500 || Number(hard ?? 1000) < 500)
      missing.push(
        at(
          place('concurrency.soft_limit'),
          `from ${String(soft ?? 20)} connections on, LiveView sockets are throttled`,
          'write: soft_limit = 1000 and hard_limit = 1000',
        ),
      );
  }
  return found(
    missing,
    listens instanceof Unknown
      ? [`which port the app listens on is decided by ${listens.why}`]
      : [],
  );
}

/** R2.7: what stands in a committed file is no secret. */
export function publicEnv({ project }: Repo, fly: FlyFile): Findings {
  const env = fly.env;
  const secret = Object.entries(env).filter(
    ([name, value]) =>
      value !== '' &&
      (isSecretName(name) ||
        hasPassword(String(value)) ||
        /^(sk|rk)_live_|^ghp_/.test(String(value))),
  );
  const wanted = project.env.required
    .filter(
      (one) =>
        !one.compileTime &&
        !(one.name in env) &&
        !/^(PHX_HOST|PORT|PHX_SERVER|RELEASE_\w+|FLY_\w+)$/.test(one.name),
    )
    .map((one) => one.name);
  return found(
    secret.map(([name]) =>
      at(
        fly.line(`env.${name}`),
        `${name} is a secret, and fly.toml is committed`,
        `remove it, change its value, and: fly secrets set ${name}=…`,
      ),
    ),
    [],
    unless(
      wanted.length === 0,
      `secrets that it can't start without (fly secrets list shows those that are set): ${wanted.join(', ')}`,
    ),
  );
}

/** What runs in the background goes on while nobody asks for a page, and never twice. */
export function alwaysOn({ project }: Repo, fly: FlyFile): Findings {
  const service = fly.service;
  const place = (key: string) =>
    fly.line(`${service?.path}.${key}`) ?? fly.line(service?.path ?? 'http_service');
  const stops = service && service.autoStop !== 'off';
  const missing: Missing[] = [];
  const memory = (fly.machine && memoryOf(fly.machine.data)) ?? 0;
  if (service?.autoStop === 'suspend' && fly.table.swap_size_mb)
    missing.push(
      at(
        fly.line('swap_size_mb'),
        'a machine with swap can not be suspended',
        'remove it, or write: auto_stop_machines = "stop"',
      ),
    );
  if (service?.autoStop === 'suspend' && memory > 4096)
    missing.push(
      at(
        place('auto_stop_machines'),
        'a machine with more than 4 GB can not be suspended',
        'write: auto_stop_machines = "stop"',
      ),
    );
  if (stops && service.data.auto_start_machines === false)
    missing.push(
      at(
        place('auto_start_machines'),
        'a machine that is stopped never starts again',
        'write: auto_start_machines = true',
      ),
    );
  if (project.background.length === 0) return found(missing);
  const who = project.background.join(', ');
  if (stops)
    missing.push(
      at(
        place('auto_stop_machines'),
        `${who} end when nobody has asked for a page for some minutes`,
        'write: auto_stop_machines = "off" and min_machines_running = 1',
      ),
    );
  const strategy = text(section(fly, 'deploy').strategy);
  if (strategy && strategy !== 'rolling')
    missing.push(
      at(
        fly.line('deploy.strategy'),
        `${strategy} starts the new machine beside the old one, so ${who} run twice meanwhile`,
        'write: strategy = "rolling"',
      ),
    );
  return found(missing);
}

/** The VM gets SIGTERM and time to end what it does. */
export function shutdown(_repo: Repo, fly: FlyFile): Findings {
  const { kill_signal: signal, kill_timeout: timeout } = fly.table;
  const given = fly.killTimeout;
  return found([
    ...unless(
      signal === 'SIGTERM',
      at(
        fly.line('kill_signal') ?? fly.line('app'),
        `Fly sends ${String(signal ?? 'SIGINT')}, on which the VM ends at once`,
        'above the first [table], write: kill_signal = "SIGTERM"',
      ),
    ),
    ...unless(
      given !== undefined && given >= 20 && given <= 300,
      at(
        fly.line('kill_timeout') ?? fly.line('app'),
        `after ${given ?? String(timeout)} s it is killed, whatever it is doing`,
        'above the first [table], write: kill_timeout = "30s"',
      ),
    ),
  ]);
}

/** release_command names something that exists in the image and reaches the database. */
export function releaseCommand({ project, dockerfile }: Repo, fly: FlyFile): Findings {
  const command = text(section(fly, 'deploy').release_command);
  if (!command) return found();
  const line = fly.line('deploy.release_command');
  const missing: Missing[] = [];
  const script = /(?:^|[\s/'"])bin\/(migrate[\w-]*)/.exec(command)?.[1];
  if (project.database.repos.length === 0)
    missing.push(at(line, 'the app has no Ecto repo to migrate', 'remove it'));
  if (
    script &&
    dockerfile &&
    ![...project.tree.paths].some(
      (path) => path.endsWith(`overlays/bin/${script}`) || path.endsWith(`bin/${script}`),
    )
  )
    missing.push(
      at(
        line,
        `${script} is not in the release, so each deploy stops here`,
        'mix phx.gen.release writes rel/overlays/bin/migrate; or remove release_command',
      ),
    );
  if (project.database.adapter === 'sqlite')
    missing.push(
      at(
        line,
        'it runs on a machine without the volume that holds the database',
        'remove it, and migrate when the app starts',
      ),
    );
  const module = /eval\s+["']?([A-Z][\w.]*)\.(\w+)/.exec(command);
  if (
    module?.[1]?.startsWith(`${project.app.module}.`) &&
    ![...project.tree.paths].some(
      (path) =>
        path.endsWith('.ex') && project.tree.read(path)?.includes(`defmodule ${module[1]} `),
    )
  )
    missing.push(
      at(
        line,
        `there is no module ${module[1]}, so each deploy stops here`,
        'mix phx.gen.release writes it',
      ),
    );
  const managed = readAttachCommand(project.tree.read('fly.toml') ?? '')?.startsWith('managed');
  if (
    managed &&
    !/DIRECT_DATABASE_URL/.test(command + (project.tree.read('config/runtime.exs') ?? ''))
  )
    missing.push(
      at(
        line,
        'migrations need session locks, which the pooler of Managed Postgres can not hold',
        `write: release_command = "/bin/sh -lc 'DATABASE_URL=$DIRECT_DATABASE_URL ${command.replaceAll('"', '\\"')}'"`,
      ),
    );
  return found(missing);
}
