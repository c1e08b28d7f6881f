import semver from 'semver';
import { atomName, get, pairs, show, type Value } from '../elixir/value.ts';
import { placeholder } from './machine-env.ts';
import type { Environment, Repo } from './repo.ts';
import { type Rule, rulesFor } from './rule.ts';
import { ectoRepos, finder, PROBE, type Settings, settingsOf } from './runtime-settings.ts';

type DatabaseKind = 'app' | 'managed' | 'external' | 'none' | undefined;

/** Where the database lives, as far as fly.toml says it: in a comment, or by ECTO_IPV6. */
export function databaseKind({ fly }: Repo): DatabaseKind {
  const answer = fly?.postgres;
  if (answer === undefined || answer === 'external' || answer === 'none') return answer;
  return answer.startsWith('managed') ? 'managed' : 'app';
}

export const isManaged = (repo: Repo): boolean => databaseKind(repo) === 'managed';
const isOutside = (repo: Repo): boolean => databaseKind(repo) === 'external';
const isOnFly = (repo: Repo): boolean => /app|managed/.test(databaseKind(repo) ?? '');

/** The repos on the app's database server, each with what our block sets because nobody does. */
export function ectoTargets(repo: Repo, kind: DatabaseKind) {
  const { database } = repo.project;
  const isPostgres = database.adapter === 'postgres';
  // max_lifetime came with db_connection 2.10.0 and works since 2.10.1
  const hasLifetime = semver.gte(database.dbConnectionVersion ?? '0.0.0', '2.10.1');
  return (kind === 'none' ? [] : ectoRepos(repo)).map((settings) => {
    const { lacks, value } = settings;
    const url = !hasAddress(settings) && !repo.compiledKey([settings.app, settings.module, 'url']);
    const missing = {
      url,
      pool_size: lacks('pool_size'),
      queue: lacks('queue_target') && lacks('queue_interval'),
      socket_options: lacks('socket_options'),
      prepare: isPostgres && /managed|external/.test(kind ?? '') && lacks('prepare'),
      max_lifetime: kind === 'managed' && hasLifetime && lacks('max_lifetime'),
      ssl: isPostgres && kind === 'external' && lacks('ssl'),
      /** Migrations go through the pooler of Managed Postgres. */
      direct:
        kind === 'managed' &&
        database.repos.includes(settings.module) &&
        (url || value('url') === placeholder('DATABASE_URL')) &&
        value('url', DIRECT) !== DIRECT.DIRECT_DATABASE_URL,
    };
    return { ...settings, missing };
  });
}
export type EctoTarget = ReturnType<typeof ectoTargets>[number];

/** `bin/x eval` may take another address. */
const DIRECT = {
  RELEASE_COMMAND: 'eval',
  DIRECT_DATABASE_URL: placeholder('DIRECT_DATABASE_URL'),
};

const isLocal = (value: Value | undefined): boolean =>
  typeof value === 'string' &&
  /^((?!http)\w+:\/\/([^/@]*@)?)?(localhost|127\.0\.0\.1|db|postgres|database)(:\d+)?(\/|$)/.test(
    value,
  );

/** The owner says where the database is: an address from the environment, a server by name, a socket. */
const hasAddress = ({ value, isSet, isBuiltIn }: Settings): boolean =>
  value('url') === placeholder('DATABASE_URL') ||
  (isSet('url', (url) => typeof url === 'string') && !isBuiltIn('url')) ||
  isSet('hostname', isLocal) ||
  ['socket', 'socket_dir', 'endpoints'].some((key) => isSet(key));

