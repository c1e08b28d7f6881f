import { evaluate } from './evaluate.ts';
import { type Expr, isOperator, walk } from './expr.ts';
import { fullName, type Scope } from './scope.ts';
import { Environment, Module, pairs, sameValue, Tuple, Unknown, type Value } from './value.ts';

/** Unknown when only the running program can tell. */
type Fits = boolean | Unknown;

/** Elixir's `pattern = value`, binding variables into `scope` on the way. */
export function match(pattern: Expr, value: Value, scope: Scope): Fits {
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
    case 'module':
      return value instanceof Module && value.name === fullName(pattern.name, scope);
    case 'operator':
      return new Unknown(`a pattern with ${pattern.name}`);
    case 'other':
      return new Unknown(pattern.text);
    default:
      return sameValue(evaluate(pattern, scope), value);
  }
}

function matchAll(patterns: readonly Expr[], values: readonly Value[], scope: Scope): Fits {
  let doubt: Unknown | undefined;
  for (const [index, pattern] of patterns.entries()) {
    const fits = match(pattern, values[index] ?? null, scope);
    if (fits === false) return false;
    if (fits instanceof Unknown) doubt ??= fits;
  }
  return doubt ?? true;
}

/** Of a map, or of all environment variables. */
function matchMap(wanted: readonly Expr[], value: Value, scope: Scope): Fits {
  const held = new Map(pairs(value));
  const patterns: Expr[] = [];
  const values: Value[] = [];
  for (const pair of wanted) {
    const [key, pattern] = pair.is === 'tuple' ? pair.items : [];
    const [textKey, textPattern] = isOperator(pair, '=>') ? pair.operands : [];
    const name = key?.is === 'atom' ? key.name : textKey && evaluate(textKey, scope);
    const found = pattern ?? textPattern;
    if (typeof name !== 'string' || !found) continue;
    const read =
      value instanceof Environment
        ? scope.host?.variable(name, null, false, pair.offset)
        : held.get(name);
    if (read === undefined || (read === null && value instanceof Environment)) return false;
    patterns.push(found);
    values.push(read);
  }
  return matchAll(patterns, values, scope);
}
