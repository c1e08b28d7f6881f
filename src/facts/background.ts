import { evaluate } from '../elixir/evaluate.ts';
import { fullName, inner, type Scope } from '../elixir/scope.ts';
import { walk, type Call, type Expr } from '../elixir/syntax.ts';
import { Module } from '../elixir/value.ts';
import type { Code } from './code.ts';
import type { Locked } from './lock.ts';
import type { Dep, MixProject } from './mix-project.ts';
import type { SourceModule, Sources } from './sources.ts';

const JOB_LIBRARIES = ['oban', 'oban_pro', 'quantum', 'exq', 'broadway', 'verk', 'que', 'faktory_worker', 'honeydew'];
/** Children that every Phoenix app has and that only serve requests. */
const PLUMBING = /(Web\.Telemetry|\.(Repo|Endpoint|PubSub|Presence|Oban|Finch|Tasks?Supervisor))$/;

/** Job libraries, and the app's own processes under its supervisors: work that goes on without requests. */
export function background(deps: readonly Dep[], lock: ReadonlyMap<string, Locked>, projects: readonly MixProject[], code: Code, sources: Sources): string[] {
  const libraries = JOB_LIBRARIES.filter((name) => lock.has(name) && deps.some((dep) => dep.name === name && dep.prod));
  const notWork = new Set([...code.repos, ...code.endpoints].map((one) => one.module));
  const own = projects
    .flatMap((project) => (project.applicationModule ? (sources.module(project.applicationModule) ?? []) : []))
    .flatMap((application) => new Children(application).found())
    .filter((name) => sources.fileOf(name) !== undefined && !notWork.has(name) && !PLUMBING.test(name));
  return [...new Set([...libraries, ...own])];
}

/** Follows what an Application's start/2 gives to Supervisor.start_link: lists, variables, own functions, every branch. */
class Children {
  private readonly module: SourceModule;
  private readonly modules = new Set<string>();
  private readonly entered = new Set<string>();

  constructor(module: SourceModule) {
    this.module = module;
  }

  found(): string[] {
    const clauses = this.module.scope.functions.get('start') ?? [];
    for (const { body } of clauses) {
      const starts: Expr[] = [];
      walk(body, (expr) => {
        const [left, right] = expr.is === 'operator' && expr.name === '|>' ? expr.operands : [];
        if (right?.is === 'call' && right.name === 'start_link' && left) starts.push(left);
        else if (expr.is === 'call' && expr.name === 'start_link' && expr.on?.is === 'module' && expr.on.name.endsWith('Supervisor') && expr.args[0]) starts.push(expr.args[0]);
      });
      for (const start of starts) this.list(start, body);
    }
    return [...this.modules];
  }

  /** Something that gives a list of children; `around` is the code whose variables it may name. */
  private list(expr: Expr | undefined, around: readonly Expr[]): void {
    if (!expr) return;
    if (expr.is === 'list') expr.items.forEach((item) => (item.is === 'operator' && item.name === '|' ? this.pair(item.operands, around) : this.child(item, around)));
    else if (expr.is === 'operator' && ['++', '--'].includes(expr.name)) expr.operands.forEach((side) => this.list(side, around));
    else if (expr.is === 'operator' && expr.name === '|>') {
      const [left, right] = expr.operands;
      this.list(left, around);
      if (right?.is !== 'call') return;
      // `|> add_if(condition, Worker)`: whatever it is given may become a child.
      right.args.forEach((arg) => (arg.is === 'module' && !right.on ? this.add(arg) : this.list(arg, around)));
      if (!right.on) this.call(right, around, (value, code) => this.list(value, code));
    } else if (expr.is === 'variable') this.variable(expr.name, around, (value) => this.list(value, around));
    else if (expr.is === 'call') this.call(expr, around, (value, code) => this.list(value, code));
  }

  private pair([head, tail]: readonly Expr[], around: readonly Expr[]): void {
    if (head) this.child(head, around);
    this.list(tail, around);
  }

  /** One child: a module, a tuple, a map with `start:`, or a call that gives one. */
  private child(expr: Expr, around: readonly Expr[]): void {
    const [first, second] = expr.is === 'tuple' ? expr.items : [expr];
    if (expr.is === 'operator' && ['&&', '||', 'and'].includes(expr.name)) this.child(expr.operands[1] ?? expr, around);
    else if (expr.is === 'operator' && expr.name === '|>') expr.operands.forEach((side) => this.child(side, around));
    else if (expr.is === 'map') {
      const start = expr.pairs.find((pair) => pair.is === 'tuple' && pair.items[0]?.is === 'atom' && pair.items[0].name === 'start');
      const target = start?.is === 'tuple' ? start.items[1] : undefined;
      if (target?.is === 'tuple' && target.items[0]) this.add(target.items[0]);
    } else if (first?.is === 'module' || first?.is === 'attribute') this.add(first);
    else if (first?.is === 'variable' && !second) this.variable(first.name, around, (value) => this.child(value, around));
    else if (first?.is === 'list') this.list(first, around);
    else if (first?.is === 'call') this.call(first, around, (value, code) => (value.is === 'list' || (value.is === 'operator' && value.name === '++') ? this.list(value, code) : this.child(value, code)));
  }

  private call(expr: Call, around: readonly Expr[], result: (value: Expr, code: readonly Expr[]) => void): void {
    const last = (body: readonly Expr[]) => body.at(-1) && result(body.at(-1) as Expr, [...around, ...body]);
    if (['if', 'unless', 'case', 'cond', 'for'].includes(expr.name) && !expr.on) {
      Object.values(expr.blocks).forEach(last);
      expr.clauses.forEach((clause) => last(clause.body));
    } else if (expr.on?.is === 'module' && ['Enum', 'List', 'Kernel'].includes(expr.on.name)) expr.args.forEach((arg) => this.list(arg, around));
    else if (expr.name === 'child_spec' || expr.name === 'worker' || expr.name === 'supervisor') {
      const [head] = expr.args;
      if (expr.on?.is === 'module' && expr.on.name !== 'Supervisor') this.add(expr.on);
      else if (head && expr.on?.is !== 'atom') this.child(head, around);
      else expr.args.forEach((arg) => arg.is === 'module' && this.add(arg));
    } else if (expr.on?.is === 'module') this.add(expr.on);
    else if (!expr.on && !this.entered.has(expr.name)) {
      this.entered.add(expr.name);
      for (const clause of this.module.scope.functions.get(expr.name) ?? []) if (clause.body.length) result(clause.body.at(-1) as Expr, clause.body);
    }
  }

  private variable(name: string, around: readonly Expr[], each: (value: Expr) => void): void {
    if (!around.some((statement) => bound(statement, name))) return this.call({ is: 'call', at: 0, on: undefined, name, args: [], blocks: {}, clauses: [] }, around, each);
    for (const statement of around) {
      const value = bound(statement, name);
      const key = `${name} = ${statement.at}`;
      if (!value || this.entered.has(key)) continue;
      this.entered.add(key);
      each(value);
      this.entered.delete(key);
    }
  }

  private add(expr: Expr): void {
    const scope: Scope = inner(this.module.scope);
    const value = expr.is === 'module' ? new Module(fullName(expr.name, scope)) : evaluate(expr, scope);
    if (value instanceof Module) this.modules.add(value.name);
  }
}

const bound = (statement: Expr, name: string): Expr | undefined =>
  statement.is === 'operator' && statement.name === '=' && statement.operands[0]?.is === 'variable' && statement.operands[0].name === name ? statement.operands[1] : undefined;
