import semver from 'semver';
import { evaluate } from '../elixir/evaluate.ts';
import { emptyScope } from '../elixir/scope.ts';
import { type Call, type Expr, lineAt, walk } from '../elixir/syntax.ts';
import { atomName, show, type Value } from '../elixir/value.ts';
import { sourcesOf } from './compiled-keys.ts';
import { placeholder, type Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { type Place, type Rule, rulesFor } from './rule.ts';
import { type MissingRepo, missingRepos } from './runtime-missing.ts';
import { databaseKind, type Path, settingAt, variableOf } from './runtime-probe.ts';
import { type Row, reposOf, settingRules } from './setting-rule.ts';

const speaksIpv6 = (value: Value | undefined): boolean => /:inet6/.test(show(value));
const isOn = (value: Value | undefined): boolean =>
  value !== undefined && value !== null && value !== false;

const onFly = (repo: Repo): boolean => /app|managed/.test(databaseKind(repo) ?? '');
/** Before 0.21.1 `ssl: true` takes any certificate (postgrex's changelog). */
const takesAny = ({ project }: Repo): boolean =>
  semver.lt(project.lockedVersion('postgrex') ?? '0.21.1', '0.21.1');

const IPV6 =
  'socket_options: if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])';

type Missing = Exclude<keyof MissingRepo, 'module' | 'app'>;

const ROWS: readonly Row<Missing>[] = [
  {
    id: 'R3.2',
    key: 'pool_size',
    weight: 'should',
    variable: 'POOL_SIZE',
    missing: 'poolSize',
    what: 'pool_size does not follow POOL_SIZE',
    line: 'pool_size: String.to_integer(System.get_env("POOL_SIZE", "10"))',
  },
  {
    id: 'R3.2',
    key: 'pool_size',
    weight: 'advice',
    isWrong: (value, repo, path) =>
      typeof value === 'number' && value !== 7 && variableOf(repo, path) === undefined,
    what: 'pool_size is the same whatever POOL_SIZE in fly.toml says',
    line: 'pool_size: String.to_integer(System.get_env("POOL_SIZE", "10"))',
  },
  {
    id: 'R3.2',
    key: 'queue_target',
    weight: 'advice',
    isWrong: (target, repo, [app, module = '']) =>
      target === undefined && settingAt(repo, [app, module, 'queue_interval']) === undefined,
    what: 'a busy pool drops queries after 50 ms (queue_target, queue_interval)',
    line: 'queue_target: 500, queue_interval: 2_000',
  },
  {
    id: 'R3.2',
    key: 'socket_options',
    weight: 'should',
    variable: 'ECTO_IPV6',
    missing: 'ipv6',
    isWrong: (value, repo) => !speaksIpv6(value) && databaseKind(repo) !== 'external',
    what: "with ECTO_IPV6=true it still connects over IPv4, and Fly's private names have IPv6 addresses only",
    line: IPV6,
  },
  {
    id: 'R3.2',
    key: 'socket_options',
    weight: 'should',
    variable: 'ECTO_IPV6',
    environment: { ECTO_IPV6: 'false' },
    isWrong: (value, repo, path) => speaksIpv6(value) && !isForced(repo, path),
    what: 'ECTO_IPV6=false turns IPv6 on too, because only its presence is tested',
    edit: 'write: System.get_env("ECTO_IPV6") in ~w(true 1)',
  },
  {
    id: 'R3.2',
    key: 'backoff_type',
    weight: 'should',
    isWrong: (value) => atomName(value) === 'stop',
    what: 'backoff_type: :stop gives up when the database restarts',
    edit: 'remove backoff_type',
  },
  {
    id: 'R3.2',
    key: 'prepare',
    weight: 'should',
    matters: (repo) => databaseKind(repo) === 'managed',
    missing: 'prepare',
    isWrong: (value) => atomName(value) !== 'unnamed',
    what: 'Managed Postgres may run each transaction on another connection, which does not know prepared statements',
    line: 'prepare: :unnamed',
  },
  {
    id: 'R3.2',
    key: 'max_lifetime',
    weight: 'advice',
    missing: 'maxLifetime',
    what: "Fly's proxy closes connections after ten minutes",
    line: 'max_lifetime: 480_000..540_000',
  },
  {
    id: 'R3.2',
    key: 'ssl',
    weight: 'must',
    matters: onFly,
    isWrong: isOn,
    what: 'ssl is on, and Postgres on Fly\'s private network has none ("ssl not available")',
    edit: 'remove ssl; the private network is encrypted already',
  },
  {
    id: 'R3.2',
    key: 'ssl',
    weight: 'should',
    matters: (repo) => databaseKind(repo) === 'external',
    missing: 'ssl',
    isWrong: (value) => !isOn(value),
    what: 'the app connects to a database outside Fly over the internet without TLS',
    line: 'ssl: [verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt"]',
  },
  {
    id: 'R3.2',
    key: 'ssl',
    weight: 'should',
    matters: (repo) => takesAny(repo) && !onFly(repo),
    isWrong: (value, repo, [app, module = '']) =>
      value === true && !settingAt(repo, [app, module, 'ssl_opts']),
    what: 'ssl: true of postgrex before 0.21.1 takes any certificate',
    line: 'ssl: [verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt"]',
  },
  {
    id: 'R3.3',
    key: 'url',
    weight: 'must',
    variable: 'DATABASE_URL',
    missing: 'url',
    what: 'DATABASE_URL is not read from the environment',
    line: 'url: System.get_env("DATABASE_URL") || raise "DATABASE_URL is missing; set it with: fly postgres attach"',
  },
  {
    id: 'R3.3',
    key: 'url',
    weight: 'note',
    isWrong: (value, repo, path) =>
      onFly(repo) && value !== placeholder('DATABASE_URL') && variableOf(repo, path) !== undefined,
    what: 'its URL is in a variable with another name: give that to `fly postgres attach` as --variable-name',
    edit: '',
  },
];

/** Fixed in the configuration, whatever the variable says: the owner's choice. */
const isForced = (repo: Repo, path: Path): boolean =>
  speaksIpv6(settingAt(repo, path, { ECTO_IPV6: undefined }));

const targets = (repo: Repo) => {
  const missing = missingRepos(repo, databaseKind(repo));
  return reposOf(repo).map((target) => ({
    ...missing.find(({ module }) => module === target.module),
    ...target,
  }));
};

/** `init/2` of a repo decides last; the engine doesn't run it. */
function sslInInit(repo: Repo): (Place & { module: string })[] {
  const sources = sourcesOf(repo.project);
  const modules = sources.mentioning(['Ecto.Repo']).flatMap((file) => sources.modules(file));
  return modules
    .filter(({ name }) => onFly(repo) && reposOf(repo).some(({ module }) => module === name))
    .flatMap(({ body, file, text, name: module }) => {
      const found: (Place & { module: string })[] = [];
      walk(body.filter(isInit), (expr) => {
        if (setsSsl(expr)) found.push({ file, line: lineAt(text, expr.offset), module });
      });
      return found.slice(0, 1);
    });
}

const isInit = (expr: Expr): boolean => {
  const head = expr.is === 'call' && expr.name === 'def' ? expr.args[0] : undefined;
  return head?.is === 'call' && head.name === 'init';
};

/** `Keyword.put(config, :ssl, true)` or `ssl: true`. */
function setsSsl(expr: Expr): expr is Call {
  if (expr.is !== 'call') return false;
  const isTrue = (value: Expr | undefined) =>
    value !== undefined && show(evaluate(value, emptyScope())) === 'true';
  const isSsl = (value: Expr | undefined) => value?.is === 'atom' && value.name === 'ssl';
  const puts = expr.name === 'put' && isSsl(expr.args.at(-2)) && isTrue(expr.args.at(-1));
  const lists = expr.args.flatMap((arg) => (arg.is === 'list' ? arg.items : []));
  return (
    puts ||
    lists.some((item) => item.is === 'tuple' && isSsl(item.items[0]) && isTrue(item.items[1]))
  );
}

const initRule = rulesFor(RUNTIME_EXS, 'R3.2').must(
  (_, repo) => sslInInit(repo),
  ({ module }) =>
    `${module}: init turns ssl on, and Postgres on Fly's private network has none ("ssl not available")`,
  'remove ssl there; the private network is encrypted already',
);

/** R3.2 (and R3.3 for its address): each repo on the app's server. */
export const repoRules: readonly Rule<string>[] = [
  ...settingRules(targets, ROWS, ({ module }, what) => `${module}: ${what}`),
  initRule,
];