/** Modules beside repos and endpoints, such as an event store, whose server is on this machine or in docker-compose.yml. */
function localServices(_: string, repo: Repo) {
  const { repos, unlistedRepos } = repo.project.database;
  const known = [...repos, ...unlistedRepos.map(({ module }) => module)];
  const modules = [...repo.boot(PROBE).apps].flatMap(([app, settings]) =>
    pairs(settings)
      .filter(([key]) => /^[A-Z]/.test(key) && !known.includes(key))
      .map(([module]) => settingsOf(repo, app, module)),
  );
  return modules.flatMap(({ module, value, variable, location }) =>
    ['hostname', 'host', 'url']
      .filter((key) => isLocal(value(key)) && variable(key) === undefined)
      .map((key) => ({ module, ...location(key) })),
  );
}

const connectionPool = rulesFor<string>('R3.2');
const databaseAddress = rulesFor<string>('R3.3');

/** Settings of repos whose database is of some kind. */
const reposWhere = (isOfKind: (repo: Repo) => boolean) =>
  finder((repo) => (isOfKind(repo) ? ectoTargets(repo, databaseKind(repo)) : []));
const repos = reposWhere(() => true);

const speaksIpv6 = (value: Value | undefined): boolean => /:inet6/.test(show(value));
const isEnabled = (value: Value | undefined): boolean => (value ?? false) !== false;

const usesTls = ({ value }: Settings, changes?: Environment): boolean =>
  isEnabled(value('ssl', changes)) || /[?&]ssl=true/.test(show(value('url', changes)));

/** The owner's variable that turns TLS off, with the value that does it. */
const tlsSwitch = (target: Settings): [name: string, value: string] | undefined =>
  [...target.repo.project.config.env]
    .filter((name) => /SSL|TLS/.test(name))
    .flatMap((name) => ['false', 'disable', 'true'].map((value): [string, string] => [name, value]))
    .find(([name, value]) => !usesTls(target, { [name]: value }));

/** Before 0.21.1 `ssl: true` takes any certificate (postgrex's changelog). */
const trustsAnyCertificate = ({ project }: Repo): boolean =>
  semver.lt(project.lockedVersion('postgrex') ?? '0.21.1', '0.21.1');

