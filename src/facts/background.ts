import { type Expr, isOperator, option, walk } from '../elixir/expr.ts';
import { callsIn } from '../elixir/modules.ts';
import { fullName } from '../elixir/scope.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';
import type { SourceModule, Sources } from './sources.ts';

const JOB_LIBRARIES = /^(broadway|exq|faktory_worker|honeydew|oban|oban_pro|quantum|que|verk)$/;
/** Children that every Phoenix app has and that only serve requests. */
const PLUMBING = /\.(Telemetry|Repo(\.\w+)?|Endpoint|PubSub|Presence|Oban|Finch|Tasks?Supervisor)$/;
/** What workers use, whatever they are called. */
const ACTIVE = /^(GenServer|GenStage|Commanded\.(?!Application))/;
/** Libraries whose modules store or measure something, or pass on commands, and do no work of their own. */
const PASSIVE =
  /^(Cloak\.Vault|Commanded\.Application|Hammer|Nebulex\.Cache|Phoenix\.Presence|PromEx)$/;

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
    .filter((name) => !servesRequests.has(name) && isWorker(name, sources));
  return [...new Set([...libraries, ...workers])];
}

/** Whether a child is the app's own code, perhaps by a macro of the module around it, and does more than serve requests. */
function isWorker(name: string, sources: Sources): boolean {
  const module = sources.module(name) ?? sources.module(name.replace(/\.[^.]*$/, ''));
  if (!module) return false;
  const used = callsIn(module.body, 'use').flatMap(({ args: [target] }) =>
    target?.is === 'module' ? fullName(target.name, module.scope) : [],
  );
  if (used.some((library) => ACTIVE.test(library))) return true;
  return !PLUMBING.test(name) && !used.some((library) => PASSIVE.test(library));
}

/**
 * Modules in the list literals of a module's functions, and those of the supervisors among them. What an attribute or
 * another function puts there, or start_child adds, is not followed: of 203 public apps one would be judged otherwise.
 */
function children(module: SourceModule, sources: Sources, seen: Set<string>): string[] {
  const grandchildren = (name: string): string[] => {
    const source = seen.has(name) ? undefined : sources.module(name);
    seen.add(name);
    const isSupervisor = /^ *use Supervisor\b/m.test(source?.text ?? '');
    return source && isSupervisor ? children(source, sources, seen) : [];
  };
  const names: string[] = [];
  const bodies = [...module.scope.functions.values()].flat().flatMap(({ body }) => body);
  walk(bodies, (expr, ancestors) => {
    const isInOption = ancestors.some(isOption);
    const items = expr.is === 'list' ? expr.items : [];
    const specs = items.filter((item) => !isInOption || item.is === 'map');
    for (const name of specs.flatMap((spec) => childModules(spec, module)))
      names.push(name, ...grandchildren(name));
    if (expr.is === 'call' && expr.name === 'start_link' && !isInOption)
      names.push(...childModules(expr.target, module).flatMap(grandchildren));
  });
  return names;
}

/** `{Shop.Listener, …}` and `filters: …`: in lists in there only `%{start: …}` is a child. */
function isOption(expr: Expr): boolean {
  if (expr.is !== 'tuple' || expr.items.length !== 2) return false;
  const [key] = expr.items;
  return key?.is === 'module' || (key?.is === 'atom' && !/^(do|else|children)$/.test(key.name));
}

/** `Shop.Worker`, `{Shop.Worker, …}`, `%{start: {Shop.Worker, …}}`, `worker(Shop.Worker, …)`, `Supervisor.child_spec(…)` */
function childModules(expr: Expr | undefined, module: SourceModule): string[] {
  if (expr?.is === 'module') return [fullName(expr.name, module.scope)];
  if (expr?.is === 'tuple')
    return expr.items.length === 2 ? childModules(expr.items[0], module) : [];
  if (expr?.is === 'map') {
    const start = option(expr, 'start');
    return start?.is === 'tuple' ? childModules(start.items[0], module) : [];
  }
  if (expr?.is === 'call' && /^(child_spec|worker|supervisor)$/.test(expr.name)) {
    const { target, args } = expr;
    const isOwn = target?.is === 'module' && target.name !== 'Supervisor';
    return childModules(isOwn ? target : args[0], module);
  }
  if (isOperator(expr, '|') || isOperator(expr, '&&'))
    return expr.operands.flatMap((operand) => childModules(operand, module));
  return [];
}
