import type { Clause, Expr } from './syntax.ts';
import { Atom, Module, sameValue, show, Tuple, Unknown, type Value } from './value.ts';

/** What an expression may refer to. `readFile` sees paths relative to the file's own project. */
export interface Scope {
  attributes: Map<string, Expr>;
  functions: Map<string, { patterns: Expr[]; body: Expr[] }[]>;
  variables: Map<string, Value>;
  readFile: (path: string) => string | undefined;
  /** The app that is being read is the root of its build: `Mix.env()` is :prod there. */
  depth: number;
}

export const emptyScope = (readFile: Scope['readFile'] = () => undefined): Scope => ({
  attributes: new Map(),
  functions: new Map(),
  variables: new Map(),
  readFile,
  depth: 0,
});

/** Collects a module body's attributes and functions, so that calls between them can be followed. */
export function moduleScope(body: readonly Expr[], readFile?: Scope['readFile']): Scope {
  const scope = emptyScope(readFile);
  for (const expr of body) {
    if (expr.is === 'attribute' && expr.value) scope.attributes.set(expr.name, expr.value);
    if (expr.is !== 'call' || !['def', 'defp'].includes(expr.name)) continue;
    const guarded = expr.args[0];
    const head = guarded?.is === 'operator' && guarded.name === 'when' ? guarded.operands[0] : guarded;
    if (head?.is !== 'call' && head?.is !== 'variable') continue;
    const clauses = scope.functions.get(head.name) ?? [];
    clauses.push({ patterns: head.is === 'call' ? head.args : [], body: expr.blocks.do ?? [] });
    scope.functions.set(head.name, clauses);
  }
  return scope;
}

const DEEPEST = 60;

/** The value of an expression under MIX_ENV=prod, or Unknown with the reason. Never throws. */
export function evaluate(expr: Expr | undefined, scope: Scope): Value {
  if (!expr) return null;
  if (scope.depth > DEEPEST) return new Unknown('a recursive definition');
  const inner: Scope = { ...scope, depth: scope.depth + 1 };
  const value = (part: Expr | undefined) => evaluate(part, inner);
  switch (expr.is) {
    case 'atom':
      return new Atom(expr.name);
    case 'module':
      return new Module(expr.name);
    case 'literal':
      return expr.value;
    case 'string':
      return text(expr.parts, value);
    case 'list':
      return expr.items.map(value);
    case 'tuple':
      return new Tuple(expr.items.map(value));
    case 'map':
      return expr.pairs.map((pair) => (pair.is === 'operator' && pair.name === '=>' ? new Tuple(pair.operands.map(value)) : value(pair)));
    case 'variable':
      return scope.variables.get(expr.name) ?? (scope.functions.has(expr.name) ? invoke(expr.name, [], inner) : new Unknown(expr.name));
    case 'attribute':
      return value(scope.attributes.get(expr.name) ?? { is: 'other', at: expr.at, text: `@${expr.name}` });
    case 'operator':
      return operator(expr.name, expr.operands, inner);
    case 'call':
      return call(expr, inner);
    default:
      return new Unknown(expr.is === 'other' ? expr.text : 'a function');
  }
}

/** Runs statements in order (bindings included) and gives the last one's value. */
export function evaluateBody(body: readonly Expr[], scope: Scope): Value {
  const inner: Scope = { ...scope, variables: new Map(scope.variables) };
  let last: Value = null;
  for (const statement of body) last = bind(statement, inner) ?? evaluate(statement, inner);
  return last;
}

/** Executes `name = expression` in the scope; undefined for any other statement. */
export function bind(statement: Expr, scope: Scope): Value | undefined {
  if (statement.is !== 'operator' || statement.name !== '=') return undefined;
  const [left, right] = statement.operands;
  const value = evaluate(right, scope);
  if (left?.is === 'variable') scope.variables.set(left.name, value);
  return value;
}

function text(parts: (string | Expr)[], value: (expr: Expr) => Value): Value {
  let joined = '';
  for (const part of parts) {
    const piece = typeof part === 'string' ? part : value(part);
    if (piece instanceof Unknown) return piece;
    joined += piece instanceof Atom || piece instanceof Module ? piece.name : String(piece);
  }
  return joined;
}

const falsy = (value: Value): boolean => value === false || value === null;

