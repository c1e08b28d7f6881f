import { fullName, type Scope } from './scope.ts';
import type { Expr } from './syntax.ts';
import { Environment, Module, pairs, sameValue, Tuple, Unknown, type Value } from './value.ts';

/**
 * Elixir's `pattern = value`, binding variables into `scope` on the way. Unknown when only the
 * running program can tell.
 */
export function match(
  pattern: Expr,
  value: Value,
  scope: Scope,
  evaluate: (expr: Expr, scope: Scope) => Value,
): boolean | Unknown {
  const all = (patterns: readonly Expr[], values: readonly Value[]): boolean | Unknown => {
    let doubt: Unknown | undefined;
    for (const [index, one] of patterns.entries()) {
      const fits = match(one, values[index] ?? null, scope, evaluate);
      if (fits === false) return false;
      if (fits instanceof Unknown) doubt ??= fits;
    }
    return doubt ?? true;
  };
  if (pattern.is === 'variable') {
    if (!pattern.name.startsWith('_')) scope.variables.set(pattern.name, value);
    return true;
  }
  if (pattern.is === 'operator' && pattern.name === '\\\\')
    return match(pattern.operands[0] ?? pattern, value, scope, evaluate);
  if (pattern.is === 'operator' && pattern.name === '=')
    return all(pattern.operands, [value, value]);
  if (value instanceof Unknown) {
    bindAll(pattern, value, scope);
    return value;
  }
  switch (pattern.is) {
    case 'tuple':
      return (
        value instanceof Tuple &&
        value.items.length === pattern.items.length &&
        all(pattern.items, value.items)
      );
    case 'list': {
      const last = pattern.items.at(-1);
      if (last?.is === 'operator' && last.name === '|') {
        const [head, tail] = last.operands;
        const first = head ? [...pattern.items.slice(0, -1), head] : [];
        if (!Array.isArray(value) || value.length < first.length || !tail) return false;
        return all([...first, tail], [...value.slice(0, first.length), value.slice(first.length)]);
      }
      return (
        Array.isArray(value) && value.length === pattern.items.length && all(pattern.items, value)
      );
    }
    case 'map': {
      const wanted = pattern.pairs.flatMap((pair) => {
        const [key, is] =
          pair.is === 'tuple'
            ? pair.items
            : pair.is === 'operator' && pair.name === '=>'
              ? pair.operands
              : [];
        const name = key?.is === 'atom' ? key.name : key?.is === 'string' && evaluate(key, scope);
        return typeof name === 'string' && is ? [{ key: name, is }] : [];
      });
      if (value instanceof Environment) {
        const read = wanted.map(
          ({ key }) => scope.world?.env(key, null, false, pattern.at) ?? null,
        );
        return (
          !read.includes(null) &&
          all(
            wanted.map(({ is }) => is),
            read,
          )
        );
      }
      const held = new Map(pairs(value));
      return (
        Array.isArray(value) &&
        wanted.every(({ key }) => held.has(key)) &&
        all(
          wanted.map(({ is }) => is),
          wanted.map(({ key }) => held.get(key) ?? null),
        )
      );
    }
    case 'module':
      return value instanceof Module && value.name === fullName(pattern.name, scope);
    case 'operator':
      if (pattern.name === '<>') {
        const [start, rest] = pattern.operands;
        const prefix = start && evaluate(start, scope);
        if (typeof prefix !== 'string' || !rest) return new Unknown('a text pattern');
        return (
          typeof value === 'string' &&
          value.startsWith(prefix) &&
          match(rest, value.slice(prefix.length), scope, evaluate)
        );
      }
      return new Unknown(`a pattern with ${pattern.name}`);
    case 'other':
      return new Unknown(pattern.text);
    default:
      return sameValue(evaluate(pattern, scope), value);
  }
}

function bindAll(pattern: Expr, value: Value, scope: Scope): void {
  if (pattern.is === 'variable') scope.variables.set(pattern.name, value);
  else if (pattern.is === 'tuple' || pattern.is === 'list')
    pattern.items.forEach((item) => bindAll(item, value, scope));
  else if (pattern.is === 'map') pattern.pairs.forEach((item) => bindAll(item, value, scope));
  else if (pattern.is === 'operator')
    pattern.operands.forEach((item) => bindAll(item, value, scope));
}
