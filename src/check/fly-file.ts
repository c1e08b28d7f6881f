import type TOML from '@iarna/toml';
import { parseTOML } from 'toml-eslint-parser';
import { flyTable } from '../existing.ts';
import type { Project } from '../facts/detect.ts';
import { Problem } from '../problem.ts';

type Body = ReturnType<typeof parseTOML>['body'][0]['body'][number];
type Pair = Extract<Body, { type: 'TOMLKeyValue' }>;

/** `[http_service]` or one of the older `[[services]]`, as one shape. */
export interface Service {
  /** Where it stands: `http_service` or `services.0`. */
  path: string;
  internalPort: number | undefined;
  forceHttps: boolean;
  autoStop: unknown;
  autoStart: unknown;
  minRunning: unknown;
  concurrency: Record<string, unknown> | undefined;
  /** HTTP checks, with the path of the list that they stand in. */
  checks: Record<string, unknown>[];
  checksPath: string;
}

export interface FlyFile {
  table: TOML.JsonMap;
  /** Why it can't be read; then `table` is empty. */
  problem: string | undefined;
  services: Service[];
  /** 1-based line of `http_service.internal_port` or of a table's header. */
  line(path: string): number | undefined;
}

export function readFlyFile(project: Project): FlyFile | undefined {
  const text = project.tree.read('fly.toml');
  if (text === undefined) return undefined;
  try {
    const table = flyTable(project);
    const lines = linesOf(text);
    return { table, problem: undefined, services: servicesOf(table), line: (path) => lines.get(path) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { table: {}, problem: error.message, services: [], line: () => undefined };
  }
}

const listOf = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]).filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null);

/** A table that may be written `[vm]` or `[[vm]]`. */
export const tables = (file: FlyFile, name: string): Record<string, unknown>[] => listOf(file.table[name]);

export const table = (file: FlyFile, name: string): Record<string, unknown> => listOf(file.table[name])[0] ?? {};

function servicesOf(data: TOML.JsonMap): Service[] {
  const shape = (one: Record<string, unknown>, path: string, checks: string, forceHttps: unknown): Service => ({
    path,
    internalPort: typeof one.internal_port === 'number' ? one.internal_port : undefined,
    forceHttps: forceHttps === true,
    autoStop: one.auto_stop_machines,
    autoStart: one.auto_start_machines,
    minRunning: one.min_machines_running,
    concurrency: listOf(one.concurrency)[0],
    checks: listOf(one[checks]),
    checksPath: `${path}.${checks}`,
  });
  return [
    ...listOf(data.http_service).map((one) => shape(one, 'http_service', 'checks', one.force_https)),
    ...listOf(data.services).map((one, index) => shape(one, `services.${index}`, 'http_checks', listOf(one.ports).some((port) => port.force_https))),
  ];
}

function linesOf(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const pair = (node: Pair, prefix: string): void => {
    const path = [prefix, ...node.key.keys.map((key) => String('name' in key ? key.name : key.value))].filter(Boolean).join('.');
    lines.set(path, node.loc.start.line);
    if (node.value.type === 'TOMLInlineTable') for (const inner of node.value.body) pair(inner, path);
  };
  for (const node of parseTOML(text).body[0].body) {
    if (node.type === 'TOMLKeyValue') pair(node, '');
    else {
      const path = node.resolvedKey.join('.');
      lines.set(path, node.loc.start.line);
      for (const inner of node.body) pair(inner, path);
    }
  }
  return lines;
}
