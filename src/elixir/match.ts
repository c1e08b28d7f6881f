import { type Expr, isOperator } from './expr.ts';
import { fullName, type Scope } from './scope.ts';
import { Environment, Module, pairs, sameValue, Tuple, Unknown, type Value } from './value.ts';

type Evaluate = (expr: Expr, scope: Scope) => Value;
/** Unknown when only the running program can tell. */
type Fits = boolean | Unknown;

/** Elixir's `pattern = value`, binding variables into `scope` on the way. */
export const match = (pattern: Expr, value: Value, scope: Scope, evaluate: Evaluate): Fits =>
  new Matcher(scope, evaluate).match(pattern, value);

class Matcher {
  private readonly scope: Scope;
  private readonly evaluate: Evaluate;

  constructor(scope: Scope, evaluate: Evaluate) {
    this.scope = scope;
    this.evaluate = evaluate;
  }

  match(pattern: Expr, value: Value): Fits {
    if (pattern.is === 'variable') {
      if (!pattern.name.startsWith('_')) this.scope.variables.set(pattern.name, value);
      return true;
    }
    if (isOperator(pattern, '\\\\')) return this.match(pattern.operands[0] ?? pattern, value);
    if (isOperator(pattern, '=')) return this.all(pattern.operands, [value, value]);
    if (value instanceof Unknown) {
      this.bindAll(pattern, value);
      return value;
    }
    switch (pattern.is) {
      case 'tuple': {
        const { items } = pattern;
        if (!(value instanceof Tuple) || value.items.length !== items.length) return false;
        return this.all(items, value.items);
      }
      case 'list':
        return this.list(pattern.items, value);
      case 'map':
        return this.map(pattern.pairs, value, pattern.offset);
      case 'module':
        return value instanceof Module && value.name === fullName(pattern.name, this.scope);
      case 'operator':
        return pattern.name === '<>'
          ? this.text(pattern.operands, value)
          : new Unknown(`a pattern with ${pattern.name}`);
      case 'other':
        return new Unknown(pattern.text);
      default:
        return sameValue(this.evaluate(pattern, this.scope), value);
    }
  }

  private all(patterns: readonly Expr[], values: readonly Value[]): Fits {
    let doubt: Unknown | undefined;
    for (const [index, pattern] of patterns.entries()) {
      const fits = this.match(pattern, values[index] ?? null);
      if (fits === false) return false;
      if (fits instanceof Unknown) doubt ??= fits;
    }
    return doubt ?? true;
  }

  private list(items: readonly Expr[], value: Value): Fits {
    if (!Array.isArray(value)) return false;
    const last = items.at(-1);
    if (!isOperator(last, '|')) return value.length === items.length && this.all(items, value);
    const [head, tail] = last.operands;
    const first = head ? [...items.slice(0, -1), head] : [];
    if (value.length < first.length || !tail) return false;
    return this.all([...first, tail], [...value.slice(0, first.length), value.slice(first.length)]);
  }

  private map(pairPatterns: readonly Expr[], value: Value, offset: number): Fits {
    const wanted = pairPatterns.flatMap((pair): { key: string; pattern: Expr }[] => {
      const [key, pattern] = keyAndValue(pair);
      const text = key?.is === 'string' ? this.evaluate(key, this.scope) : undefined;
      const name = key?.is === 'atom' ? key.name : text;
      return typeof name === 'string' && pattern ? [{ key: name, pattern }] : [];
    });
    const patterns = wanted.map(({ pattern }) => pattern);
    if (value instanceof Environment) {
      const { host } = this.scope;
      const read = wanted.map(({ key }) => host.variable(key, null, false, offset));
      return !read.includes(null) && this.all(patterns, read);
    }
    const held = new Map(pairs(value));
    if (!Array.isArray(value) || !wanted.every(({ key }) => held.has(key))) return false;
    return this.all(
      patterns,
      wanted.map(({ key }) => held.get(key) ?? null),
    );
  }

  /** `"prefix" <> rest`. */
  private text([start, rest]: readonly Expr[], value: Value): Fits {
    const prefix = start && this.evaluate(start, this.scope);
    if (typeof prefix !== 'string' || !rest) return new Unknown('a text pattern');
    if (typeof value !== 'string' || !value.startsWith(prefix)) return false;
    return this.match(rest, value.slice(prefix.length));
  }

  private bindAll(pattern: Expr, value: Value): void {
    if (pattern.is === 'variable') this.scope.variables.set(pattern.name, value);
    for (const part of partsOf(pattern)) this.bindAll(part, value);
  }
}

function keyAndValue(pair: Expr): Expr[] {
  if (pair.is === 'tuple') return pair.items;
  return isOperator(pair, '=>') ? pair.operands : [];
}

function partsOf(pattern: Expr): Expr[] {
  if (pattern.is === 'tuple' || pattern.is === 'list') return pattern.items;
  if (pattern.is === 'map') return pattern.pairs;
  return pattern.is === 'operator' ? pattern.operands : [];
}
