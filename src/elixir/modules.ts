import { evaluate, falsy } from './evaluate.ts';
import { emptyScope } from './scope.ts';
import type { Call, Expr } from './syntax.ts';
import { Unknown } from './value.ts';

/** Modules of a source file with their bodies, nested ones by their full name. Neither `quote` blocks nor code that production leaves out is entered. */
export function modulesIn(
  body: readonly Expr[],
  outer = '',
): { name: string; body: Expr[]; at: number }[] {
  return inProduction(body).flatMap((expr) => {
    if (expr.is !== 'call' || expr.name === 'quote') return [];
    if (expr.name !== 'defmodule') return modulesIn(Object.values(expr.blocks).flat(), outer);
    const alias = expr.args[0];
    const inner = alias?.is === 'module' ? alias.name : '';
    const name = outer && !inner.startsWith('Elixir.') ? `${outer}.${inner}` : inner;
    const block = inProduction(expr.blocks.do ?? []);
    return [{ name, body: block, at: expr.at }, ...modulesIn(block, name)];
  });
}

/** `if Mix.env() == :prod do … else … end` around definitions, replaced by the branch that production takes. */
function inProduction(body: readonly Expr[]): Expr[] {
  return body.flatMap((expr): Expr[] => {
    if (expr.is !== 'call' || (expr.name !== 'if' && expr.name !== 'unless')) return [expr];
    const condition = evaluate(expr.args[0], emptyScope());
    return condition instanceof Unknown
      ? [expr]
      : inProduction(expr.blocks[falsy(condition) === (expr.name === 'if') ? 'else' : 'do'] ?? []);
  });
}

/** The calls of a name in a module body, not inside functions or quotes. */
export const callsIn = (body: readonly Expr[], name: string): Call[] =>
  body.filter((expr): expr is Call => expr.is === 'call' && expr.name === name && !expr.on);
