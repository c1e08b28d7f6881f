import { ParseError } from 'toml-eslint-parser';
import { readToml, type TomlText } from '../edit/toml-text.ts';
import { Problem } from '../problem.ts';
import type { Tree } from '../tree.ts';

export type Table = Readonly<Record<string, unknown>>;

/** A table and its path in the file: `vm.0`, or `vm` where it is written [vm]. */
export interface Located {
  path: string;
  data: Table;
}

/** The service that serves the app's pages: [http_service], or one of the older [[services]]. */
export interface Service extends Located {
  kind: 'http_service' | 'services';
  internalPort: number | undefined;
  forceHttps: boolean;
  /** Fly's default is off. */
  autoStop: 'off' | 'stop' | 'suspend';
  concurrency: Table | undefined;
  /** Where its HTTP checks stand: `http_service.checks`, `services.0.http_checks`. */
  checksPath: string;
  checks: Located[];
}

/** What a fly.toml says, whichever of flyctl's forms it says it in. */
export interface FlyConfig {
  /** Nothing is written there. */
  blank: boolean;
  source: TomlText;
  table: Table;
  app: string | undefined;
  region: string | undefined;
  build: Table;
  deploy: Table;
  env: Readonly<Record<string, string>>;
  service: Service | undefined;
  /** The process group that serves the pages; undefined when there is only the one that needs no name. */
  group: string | undefined;
  /** Process groups that no service names: what runs there goes on while nobody asks for a page. */
  workers: string[];
  machines: Located[];
  /** The [[vm]] that the pages' machines are made from. */
  machine: Located | undefined;
  /** Seconds; Fly's default is 5. */
  killTimeout: number | undefined;
  /** 1-based line of a value or a table's header, else of the table around it, or of `app`. */
  line(path: string): number | undefined;
}

const read = new WeakMap<Tree, FlyConfig | Problem>();

/**
 * The fly.toml of a repo, read once; without the file everything is empty.
 * @throws Problem when it is not TOML
 */
export function flyConfig(tree: Tree): FlyConfig {
  const known = read.get(tree) ?? parse(tree.read('fly.toml') ?? '');
  read.set(tree, known);
  if (known instanceof Problem) throw known;
  return known;
}

/** Each change reads the file anew. */
const MOST_TABLES = 300;
const MOST_TEXT = 200_000;

function parse(text: string): FlyConfig | Problem {
  if (text.length > MOST_TEXT)
    return new Problem(`fly.toml has more than ${MOST_TEXT / 1000} KB and is not read; shorten it`);
  try {
    // A byte-order mark is no TOML: flyctl refuses it too
    const source = readToml(text.replace(/^\uFEFF/, ''));
    if (source.tables.length > MOST_TABLES)
      return new Problem(
        `fly.toml has more than ${MOST_TABLES} tables and is not read; shorten it`,
      );
    return configOf(source);
  } catch (error) {
    // The parser goes into arrays, inline tables and strings by recursion
    if (error instanceof RangeError)
      return new Problem('fly.toml is nested too deep, or has too long a string, to be read');
    if (!(error instanceof ParseError)) throw error;
    const where = `line ${error.lineNumber}: ${error.message}`;
    return new Problem(`fly.toml is not valid TOML: ${where}; mend or remove it, then run again`);
  }
}

function configOf(source: TomlText): FlyConfig {
  const table: Table = source.data;
  const env = Object.assign({}, ...tablesAt(table, 'env').map(({ data }) => data)) as Table;
  const service = pageService(table, String(env.PORT));
  const groups = groupsOf(table);
  const group = pageGroup(groups, service);
  const machines = tablesAt(table, 'vm');
  return {
    blank: source.text.trim() === '',
    source,
    table,
    app: text(table.app),
    region: text(table.primary_region),
    build: tablesAt(table, 'build')[0]?.data ?? {},
    deploy: tablesAt(table, 'deploy')[0]?.data ?? {},
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])),
    service,
    group,
    workers: idleGroups(table, groups),
    machines,
    machine: pageMachine(machines, group ?? 'app'),
    killTimeout: table.kill_timeout === undefined ? 5 : seconds(table.kill_timeout, 1),
    line: lineFinder(source),
  };
}

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

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value ? value : undefined;