function operator(name: string, operands: Expr[], scope: Scope): Value {
  const [left = null, right = null] = operands.map((operand) => (name === '|>' ? null : evaluate(operand, scope)));
  const unknown = [left, right].find((side) => side instanceof Unknown);
  switch (name) {
    case '|>':
      return pipe(operands, scope);
    case '++':
      return Array.isArray(left) || Array.isArray(right) ? [...(Array.isArray(left) ? left : [left]), ...(Array.isArray(right) ? right : [right])] : new Unknown('++');
    case '--':
      return Array.isArray(left) && Array.isArray(right) ? left.filter((item) => !right.some((gone) => sameValue(item, gone))) : left;
    case '<>':
      return unknown ?? (typeof left === 'string' && typeof right === 'string' ? left + right : new Unknown('<>'));
    case '||':
    case 'or':
      return unknown === left ? new Unknown(show(left)) : falsy(left) ? right : left;
    case '&&':
    case 'and':
      return falsy(left) ? left : (unknown ?? right);
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
    case '-':
      return typeof left === 'number' && operands.length === 1 ? -left : new Unknown('-');
    default:
      return new Unknown(`an expression with ${name}`);
  }
}

function pipe(operands: Expr[], scope: Scope): Value {
  const [left, right] = operands;
  if (!left || !right || right.is !== 'call') return new Unknown('|>');
  return call({ ...right, args: [left, ...right.args] }, scope);
}

type CallExpr = Extract<Expr, { is: 'call' }>;

function call(expr: CallExpr, scope: Scope): Value {
  const args = expr.args;
  const value = (part: Expr | undefined) => evaluate(part, scope);
  const on = expr.on?.is === 'module' ? `${expr.on.name}.` : '';
  switch (on + expr.name) {
    case 'Mix.env':
    case 'config_env':
      return new Atom('prod');
    case 'Mix.target':
    case 'config_target':
      return new Atom('host');
    case '__block__':
      return evaluateBody(args, scope);
    case 'if':
    case 'unless': {
      const condition = value(args[0]);
      if (condition instanceof Unknown) return condition;
      return evaluateBody(expr.blocks[falsy(condition) === (expr.name === 'if') ? 'else' : 'do'] ?? [], scope);
    }
    case 'case':
      return choose(expr.clauses, [value(args[0])], scope);
    case 'String.trim':
    case 'String.to_atom': {
      const subject = value(args[0]);
      if (typeof subject !== 'string') return subject;
      return expr.name === 'trim' ? subject.trim() : new Atom(subject);
    }
    case 'File.read!': {
      const path = value(args[0]);
      return (typeof path === 'string' && scope.readFile(path)) || new Unknown(`File.read!(${show(path)})`);
    }
    case 'Path.join': {
      const joined = args.length === 1 ? value(args[0]) : args.map(value);
      return Array.isArray(joined) && joined.every((part) => typeof part === 'string') ? joined.join('/').replace(/\/\.\//g, '/') : new Unknown('Path.join');
    }
    case 'Path.expand':
      return value(args[0]);
    case 'Enum.concat':
    case 'Keyword.merge': {
      const lists = args.map(value);
      return lists.every(Array.isArray) ? (lists.length === 1 ? lists.flat() : lists).flat() as Value[] : (lists.find(Array.isArray) ?? new Unknown(expr.name));
    }
    case 'List.flatten':
    case 'Enum.filter':
    case 'Enum.reject':
    case 'Enum.uniq':
    case 'Enum.sort': {
      const list = value(args[0]);
      return expr.name === 'flatten' && Array.isArray(list) ? (list.flat(9) as Value[]) : list;
    }
    case 'System.get_env':
      return new Unknown(`System.get_env(${args.map((arg) => show(value(arg))).join(', ')})`);
    case 'System.fetch_env!':
      return new Unknown(`System.fetch_env!(${show(value(args[0]))})`);
    default:
      if (!on && scope.functions.has(expr.name)) return invoke(expr.name, args.map(value), scope);
      return new Unknown(`${on}${expr.name}(…)`);
  }
}

function invoke(name: string, args: Value[], scope: Scope): Value {
  const clauses = (scope.functions.get(name) ?? []).map((clause): Clause => ({ patterns: clause.patterns.map(withoutDefault), body: clause.body }));
  const fitting = clauses.filter((clause) => clause.patterns.length >= args.length);
  return choose(fitting, args, { ...scope, variables: new Map() });
}

/** `arg \\ default` matches like `arg`. */
const withoutDefault = (pattern: Expr): Expr => (pattern.is === 'operator' && pattern.name === '\\\\' ? (pattern.operands[0] ?? pattern) : pattern);

function choose(clauses: Clause[], subjects: Value[], scope: Scope): Value {
  for (const clause of clauses) {
    const variables = new Map(scope.variables);
    let fits: boolean | Unknown = true;
    for (const [index, pattern] of clause.patterns.entries()) {
      const subject = subjects[index] ?? null;
      if (pattern.is === 'variable') {
        variables.set(pattern.name, subject);
        continue;
      }
      if (subject instanceof Unknown) fits = subject;
      else if (fits === true) fits = sameValue(evaluate(pattern, scope), subject);
    }
    if (fits instanceof Unknown) return fits;
    if (fits) return evaluateBody(clause.body, { ...scope, variables });
  }
  return new Unknown('no matching clause');
}
