import { evaluation } from './budget.ts';
import { sameValue, Unknown, type Value } from './value.ts';

/** What an operator makes of two known values; undefined: that can't be known. */
type Operator = (left: Value, right: Value) => Value | undefined;

const contains: Operator = (left, right) =>
  Array.isArray(right) && right.some((item) => sameValue(item, left));

const OPERATORS = new Map<string, Operator>([
  [
    '<>',
    (left, right) =>
      typeof left === 'string' && typeof right === 'string' ? left + right : undefined,
  ],
  ['!', (left) => left === false || left === null],
  ['not', (left) => left === false || left === null],
  ['==', sameValue],
  ['===', sameValue],
  ['!=', (left, right) => !sameValue(left, right)],
  ['!==', (left, right) => !sameValue(left, right)],
  ['in', contains],
  ['not in', (left, right) => !contains(left, right)],
  [
    '>',
    (left, right) =>
      typeof left === 'number' && typeof right === 'number' ? left > right : undefined,
  ],
]);

/** The value of an operator that needs nothing but its operands. */
export function operate(name: string, left: Value, right: Value, operands: number): Value {
  if (name === '++') return append(left, right);
  if (name === '--') return subtract(left, right);
  if (name === '-' && operands === 1 && typeof left === 'number') return -left;
  const operator = OPERATORS.get(name);
  if (!operator) return new Unknown(`an expression with ${name}`);
  const unknown = [left, right].find((side) => side instanceof Unknown);
  return unknown ?? operator(left, right) ?? new Unknown(name);
}

/** What is known of either side counts. */
function append(left: Value, right: Value): Value {
  const sides = [left, right];
  if (!sides.some(Array.isArray)) return new Unknown('++');
  return sides.flatMap((side) => (Array.isArray(side) ? side : [side]));
}

function subtract(left: Value, right: Value): Value {
  if (!Array.isArray(left) || !Array.isArray(right)) return left;
  if (!evaluation.spend(left.length * right.length)) return new Unknown('--');
  return left.filter((item) => !right.some((gone) => sameValue(item, gone)));
}
