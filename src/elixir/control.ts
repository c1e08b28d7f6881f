import { choose, comprehension } from './apply.ts';
import { evaluate, evaluateBody, falsy, watched } from './evaluate.ts';
import { inner, type Scope } from './scope.ts';
import type { Call } from './syntax.ts';
import { Unknown, type Value } from './value.ts';

/** The value of `if`, `case`, `cond`, `for`, `with`, `try`; undefined for any other call. */
export function control(
  name: string,
  { args, blocks, clauses, ...expr }: Call,
  scope: Scope,
): Value | undefined {
  const { world } = scope;
  switch (name) {
    case 'if':
    case 'unless': {
      const [condition, reads] = watched(args[0], scope);
      world?.settle(reads);
      if (condition instanceof Unknown) return condition;
      return evaluateBody(
        blocks[falsy(condition) === (name === 'if') ? 'else' : 'do'] ?? [],
        inner(scope, reads),
      );
    }
    case 'case': {
      const [subject, reads] = watched(args[0], scope);
      world?.settle(reads);
      return choose(clauses, [subject], inner(scope, reads));
    }
    case 'cond':
      for (const clause of clauses) {
        const [condition, reads] = watched(clause.patterns[0], scope);
        world?.settle(reads);
        if (condition instanceof Unknown) return condition;
        if (!falsy(condition)) return evaluateBody(clause.body, inner(scope, reads));
      }
      return null;
    case 'for':
      return comprehension({ args, blocks, clauses, ...expr }, scope);
    case 'with':
      if (args[0]?.is === 'operator' && args[0].name === '<-') evaluate(args[0].operands[1], scope);
      return new Unknown('with');
    case 'try':
      if (!world) return new Unknown('try');
      return world.attempt(
        () => evaluateBody(blocks.do ?? [], inner(scope)),
        () => void evaluateBody([...(blocks.rescue ?? []), ...(blocks.catch ?? [])], inner(scope)),
      );
    case 'quote':
    case 'defmodule':
      return new Unknown(name);
    default:
      return undefined;
  }
}
