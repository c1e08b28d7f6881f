/** One `pattern -> body` of a `case`, `cond` or `fn`. */
export interface Clause {
  patterns: Expr[];
  guard?: Expr | undefined;
  body: Expr[];
}

/**
 * Elixir source as a small tree, close to what `quote` would return: keywords are lists of
 * two-element tuples, a call carries its do/else/… blocks, `a |> f(b)` is `f(a, b)`.
 * `offset` is where it starts in the source it was parsed from.
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
      on: Expr | undefined;
      name: string;
      args: Expr[];
      blocks: Record<string, Expr[]>;
      clauses: Clause[];
    }
  | { is: 'fn'; clauses: Clause[] }
  | { is: 'other'; text: string }
);

export type Call = Extract<Expr, { is: 'call' }>;

export function callOf(offset: number, name: string, args: Expr[], on?: Expr): Call {
  return { is: 'call', offset, on, name, args, blocks: {}, clauses: [] };
}

export const isOperator = <Name extends string>(
  expr: Expr | undefined,
  name: Name,
): expr is Extract<Expr, { is: 'operator' }> & { name: Name } =>
  expr?.is === 'operator' && expr.name === name;

/** The name of the module that a call is on, as written; undefined for a bare call and for one on a value. */
export const moduleOf = (expr: Expr): string | undefined =>
  expr.is === 'call' && expr.on?.is === 'module' ? expr.on.name : undefined;

/** The value of a key where keywords are written out: in a list, or in a map. */
export function option(list: Expr | undefined, key: string): Expr | undefined {
  const pairs = (list?.is === 'list' && list.items) || (list?.is === 'map' && list.pairs) || [];
  for (const pair of pairs)
    if (pair.is === 'tuple' && pair.items[0]?.is === 'atom' && pair.items[0].name === key)
      return pair.items[1];
  return undefined;
}

/** Calls `visit` for every expression, outermost first; `around` holds those that it lies in. */
export function walk(
  exprs: readonly Expr[],
  visit: (expr: Expr, around: readonly Expr[]) => void,
  around: Expr[] = [],
): void {
  for (const expr of exprs) {
    visit(expr, around);
    around.push(expr);
    walk(childrenOf(Object.values(expr)), visit, around);
    around.pop();
  }
}

const childrenOf = (parts: unknown[]): Expr[] =>
  parts.flatMap((part) => {
    if (typeof part !== 'object' || part === null) return [];
    return 'is' in part ? [part as Expr] : childrenOf(Object.values(part));
  });

/** What is in these runs when its function is called, not while the module compiles. */
export const isDefinition = (expr: Expr): boolean =>
  expr.is === 'call' && /^(def|defp|defmacrop?|defmodule|defimpl|quote)$/.test(expr.name);
