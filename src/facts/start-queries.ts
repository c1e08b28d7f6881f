import coerce from 'semver/functions/coerce.js';
import gte from 'semver/functions/gte.js';
import { type Expr, walk } from '../elixir/expr.ts';
import { fullName } from '../elixir/scope.ts';
import type { Project } from './detect.ts';
import type { SourceModule, Sources } from './sources.ts';

/** Functions of a repo that ask its database nothing. */
const HARMLESS =
  /^(start_link|child_spec|config|stop|put_dynamic_repo|get_dynamic_repo|__adapter__)$/;
/** Calls nested deeper than this are not followed. */
const MAX_DEPTH = 6;

/**
 * Why the app can't start before its tables are there, as half a sentence; undefined where nothing was found. Oban looks
 * for its tables since 2.22 (oban-bg/oban#1452); others ask a repo in start/2, or in a worker's init/1.
 */
export function queriesAtStart(project: Project): string | undefined {
  const { lockedVersion, background, database, projects, sources } = project;
  const oban = coerce(lockedVersion('oban'));
  if (oban && background.includes('oban') && gte(oban, '2.22.0'))
    return `Oban ${oban.version} stops where its tables are missing`;
  const asksDatabase = databaseCalls(sources, database.repos);
  const starts = [
    ...projects.map(({ applicationModule }) => [applicationModule ?? '', 'start'] as const),
    ...background.flatMap((name) => [[name, 'init'] as const, [name, 'handle_continue'] as const]),
  ];
  for (const [name, functionName] of starts) {
    const module = sources.module(name);
    if (module && asksDatabase(module, functionName))
      return `${functionName} in ${module.file} asks the database`;
  }
  return undefined;
}

/** `{Periodic, run: &Shop.Users.sync/0}`: a function among the data, which runs later if at all. */
const isHandedOn = (expr: Expr, index: number, ancestors: readonly Expr[]): boolean =>
  expr.is === 'fn' && /^(tuple|list|map)$/.test(ancestors[index - 1]?.is ?? '');

/** @returns whether a function, or one of the project that it calls, asks a repo; each is looked at once */
export function databaseCalls(sources: Sources, repos: readonly string[]) {
  const seen = new Set<string>();
  return function asksDatabase(module: SourceModule | undefined, name: string, depth = 0): boolean {
    const key = `${module?.name}.${name}`;
    if (!module || seen.has(key) || depth > MAX_DEPTH) return false;
    seen.add(key);
    let asks = false;
    const clauses = module.scope.functions.get(name) ?? [];
    const bodies = clauses.flatMap(({ body }) => body);
    walk(bodies, (expr, ancestors) => {
      if (asks || expr.is !== 'call' || ancestors.some(isHandedOn)) return;
      const { target } = expr;
      if (!target) asks = asksDatabase(module, expr.name, depth + 1);
      if (target?.is !== 'module') return;
      const targetName = fullName(target.name, module.scope);
      asks = repos.includes(targetName)
        ? !HARMLESS.test(expr.name)
        : asksDatabase(sources.module(targetName), expr.name, depth + 1);
    });
    return asks;
  };
}