/** The service that speaks HTTP, rather on the port that [env] names; else the only one there is. */
function pageService(table: Table, port: string): Service | undefined {
  const [http] = tablesAt(table, 'http_service');
  if (http) return serviceOf('http_service', http);
  const services = tablesAt(table, 'services').map((found) => serviceOf('services', found));
  const speakHttp = services.filter(({ data }) => ports(data).some((port) => speaks(port, 'http')));
  return (
    speakHttp.find(({ internalPort }) => String(internalPort) === port) ??
    speakHttp[0] ??
    (services.length === 1 ? services[0] : undefined)
  );
}

function serviceOf(kind: Service['kind'], { path, data }: Located): Service {
  const key = kind === 'services' ? 'http_checks' : 'checks';
  // Text in some files of 2020
  const port = Number(data.internal_port);
  const forced = kind === 'services' ? ports(data).map((found) => found.data) : [data];
  return {
    kind,
    path,
    data,
    internalPort: Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined,
    forceHttps: forced.some((found) => found.force_https === true),
    autoStop: AUTO_STOP.get(data.auto_stop_machines) ?? 'off',
    concurrency: tablesAt(data, 'concurrency')[0]?.data,
    checksPath: `${path}.${key}`,
    checks: tablesAt(data, key, `${path}.${key}`),
  };
}

/** true and false are the forms before 2024. */
const AUTO_STOP = new Map<unknown, Service['autoStop']>([
  ['stop', 'stop'],
  [true, 'stop'],
  ['suspend', 'suspend'],
]);

export const ports = (service: Table, path = ''): Located[] =>
  tablesAt(service, 'ports', `${path}.ports`);

export const speaks = ({ data }: Located, handler: string): boolean =>
  [data.handlers].flat().includes(handler);

/** The names of [processes]; [[processes]] with a name is the form of 2020. */
const groupsOf = (table: Table): string[] =>
  tablesAt(table, 'processes').flatMap(({ data }) =>
    Array.isArray(table.processes) ? (text(data.name) ?? []) : Object.keys(data),
  );

const namedIn = (data: Table): string[] => [data.processes ?? []].flat().map(String);

function pageGroup(names: readonly string[], service: Service | undefined): string | undefined {
  const serving = service ? namedIn(service.data) : [];
  const groups = serving.length ? serving : names;
  return ['app', 'web'].find((name) => groups.includes(name)) ?? groups[0];
}

function idleGroups(table: Table, names: readonly string[]): string[] {
  const services = [...tablesAt(table, 'http_service'), ...tablesAt(table, 'services')];
  // Without a name it serves all of them
  if (services.some(({ data }) => namedIn(data).length === 0)) return [];
  return names.filter((name) => !services.some(({ data }) => namedIn(data).includes(name)));
}

function pageMachine(machines: readonly Located[], group: string): Located | undefined {
  return (
    machines.find((machine) => namedIn(machine.data).includes(group)) ??
    machines.find((machine) => namedIn(machine.data).length === 0)
  );
}

/** Seconds of a duration as Fly reads it: a bare number is milliseconds in checks, seconds in kill_timeout. */
export function seconds(value: unknown, bare = 1000): number | undefined {
  if (typeof value === 'number') return value / bare;
  const written = String(value ?? '');
  if (/^\d+$/.test(written)) return Number(written) / bare;
  const parts = [...written.matchAll(/([\d.]+)(ms|s|m|h)/g)];
  if (parts.length === 0) return undefined;
  return parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 1),
    0,
  );
}
const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Finds the line of a table or value; of what isn't there, that of what it would stand in. */
function lineFinder({ text, data, tables, values }: TomlText): FlyConfig['line'] {
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
  const offsets = new Map([
    ...tables.map(({ path, body }): [string, number] => [path, body - 1]).reverse(),
    ...values.map(({ path, range }): [string, number] => [path, range[0]]).reverse(),
  ]);
  const find = (path: string): number | undefined => {
    if (path === '') return data.app === undefined ? undefined : find('app');
    const offset = offsets.get(path) ?? offsets.get(`${path}.0`);
    if (offset === undefined) return find(path.replace(/\.?[^.]*$/, ''));
    return ends.findIndex((end) => end >= offset) + 1;
  };
  return find;
}
