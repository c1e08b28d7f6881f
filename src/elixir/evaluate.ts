import { apply, invoke, load } from './apply.ts';
import { control } from './control.ts';
import { joined, library } from './library.ts';
import { match } from './match.ts';
import { declare, fullName, inner, type Scope } from './scope.ts';
import type { Call, Expr } from './syntax.ts';
import {
  Atom,
  Closure,
  Environment,
  Module,
  sameValue,
  show,
  Tuple,
  Unknown,
  type Value,
} from './value.ts';

const DEEPEST = 60;
/** How many expressions are being evaluated inside each other. */
let depth = 0;

/** The value of an expression under MIX_ENV=prod, or Unknown with the reason. Never throws. */
export function evaluate(expr: Expr | undefined, scope: Scope): Value {
  if (!expr) return null;
  if (depth > DEEPEST) return new Unknown('a recursive definition');
  if (scope.world && scope.world.fuel-- <= 0) return new Unknown('a long computation');
  depth++;
  try {
    return valueIn(expr, scope);
  } finally {
    depth--;
  }
}

function valueIn(expr: Expr, scope: Scope): Value {
  const value = (part: Expr | undefined) => evaluate(part, scope);
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
      return expr.items.flatMap((item): Value[] => {
        if (item.is !== 'operator' || item.name !== '|') return [value(item)];
        const [head, tail] = item.operands.map(value);
        return [head ?? null, ...(Array.isArray(tail) ? tail : [tail ?? null])];
      });
    case 'tuple':
      return new Tuple(expr.items.map(value));
    case 'map':
      return expr.pairs.map((pair) =>
        pair.is === 'operator' && pair.name === '=>'
          ? new Tuple(pair.operands.map(value))
          : value(pair),
      );
    case 'variable':
      for (const name of scope.origins.get(expr.name) ?? []) scope.world?.reads.add(name);
      if (scope.variables.has(expr.name)) return scope.variables.get(expr.name) ?? null;
      return scope.functions.has(expr.name)
        ? invoke(scope.functions.get(expr.name) ?? [], [], scope)
        : new Unknown(expr.name);
    case 'attribute':
      return value(
        scope.attributes.get(expr.name) ?? { is: 'other', at: expr.at, text: `@${expr.name}` },
      );
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

/** Runs statements in order (bindings included) and gives the last one's value. */
export function evaluateBody(body: readonly Expr[], scope: Scope): Value {
  let last: Value = null;
  for (const statement of body)
    last = declare(statement, scope)
      ? null
      : (bind(statement, scope) ?? evaluate(statement, scope));
  return last;
}

/** Executes `pattern = expression` in the scope; undefined for any other statement. */
export function bind(statement: Expr, scope: Scope): Value | undefined {
  if (statement.is !== 'operator' || statement.name !== '=') return undefined;
  const [left, right] = statement.operands;
  const [value, reads] = watched(right, scope);
  if (left) match(left, value, scope, evaluate);
  if (left?.is === 'variable') scope.origins.set(left.name, new Set(reads));
  return value;
}

/** A value together with the environment variables that were looked at for it. */
export function watched(expr: Expr | undefined, scope: Scope): [Value, string[]] {
  const { world } = scope;
  if (!world) return [evaluate(expr, scope), []];
  const before = world.reads;
  world.reads = new Set();
  const value = evaluate(expr, scope);
  const reads = [...world.reads];
  world.reads = new Set([...before, ...reads]);
  return [value, reads];
}

/** nil and false. */
export const falsy = (value: Value): boolean => value === false || value === null;

function operator(name: string, operands: Expr[], scope: Scope): Value {
  const [first, second] = operands;
  if (name === '|>')
    return first && second?.is === 'call'
      ? call({ ...second, args: [first, ...second.args] }, scope)
      : new Unknown('|>');
  if (name === '=') return bind({ is: 'operator', at: 0, name, operands }, scope) ?? null;
  const [left, reads] = watched(first, scope);
  if (['||', 'or', '&&', 'and'].includes(name)) {
    if (left instanceof Unknown) return left;
    if (falsy(left) !== ['||', 'or'].includes(name)) return left;
    const instead = evaluate(second, inner(scope, reads));
    if (instead !== null && !(instead instanceof Unknown)) scope.world?.settle(reads);
    return instead;
  }
  const right = second ? evaluate(second, scope) : null;
  const unknown = [left, right].find((side) => side instanceof Unknown);
  switch (name) {
    case '++':
      return Array.isArray(left) || Array.isArray(right)
        ? [...(Array.isArray(left) ? left : [left]), ...(Array.isArray(right) ? right : [right])]
        : new Unknown('++');
    case '--':
      return Array.isArray(left) && Array.isArray(right)
        ? left.filter((item) => !right.some((gone) => sameValue(item, gone)))
        : left;
    case '<>':
      if (left === null)
        scope.world?.raise(
          new Unknown('nil <> …'),
          [...scope.because, ...reads],
          operands[0]?.at ?? 0,
        );
      return (
        unknown ??
        (typeof left === 'string' && typeof right === 'string' ? left + right : new Unknown('<>'))
      );
    case '!':
    case 'not':
      return unknown ?? falsy(left);
    case '==':
    case '===':
      return unknown ?? sameValue(left, right);
    case '!=':
    case '!==':
      return unknown ?? !sameValue(left, right);
    case 'in':
    case 'not in': {
      const found = Array.isArray(right) ? right.some((item) => sameValue(item, left)) : false;
      return unknown ?? (name === 'in') === found;
    }
    case '>':
      return (
        unknown ??
        (typeof left === 'number' && typeof right === 'number' ? left > right : new Unknown('>'))
      );
    case '-':
      return typeof left === 'number' && operands.length === 1 ? -left : new Unknown('-');
    default:
      return new Unknown(`an expression with ${name}`);
  }
}

function call(expr: Call, scope: Scope): Value {
  const { args } = expr;
  const { world } = scope;
  const value = (part: Expr | undefined) => evaluate(part, scope);
  const module = expr.on?.is === 'module' ? fullName(expr.on.name, scope) : null;
  const name = module ? `${module}.${expr.name}` : expr.on ? '' : expr.name;
  switch (name) {
    case 'Mix.env':
    case 'config_env':
    case 'Config.config_env':
      return new Atom('prod');
    case 'Mix.target':
    case 'config_target':
    case 'Config.config_target':
      return new Atom('host');
    case '__MODULE__':
      return new Module(scope.module);
    case '__DIR__':
      return scope.dir;
    case '__block__':
      return evaluateBody(args, scope);
    case 'raise':
    case 'Mix.raise':
    case 'System.halt':
    case 'System.stop':
      world?.raise(value(args.at(-1)), scope.because, expr.at);
      return new Unknown(name);
    case 'File.read!': {
      const path = value(args[0]);
      return (
        (typeof path === 'string' && scope.readFile(path)) ||
        new Unknown(`File.read!(${show(path)})`)
      );
    }
    case 'Code.require_file':
    case 'Code.eval_file':
    case 'Code.compile_file':
      load(library('Path.expand', args.map(value)), scope);
      return new Unknown(name);
    case 'System.get_env':
    case 'System.fetch_env!': {
      const [wanted = null, fallback = null] = args.map(value);
      if (args.length === 0) return world ? new Environment() : new Unknown(name);
      if (wanted === 'MIX_ENV') return 'prod';
      return (
        world?.env(wanted, fallback, expr.name === 'fetch_env!', expr.at) ??
        (world ? null : new Unknown(`${name}(${args.map((arg) => show(value(arg))).join(', ')})`))
      );
    }
    default: {
      const controlled = control(name, expr, scope);
      return controlled === undefined ? apply(expr, module, name, scope) : controlled;
    }
  }
}
