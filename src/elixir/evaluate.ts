import { apply, invoke } from './apply.ts';
import { MAX_VALUE_SIZE, spend } from './budget.ts';
import { type Call, type Expr, isOperator } from './expr.ts';
import { FORMS } from './forms.ts';
import { callLibrary } from './library.ts';
import { match } from './match.ts';
import { declare, fullName, innerScope, recordReads, type Scope } from './scope.ts';
import { Atom, Closure, Module, sizeOf, Tuple, Unknown, type Value } from './value.ts';

const MAX_DEPTH = 60;
/** How many expressions are being evaluated inside each other; one number will do, as an evaluation never waits. */
let depth = 0;

/** The value of an expression under MIX_ENV=prod, or Unknown with the reason; nil when there is none. Never throws. */
export function evaluate(expr: Expr | undefined, scope: Scope): Value {
  if (!expr) return null;
  if (depth > MAX_DEPTH) return new Unknown('a recursive definition');
  if (!spend('evaluation', 1)) return new Unknown('a long computation');
  depth++;
  try {
    return limitSize(compute(expr, scope));
  } finally {
    depth--;
  }
}

/** Long texts and lists take more steps, and those above a limit become unknown. */
function limitSize(value: Value): Value {
  if (typeof value !== 'string' && !Array.isArray(value) && !(value instanceof Tuple)) return value;
  const size = sizeOf(value);
  const isAffordable = spend('evaluation', (Array.isArray(value) ? value.length : size) >> 3);
  return isAffordable && size <= MAX_VALUE_SIZE ? value : new Unknown('a large value');
}

function compute(expr: Expr, scope: Scope): Value {
  const value = (part: Expr) => evaluate(part, scope);
  switch (expr.is) {
    case 'atom':
      return new Atom(expr.name);
    case 'module':
      return new Module(fullName(expr.name, scope));
    case 'literal':
      return expr.value;
    case 'string':
      return interpolate(expr.parts.map((part) => (typeof part === 'string' ? part : value(part))));
    case 'list':
      return expr.items.flatMap((item) => {
        if (!isOperator(item, '|')) return [value(item)];
        const [head = null, tail = null] = item.operands.map(value);
        return [head, ...(Array.isArray(tail) ? tail : [tail])];
      });
    case 'tuple':
      return new Tuple(expr.items.map(value));
    case 'map':
      return expr.pairs.map((pair) =>
        isOperator(pair, '=>') ? new Tuple(pair.operands.map(value)) : value(pair),
      );
    case 'variable':
      return variable(expr.name, scope);
    case 'attribute': {
      const definition = scope.attributes.get(expr.name);
      return definition ? value(definition) : new Unknown(`@${expr.name}`);
    }
    case 'operator':
      return operator(expr.name, expr.operands, scope);
    case 'fn':
      return new Closure(expr.clauses, scope);
    case 'call':
      return call(expr, scope);
    default:
      return new Unknown(expr.text);
  }
}

/** The text of a string with its interpolations; unknown as soon as one of them is. */
const interpolate = (parts: readonly Value[]): Value =>
  parts.find((part) => part instanceof Unknown) ??
  parts
    .map((part) => (part instanceof Atom || part instanceof Module ? part.name : (part ?? '')))
    .join('');

/** A variable, or a call without parentheses of a function without parameters. */
function variable(name: string, scope: Scope): Value {
  for (const origin of scope.origins.get(name) ?? []) scope.run?.variables.reads.add(origin);
  const value = scope.variables.get(name);
  if (value !== undefined) return value;
  const clauses = scope.functions.get(name);
  return clauses ? invoke(clauses, [], scope) : new Unknown(name);
}

function call(expr: Call, scope: Scope): Value {
  const { target, name } = expr;
  const module = target?.is === 'module' ? `${fullName(target.name, scope)}.` : '';
  const qualifiedName = target && !module ? '' : module + name;
  const form = FORMS.get(qualifiedName);
  return form ? form(expr, scope, qualifiedName) : apply(expr, qualifiedName, scope);
}

function operator(name: string, operands: readonly Expr[], scope: Scope): Value {
  if (name === '=') return bind(operands, scope);
  const [first, second] = operands;
  const [left, reads] = recordReads(scope, () => evaluate(first, scope));
  const isOr = name === '||' || name === 'or';
  const isAnd = name === '&&' || name === 'and';
  if (isOr || isAnd) {
    const isDecided = isOr ? !isFalsy(left) : isFalsy(left);
    if (isDecided || left instanceof Unknown) return left;
    const right = evaluate(second, innerScope(scope, reads));
    if (right !== null && !(right instanceof Unknown)) scope.run?.variables.settle(reads);
    return right;
  }
  const right = evaluate(second, scope);
  if (name === '<>' && left === null)
    scope.run?.stop(new Unknown('nil <> …'), [...scope.causes, ...reads], first?.offset ?? 0);
  return callLibrary(name, [left, right]) ?? new Unknown(`an expression with ${name}`);
}

/** `pattern = expression` */
function bind([pattern, expr]: readonly Expr[], scope: Scope): Value {
  const [value, reads] = recordReads(scope, () => evaluate(expr, scope));
  if (pattern) match(pattern, value, scope);
  if (pattern?.is === 'variable') scope.origins.set(pattern.name, reads);
  return value;
}

/** Runs statements in order, so that later ones see what earlier ones bind. @returns the last one's value */
export function evaluateBody(body: readonly Expr[], scope: Scope): Value {
  let result: Value = null;
  for (const statement of body)
    result = declare(statement, scope) ? null : evaluate(statement, scope);
  return result;
}

/** nil and false. */
export const isFalsy = (value: Value): boolean => value === false || value === null;
