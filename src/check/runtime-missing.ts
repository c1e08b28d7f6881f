import semver from 'semver';
import {
  atomName,
  get,
  isKeyword,
  pairs,
  show,
  Tuple,
  Unknown,
  type Value,
} from '../elixir/value.ts';
import { setting } from './boot.ts';
import { compiledKeyOf } from './compiled-keys.ts';
import { builderElixir } from './dockerfile-base.ts';
import { placeholder, type Repo } from './repo.ts';
import {
  type DatabaseKind,
  isBuiltIn,
  isMade,
  type Path,
  PROBE,
  settingAt,
} from './runtime-probe.ts';
import { reposOf } from './setting-rule.ts';

/** Hosts that generators and other platforms leave behind: nobody reaches the app on Fly by them. */
const NO_HOST =
  /^(localhost|127\.0\.0\.1|0\.0\.0\.0|(www\.)?example\.(com|org|net)|.*\.(herokuapp\.com|gigalixirapp\.com|onrender\.com|ondigitalocean\.app|railway\.app))$/;
const isText = (value: Value): boolean => typeof value === 'string';
export const isNoHost = (value: Value | undefined): boolean =>
  value === undefined || value === null || (typeof value === 'string' && NO_HOST.test(value));

/** Settings of the endpoint that nobody makes. */
export interface MissingEndpoint {
  server: boolean;
  host: boolean;
  /** Without PHX_HOST the host is made up. */
  hostFallback: boolean;
  scheme: boolean;
  urlPort: boolean;
  ip: boolean;
  port: boolean;
  secretKeyBase: boolean;
}

export function missingEndpoint(repo: Repo): MissingEndpoint {
  const { project } = repo;
  const at = (...keys: string[]): Path => [project.app.otpApp, project.endpoint.module, ...keys];
  const lacks = (keys: string[], isPlaceholder?: (value: Value) => boolean) =>
    !isMade(repo, at(...keys), isPlaceholder) && !compiledKeyOf(project, at(...keys));
  const http = settingAt(repo, at('http'));
  // Our keyword list would take the place of a list that mixes plain atoms in
  const joins = http === undefined || http === null || isKeyword(http);
  const host = lacks(['url', 'host'], isNoHost);
  const alone = settingAt(repo, at('url', 'host'), { PHX_HOST: undefined });
  const isDemanded = repo
    .boot({ ...PROBE, PHX_HOST: undefined })
    .stops.some((stop) => stop.includes('PHX_HOST'));
  return {
    server: !servesAlways(repo) && lacks(['server'], (value) => value === false),
    host,
    hostFallback:
      !host &&
      settingAt(repo, at('url', 'host')) === PROBE.PHX_HOST &&
      isNoHost(alone) &&
      !isDemanded &&
      !compiledKeyOf(project, at('url', 'host')),
    scheme: lacks(['url', 'scheme']),
    urlPort: lacks(['url', 'port'], (value) => value === 80),
    ip: joins && !speaksIpv6(http) && lacks(['http', 'ip'], isLoopback),
    port: joins && lacks(['http', 'port'], (value) => isOtherPort(repo, value)),
    secretKeyBase:
      (lacks(['secret_key_base'], isText) && !readsSecret(repo, at('secret_key_base'))) ||
      isBuiltIn(repo, at('secret_key_base')),
  };
}

/** Phoenix's older switch, for all endpoints. */
export const servesAlways = (repo: Repo): boolean =>
  settingAt(repo, ['phoenix', 'serve_endpoints']) === true;

/** A port of the app's own is right as long as fly.toml doesn't name another. */
export const isOtherPort = ({ fly }: Repo, value: Value | undefined): boolean => {
  const port = Number(value);
  return (
    Number.isInteger(port) &&
    port !== Number(PROBE.PORT) &&
    port !== (fly?.service?.internalPort ?? port)
  );
};

const readsSecret = (repo: Repo, path: Path): boolean =>
  settingAt(repo, path) === placeholder('SECRET_KEY_BASE');
/** `http: [:inet6, port: 4000]` of Phoenix 1.5, and an address of eight parts. */
export function speaksIpv6(http: Value | undefined): boolean {
  if (http instanceof Unknown) return true;
  const ip = get(http, 'ip');
  return (
    (ip instanceof Tuple && ip.items.length === 8) ||
    atomName(ip) === 'any6' ||
    atomName(ip) === 'any' ||
    /:inet6/.test(show(http))
  );
}

export const isLoopback = (ip: Value | undefined): boolean =>
  /^(\{127, 0, 0, 1\}|\{0, 0, 0, 0, 0, 0, 0, 1\}|:loopback|"127\.0\.0\.1"|"::1")$/.test(show(ip));

/** Settings of a repo that nobody makes. */
export interface MissingRepo {
  module: string;
  app: string;
  url: boolean;
  poolSize: boolean;
  queue: boolean;
  ipv6: boolean;
  prepare: boolean;
  maxLifetime: boolean;
  ssl: boolean;
  /** Migrations go through the pooler of Managed Postgres. */
  direct: boolean;
}

