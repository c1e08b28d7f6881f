import { type Expr, isOperator, option, walk } from '../elixir/expr.ts';
import { fullName } from '../elixir/scope.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';
import type { SourceModule, Sources } from './sources.ts';

const JOB_LIBRARIES = /^(broadway|exq|faktory_worker|honeydew|oban|oban_pro|quantum|que|verk)$/;
/** Children that every Phoenix app has and that only serve requests. */
const PLUMBING =
  /(Web\.Telemetry|\.(Repo(\.\w*Replicas?)?|Endpoint|PubSub|Presence|Oban|Finch|Tasks?Supervisor))$/;

/** Job libraries, and the app's own processes under its supervisors: work that goes on without requests. */
export function background({ deps, lock, released, code, sources }: PhoenixRepo): string[] {
  const libraries = deps
    .filter(({ name, prod }) => prod && lock.has(name) && JOB_LIBRARIES.test(name))
    .map(({ name }) => name);
  const servesRequests = new Set([...code.repos, ...code.endpoints].map(({ module }) => module));
  const applications = released.flatMap(
    ({ applicationModule }) => sources.module(applicationModule ?? '') ?? [],
  );
  const workers = applications
    .flatMap((application) => children(application, sources, new Set()))
    .filter(
      (name) =>
        sources.fileOf(name) !== undefined && !servesRequests.has(name) && !PLUMBING.test(name),
    );
  return [...new Set([...libraries, ...workers])];
}

/**
 * Modules in the list literals of a module's functions, and those of the supervisors among them. What a variable or another
 * module's function puts there is not followed: of 28 public apps none would be judged otherwise.
 */
function children(module: SourceModule, sources: Sources, seen: Set<string>): string[] {
  const grandchildren = (name: string): string[] => {
    const source = seen.has(name) ? undefined : sources.module(name);
    seen.add(name);
    const isSupervisor = /^ *use Supervisor\b/m.test(source?.text ?? '');
    return source && isSupervisor ? children(source, sources, seen) : [];
  };
  const names: string[] = [];
  const clauses = [...module.scope.functions.values()].flat();
  const bodies = clauses.flatMap(({ body }) => body);
  walk(bodies, (expr) => {
    if (expr.is === 'list')
      for (const name of expr.items.flatMap((item) => childModules(item, module)))
        names.push(name, ...grandchildren(name));
    if (expr.is === 'call' && expr.name === 'start_link')
      names.push(...childModules(expr.target, module).flatMap(grandchildren));
  });
  return names;
}

/** `Shop.Worker`, `{Shop.Worker, …}`, `%{start: {Shop.Worker, …}}`, `worker(Shop.Worker, …)`, `Supervisor.child_spec(…)`. */
function childModules(expr: Expr | undefined, module: SourceModule): string[] {
  if (expr?.is === 'module') return [fullName(expr.name, module.scope)];
  if (expr?.is === 'tuple') return childModules(expr.items[0], module);
  if (expr?.is === 'map') return childModules(option(expr, 'start'), module);
  if (expr?.is === 'call' && /^(child_spec|worker|supervisor)$/.test(expr.name)) {
    const { target, args } = expr;
    const isOwn = target?.is === 'module' && target.name !== 'Supervisor';
    return childModules(isOwn ? target : args[0], module);
  }
  if (isOperator(expr, '|') || isOperator(expr, '&&'))
    return expr.operands.flatMap((operand) => childModules(operand, module));
  return [];
}
