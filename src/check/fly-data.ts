import { Unknown } from '../elixir/value.ts';
import { tablesAt } from '../fly/fly-config.ts';
import { readAttachCommand } from '../fly/postgres.ts';
import { secretsToSet } from '../fly/secrets.ts';
import { setting } from './boot.ts';
import { hasPassword, isSecretName } from './dockerfile-user.ts';
import type { FlyFile } from './fly-file.ts';
import type { Repo } from './repo.ts';
import { FLY_TOML } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight } from './rule.ts';
import { reposOf } from './runtime-settings.ts';

const r23 = rulesFor(FLY_TOML, 'R2.3');
const r27 = rulesFor(FLY_TOML, 'R2.7');
const b9 = rulesFor(FLY_TOML, 'B9');

type Location = 'sqlite' | 'fly' | 'managed' | 'outside' | 'unknown';

/** Where the database is, as far as the repo says. */
function locationOf({ text, env }: FlyFile, { project }: Repo): Location {
  if (project.database.adapter === 'sqlite') return 'sqlite';
  const told = readAttachCommand(text);
  if (told === 'external' || (!told && /^(false|0)$/.test(env.ECTO_IPV6 ?? ''))) return 'outside';
  if (told?.startsWith('managed')) return 'managed';
  return told && told !== 'none' ? 'fly' : 'unknown';
}

/** A setting of each repo with the environment that a machine has. */
function repoSettings(repo: Repo, key: string, started = repo.boot()) {
  return reposOf(repo).map(({ module, app }) => ({
    module,
    value: setting(started, app, module, key),
  }));
}

/** Whether POOL_SIZE says how many connections a repo opens, or nothing does: not a number of its owner's. */
export const followsPoolSize = (repo: Repo): boolean =>
  repoSettings(repo, 'pool_size', repo.boot({ POOL_SIZE: '7' })).some(
    ({ value }) => typeof value !== 'number' || value === 7,
  );

/** R2.3: the pool and the network fit the database. */
const databaseRules: readonly Rule<FlyFile>[] = [
  r23.must(
    (file, repo) => {
      const volumes = [...tablesAt(file.table, 'mounts'), ...tablesAt(file.table, 'mount')];
      return locationOf(file, repo) === 'sqlite' && volumes.length === 0 && {};
    },
    'each deploy starts with an empty database: its file is on a disk that is not kept',
    'at the end, add, and let DATABASE_PATH point there:\n[[mounts]]\nsource = "data"\ndestination = "/data"',
  ),
  r23.should(
    (file, repo) => {
      const where = locationOf(file, repo);
      const ipv6 = where !== 'outside';
      const weight: Weight = /fly|managed/.test(where) ? 'must' : 'should';
      const line = ipv6 ? file.line('env') : file.line('env.ECTO_IPV6');
      const found = repoSettings(repo, 'socket_options');
      const doubts = found.flatMap(({ module, value }) =>
        value instanceof Unknown
          ? [new Doubt(`whether ${module} speaks IPv6 is decided by ${value.why}`)]
          : [],
      );
      const wrong = found.filter(
        ({ value }) =>
          !(value instanceof Unknown) && JSON.stringify(value ?? []).includes('inet6') !== ipv6,
      );
      const isSet = file.env.ECTO_IPV6 === String(ipv6);
      return [...doubts, ...wrong.map(({ module }) => ({ line, weight, module, ipv6, isSet }))];
    },
    ({ module, ipv6 }) =>
      ipv6
        ? `${module} connects to the database over IPv4, and Fly's private names have IPv6 addresses only`
        : 'databases outside Fly often have IPv4 addresses only',
    ({ ipv6, isSet, module }) => {
      if (isSet) return `in config/runtime.exs, let ECTO_IPV6 decide socket_options of ${module}`;
      return ipv6 ? 'under [env], add: ECTO_IPV6 = "true"' : 'write: ECTO_IPV6 = "false"';
    },
  ),
  r23.advice(
    (file, repo) => {
      const most = locationOf(file, repo) === 'managed' ? 45 : 25;
      return repoSettings(repo, 'pool_size').flatMap(({ value: size }) =>
        typeof size === 'number' && size > most ? [{ size, line: file.line('env.POOL_SIZE') }] : [],
      );
    },
    ({ size }) => `${size} connections from each machine are more than a small Postgres allows`,
    'write: POOL_SIZE = "10"',
  ),
  r23.advice(
    (file, repo) => {
      const size = locationOf(file, repo) === 'managed' ? 8 : 10;
      return (
        followsPoolSize(repo) &&
        repo.machine.POOL_SIZE === undefined && {
          line: file.line('env'),
          size,
        }
      );
    },
    'no POOL_SIZE: nothing here says how many connections a machine opens',
    ({ size }) => `under [env], add: POOL_SIZE = "${size}"`,
  ),
];

