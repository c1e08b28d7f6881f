import type TOML from '@iarna/toml';
import type { Answers } from '../answers/questions.ts';
import type { MergeRules } from '../edit/toml-merge.ts';
import { Problem } from '../problem.ts';

type Table = TOML.JsonMap;

/** The service in a fly.toml that serves the app's pages: [http_service], or one of the older [[services]]. */
export interface Service {
  table: 'http_service' | 'services';
  /** `http_service` or `services.0`. */
  path: string;
  data: Table;
}

/** What is at a key, as a list: [[x]] and [x] are the same to flyctl for many keys. */
export const listAt = (table: Table, key: string): Table[] =>
  [table[key] ?? []]
    .flat()
    .filter((one): one is Table => typeof one === 'object' && !(one instanceof Date));

/** All of [env], or of several [[env]]. */
export const envOf = (table: Table): Table => Object.assign({}, ...listAt(table, 'env')) as Table;

/** The service that serves the pages; undefined when no service speaks HTTP. */
export function pageService(table: Table): Service | undefined {
  const [http] = listAt(table, 'http_service');
  if (http) return { table: 'http_service', path: 'http_service', data: http };
  const services = listAt(table, 'services').map(
    (data, index): Service => ({
      table: 'services',
      path: Array.isArray(table.services) ? `services.${index}` : 'services',
      data,
    }),
  );
  const port = String(envOf(table).PORT);
  const speaksHttp = services.filter(({ data }) =>
    listAt(data, 'ports').some((one) => [one.handlers].flat().includes('http')),
  );
  return (
    speaksHttp.find(({ data }) => String(data.internal_port) === port) ??
    speaksHttp[0] ??
    (services.length === 1 ? services[0] : undefined)
  );
}

/** The process group that serves the pages; undefined when there is only the one that needs no name. */
export function pageGroup(table: Table): string | undefined {
  // [[processes]] with a name is the form of 2020
  const names = listAt(table, 'processes').flatMap((one) =>
    Array.isArray(table.processes) ? String(one.name ?? '') || [] : Object.keys(one),
  );
  const named = [pageService(table)?.data.processes ?? []].flat().map(String);
  return (
    ['app', 'web'].find((name) => named.includes(name)) ??
    named[0] ??
    ['app', 'web'].find((name) => names.includes(name)) ??
    names[0]
  );
}

/** The [[vm]] that the pages' machines are made from. */
export function pageMachine(table: Table): { path: string; data: Table } | undefined {
  const machines = listAt(table, 'vm').map((data, index) => ({
    path: Array.isArray(table.vm) ? `vm.${index}` : 'vm',
    data,
    groups: [data.processes ?? []].flat(),
  }));
  const group = pageGroup(table) ?? 'app';
  return (
    machines.find(({ groups }) => groups.includes(group)) ??
    machines.find(({ groups }) => groups.length === 0)
  );
}

/** Megabytes of a [[vm]]'s memory, such as 512, "512mb" or "1gb"; undefined where it says none. */
export function megabytes(machine: Table | undefined): number | undefined {
  const [, amount, unit = ''] =
    /^(\d+)\s*(gb?|mb?)?$/i.exec(String(machine?.memory ?? machine?.memory_mb ?? '').trim()) ?? [];
  return amount === undefined ? undefined : Number(amount) * (/^g/i.test(unit) ? 1024 : 1);
}

/**
 * The key under which the pages' machine needs our memory; undefined: its owner gave it a size of which memory is a part.
 * @throws Problem when a shared-cpu-1x machine can't have so much
 */
export function memoryKey(
  machine: Table | undefined,
  memory: number,
): 'memory' | 'memory_mb' | undefined {
  const said = megabytes(machine);
  const small =
    (machine?.size ?? 'shared-cpu-1x') === 'shared-cpu-1x' &&
    Number(machine?.cpus ?? 1) === 1 &&
    machine?.cpu_kind !== 'performance';
  if (small && memory > 2048 && memory !== said)
    throw new Problem(
      '--memory: a shared-cpu-1x machine has at most 2gb; name a larger size under [[vm]] in fly.toml, then run again',
    );
  if (said === undefined && !small) return undefined;
  return machine?.memory_mb !== undefined && machine.memory === undefined ? 'memory_mb' : 'memory';
}

