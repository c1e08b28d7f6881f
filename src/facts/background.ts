import { type Expr, isOperator, option, walk } from '../elixir/expr.ts';
import { callsIn } from '../elixir/modules.ts';
import { fullName } from '../elixir/scope.ts';
import type { Code } from './code.ts';
import type { Locked } from './lock.ts';
import type { Dep, MixProject } from './mix-project.ts';
import type { SourceModule, Sources } from './sources.ts';

const JOB_LIBRARIES = [
  'oban',
  'oban_pro',
  'quantum',
  'exq',
  'broadway',
  'verk',
  'que',
  'faktory_worker',
  'honeydew',
];
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
  const libraries = JOB_LIBRARIES.filter(
    (name) => lock.has(name) && deps.some((dep) => dep.name === name && dep.prod),
  );
  const notWork = new Set([...code.repos, ...code.endpoints].map((one) => one.module));
  const own = projects
    .flatMap((project) =>
      project.applicationModule ? (sources.module(project.applicationModule) ?? []) : [],
    )
    .flatMap((application) => childrenOf(application, sources))
    .filter(
      (name) => sources.fileOf(name) !== undefined && !notWork.has(name) && !PLUMBING.test(name),
    );
  return [...new Set([...libraries, ...own])];
}

/**
 * Modules that stand as children in a module's list literals, those of the project's supervisors among them included. What a
 * variable or another module's function puts there is not followed: of 28 public apps none would be judged otherwise.
 */
function childrenOf(module: SourceModule, sources: Sources, seen = new Set<string>()): string[] {
  const below = (name: string): string[] => {
    const source = seen.has(name) ? undefined : sources.module(name);
    seen.add(name);
    return source && supervises(source) ? childrenOf(source, sources, seen) : [];
  };
  const children: string[] = [];
  walk(startCode(module), (expr) => {
    if (expr.is === 'list') children.push(...expr.items.flatMap((item) => child(item, module)));
    const started = expr.is === 'call' && expr.name === 'start_link' ? child(expr.on, module) : [];
    for (const name of started) children.push(...below(name));
  });
  return children.flatMap((name) => [name, ...below(name)]);
}

/** What start/2 or init/1 runs of its own module. */
function startCode({ scope }: SourceModule): Expr[] {
  const names = new Set(['start', 'init']);
  const code: Expr[] = [];
  // Grows while it is walked: functions call each other
  for (const name of names)
    for (const { body } of scope.functions.get(name) ?? []) {
      code.push(...body);
      walk(body, (expr) => {
        const isLocal = expr.is === 'variable' || (expr.is === 'call' && !expr.on);
        if (isLocal && scope.functions.has(expr.name)) names.add(expr.name);
      });
    }
  return code;
}

const supervises = ({ body }: SourceModule): boolean =>
  callsIn(body, 'use').some(
    ({ args: [used] }) => used?.is === 'module' && used.name === 'Supervisor',
  );

/** `Shop.Worker`, `{Shop.Worker, …}`, `%{start: {Shop.Worker, …}}`, `worker(Shop.Worker, …)`, `Supervisor.child_spec(…)`. */
function child(expr: Expr | undefined, module: SourceModule): string[] {
  if (expr?.is === 'tuple') return child(expr.items[0], module);
  if (expr?.is === 'map') return child(option(expr, 'start'), module);
  if (expr?.is === 'call' && /^(child_spec|worker|supervisor)$/.test(expr.name)) {
    const own = expr.on?.is === 'module' && expr.on.name !== 'Supervisor' ? expr.on : undefined;
    return child(own ?? expr.args[0], module);
  }
  if (isOperator(expr, '|') || isOperator(expr, '&&'))
    return expr.operands.flatMap((operand) => child(operand, module));
  return expr?.is === 'module' ? [fullName(expr.name, module.scope)] : [];
}
