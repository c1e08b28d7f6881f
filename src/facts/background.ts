import { evaluate } from '../elixir/evaluate.ts';
import { type Call, callOf, type Expr, walk } from '../elixir/expr.ts';
import { fullName, inner } from '../elixir/scope.ts';
import { Atom, get, Module } from '../elixir/value.ts';
import type { Code } from './code.ts';
import type { Config } from './config.ts';
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
const DEEPEST = 12;

/** Job libraries, and the app's own processes under its supervisors: work that goes on without requests. */
export function background(
  deps: readonly Dep[],
  lock: ReadonlyMap<string, Locked>,
  projects: readonly MixProject[],
  code: Code,
  sources: Sources,
  config: Config,
): string[] {
  const libraries = JOB_LIBRARIES.filter(
    (name) => lock.has(name) && deps.some((dep) => dep.name === name && dep.prod),
  );
  const notWork = new Set([...code.repos, ...code.endpoints].map((one) => one.module));
  const own = projects
    .flatMap((project) =>
      project.applicationModule ? (sources.module(project.applicationModule) ?? []) : [],
    )
    .flatMap((application) => new Children(sources, config).of(application))
    .filter(
      (name) => sources.fileOf(name) !== undefined && !notWork.has(name) && !PLUMBING.test(name),
    );
  return [...new Set([...libraries, ...own])];
}

/** Where an expression stands: whose names it uses, and what its variables were given. */
interface Place {
  module: SourceModule;
  code: readonly Expr[];
  args: ReadonlyMap<string, { expr: Expr; place: Place }>;
  depth: number;
}

type Visit = (value: Expr, place: Place) => void;

/** Follows what an Application's start/2 gives to Supervisor.start_link: lists, variables, functions, every branch. */
class Children {
  private readonly sources: Sources;
  private readonly config: Config;
  private readonly modules = new Set<string>();
  private readonly entered = new Set<string>();

  constructor(sources: Sources, config: Config) {
    this.sources = sources;
    this.config = config;
  }

  of(application: SourceModule): string[] {
    this.started(application, 'start', 0);
    return [...this.modules];
  }

  /** The lists that a function starts or, in a supervisor's init/1, returns. */
  private started(module: SourceModule, name: string, depth: number): void {
    for (const { body } of module.scope.functions.get(name) ?? []) {
      const place: Place = { module, code: body, args: new Map(), depth };
      walk(body, (expr) => {
        const start = expr;
        if (
          start.is !== 'call' ||
          !/^(start_link|init|supervise)$/.test(start.name) ||
          !start.args[0]
        )
          return;
        const on = start.on?.is === 'module' ? fullName(start.on.name, module.scope) : '';
        const own = on ? this.sources.module(on) : undefined;
        if (own && own !== module && depth < DEEPEST && start.name === 'start_link')
          this.started(own, 'init', depth + 1);
        else if (
          on.endsWith('Supervisor') ||
          (start.name === 'supervise' && !start.on) ||
          (start.name === 'start_link' && !start.on)
        )
          this.list(start.args[0], place);
      });
    }
  }

  /** Something that gives a list of children. */
  private list(expr: Expr | undefined, place: Place): void {
    if (!expr) return;
    if (expr.is === 'list')
      expr.items.forEach((item) =>
        item.is === 'operator' && item.name === '|'
          ? this.pair(item.operands, place)
          : this.child(item, place),
      );
    else if (expr.is === 'operator' && ['++', '--'].includes(expr.name))
      expr.operands.forEach((side) => this.list(side, place));
    else if (expr.is === 'variable')
      this.variable(expr.name, place, (value, at) => this.list(value, at));
    else if (expr.is === 'call')
      this.call(
        expr,
        place,
        (value, at) => this.list(value, at),
        () => {},
      );
  }

  private pair([head, tail]: readonly Expr[], place: Place): void {
    if (head) this.child(head, place);
    this.list(tail, place);
  }

  /** One child: a module, a tuple, a map with `start:`, or a call that gives one. */
  private child(expr: Expr, place: Place): void {
    const [first, second] = expr.is === 'tuple' ? expr.items : [expr];
    if (expr.is === 'operator' && ['&&', '||', 'and'].includes(expr.name))
      this.child(expr.operands[1] ?? expr, place);
    else if (expr.is === 'operator' && expr.name === '|>')
      expr.operands.forEach((side) => this.child(side, place));
    else if (expr.is === 'operator' && expr.name === '++') this.list(expr, place);
    else if (expr.is === 'map') {
      const start = expr.pairs.find(
        (pair) =>
          pair.is === 'tuple' && pair.items[0]?.is === 'atom' && pair.items[0].name === 'start',
      );
      const target = start?.is === 'tuple' ? start.items[1] : undefined;
      if (target?.is === 'tuple' && target.items[0]) this.child(target.items[0], place);
    } else if (
      first?.is === 'module' ||
      first?.is === 'attribute' ||
      (first?.is === 'call' && first.name === '__MODULE__')
    )
      this.add(first, place);
    else if (first?.is === 'variable' && !second)
      this.variable(first.name, place, (value, at) => this.child(value, at));
    else if (first?.is === 'variable')
      this.variable(first.name, place, (value, at) => value.is === 'module' && this.add(value, at));
    else if (first?.is === 'list') this.list(first, place);
    else if (first?.is === 'call')
      this.call(
        first,
        place,
        (value, at) => this.child(value, at),
        () => first.on?.is === 'module' && this.add(first.on, place),
      );
  }

