import { ParseError } from 'toml-eslint-parser';
import { readToml, type TomlText } from '../edit/toml-text.ts';
import { Problem } from '../problem.ts';
import type { Tree } from '../tree.ts';
import { readAttachCommand } from './postgres.ts';

export type Table = Readonly<Record<string, unknown>>;

/** A table and its path in the file: `vm.0`, or `vm` where it is written [vm]. */
export interface Located {
  path: string;
  data: Table;
}

/** What a fly.toml says, whichever of flyctl's forms it says it in. */
export type FlyConfig = ReturnType<typeof configOf>;

/** The service that serves the app's pages: [http_service], or one of the older [[services]]. */
export type Service = ReturnType<typeof serviceOf>;

const configs = new WeakMap<Tree, FlyConfig>();

/**
 * The fly.toml of a repo, read once; without the file everything is empty.
 * @throws Problem when it is not TOML
 */
export function flyConfig(tree: Tree): FlyConfig {
  const config = configs.get(tree) ?? configOf(parse(tree.read('fly.toml') ?? ''));
  configs.set(tree, config);
  return config;
}

/**
 * The path of fly.toml's health check where a file of priv/static answers it, such as /robots.txt: no login, no database.
 * @throws Problem when fly.toml is not TOML
 */
export function staticHealthPath(tree: Tree): string | undefined {
  const path = flyConfig(tree).service?.checks[0]?.data.path;
  const isFile = [...tree.paths].some((file) => file.endsWith(`priv/static${path}`));
  return typeof path === 'string' && path !== '/' && isFile ? path : undefined;
}

/** A larger file would take seconds: each change reads it anew. */
const MAX_TABLES = 300;
const MAX_LENGTH = 200_000;

function parse(text: string): TomlText {
  if (text.length > MAX_LENGTH || text.split(/^[ \t]*\[/m).length > MAX_TABLES)
    throw new Problem(
      `fly.toml has more than ${MAX_TABLES} tables or ${MAX_LENGTH / 1000} KB and is not read; shorten it`,
    );
  try {
    // A byte-order mark is no TOML: flyctl refuses it too
    return readToml(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    // The parser goes into arrays, inline tables and strings by recursion
    if (error instanceof RangeError)
      throw new Problem('fly.toml is nested too deep, or has too long a string, to be read');
    if (!(error instanceof ParseError)) throw error;
    const where = `line ${error.lineNumber}: ${error.message}`;
    throw new Problem(`fly.toml is not valid TOML: ${where}; mend or remove it, then run again`);
  }
}

function configOf(source: TomlText) {
  const table: Table = source.data;
  const env: Table = Object.assign({}, ...tablesAt(table, 'env').map(({ data }) => data));
  const service = pageService(table, String(env.PORT));
  const groups = tablesAt(table, 'processes').flatMap(({ data }) => Object.keys(data));
  const group = pageGroup(groups, service);
  const machines = tablesAt(table, 'vm');
  const isIpv4 = /^(false|0)$/.test(String(env.ECTO_IPV6));
  const build: Table = tablesAt(table, 'build')[0]?.data ?? {};
  return {
    /** There is no file, or an empty one. */
    isBlank: source.text.trim() === '',
    source,
    table,
    /** Where its database is, in the words of `--postgres`. */
    postgres: readAttachCommand(source.text) ?? (isIpv4 ? 'external' : undefined),
    app: nonEmpty(table.app),
    region: nonEmpty(table.primary_region),
    build,
    /** Keys of [build] because of which the Dockerfile beside fly.toml is not what is deployed. */
    bypasses: Object.entries(build)
      .filter(([key, value]) => BYPASS.test(key) || isElsewhere(key, value))
      .map(([key]) => key),
    deploy: tablesAt(table, 'deploy')[0]?.data ?? {},
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])),
    service,
    /** The process group that serves the pages; undefined when there is only the one that needs no name. */
    group,
    /** Process groups that no service names: what runs there goes on while nobody asks for a page. */
    workers: idleGroups(table, groups),
    machines,
    /** The [[vm]] that the pages' machines are made from. */
    machine:
      machines.find(({ data }) => groupsOf(data).includes(group ?? 'app')) ??
      machines.find(({ data }) => groupsOf(data).length === 0),
    /** Seconds; Fly's default is 5. */
    killTimeout: seconds(table.kill_timeout ?? 5, 1),
    /** 1-based line of a value or a table's header, else of the table around it, or of `app`. */
    line: (path: string) => lineOf(source, path),
  };
}

/** Keys of [build] that make `fly deploy` build something else. */
const BYPASS = /^(builder|buildpacks|image|builtin|compose|build[-_]target)$/;
const isElsewhere = (key: string, value: unknown): boolean =>
  key === 'dockerfile' && !/^(\.\/)?Dockerfile$/.test(String(value));

export const isPort = (port: number): boolean =>
  Number.isInteger(port) && port > 0 && port < 65_536;

