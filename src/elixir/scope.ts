import { spend } from './budget.ts';
import { type Clause, callOf, type Expr, isOperator, option } from './expr.ts';
import type { Run } from './run.ts';
import type { Value } from './value.ts';

/** What an expression may refer to. */
export class Scope {
  /** What `__MODULE__` is. */
  module = '';
  aliases = new Map<string, string>();
  /** Modules whose functions may be called by their bare name (`import`, `use`). */
  imports = new Set<string>();
  attributes = new Map<string, Expr>();
  functions = new Map<string, Clause[]>();
  variables = new Map<string, Value>();
  /** What `__DIR__` is, as the host's `readFile` understands it. */
  dir = '.';
  /** The folder that Mix runs in. */
  cwd = '.';
  /** Where a condition can't be known, all its branches are run. */
  everyBranch = false;
  /** The world around the code; without one it is only looked at. */
  host: Run | undefined;
}

/** A block of its own: what it binds is not seen outside. */
export function inner(scope: Scope): Scope {
  spend('evaluation', scope.variables.size >> 3);
  return { ...scope, variables: new Map(scope.variables) };
}

/** Collects a module body's attributes, functions and aliases, so that calls between them can be followed. */
export function moduleScope(body: readonly Expr[], module = ''): Scope {
  const scope = { ...new Scope(), module };
  for (const expr of body) {
    declare(expr, scope);
    if (expr.is === 'attribute' && expr.value) scope.attributes.set(expr.name, expr.value);
    if (expr.is !== 'call' || (expr.name !== 'def' && expr.name !== 'defp')) continue;
    const [head, guard] = unguarded(expr.args[0]);
    if (head?.is !== 'call' && head?.is !== 'variable') continue;
    const clauses = scope.functions.get(head.name) ?? [];
    const patterns = head.is === 'call' ? head.args : [];
    clauses.push(...withDefaults(head.name, patterns));
    const full = patterns.flatMap((part) => (isDefault(part) ? part.operands.slice(0, 1) : part));
    if (expr.blocks.do) clauses.push({ patterns: full, guard, body: expr.blocks.do });
    scope.functions.set(head.name, clauses);
  }
  return scope;
}

type Operator = Extract<Expr, { is: 'operator' }>;
const isDefault = (pattern: Expr): pattern is Operator => isOperator(pattern, '\\\\');

/** `def f(a, b \\ 1)` defines an f/1 too, which calls the other. */
function withDefaults(name: string, patterns: readonly Expr[]): Clause[] {
  const defaults = patterns.filter(isDefault);
  return defaults.map((_, given) => {
    const filled = defaults.slice(given);
    const args = patterns.map((pattern, index): Expr => {
      const value = filled.find((part) => part === pattern)?.operands[1];
      return value ?? { is: 'variable', offset: 0, name: `&${index}` };
    });
    const asked = args.filter((_, index) => !filled.some((part) => part === patterns[index]));
    return { patterns: asked, body: [callOf(0, name, args)] };
  });
}

/** `pattern when guard` as its two halves. */
export const unguarded = (expr: Expr | undefined): [Expr | undefined, Expr | undefined] =>
  isOperator(expr, 'when') ? [expr.operands[0], expr.operands[1]] : [expr, undefined];

/** Takes `alias`, `import` and `use` into the scope; true when the statement was one of them. */
export function declare(expr: Expr, scope: Scope): boolean {
  if (expr.is !== 'call' || expr.on || !/^(alias|import|use|require)$/.test(expr.name))
    return false;
  const [target, options] = expr.args;
  if (target?.is === 'call' && target.name === '{}' && target.on?.is === 'module') {
    const base = fullName(target.on.name, scope);
    for (const part of target.args)
      if (part.is === 'module') scope.aliases.set(lastPart(part.name), `${base}.${part.name}`);
  }
  if (target?.is !== 'module') return true;
  const name = fullName(target.name, scope);
  const as = option(options, 'as');
  if (expr.name === 'alias')
    scope.aliases.set(as?.is === 'module' ? as.name : lastPart(name), name);
  if (expr.name === 'import' || expr.name === 'use') scope.imports.add(name);
  return true;
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Erlang's limit for an atom. */
const LONGEST_NAME = 255;

/** A module's name with aliases and `__MODULE__` written out. */
export function fullName(name: string, scope: Pick<Scope, 'aliases' | 'module'>): string {
  const [first = '', ...rest] = name.split('.');
  if (first === 'Elixir') return rest.join('.');
  const start =
    first === '__MODULE__' ? scope.module || first : (scope.aliases.get(first) ?? first);
  const full = [start, ...rest].join('.');
  return full.length > LONGEST_NAME ? name : full;
}