  /** What a call may give; `otherwise` runs when nothing came of it. */
  private call(expr: Call, place: Place, result: Visit, otherwise: () => void): void {
    const last = (body: readonly Expr[]) =>
      body.at(-1) && result(body.at(-1) as Expr, { ...place, code: [...place.code, ...body] });
    const on = expr.on?.is === 'module' ? fullName(expr.on.name, place.module.scope) : undefined;
    if (['if', 'unless', 'case', 'cond', 'for'].includes(expr.name) && !expr.on) {
      Object.values(expr.blocks).forEach(last);
      expr.clauses.forEach((clause) => last(clause.body));
    } else if (on === 'Application') this.setting(expr, place, result);
    else if (on !== undefined && ['Enum', 'List', 'Kernel', 'Keyword'].includes(on)) {
      expr.args.forEach((arg) =>
        arg.is === 'fn'
          ? arg.clauses.forEach(
              ({ body }) =>
                body.at(-1) &&
                this.child(body.at(-1) as Expr, { ...place, code: [...place.code, ...body] }),
            )
          : this.list(arg, place),
      );
    } else if (['child_spec', 'worker', 'supervisor'].includes(expr.name)) {
      const [head] = expr.args;
      if (expr.on?.is === 'module' && on !== 'Supervisor') this.add(expr.on, place);
      else if (head && expr.on?.is !== 'atom') this.child(head, place);
      else expr.args.forEach((arg) => arg.is === 'module' && this.add(arg, place));
    } else {
      const before = this.modules.size;
      const module = on === undefined ? place.module : this.sources.module(on);
      if (module && (on !== undefined || !expr.on)) this.enter(module, expr, place, result);
      if (this.modules.size === before) otherwise();
    }
  }

  /** The last expression of each clause of a function of the project. */
  private enter(
    module: SourceModule,
    { name, args, offset }: Call,
    place: Place,
    result: Visit,
  ): void {
    const key = `${module.name}.${name} ${offset}`;
    if (this.entered.has(key) || place.depth > DEEPEST) return;
    this.entered.add(key);
    for (const { patterns, body } of module.scope.functions.get(name) ?? []) {
      const given = patterns.flatMap((pattern, index): [string, { expr: Expr; place: Place }][] => {
        const expr = args[index];
        const target =
          pattern.is === 'operator' && pattern.name === '\\\\' ? pattern.operands[0] : pattern;
        return expr && target?.is === 'variable' ? [[target.name, { expr, place }]] : [];
      });
      const value = body.at(-1);
      if (value && args.length <= patterns.length)
        result(value, { module, code: body, args: new Map(given), depth: place.depth + 1 });
    }
    this.entered.delete(key);
  }

  /** `Application.get_env(:shop, :cache, Shop.Cache)`: what is configured, else the default. */
  private setting({ args: [app, key, fallback] }: Call, place: Place, result: Visit): void {
    const names = [app, key].map((arg) => evaluate(arg, place.module.scope));
    const [of, name] = names.map((value) =>
      value instanceof Atom || value instanceof Module ? value.name : '',
    );
    const value = get(this.config.apps.get(of ?? ''), name ?? '');
    if (value instanceof Module) this.modules.add(value.name);
    else if (value === undefined && fallback) result(fallback, place);
  }

  private variable(name: string, place: Place, each: Visit): void {
    const argument = place.args.get(name);
    const bound = place.code.flatMap((statement) => boundTo(statement, name) ?? []);
    if (!argument && bound.length === 0)
      return this.call(callOf(0, name, []), place, each, () => {});
    for (const value of bound) {
      const key = `${place.module.name} ${name} ${value.offset}`;
      if (this.entered.has(key)) continue;
      this.entered.add(key);
      each(value, place);
      this.entered.delete(key);
    }
    if (argument) each(argument.expr, argument.place);
  }

  private add(expr: Expr, place: Place): void {
    const scope = inner(place.module.scope);
    const value =
      expr.is === 'module' ? new Module(fullName(expr.name, scope)) : evaluate(expr, scope);
    if (value instanceof Module) this.modules.add(value.name);
  }
}

const boundTo = (statement: Expr, name: string): Expr | undefined =>
  statement.is === 'operator' &&
  statement.name === '=' &&
  statement.operands[0]?.is === 'variable' &&
  statement.operands[0].name === name
    ? statement.operands[1]
    : undefined;