/** R3.2 (and R3.3 for its address): each repo on the app's server. */
export const repoRules: readonly Rule<string>[] = [
  connectionPool.should({
    find: repos('pool_size', (size, { missing, variable }) => {
      const isNumber = typeof size === 'number' && size !== Number(PROBE.POOL_SIZE);
      const isFixed = isNumber && variable('pool_size') === undefined;
      return missing.pool_size || (isFixed && 'advice');
    }),
    what: ({ module }) => `${module}: pool_size does not follow POOL_SIZE`,
    edit: ({ config, ours }) =>
      `add: ${config}, pool_size: String.to_integer(System.get_env("POOL_SIZE", "10"))${ours}`,
  }),
  connectionPool.advice({
    find: repos(
      'queue_target',
      (target, { value }) => (target ?? value('queue_interval')) === undefined,
    ),
    what: ({ module }) =>
      `${module}: a busy pool drops queries after 50 ms (queue_target, queue_interval)`,
    edit: ({ config, ours }) => `add: ${config}, queue_target: 500, queue_interval: 2_000${ours}`,
  }),
  connectionPool.should({
    find: repos('socket_options', (value, { repo }) => !speaksIpv6(value) && !isOutside(repo)),
    what: ({ module }) =>
      `${module}: with ECTO_IPV6=true it still connects over IPv4, and Fly's private names have IPv6 addresses only`,
    edit: ({ config, ours }) =>
      `add: ${config}, socket_options: if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])${ours}`,
  }),
  connectionPool.should({
    find: repos('socket_options', (_, { value }) => {
      const [off, unset] = ['false', undefined].map((ECTO_IPV6) =>
        value('socket_options', { ECTO_IPV6 }),
      );
      return speaksIpv6(off) && !speaksIpv6(unset);
    }),
    what: ({ module }) =>
      `${module}: ECTO_IPV6=false turns IPv6 on too, because only its presence is tested`,
    edit: 'write: System.get_env("ECTO_IPV6") in ~w(true 1)',
  }),
  connectionPool.should({
    find: repos('backoff_type', (value) => atomName(value) === 'stop'),
    what: ({ module }) => `${module}: backoff_type: :stop gives up when the database restarts`,
    edit: 'remove backoff_type',
  }),
  connectionPool.should({
    find: reposWhere(isManaged)('prepare', (value) => atomName(value) !== 'unnamed'),
    what: ({ module }) =>
      `${module}: Managed Postgres may run each transaction on another connection, which does not know prepared statements`,
    edit: ({ config, ours }) => `add: ${config}, prepare: :unnamed${ours}`,
  }),
  connectionPool.advice({
    find: repos('max_lifetime'),
    what: ({ module }) => `${module}: Fly's proxy closes connections after ten minutes`,
    edit: ({ config, ours }) => `add: ${config}, max_lifetime: 480_000..540_000${ours}`,
  }),
  connectionPool.must({
    find: reposWhere(isOnFly)('ssl', (_, target) => usesTls(target)),
    what: ({ module }) =>
      `${module}: ssl is on, and Postgres on Fly's private network has none ("ssl not available")`,
    edit: (target) => {
      const [name, value] = tlsSwitch(target) ?? [];
      const edit = name ? `in fly.toml below [env], set: ${name} = "${value}"` : 'remove ssl';
      return `${edit}; the private network is encrypted already`;
    },
  }),
  connectionPool.must({
    find: (_, repo) => isOnFly(repo) && ectoRepos(repo).map(sslInInit),
    what: ({ module }) =>
      `${module}: in init, ssl is on, and Postgres on Fly's private network has none ("ssl not available")`,
    edit: 'remove ssl there; the private network is encrypted already',
  }),
  connectionPool.should({
    find: reposWhere(isOutside)('ssl', (value) => !isEnabled(value)),
    what: ({ module }) =>
      `${module}: the app connects to a database outside Fly over the internet without TLS`,
    edit: ({ config, ours }) =>
      `add: ${config}, ssl: [verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt"]${ours}`,
  }),
  connectionPool.should({
    find: reposWhere((repo) => trustsAnyCertificate(repo) && !isOnFly(repo))(
      'ssl',
      (ssl, { value }) => ssl === true && !value('ssl_opts'),
    ),
    what: ({ module }) => `${module}: ssl: true of postgrex before 0.21.1 takes any certificate`,
    edit: ({ config, ours }) =>
      `add: ${config}, ssl: [verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt"]${ours}`,
  }),
  connectionPool.should({
    find: reposWhere((repo) => !isOnFly(repo))('ssl', (ssl, { value }) =>
      [ssl, value('ssl_opts')].some((list) => atomName(get(list, 'verify')) === 'verify_none'),
    ),
    what: ({ module }) => `${module}: verify_none takes any certificate`,
    edit: `write: verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt" (or the CA file of your database's provider)`,
  }),
  databaseAddress.must({
    find: repos('url'),
    what: ({ module }) => `${module}: DATABASE_URL is not read from the environment`,
    edit: ({ config, ours }) =>
      `add: ${config}, url: System.get_env("DATABASE_URL") || raise "DATABASE_URL is missing; set it with: fly postgres attach"${ours}`,
  }),
  databaseAddress.should({
    find: localServices,
    what: ({ module }) => `${module} connects to a server that is not there on Fly`,
    edit: (_, { runtimePath }) => `in ${runtimePath}, read its address from the environment`,
  }),
];

/** `Keyword.put(config, :ssl, true)` or `ssl: true` after `def init` of a repo, which decides last and is not run here. */
function sslInInit({ repo: { project }, module }: Settings) {
  const { file = '', text = '' } = project.sources.module(module) ?? {};
  const [untilSsl] = /^[\s\S]*?def init\b[\s\S]*?\bssl(:|,) *(true|\[)/.exec(text) ?? [];
  return untilSsl && { module, file, line: untilSsl.split('\n').length };
}
