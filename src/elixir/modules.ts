import { evaluate, isFalsy } from './evaluate.ts';
import type { Call, Expr } from './expr.ts';
import { Scope } from './scope.ts';
import { Unknown } from './value.ts';

/**
 * Modules of a source file with their bodies, nested ones by their full name. Skips `quote` blocks and code that a
 * production build leaves out.
 */
export function modulesIn(body: readonly Expr[], parent = ''): { name: string; body: Expr[] }[] {
  return inProduction(body).flatMap((expr) => {
    if (expr.is !== 'call' || expr.name === 'quote') return [];
    if (expr.name !== 'defmodule') return modulesIn(Object.values(expr.blocks).flat(), parent);
    const [alias] = expr.args;
    const ownName = alias?.is === 'module' ? alias.name : '';
    const name = parent ? `${parent}.${ownName}` : ownName;
    const block = inProduction(expr.blocks.do ?? []);
    return [{ name, body: block }, ...modulesIn(block, name)];
  });
}

/** Replaces `if Mix.env() == :prod do … else … end` around definitions by the branch that production takes. */
function inProduction(body: readonly Expr[]): Expr[] {
  return body.flatMap((expr): Expr[] => {
    if (expr.is !== 'call' || (expr.name !== 'if' && expr.name !== 'unless')) return [expr];
    const condition = evaluate(expr.args[0], new Scope());
    if (condition instanceof Unknown) return [expr];
    const branch = isFalsy(condition) === (expr.name === 'if') ? 'else' : 'do';
    return inProduction(expr.blocks[branch] ?? []);
  });
}

/** The calls of a name in a module's body, those in functions and quotes left out. */
export const callsIn = (body: readonly Expr[], name: string): Call[] =>
  body.filter((expr): expr is Call => expr.is === 'call' && expr.name === name && !expr.target);