/** A string that says something. */
export const nonEmpty = (value: unknown): string | undefined =>
  typeof value === 'string' && value ? value : undefined;

/** The tables at a key: [[x]] and [x] are the same to flyctl for many keys. */
export function tablesAt(table: Table, key: string, path = key): Located[] {
  const value = table[key];
  const list = Array.isArray(value) ? value : [value];
  return list.flatMap((data, index) =>
    typeof data === 'object' && data !== null && !(data instanceof Date)
      ? [{ data: data as Table, path: Array.isArray(value) ? `${path}.${index}` : path }]
      : [],
  );
}

/** The service that speaks HTTP, rather on the port that [env] names; else the only one there is. */
function pageService(table: Table, port: string): Service | undefined {
  const [http] = tablesAt(table, 'http_service');
  if (http) return serviceOf('http_service', http);
  const services = tablesAt(table, 'services').map((service) => serviceOf('services', service));
  const web = services.filter(({ data }) => ports(data).some((entry) => speaks(entry, 'http')));
  if (web.length === 0) return services.length === 1 ? services[0] : undefined;
  return web.find(({ internalPort }) => String(internalPort) === port) ?? web[0];
}

function serviceOf(kind: 'http_service' | 'services', { path, data }: Located) {
  const checksPath = `${path}.${kind === 'services' ? 'http_checks' : 'checks'}`;
  // Text in some files of 2020
  const port = Number(data.internal_port);
  const listeners = kind === 'services' ? ports(data).map((entry) => entry.data) : [data];
  const concurrency = tablesAt(data, 'concurrency')[0]?.data;
  const autoStop = autoStopOf(data.auto_stop_machines);
  return {
    kind,
    path,
    data,
    internalPort: isPort(port) ? port : undefined,
    forceHttps: listeners.some(({ force_https }) => force_https === true),
    autoStop,
    /** Whether Fly never stops the pages' machine. */
    staysOn: autoStop === 'off' || Number(data.min_machines_running ?? 0) > 0,
    concurrency,
    /** Whether the limits are those that `fly launch` wrote until 2023; nobody chose them. */
    hasLaunchLimits: concurrency?.hard_limit === 25 && concurrency.soft_limit === 20,
    /** Where its HTTP checks stand: `http_service.checks`, `services.0.http_checks`. */
    checksPath,
    checks: tablesAt(data, checksPath.slice(path.length + 1), checksPath),
  };
}

/** Fly's default is off; true and false are the forms before 2024. */
function autoStopOf(value: unknown): 'off' | 'stop' | 'suspend' {
  if (value === 'suspend') return value;
  return value === true || value === 'stop' ? 'stop' : 'off';
}

/** The [[ports]] of a service. @param path of the service in the file */
export const ports = (service: Table, path = ''): Located[] =>
  tablesAt(service, 'ports', `${path}.ports`);

/** Whether a port's handlers name one: http, tls. */
export const speaks = ({ data }: Located, handler: string): boolean =>
  [data.handlers].flat().includes(handler);

const groupsOf = (data: Table): string[] => [data.processes ?? []].flat().map(String);

function pageGroup(names: readonly string[], service: Service | undefined): string | undefined {
  const serving = service ? groupsOf(service.data) : [];
  const groups = serving.length ? serving : names;
  return ['app', 'web'].find((name) => groups.includes(name)) ?? groups[0];
}

/** A service without a name serves all groups. */
function idleGroups(table: Table, names: readonly string[]): string[] {
  const services = ['http_service', 'services'].flatMap((key) => tablesAt(table, key));
  const served = services.map(({ data }) => groupsOf(data));
  const isAll = served.some((list) => list.length === 0);
  return isAll ? [] : names.filter((name) => !served.flat().includes(name));
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Seconds of a duration as Fly reads it: a bare number is milliseconds in checks, seconds in kill_timeout. */
export function seconds(value: unknown, bare = 1000): number | undefined {
  const parts = [...String(value ?? '').matchAll(/([\d.]+)(ms|s|m|h)?/g)];
  const amounts = parts.map(([, amount, unit]) => Number(amount) * (UNITS[unit ?? ''] ?? 1 / bare));
  return amounts.length ? amounts.reduce((sum, amount) => sum + amount) : undefined;
}

function lineOf(source: TomlText, path: string): number | undefined {
  const { text, data, tables, values } = source;
  if (path === '') return data.app === undefined ? undefined : lineOf(source, 'app');
  const isAt = (node: { path: string }) => node.path === path || node.path === `${path}.0`;
  const header = tables.find(isAt);
  const offset = values.find(isAt)?.range[0] ?? (header && header.bodyStart - 1);
  if (offset !== undefined) return text.slice(0, offset).split('\n').length;
  const outerPath = path.replace(/\.?[^.]*$/, '');
  return lineOf(source, outerPath);
}
