import { apply, invoke } from './apply.ts';
import { LARGEST_VALUE, spend } from './budget.ts';
import { type Expr, isOperator } from './expr.ts';
import { FORMS } from './forms.ts';
import { library } from './library.ts';
import { match } from './match.ts';
import { declare, fullName, inner, type Scope, watched } from './scope.ts';
import { Atom, Closure, Module, Tuple, Unknown, type Value, weigh } from './value.ts';

const DEEPEST = 60;
/** How many expressions are being evaluated inside each other. */
let depth = 0;

/** The value of an expression under MIX_ENV=prod, or Unknown with the reason. Never throws. */
export function evaluate(expr: Expr | undefined, scope: Scope): Value {
  if (!expr) return null;
  if (depth > DEEPEST) return new Unknown('a recursive definition');
  if (!spend('evaluation', 1)) return new Unknown('a long computation');
  depth++;
  try {
    return affordable(computed(expr, scope));
  } finally {
    depth--;
  }
}

/** Long texts and lists cost more steps, and those above a limit are unknown. */
function affordable(value: Value): Value {
  if (typeof value !== 'string' && !Array.isArray(value) && !(value instanceof Tuple)) return value;
  const weight = weigh(value);
  const within = spend('evaluation', Array.isArray(value) ? value.length >> 3 : weight >> 3);
  return within && weight <= LARGEST_VALUE ? value : new Unknown('a large value');
}

function computed(expr: Expr, scope: Scope): Value {
  const value = (part: Expr) => evaluate(part, scope);
  switch (expr.is) {
    case 'atom':
      return new Atom(expr.name);
    case 'module':
      return new Module(fullName(expr.name, scope));
    case 'literal':
      return expr.value;
    case 'string':
      return joined(expr.parts.map((part) => (typeof part === 'string' ? part : value(part))));
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
      const held = scope.attributes.get(expr.name);
      return held ? value(held) : new Unknown(`@${expr.name}`);
    }
    case 'operator':
      return operator(expr.name, expr.operands, scope);
    case 'fn':
      return new Closure(expr.clauses, scope);
    case 'call': {
      const module = expr.on?.is === 'module' ? `${fullName(expr.on.name, scope)}.` : '';
      const name = expr.on && !module ? '' : module + expr.name;
      const form = FORMS.get(name);
      return form ? form(expr, scope, name) : apply(expr, name, scope);
    }
    default:
      return new Unknown(expr.text);
  }
}

/** The text of a string with its interpolations; unknown as soon as one of them is. */
const joined = (parts: readonly Value[]): Value =>
  parts.find((part) => part instanceof Unknown) ??
  parts
    .map((part) => (part instanceof Atom || part instanceof Module ? part.name : (part ?? '')))
    .join('');

function variable(name: string, scope: Scope): Value {
  for (const origin of scope.origins.get(name) ?? []) scope.host?.reads.add(origin);
  const held = scope.variables.get(name);
  if (held !== undefined) return held;
  const clauses = scope.functions.get(name);
  return clauses ? invoke(clauses, [], scope) : new Unknown(name);
}

/** Runs statements in order (bindings included) and gives the last one's value. */
export function evaluateBody(body: readonly Expr[], scope: Scope): Value {
  let last: Value = null;
  for (const statement of body)
    last = declare(statement, scope) ? null : evaluate(statement, scope);
  return last;
}

/** nil and false. */
export const falsy = (value: Value): boolean => value === false || value === null;

function operator(name: string, [first, second]: readonly Expr[], scope: Scope): Value {
  if (name === '=') {
    const [value, reads] = watched(scope, () => evaluate(second, scope));
    if (first) match(first, value, scope);
    if (first?.is === 'variable') scope.origins.set(first.name, reads);
    return value;
  }
  const [left, reads] = watched(scope, () => evaluate(first, scope));
  const isOr = name === '||' || name === 'or';
  if (isOr || name === '&&' || name === 'and') {
    if (left instanceof Unknown || falsy(left) !== isOr) return left;
    const instead = evaluate(second, inner(scope, reads));
    if (instead !== null && !(instead instanceof Unknown)) scope.host?.settle(reads);
    return instead;
  }
  const right = evaluate(second, scope);
  if (name === '<>' && left === null)
    scope.host?.stop(new Unknown('nil <> …'), [...scope.because, ...reads], first?.offset ?? 0);
  return library(name, [left, right]) ?? new Unknown(`an expression with ${name}`);
}