const limitsOf = (service: Service | undefined): Table | undefined =>
  service && listAt(service.data, 'concurrency')[0];

/** What `fly launch` wrote until 2023; nobody chose it. */
const launched = (limits: Table | undefined): boolean =>
  limits?.hard_limit === 25 && limits.soft_limit === 20;

/** 1000 connections at once, as far as limits of theirs leave room. */
export function connections(service: Service | undefined): { soft: number; hard: number } {
  const limits = limitsOf(service);
  if (launched(limits)) return { soft: 1000, hard: 1000 };
  return {
    soft: Math.min(1000, Number(limits?.hard_limit ?? 1000)),
    hard: Math.max(1000, Number(limits?.soft_limit ?? 1000)),
  };
}

/**
 * How our fly.toml goes into theirs.
 * @param once the app does work that must not run twice at the same time
 */
export function mergeRules(there: Table, answers: Answers, once: boolean): MergeRules {
  const service = pageService(there);
  const machine = pageMachine(there);
  const checksKey = service?.table === 'services' ? 'http_checks' : 'checks';
  const elements = (table: Table, key: string) =>
    listAt(table, key).map((data, index) => ({
      data,
      path: Array.isArray(table[key]) ? `${key}.${index}` : key,
    }));
  const checks = service ? elements(service.data, checksKey) : [];
  const targets = (table: string): string[] => {
    if (table === 'env' && Array.isArray(there.env)) return [`env.${there.env.length - 1}`];
    // Beside a [vm] of another group TOML lets no [[vm]] stand
    if (table === 'vm.0')
      return machine || !there.vm || Array.isArray(there.vm)
        ? [machine?.path ?? `vm.${listAt(there, 'vm').length}`]
        : [];
    if (!service || !/^(http_service|services)(\.|$)/.test(table)) return [table];
    const inner = table.slice(service.table.length + 1);
    if (inner === `${checksKey}.0`) return checks.length ? [] : [`${service.path}.${inner}`];
    // Each check of theirs needs the header as well
    if (inner === `${checksKey}.0.headers`)
      return checks.length
        ? checks.filter(needsHeader).map(({ path }) => `${service.path}.${path}.headers`)
        : [`${service.path}.${inner}`];
    if (inner === 'ports.0')
      return elements(service.data, 'ports')
        .filter(({ data }) => JSON.stringify(data.handlers) === '["http"]')
        .map(({ path }) => `${service.path}.${path}`);
    return [inner ? `${service.path}.${inner}` : service.path];
  };
  const also = (path: string) =>
    path.startsWith('env.')
      ? elements(there, 'env').map((env) => `${env.path}${path.slice(3)}`)
      : [];
  const replace = (path: string, theirs: unknown): boolean => {
    if (
      /^(app|primary_region|kill_signal|env\.PHX_HOST|http_service\.force_https|services\.ports\.0\.force_https)$/.test(
        path,
      )
    )
      return true;
    // Numbers and booleans are text to [env]
    if (path === 'env.PORT') return Number(theirs) !== Number(service?.data.internal_port ?? 4000);
    if (path === 'env.ECTO_IPV6')
      return /^(true|1)$/.test(String(theirs)) !== (answers.postgres.kind !== 'external');
    if (path === 'kill_timeout') return theirs === 5 || theirs === '5s';
    if (path === 'deploy.strategy') return once && /^(bluegreen|canary)$/.test(String(theirs));
    if (/_(machines|machines_running)$/.test(path)) return true;
    if (/\.concurrency\./.test(path)) return launched(limitsOf(service));
    return path.startsWith('vm.0.memory') && megabytes(machine?.data) !== answers.memory;
  };
  // The answer about the database stands in the comment
  return { targets, also, replace, explain: (path) => path === 'env.ECTO_IPV6' };
}

/** A list of names and values is the form of 2020, beside which TOML lets no table stand. */
const needsHeader = ({ data }: { data: Table }): boolean =>
  data.protocol !== 'https' &&
  !(Array.isArray(data.headers) && data.headers.length) &&
  !Object.keys(listAt(data, 'headers')[0] ?? {}).some(
    (name) => name.toLowerCase() === 'x-forwarded-proto',
  );
