import { apply, invoke } from './apply.ts';
import { evaluation, LARGEST_VALUE } from './budget.ts';
import { control } from './control.ts';
import { type Call, type Expr, isOperator } from './expr.ts';
import { joined, library } from './library.ts';
import { match } from './match.ts';
import { operate } from './operators.ts';
import { declare, fullName, inner, type Scope, watched } from './scope.ts';
import { Atom, Closure, Module, show, Tuple, Unknown, type Value, weigh } from './value.ts';

const DEEPEST = 60;
/** How many expressions are being evaluated inside each other. */
let depth = 0;

/** The value of an expression under MIX_ENV=prod, or Unknown with the reason. Never throws. */
export function evaluate(expr: Expr | undefined, scope: Scope): Value {
  if (!expr) return null;
  if (depth > DEEPEST) return new Unknown('a recursive definition');
  if (!evaluation.spend(1)) return new Unknown('a long computation');
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
  const within = evaluation.spend(Array.isArray(value) ? value.length >> 3 : weight >> 3);
  return within && weight <= LARGEST_VALUE ? value : new Unknown('a large value');
}

function computed(expr: Expr, scope: Scope): Value {
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
        if (!isOperator(item, '|')) return [value(item)];
        const [head, tail] = item.operands.map(value);
        return [head ?? null, ...(Array.isArray(tail) ? tail : [tail ?? null])];
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
    case 'call':
      return call(expr, scope);
    default:
      return new Unknown(expr.text);
  }
}

function variable(name: string, scope: Scope): Value {
  for (const origin of scope.origins.get(name) ?? []) scope.host.reads.add(origin);
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

/** Executes `pattern = expression` in the scope. */
function bind([left, right]: readonly Expr[], scope: Scope): Value {
  const [value, reads] = watched(scope.host, () => evaluate(right, scope));
  if (left) match(left, value, scope, evaluate);
  if (left?.is === 'variable') scope.origins.set(left.name, new Set(reads));
  return value;
}

/** nil and false. */
export const falsy = (value: Value): boolean => value === false || value === null;

function operator(name: string, operands: Expr[], scope: Scope): Value {
  if (name === '=') return bind(operands, scope);
  const { host } = scope;
  const [first, second] = operands;
  const [left, reads] = watched(host, () => evaluate(first, scope));
  const isOr = name === '||' || name === 'or';
  if (isOr || name === '&&' || name === 'and') {
    if (left instanceof Unknown || falsy(left) !== isOr) return left;
    const instead = evaluate(second, inner(scope, reads));
    if (instead !== null && !(instead instanceof Unknown)) host.settle(reads);
    return instead;
  }
  const right = second ? evaluate(second, scope) : null;
  if (name === '<>' && left === null)
    host.stop(new Unknown('nil <> …'), [...scope.because, ...reads], first?.offset ?? 0);
  return operate(name, left, right, operands.length);
}

function call(expr: Call, scope: Scope): Value {
  const module = expr.on?.is === 'module' ? fullName(expr.on.name, scope) : null;
  const bare = expr.on ? '' : expr.name;
  const name = module === null ? bare : `${module}.${expr.name}`;
  const builtin = BUILTINS.get(name);
  if (builtin) return builtin(expr, scope, name);
  const controlled = control(name, expr, scope);
  return controlled === undefined ? apply(expr, module, name, scope) : controlled;
}

type Builtin = (expr: Call, scope: Scope, name: string) => Value;

const environment: Builtin = () => new Atom('prod');
const target: Builtin = () => new Atom('host');

const stop: Builtin = ({ args, offset }, scope, name) => {
  scope.host.stop(evaluate(args.at(-1), scope), scope.because, offset);
  return new Unknown(name);
};

const load: Builtin = ({ args }, scope, name) => {
  const path = library(
    'Path.expand',
    args.map((arg) => evaluate(arg, scope)),
  );
  if (typeof path === 'string') scope.host.load(path);
  return new Unknown(name);
};

const readVariable: Builtin = ({ args, name, offset }, scope) => {
  if (args.length === 0) return scope.host.variables();
  const [wanted = null, fallback = null] = args.map((arg) => evaluate(arg, scope));
  if (wanted === 'MIX_ENV') return 'prod';
  return scope.host.variable(wanted, fallback, name === 'fetch_env!', offset);
};

/** What Elixir, Mix and Config answer by themselves in a production build. */
const BUILTINS = new Map<string, Builtin>([
  ['Mix.env', environment],
  ['config_env', environment],
  ['Config.config_env', environment],
  ['Mix.target', target],
  ['config_target', target],
  ['Config.config_target', target],
  ['__MODULE__', (_, scope) => new Module(scope.module)],
  ['__DIR__', (_, scope) => scope.dir],
  ['File.cwd!', (_, scope) => scope.cwd],
  ['__block__', ({ args }, scope) => evaluateBody(args, scope)],
  ['raise', stop],
  ['Mix.raise', stop],
  ['System.halt', stop],
  ['System.stop', stop],
  ['Code.require_file', load],
  ['Code.eval_file', load],
  ['Code.compile_file', load],
  ['System.get_env', readVariable],
  ['System.fetch_env!', readVariable],
  [
    'File.read!',
    ({ args }, scope) => {
      const path = evaluate(args[0], scope);
      const text = typeof path === 'string' ? scope.host.readFile(path) : undefined;
      return text || new Unknown(`File.read!(${typeof path === 'string' ? show(path) : '…'})`);
    },
  ],
]);
