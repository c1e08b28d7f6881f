import satisfies from 'semver/functions/satisfies.js';
import { migrateScript } from '../docker/release-files.ts';
import { show, Unknown } from '../elixir/value.ts';
import { secretsToSet } from '../fly/secrets.ts';
import { isSecret } from './dockerfile-image.ts';
import { lastStep, type Step, startedPaths } from './dockerfile-model.ts';
import { overruling } from './env-sh-rules.ts';
import { volumes } from './fly-rules.ts';
import { releaseFolder, scriptsNamed } from './machine-env.ts';
import type { FlyFile, Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';
import { databaseKind, isManaged } from './runtime-repos.ts';
import { ectoRepos, PROBE, urlName } from './runtime-settings.ts';

const databaseSettings = rulesFor<FlyFile>('R2.3');
const envSecrets = rulesFor<FlyFile>('R2.7');
const deployCommand = rulesFor<FlyFile>('B9');

const isSqlite = ({ project }: Repo): boolean => project.database.adapter === 'sqlite';

/** Whether some repo's pool has no fixed size, so that POOL_SIZE may say it. */
export const followsPoolSize = (repo: Repo): boolean =>
  ectoRepos(repo).some(({ value }) => {
    const size = value('pool_size');
    return typeof size !== 'number' || size === Number(PROBE.POOL_SIZE);
  });

/**
 * POOL_SIZE: what the owner's code takes without it, other than the numbers that Phoenix and this project write. Managed
 * Postgres' Basic plan allows 50 connections and its guide says 8; a small Postgres app takes 10.
 */
export const poolSize = (repo: Repo, managed: boolean): number =>
  ectoRepos(repo)
    .map(({ value }) => value('pool_size', { POOL_SIZE: undefined }))
    .find((size): size is number => typeof size === 'number' && ![8, 10].includes(size)) ??
  (managed ? 8 : 10);

/** Repos that speak another IP than the database's network. */
function wrongNetwork({ env, line }: FlyFile, repo: Repo) {
  const kind = databaseKind(repo);
  const isIpv6 = kind !== 'external';
  const weight = kind === 'app' || kind === 'managed' ? 'must' : 'should';
  return ectoRepos(repo).map(({ module, onMachine }) => {
    const options = onMachine('socket_options');
    if (options instanceof Unknown)
      return new Doubt(`whether ${module} speaks IPv6 is decided by ${options.why}`);
    if (show(options).includes('inet6') === isIpv6) return undefined;
    const what = isIpv6
      ? `${module} connects to the database over IPv4, and Fly's private names have IPv6 addresses only`
      : 'databases outside Fly often have IPv4 addresses only';
    const setIt = isIpv6 ? 'under [env], add: ECTO_IPV6 = "true"' : 'write: ECTO_IPV6 = "false"';
    const isOverruled = overruling(repo, env).some(({ name }) => name === 'ECTO_IPV6');
    const followIt = isOverruled
      ? `in ${repo.envShPath}, leave ECTO_IPV6 as fly.toml sets it`
      : `in ${repo.runtimePath}, let ECTO_IPV6 decide socket_options of ${module}`;
    const edit = env.ECTO_IPV6 === String(isIpv6) ? followIt : setIt;
    return { line: line(isIpv6 ? 'env' : 'env.ECTO_IPV6'), weight, what, edit };
  });
}

/** The release_command, where something about it is wrong. */
const releaseCommand =
  (isWrong: (command: string, repo: Repo) => unknown) =>
  ({ deploy, line }: FlyFile, repo: Repo) => {
    const command = String(deploy.release_command ?? '');
    const isFault = command !== '' && !!isWrong(command, repo);
    return isFault && { command, line: line('deploy.release_command') };
  };

/** `exec "$@"`, `case $1 in` */
const READS_ARGUMENTS = /\$\{?[@*1]/;

/** Whether the ENTRYPOINT, which Fly keeps, starts the app and never what it gets as arguments. */
function ignoresArguments(command: string, { dockerfile, project, release }: Repo): boolean {
  const { final } = dockerfile?.content ?? {};
  const entrypoint = final && lastStep(final, 'ENTRYPOINT');
  if (!entrypoint) return false;
  const { text, words } = entrypoint;
  const paths = startedPaths(entrypoint);
  const isWritten = ({ text }: Step) => paths.some((path) => text.includes(`> ${path}`));
  const scripts = [...scriptsNamed(project, paths), ...final.steps.filter(isWritten)];
  const takesNone =
    scripts.length > 0 && !scripts.some((script) => READS_ARGUMENTS.test(script.text));
  const isShell =
    !text.startsWith('[') || (words.slice(0, -1).includes('-c') && !READS_ARGUMENTS.test(text));
  const startsRelease = new RegExp(`(^|/)${release}( |$)`).test(words.join(' '));
  const isForRelease = /^(eval|rpc)\b/.test(command) && words.at(-1)?.endsWith(`/${release}`);
  return takesNone || isShell || (startsRelease && !isForRelease);
}

/** The database and its migrations, and secrets. */
export const flyDataRules: readonly Rule<FlyFile>[] = [
  databaseSettings.must({
    find: (file, repo) => isSqlite(repo) && volumes(file).length === 0,
    what: 'each deploy starts with an empty database: its file is on a disk that is not kept',
    edit: [
      'at the end, add, and let DATABASE_PATH point there:',
      '[[mounts]]',
      'source = "data"',
      'destination = "/data"',
    ],
  }),
  databaseSettings.should({
    find: wrongNetwork,
    what: ({ what }) => `${what}`,
    edit: ({ edit }) => `${edit}`,
  }),
  databaseSettings.advice({
    find: ({ line }, repo) =>
      ectoRepos(repo).map(({ onMachine }) => {
        const size = Number(onMachine('pool_size'));
        const isLarge = size > (isManaged(repo) ? 45 : 25) && databaseKind(repo) !== 'external';
        return isLarge && { size, line: line('env.POOL_SIZE') };
      }),
    what: ({ size }) =>
      `${size} connections from each machine are more than a small Postgres allows`,
    edit: 'write: POOL_SIZE = "10" (or pool_size: 10 in config/runtime.exs, where it is fixed)',
  }),
  databaseSettings.advice({
    find: ({ line }, repo) =>
      followsPoolSize(repo) &&
      repo.machine.POOL_SIZE === undefined && {
        line: line('env'),
        size: poolSize(repo, isManaged(repo)),
      },
    what: 'no POOL_SIZE: nothing here says how many connections a machine opens',
    edit: ({ size }) => `under [env], add: POOL_SIZE = "${size}"`,
  }),

  envSecrets.must({
    find: ({ env, line }) =>
      Object.entries(env)
        .filter(([name, value]) => value && isSecret(name, value))
        .map(([name]) => ({ name, line: line(`env.${name}`) })),
    what: ({ name }) => `${name} is a secret, and fly.toml is committed`,
    edit: ({ name }) => `remove it, change its value, and: fly secrets set ${name}=…`,
  }),
  envSecrets.note({
    find: (_, { project, provided }) => {
      const wanted = secretsToSet(project.env.required, provided).map(({ name }) => name);
      return wanted.length > 0 && { names: wanted.join(', ') };
    },
    what: ({ names }) =>
      `secrets that it can't start without (fly secrets list shows those that are set): ${names}`,
  }),

  deployCommand.must({
    find: releaseCommand((command, { project, dockerfile }) => {
      const script = /(?:^|[\s/'"])(bin\/migrate[\w-]*)/.exec(command)?.[1];
      return script && dockerfile && ![...project.tree.paths].some((path) => path.endsWith(script));
    }),
    what: 'it is not in the release, so each deploy stops here',
    edit: 'mix phx.gen.release writes rel/overlays/bin/migrate; or remove release_command',
  }),
  deployCommand.must({
    find: ({ deploy, line }, repo) => {
      const [path, root] = /^(\/\S*)\/bin\/\S+/.exec(String(deploy.release_command)) ?? [];
      const folder = releaseFolder(repo);
      // Programs of the system, and a release below the folder, where it was built
      const isKnown = root?.startsWith('/usr') || root?.startsWith(folder);
      return path && !isKnown && { line: line('deploy.release_command'), path, folder };
    },
    what: ({ path, folder }) =>
      `there is no ${path}: the Dockerfile puts the release into ${folder}`,
    edit: ({ path, folder }) => `write ${folder}${path.replace(/.*(?=\/bin\/)/, '')}`,
  }),
  deployCommand.must({
    find: releaseCommand(ignoresArguments),
    what: 'Fly passes it to the ENTRYPOINT of the Dockerfile, which starts the app instead: the deploy waits in vain',
    edit: 'in the Dockerfile, write CMD in place of ENTRYPOINT; or let its script run `exec "$@"` when it gets arguments',
  }),
  deployCommand.must({
    find: (_, { project, release }) => {
      const file = migrateScript(project, release);
      const version = project.lock.has('ecto_sql') ? project.lockedVersion('ecto_sql') : 'none';
      const isOld = version === 'none' || satisfies(version ?? '', '<3.1.2');
      return isOld && project.tree.read(file)?.includes('Migrator.with_repo') && { file, version };
    },
    what: ({ version }) =>
      `Ecto.Migrator.with_repo came with ecto_sql 3.1.2, and mix.lock has ${version}`,
    edit: 'update ecto_sql, or migrate in another way here',
  }),
  deployCommand.must({
    find: releaseCommand((_, repo) => isSqlite(repo)),
    what: 'it runs on a machine without the volume that holds the database',
    edit: 'remove it, and migrate when the app starts',
  }),
  deployCommand.must({
    find: releaseCommand((command, { project }) => {
      const module = /eval\s+["']?([A-Z][\w.]*)\.\w+/.exec(command)?.[1];
      return module?.startsWith(`${project.app.module}.`) && !project.sources.module(module);
    }),
    what: 'there is no such module, so each deploy stops here',
    edit: 'mix phx.gen.release writes it; or remove release_command',
  }),
  deployCommand.should({
    find: releaseCommand(
      (command, repo) =>
        isManaged(repo) && !/DIRECT_DATABASE_URL/.test(command + (repo.runtime?.text ?? '')),
    ),
    what: 'migrations need session locks, which the pooler of Managed Postgres can not hold',
    edit: ({ command }, repo) =>
      `write: release_command = "/bin/sh -lc '${urlName(repo)}=$DIRECT_DATABASE_URL ${command.replaceAll('"', '\\"')}'"`,
  }),
];
