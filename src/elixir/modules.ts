import { evaluate, falsy } from './evaluate.ts';
import type { Call, Expr } from './expr.ts';
import { Scope } from './scope.ts';
import { Unknown } from './value.ts';

/** Modules of a source file with their bodies, nested ones by their full name. Neither `quote` blocks nor code that production leaves out is entered. */
export function modulesIn(body: readonly Expr[], outer = ''): { name: string; body: Expr[] }[] {
  return inProduction(body).flatMap((expr) => {
    if (expr.is !== 'call' || expr.name === 'quote') return [];
    if (expr.name !== 'defmodule') return modulesIn(Object.values(expr.blocks).flat(), outer);
    const alias = expr.args[0];
    const own = alias?.is === 'module' ? alias.name : '';
    const name = outer && !own.startsWith('Elixir.') ? `${outer}.${own}` : own;
    const block = inProduction(expr.blocks.do ?? []);
    return [{ name, body: block }, ...modulesIn(block, name)];
  });
}

/** `if Mix.env() == :prod do … else … end` around definitions, replaced by the branch that production takes. */
function inProduction(body: readonly Expr[]): Expr[] {
  return body.flatMap((expr): Expr[] => {
    if (expr.is !== 'call' || (expr.name !== 'if' && expr.name !== 'unless')) return [expr];
    const condition = evaluate(expr.args[0], new Scope());
    if (condition instanceof Unknown) return [expr];
    const taken = falsy(condition) === (expr.name === 'if') ? 'else' : 'do';
    return inProduction(expr.blocks[taken] ?? []);
  });
}

/** The calls of a name in a module body, not inside functions or quotes. */
export const callsIn = (body: readonly Expr[], name: string): Call[] =>
  body.filter((expr): expr is Call => expr.is === 'call' && expr.name === name && !expr.on);
