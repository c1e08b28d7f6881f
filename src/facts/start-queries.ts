import coerce from 'semver/functions/coerce.js';
import gte from 'semver/functions/gte.js';
import { fullName } from '../elixir/scope.ts';
import { type Expr, walk } from '../elixir/syntax.ts';
import type { Project } from './project.ts';
import type { SourceModule, Sources } from './sources.ts';

/** Functions of a repo that ask its database nothing. */
const HARMLESS =
  /^(start_link|child_spec|config|stop|put_dynamic_repo|get_dynamic_repo|__adapter__)$/;
const DEEPEST = 6;

/**
 * Why the app can't start before its tables are there, as half a sentence; undefined where nothing was found. Oban looks
 * for its tables since 2.22 (oban-bg/oban#1452); others ask a repo in start/2, or in a worker's init/1.
 */
export function queriesAtStart(project: Project): string | undefined {
  const oban = coerce(project.lockedVersion('oban'));
  if (oban && project.background.includes('oban') && gte(oban, '2.22.0'))
    return `Oban ${oban.version} stops where its tables are missing`;
  const { sources } = project;
  const repos = new Set(project.database.repos);
  const starts: [module: string, functions: string[]][] = [
    ...project.projects.flatMap(({ applicationModule }): [string, string[]][] =>
      applicationModule ? [[applicationModule, ['start']]] : [],
    ),
    ...project.background.map((name): [string, string[]] => [name, ['init', 'handle_continue']]),
  ];
  const seen = new Set<string>();
  for (const [name, functions] of starts) {
    const module = sources.module(name);
    const found = functions.find((one) => module && asks(module, one, repos, sources, seen));
    if (module && found) return `${found} in ${module.file} asks the database`;
  }
  return undefined;
}

/** Whether a function, or one of the project that it calls, asks a repo. */
function asks(
  module: SourceModule,
  name: string,
  repos: ReadonlySet<string>,
  sources: Sources,
  seen: Set<string>,
  depth = 0,
): boolean {
  const key = `${module.name}.${name}`;
  if (seen.has(key) || depth > DEEPEST) return false;
  seen.add(key);
  const bodies = (module.scope.functions.get(name) ?? []).flatMap(({ body }) => body);
  return callsOf(bodies, module).some(({ on, called }) => {
    if (on !== undefined && repos.has(on)) return !HARMLESS.test(called);
    const next = on === undefined ? module : sources.module(on);
    return next !== undefined && asks(next, called, repos, sources, seen, depth + 1);
  });
}

function callsOf(
  body: readonly Expr[],
  module: SourceModule,
): { on: string | undefined; called: string }[] {
  const calls: { on: string | undefined; called: string }[] = [];
  walk(body, (expr) => {
    if (expr.is !== 'call') return;
    if (expr.on === undefined) calls.push({ on: undefined, called: expr.name });
    else if (expr.on.is === 'module')
      calls.push({ on: fullName(expr.on.name, module.scope), called: expr.name });
  });
  return calls;
}
