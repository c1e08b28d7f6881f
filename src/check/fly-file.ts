import type TOML from '@iarna/toml';
import { parseTOML } from 'toml-eslint-parser';
import { flyTable } from '../answers/existing.ts';
import type { Project } from '../facts/detect.ts';
import { envOf, listAt, pageService } from '../fly/service.ts';
import { Problem } from '../problem.ts';

type Body = ReturnType<typeof parseTOML>['body'][0]['body'][number];
type Pair = Extract<Body, { type: 'TOMLKeyValue' }>;

/** The service that serves the pages: `[http_service]`, or one of the older `[[services]]`, as one shape. */
export interface Service {
  /** Where it stands: `http_service` or `services.0`. */
  path: string;
  internalPort: number | undefined;
  forceHttps: boolean;
  autoStop: unknown;
  autoStart: unknown;
  concurrency: TOML.JsonMap | undefined;
  /** HTTP checks, and the path of the list that they stand in. */
  checks: TOML.JsonMap[];
  checksPath: string;
}

export interface FlyFile {
  text: string;
  table: TOML.JsonMap;
  /** Why it can't be read; then `table` is empty. */
  problem: string | undefined;
  service: Service | undefined;
  env: Readonly<Record<string, string>>;
  /** 1-based line of `http_service.internal_port` or of a table's header. */
  line(path: string): number | undefined;
}

export function readFlyFile(project: Project): FlyFile | undefined {
  const text = project.tree.read('fly.toml');
  if (text === undefined) return undefined;
  try {
    const table = flyTable(project);
    const lines = linesOf(text);
    return {
      text,
      table,
      problem: undefined,
      service: serviceOf(table),
      env: Object.fromEntries(
        Object.entries(envOf(table)).map(([name, value]) => [name, String(value)]),
      ),
      line: (path) => lines.get(path),
    };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return {
      text,
      table: {},
      problem: error.message,
      service: undefined,
      env: {},
      line: () => undefined,
    };
  }
}

/** A table, which may be written `[deploy]` or `[[deploy]]`; the first counts. */
export const section = (file: FlyFile, name: string): TOML.JsonMap =>
  listAt(file.table, name)[0] ?? {};

function serviceOf(table: TOML.JsonMap): Service | undefined {
  const page = pageService(table);
  if (!page) return undefined;
  const { path, data } = page;
  const checks = page.table === 'services' ? 'http_checks' : 'checks';
  return {
    path,
    internalPort: typeof data.internal_port === 'number' ? data.internal_port : undefined,
    forceHttps:
      page.table === 'services'
        ? listAt(data, 'ports').some((port) => port.force_https === true)
        : data.force_https === true,
    autoStop: data.auto_stop_machines,
    autoStart: data.auto_start_machines,
    concurrency: listAt(data, 'concurrency')[0],
    checks: listAt(data, checks),
    checksPath: `${path}.${checks}`,
  };
}

function linesOf(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const pair = (node: Pair, prefix: string): void => {
    const path = [
      prefix,
      ...node.key.keys.map((key) => String('name' in key ? key.name : key.value)),
    ]
      .filter(Boolean)
      .join('.');
    lines.set(path, node.loc.start.line);
    if (node.value.type === 'TOMLInlineTable')
      for (const inner of node.value.body) pair(inner, path);
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
