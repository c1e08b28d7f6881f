import { spend } from './budget.ts';
import { type Call, type Clause, type Expr, isOperator, option } from './expr.ts';
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
  /** Environment variables that each variable's value was computed from. */
  origins = new Map<string, readonly string[]>();
  /** Environment variables that the conditions and calls around the expression looked at, outermost first. */
  causes: readonly string[] = [];
  /** What `__DIR__` is; `/` is the tree's root. */
  dir = '.';
  /** The folder that Mix runs in. */
  cwd = '.';
  /** Runs all branches of a condition that can't be known. */
  everyBranch = false;
  /** The run that the code belongs to. Without one, environment variables and files are unknown. */
  run: Run | undefined;
}

/** The scope of a nested block: what it binds is not seen outside. */
export function innerScope(scope: Scope, causes: readonly string[] = []): Scope {
  spend('evaluation', (scope.variables.size + scope.causes.length) >> 3);
  return {
    ...scope,
    variables: new Map(scope.variables),
    origins: new Map(scope.origins),
    causes: causes.length ? [...scope.causes, ...causes] : scope.causes,
  };
}

/** Runs `body`. @returns its result and the environment variables that it looked at */
export const recordReads = <Result>({ run }: Scope, body: () => Result): [Result, string[]] =>
  run ? run.variables.record(body) : [body(), []];

/** Collects the attributes, functions and aliases of a module's body, so that calls between them can be followed. */
export function moduleScope(body: readonly Expr[], module = ''): Scope {
  const scope = { ...new Scope(), module };
  for (const expr of body) {
    declare(expr, scope);
    if (expr.is === 'attribute' && expr.value) scope.attributes.set(expr.name, expr.value);
    if (expr.is !== 'call' || (expr.name !== 'def' && expr.name !== 'defp')) continue;
    const [head, guard] = splitGuard(expr.args[0]);
    if (head?.is !== 'call' && head?.is !== 'variable') continue;
    const clauses = scope.functions.get(head.name) ?? [];
    const patterns = head.is === 'call' ? head.args : [];
    clauses.push({ patterns, guard, body: expr.blocks.do ?? [] });
    scope.functions.set(head.name, clauses);
  }
  return scope;
}

/** `pattern when guard` as its two halves. */
const splitGuard = (expr: Expr | undefined): [Expr | undefined, Expr | undefined] =>
  isOperator(expr, 'when') ? [expr.operands[0], expr.operands[1]] : [expr, undefined];

/** Takes `alias`, `import` and `use` into the scope. @returns whether the statement was one of them, or `require` */
export function declare(expr: Expr, scope: Scope): boolean {
  if (expr.is !== 'call' || expr.target || !/^(alias|import|use|require)$/.test(expr.name))
    return false;
  const [target, options] = expr.args;
  if (target?.is === 'call') aliasEach(target, scope);
  if (target?.is !== 'module') return true;
  const name = fullName(target.name, scope);
  const as = option(options, 'as');
  if (expr.name === 'alias')
    scope.aliases.set(as?.is === 'module' ? as.name : lastPart(name), name);
  if (expr.name === 'import' || expr.name === 'use') scope.imports.add(name);
  return true;
}

/** `alias Shop.{Repo, Cart}` */
function aliasEach({ target, name, args }: Call, scope: Scope): void {
  if (name !== '{}' || target?.is !== 'module') return;
  const base = fullName(target.name, scope);
  for (const part of args)
    if (part.is === 'module') scope.aliases.set(lastPart(part.name), `${base}.${part.name}`);
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Erlang's limit for an atom. */
const MAX_NAME = 255;

/** A module's name with aliases and `__MODULE__` written out. */
export function fullName(name: string, scope: Pick<Scope, 'aliases' | 'module'>): string {
  const [first = '', ...rest] = name.split('.');
  const start = first === '__MODULE__' ? scope.module : scope.aliases.get(first);
  const full = [start || first, ...rest].join('.');
  return full.length > MAX_NAME ? name : full;
}
