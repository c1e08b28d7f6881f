import { spend } from './budget.ts';
import { type Clause, type Expr, isOperator, option } from './expr.ts';
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
  /** Environment variables that each variable's value came from. */
  origins = new Map<string, readonly string[]>();
  /** Environment variables that the conditions around this code looked at, outermost first. */
  because: readonly string[] = [];
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
export function inner(scope: Scope, because: readonly string[] = []): Scope {
  spend('evaluation', (scope.variables.size + scope.because.length) >> 3);
  return {
    ...scope,
    variables: new Map(scope.variables),
    origins: new Map(scope.origins),
    because: because.length ? [...scope.because, ...because] : scope.because,
  };
}

/** Runs `body` and tells which environment variables it looked at. */
export function watched<Result>({ host }: Scope, body: () => Result): [Result, string[]] {
  if (!host) return [body(), []];
  const outer = host.reads;
  host.reads = new Set();
  const result = body();
  const reads = [...host.reads];
  host.reads = outer;
  for (const name of reads) outer.add(name);
  return [result, reads];
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
    clauses.push({ patterns, guard, body: expr.blocks.do ?? [] });
    scope.functions.set(head.name, clauses);
  }
  return scope;
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