/** What each repo on the app's server lacks there. */
export function missingRepos(repo: Repo, kind: DatabaseKind): MissingRepo[] {
  const { project } = repo;
  if (kind === 'none') return [];
  const postgres = project.database.adapter === 'postgres';
  const renews = semver.gte(project.database.dbConnectionVersion ?? '0.0.0', '2.10.1');
  return reposOf(repo).map(({ module, app }) => {
    const at = (key: string): Path => [app, module, key];
    const lacks = (key: string) => !isMade(repo, at(key)) && !compiledKeyOf(project, at(key));
    const url = !hasAddress(repo, at) && !compiledKeyOf(project, at('url'));
    return {
      module,
      app,
      url,
      poolSize: lacks('pool_size'),
      queue: lacks('queue_target') && lacks('queue_interval'),
      ipv6: lacks('socket_options'),
      prepare: postgres && (kind === 'managed' || kind === 'external') && lacks('prepare'),
      // db_connection 2.10.0 has it, 2.10.1 mended it
      maxLifetime: kind === 'managed' && renews && lacks('max_lifetime'),
      ssl: postgres && kind === 'external' && lacks('ssl'),
      direct:
        kind === 'managed' &&
        followsDatabaseUrl(repo, at('url'), url) &&
        !goesAround(repo, at('url')),
    };
  });
}

const NO_SERVER = /^(localhost|127\.0\.0\.1|db|postgres|database)$/;

/** The owner says where the database is: an address from the environment, a server by name, a socket. */
function hasAddress(repo: Repo, at: (key: string) => Path): boolean {
  const local = (value: Value) => typeof value === 'string' && NO_SERVER.test(value);
  return (
    settingAt(repo, at('url')) === placeholder('DATABASE_URL') ||
    (isMade(repo, at('url'), isText) && !isBuiltIn(repo, at('url'))) ||
    isMade(repo, at('hostname'), local) ||
    ['socket', 'socket_dir', 'endpoints'].some((key) => isMade(repo, at(key)))
  );
}

const followsDatabaseUrl = (repo: Repo, url: Path, ours: boolean): boolean =>
  ours || settingAt(repo, url) === placeholder('DATABASE_URL');

/** `bin/x eval` takes DIRECT_DATABASE_URL. */
const goesAround = (repo: Repo, url: Path): boolean =>
  settingAt(repo, url, {
    RELEASE_COMMAND: 'eval',
    DIRECT_DATABASE_URL: placeholder('DIRECT_DATABASE_URL'),
  }) === placeholder('DIRECT_DATABASE_URL');

/** One setting of the app's follows BACKGROUND_ENABLED. */
export function hasBackgroundSwitch(repo: Repo): boolean {
  const app = repo.project.app.otpApp;
  const [on, off] = ['true', 'false'].map((value) =>
    repo.boot({ ...PROBE, BACKGROUND_ENABLED: value }),
  );
  return pairs(on?.apps.get(app)).some(
    ([key, value]) => off && show(value) !== show(setting(off, app, key)),
  );
}

/** Lists of TLS options below the app's settings, by name. */
export const tlsLists = (repo: Repo): (readonly [name: string, options: Value])[] =>
  pairs(repo.boot(PROBE).apps.get(repo.project.app.otpApp))
    .flatMap(([key, value]) => [
      [key, value] as const,
      // Those of an endpoint or a repo are for their own connections
      ...(/^[A-Z]/.test(key) ? [] : pairs(value)).map(
        ([inner, one]) => [`${key}.${inner}`, one] as const,
      ),
    ])
    .filter(
      ([, value]) =>
        isKeyword(value) &&
        get(value, 'verify') !== undefined &&
        (get(value, 'cacertfile') ?? get(value, 'cacerts')) !== undefined,
    );

/** How Logger's lines are set. `own`: a formatter, handler or backend of the owner's, which decides alone. */
export interface LogLines {
  key: 'default_formatter' | 'console';
  own: Value | undefined;
  format: boolean;
  metadata: boolean;
  elixir: string | null;
}

/** Elixir before 1.15 reads :console; later ones too, unless :default_formatter is there (logger/app.ex of 1.20). */
export function logLines(repo: Repo): LogLines {
  const { project, dockerfile } = repo;
  const elixir = (dockerfile && builderElixir(dockerfile.file)) ?? project.elixir.version;
  const modern = semver.gte(semver.coerce(elixir ?? '1.15.0') ?? '1.15.0', '1.15.0');
  const made = (...keys: string[]) =>
    isMade(repo, ['logger', ...keys]) || compiledKeyOf(project, ['logger', ...keys]) !== undefined;
  const key =
    modern && (made('default_formatter') || !made('console')) ? 'default_formatter' : 'console';
  const backends = settingAt(repo, ['logger', 'backends']);
  const handler = settingAt(repo, ['logger', 'default_handler']);
  const formatter = get(handler, 'formatter');
  const elsewhere = backends !== undefined && !show(backends).includes(':console');
  return {
    key,
    own: handler === false ? handler : (formatter ?? (elsewhere ? backends : undefined)),
    format: !made(key, 'format'),
    metadata: !made(key, 'metadata'),
    elixir,
  };
}

/** The level under two values of LOG_LEVEL. */
export const logLevels = (repo: Repo): (Value | undefined)[] =>
  ['warning', 'error'].map((LOG_LEVEL) => settingAt(repo, ['logger', 'level'], { LOG_LEVEL }));

/** LOG_LEVEL has no effect, and may have one. */
export function missingLogLevel(repo: Repo): boolean {
  if (compiledKeyOf(repo.project, ['logger', 'level'])) return false;
  const [level, other] = logLevels(repo);
  return !(level instanceof Unknown) && show(level) === show(other);
}

/** tzdata would write new releases of the time zones below /app, which it may not. */
export const missingTzdata = (repo: Repo): boolean =>
  repo.project.lock.has('tzdata') &&
  !isMade(repo, ['tzdata', 'autoupdate']) &&
  !isMade(repo, ['tzdata', 'data_dir']);
