import { choose, comprehension } from './apply.ts';
import { evaluate, evaluateBody, falsy } from './evaluate.ts';
import { type Call, type Expr, isOperator } from './expr.ts';
import { inner, type Scope, watched } from './scope.ts';
import { Unknown, type Value } from './value.ts';

type Control = (expr: Call, scope: Scope) => Value;

/** A condition with the variables it looked at: the program goes on whatever they are. */
function condition(expr: Expr | undefined, scope: Scope): [Value, string[]] {
  const found = watched(scope.host, () => evaluate(expr, scope));
  scope.host.settle(found[1]);
  return found;
}

const branch =
  (isIf: boolean): Control =>
  ({ args, blocks }, scope) => {
    const [value, reads] = condition(args[0], scope);
    const run = (name: string) => evaluateBody(blocks[name] ?? [], inner(scope, reads));
    if (!(value instanceof Unknown)) return run(falsy(value) === isIf ? 'else' : 'do');
    if (scope.everyBranch) for (const name of ['do', 'else']) run(name);
    return value;
  };

const cond: Control = ({ clauses }, scope) => {
  let doubt: Unknown | undefined;
  for (const { patterns, body } of clauses) {
    const [value, reads] = condition(patterns[0], scope);
    if (value instanceof Unknown && !scope.everyBranch) return value;
    if (falsy(value)) continue;
    const result = evaluateBody(body, inner(scope, reads));
    if (!(value instanceof Unknown)) return doubt ?? result;
    doubt ??= value;
  }
  return doubt ?? null;
};

const CONTROLS = new Map<string, Control>([
  ['if', branch(true)],
  ['unless', branch(false)],
  ['cond', cond],
  ['for', comprehension],
  ['quote', () => new Unknown('quote')],
  ['defmodule', () => new Unknown('defmodule')],
  [
    'case',
    ({ args, clauses }, scope) => {
      const [subject, reads] = condition(args[0], scope);
      return choose(clauses, [subject], inner(scope, reads));
    },
  ],
  [
    'with',
    ({ args: [generator] }, scope) => {
      if (isOperator(generator, '<-')) evaluate(generator.operands[1], scope);
      return new Unknown('with');
    },
  ],
  [
    'try',
    ({ blocks }, scope) => {
      const { do: body = [], rescue = [], catch: caught = [] } = blocks;
      return scope.host.attempt(
        () => evaluateBody(body, inner(scope)),
        () => void evaluateBody([...rescue, ...caught], inner(scope)),
      );
    },
  ],
]);

/** The value of `if`, `case`, `cond`, `for`, `with`, `try`; undefined for any other call. */
export const control = (name: string, expr: Call, scope: Scope): Value | undefined =>
  CONTROLS.get(name)?.(expr, scope);