/** R2.7: what stands in a committed file is no secret. */
const secretRules: readonly Rule<FlyFile>[] = [
  r27.must(
    ({ env, line }) =>
      Object.entries(env)
        .filter(([name, value]) => value && (isSecretName(name) || isSecretValue(value)))
        .map(([name]) => ({ name, line: line(`env.${name}`) })),
    ({ name }) => `${name} is a secret, and fly.toml is committed`,
    ({ name }) => `remove it, change its value, and: fly secrets set ${name}=…`,
  ),
  r27.note(
    (_, { project, provided }) => {
      const wanted = secretsToSet(project.env.required, provided).map(({ name }) => name);
      return wanted.length && { names: wanted.join(', ') };
    },
    ({ names }) =>
      `secrets that it can't start without (fly secrets list shows those that are set): ${names}`,
  ),
];

const isSecretValue = (value: string): boolean =>
  hasPassword(value) || /^(sk|rk)_live_|^ghp_/.test(value);

/** What is wrong with a release_command, in words. */
const COMMAND_FAULTS = {
  repo: ['the app has no Ecto repo to migrate', 'remove it'],
  script: [
    'it is not in the release, so each deploy stops here',
    'mix phx.gen.release writes rel/overlays/bin/migrate; or remove release_command',
  ],
  volume: [
    'it runs on a machine without the volume that holds the database',
    'remove it, and migrate when the app starts',
  ],
  module: [
    'there is no such module, so each deploy stops here',
    'mix phx.gen.release writes it; or remove release_command',
  ],
  pooler: [
    'migrations need session locks, which the pooler of Managed Postgres can not hold',
    'write: release_command = "/bin/sh -lc \'DATABASE_URL=$DIRECT_DATABASE_URL COMMAND\'"',
  ],
} as const;

type CommandFault = keyof typeof COMMAND_FAULTS;

function commandFaults(command: string, file: FlyFile, repo: Repo): CommandFault[] {
  const { project, dockerfile, runtime } = repo;
  const paths = [...project.tree.paths];
  const script = /(?:^|[\s/'"])bin\/(migrate[\w-]*)/.exec(command)?.[1];
  const module = /eval\s+["']?([A-Z][\w.]*)\.\w+/.exec(command)?.[1];
  const defines = (path: string) => project.tree.read(path)?.includes(`defmodule ${module} `);
  const isOwn = module?.startsWith(`${project.app.module}.`);
  const where = locationOf(file, repo);
  const isDirect = /DIRECT_DATABASE_URL/.test(command + (runtime?.text ?? ''));
  const faults: Record<CommandFault, boolean | undefined> = {
    repo: /migrat/i.test(command) && project.database.repos.length === 0,
    script: script && dockerfile ? !paths.some((path) => path.endsWith(`bin/${script}`)) : false,
    volume: where === 'sqlite',
    module: isOwn && !paths.some((path) => path.endsWith('.ex') && defines(path)),
    pooler: where === 'managed' && !isDirect,
  };
  return (Object.keys(faults) as CommandFault[]).filter((fault) => faults[fault]);
}

/** B9: release_command names something that is in the image, and reaches the database. */
const commandRule = b9.must(
  (file, repo) => {
    const command = String(file.deploy.release_command ?? '');
    const line = file.line('deploy.release_command');
    return (command ? commandFaults(command, file, repo) : []).map((fault) => {
      const weight: Weight = fault === 'pooler' ? 'should' : 'must';
      return { line, weight, fault, command: command.replaceAll('"', '\\"') };
    });
  },
  ({ fault }) => COMMAND_FAULTS[fault][0],
  ({ fault, command }) => COMMAND_FAULTS[fault][1].replace("COMMAND'", () => `${command}'`),
);

export const flyDataRules: readonly Rule<FlyFile>[] = [
  ...databaseRules,
  ...secretRules,
  commandRule,
];
