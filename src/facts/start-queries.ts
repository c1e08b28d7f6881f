import coerce from 'semver/functions/coerce.js';
import gte from 'semver/functions/gte.js';
import { walk } from '../elixir/expr.ts';
import { fullName } from '../elixir/scope.ts';
import type { Project } from './detect.ts';
import type { SourceModule, Sources } from './sources.ts';

/** Functions of a repo that ask its database nothing. */
const HARMLESS =
  /^(start_link|child_spec|config|stop|put_dynamic_repo|get_dynamic_repo|__adapter__)$/;
const DEEPEST = 6;

/**
 * Why the app can't start before its tables are there, as half a sentence; undefined where nothing was found. Oban looks
 * for its tables since 2.22 (oban-bg/oban#1452); others ask a repo in start/2, or in a worker's init/1.
 */
export function queriesAtStart({
  lockedVersion,
  background,
  database,
  projects,
  sources,
}: Project): string | undefined {
  const oban = coerce(lockedVersion('oban'));
  if (oban && background.includes('oban') && gte(oban, '2.22.0'))
    return `Oban ${oban.version} stops where its tables are missing`;
  const asks = asking(sources, database.repos);
  const starts = [
    ...projects.map(({ applicationModule }) => [applicationModule ?? '', 'start'] as const),
    ...background.flatMap((name) => [[name, 'init'] as const, [name, 'handle_continue'] as const]),
  ];
  for (const [name, called] of starts) {
    const module = sources.module(name);
    if (module && asks(module, called)) return `${called} in ${module.file} asks the database`;
  }
  return undefined;
}

/** Whether a function, or one of the project that it calls, asks a repo. */
function asking(sources: Sources, repos: readonly string[]) {
  const seen = new Set<string>();
  return function asks(module: SourceModule | undefined, name: string, depth = 0): boolean {
    const key = `${module?.name}.${name}`;
    if (!module || seen.has(key) || depth > DEEPEST) return false;
    seen.add(key);
    let found = false;
    walk(
      (module.scope.functions.get(name) ?? []).flatMap(({ body }) => body),
      (expr) => {
        if (found || expr.is !== 'call' || (expr.target && expr.target.is !== 'module')) return;
        const on = expr.target && fullName(expr.target.name, module.scope);
        if (on !== undefined && repos.includes(on)) found = !HARMLESS.test(expr.name);
        else found = asks(on === undefined ? module : sources.module(on), expr.name, depth + 1);
      },
    );
    return found;
  };
}
