/** One `pattern -> body` of a `case`, `cond` or `fn`. */
export interface Clause {
  patterns: Expr[];
  guard?: Expr | undefined;
  body: Expr[];
}

/**
 * Elixir source as a small tree, close to what `quote` would return: keywords are lists of
 * two-element tuples, a call carries its do/else/… blocks, `a |> f(b)` is `f(a, b)`.
 * `offset` is where the expression starts in the source it was parsed from.
 */
export type Expr = { offset: number } & (
  | { is: 'atom'; name: string }
  | { is: 'module'; name: string }
  | { is: 'literal'; value: string | number | boolean | null }
  | { is: 'string'; parts: (string | Expr)[] }
  | { is: 'list'; items: Expr[] }
  | { is: 'tuple'; items: Expr[] }
  | { is: 'map'; pairs: Expr[] }
  | { is: 'variable'; name: string }
  | { is: 'attribute'; name: string; value: Expr | undefined }
  | { is: 'operator'; name: string; operands: Expr[] }
  | {
      is: 'call';
      /** What stands left of the dot: a module, or an expression. */
      target: Expr | undefined;
      name: string;
      args: Expr[];
      blocks: Record<string, Expr[]>;
      clauses: Clause[];
    }
  | { is: 'fn'; clauses: Clause[] }
  | { is: 'unsupported'; text: string }
);

export type Call = Extract<Expr, { is: 'call' }>;

/** `name(args…)`, or `target.name(args…)`. */
export function makeCall(offset: number, name: string, args: Expr[], target?: Expr): Call {
  return { is: 'call', offset, target, name, args, blocks: {}, clauses: [] };
}

/** Whether an expression is `left + right`, for the operator `+`. */
export const isOperator = <Name extends string>(
  expr: Expr | undefined,
  name: Name,
): expr is Extract<Expr, { is: 'operator' }> & { name: Name } =>
  expr?.is === 'operator' && expr.name === name;

/** `System` of `System.get_env("PORT")`, as written; undefined for a call without a module. */
export const moduleOf = (expr: Expr): string | undefined =>
  expr.is === 'call' && expr.target?.is === 'module' ? expr.target.name : undefined;

/** The value of a key in a keyword list or map that is written out. */
export function option(list: Expr | undefined, key: string): Expr | undefined {
  const pairs = (list?.is === 'list' && list.items) || (list?.is === 'map' && list.pairs) || [];
  for (const pair of pairs)
    if (pair.is === 'tuple' && pair.items[0]?.is === 'atom' && pair.items[0].name === key)
      return pair.items[1];
  return undefined;
}

/** Calls `visit` for every expression, parents first; `ancestors` are the expressions around it, outermost first. */
export function walk(
  exprs: readonly Expr[],
  visit: (expr: Expr, ancestors: readonly Expr[]) => void,
  ancestors: Expr[] = [],
): void {
  for (const expr of exprs) {
    visit(expr, ancestors);
    ancestors.push(expr);
    walk(childrenOf(Object.values(expr)), visit, ancestors);
    ancestors.pop();
  }
}

const childrenOf = (parts: unknown[]): Expr[] =>
  parts.flatMap((part) => {
    if (typeof part !== 'object' || part === null) return [];
    return 'is' in part ? [part as Expr] : childrenOf(Object.values(part));
  });

const DEFINITIONS = new Set('def defp defmacro defmacrop defmodule defimpl quote'.split(' '));

/** Whether the code inside runs only when the definition is used, not while its module compiles. */
export const isDefinition = (expr: Expr): boolean =>
  expr.is === 'call' && DEFINITIONS.has(expr.name);
