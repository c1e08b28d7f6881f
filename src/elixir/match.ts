import { evaluate } from './evaluate.ts';
import { type Expr, isOperator, walk } from './expr.ts';
import type { Scope } from './scope.ts';
import { Environment, isEqual, pairs, Tuple, Unknown, type Value } from './value.ts';

/** Whether a pattern fits; Unknown when only the running program can tell. */
export type Match = boolean | Unknown;

/** Elixir's `pattern = value`; binds variables into `scope`. */
export function match(pattern: Expr, value: Value, scope: Scope): Match {
  if (pattern.is === 'variable') {
    scope.variables.set(pattern.name, value);
    return true;
  }
  if (isOperator(pattern, '\\\\')) return matchAll(pattern.operands.slice(0, 1), [value], scope);
  if (isOperator(pattern, '=')) return matchAll(pattern.operands, [value, value], scope);
  if (value instanceof Unknown) {
    walk([pattern], (part) => part.is === 'variable' && scope.variables.set(part.name, value));
    return value;
  }
  switch (pattern.is) {
    case 'tuple':
      if (!(value instanceof Tuple) || value.items.length !== pattern.items.length) return false;
      return matchAll(pattern.items, value.items, scope);
    case 'list':
      if (isOperator(pattern.items.at(-1), '|'))
        return match(pattern, new Unknown('a list with a tail'), scope);
      if (!Array.isArray(value) || value.length !== pattern.items.length) return false;
      return matchAll(pattern.items, value, scope);
    case 'map':
      return matchMap(pattern.pairs, value, scope);
    default: {
      const expected = evaluate(pattern, scope);
      return expected instanceof Unknown ? expected : isEqual(expected, value);
    }
  }
}

function matchAll(patterns: readonly Expr[], values: readonly Value[], scope: Scope): Match {
  let doubt: Unknown | undefined;
  for (const [index, pattern] of patterns.entries()) {
    const fits = match(pattern, values[index] ?? null, scope);
    if (fits === false) return false;
    if (fits instanceof Unknown) doubt ??= fits;
  }
  return doubt ?? true;
}

/** `%{key: pattern, "KEY" => pattern}` against a map or all environment variables. */
function matchMap(entries: readonly Expr[], value: Value, scope: Scope): Match {
  const map = new Map(pairs(value));
  const patterns: Expr[] = [];
  const values: Value[] = [];
  for (const entry of entries) {
    const pair =
      (isOperator(entry, '=>') && entry.operands) || (entry.is === 'tuple' && entry.items);
    const [key, pattern] = pair || [];
    const name = key?.is === 'atom' ? key.name : key && evaluate(key, scope);
    if (typeof name !== 'string' || !pattern) continue;
    const isVariable = value instanceof Environment;
    const item = isVariable
      ? scope.run?.readVariable(name, null, false, entry.offset)
      : map.get(name);
    if (item === undefined || (item === null && isVariable)) return false;
    patterns.push(pattern);
    values.push(item);
  }
  return matchAll(patterns, values, scope);
}
