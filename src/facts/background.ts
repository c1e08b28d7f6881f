import { type Expr, isOperator, option, walk } from '../elixir/expr.ts';
import { fullName } from '../elixir/scope.ts';
import type { Code } from './code.ts';
import type { Locked } from './lock.ts';
import type { Dep, MixProject } from './mix-project.ts';
import type { SourceModule, Sources } from './sources.ts';

const JOB_LIBRARIES = /^(broadway|exq|faktory_worker|honeydew|oban|oban_pro|quantum|que|verk)$/;
/** Children that every Phoenix app has and that only serve requests. */
const PLUMBING =
  /(Web\.Telemetry|\.(Repo(\.\w*Replicas?)?|Endpoint|PubSub|Presence|Oban|Finch|Tasks?Supervisor))$/;

/** Job libraries, and the app's own processes under its supervisors: work that goes on without requests. */
export function background(
  deps: readonly Dep[],
  lock: ReadonlyMap<string, Locked>,
  projects: readonly MixProject[],
  code: Code,
  sources: Sources,
): string[] {
  const libraries = deps
    .filter(({ name, prod }) => prod && lock.has(name) && JOB_LIBRARIES.test(name))
    .map(({ name }) => name);
  const notWork = new Set([...code.repos, ...code.endpoints].map(({ module }) => module));
  const own = projects
    .flatMap(({ applicationModule }) => sources.module(applicationModule ?? '') ?? [])
    .flatMap((application) => children(application, sources, new Set()))
    .filter(
      (name) => sources.fileOf(name) !== undefined && !notWork.has(name) && !PLUMBING.test(name),
    );
  return [...new Set([...libraries, ...own])];
}

/**
 * Modules in the list literals of a module's functions, and those of the supervisors among them. What a variable or another
 * module's function puts there is not followed: of 28 public apps none would be judged otherwise.
 */
function children(module: SourceModule, sources: Sources, seen: Set<string>): string[] {
  const below = (name: string): string[] => {
    const source = seen.has(name) ? undefined : sources.module(name);
    seen.add(name);
    return source && SUPERVISES.test(source.text) ? children(source, sources, seen) : [];
  };
  const found: string[] = [];
  const functions = [...module.scope.functions.values()].flat();
  walk(
    functions.flatMap(({ body }) => body),
    (expr) => {
      if (expr.is === 'list')
        for (const name of expr.items.flatMap((item) => child(item, module)))
          found.push(name, ...below(name));
      if (expr.is === 'call' && expr.name === 'start_link')
        found.push(...child(expr.target, module).flatMap(below));
    },
  );
  return found;
}

const SUPERVISES = /^ *use Supervisor\b/m;

/** `Shop.Worker`, `{Shop.Worker, …}`, `%{start: {Shop.Worker, …}}`, `worker(Shop.Worker, …)`, `Supervisor.child_spec(…)`. */
function child(expr: Expr | undefined, module: SourceModule): string[] {
  if (expr?.is === 'tuple') return child(expr.items[0], module);
  if (expr?.is === 'map') return child(option(expr, 'start'), module);
  if (expr?.is === 'call' && /^(child_spec|worker|supervisor)$/.test(expr.name)) {
    const own =
      expr.target?.is === 'module' && expr.target.name !== 'Supervisor' ? expr.target : undefined;
    return child(own ?? expr.args[0], module);
  }
  if (isOperator(expr, '|') || isOperator(expr, '&&'))
    return expr.operands.flatMap((operand) => child(operand, module));
  return expr?.is === 'module' ? [fullName(expr.name, module.scope)] : [];
}
