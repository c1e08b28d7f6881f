import { choose } from './apply.ts';
import { evaluate, evaluateBody, isFalsy } from './evaluate.ts';
import { type Call, type Expr, isOperator } from './expr.ts';
import { callLibrary } from './library.ts';
import { match } from './match.ts';
import { innerScope, recordReads, type Scope } from './scope.ts';
import { Atom, Environment, Module, show, Unknown, type Value } from './value.ts';

/** @param name in full, such as `System.get_env` */
type Form = (call: Call, scope: Scope, name: string) => Value;

/** Evaluates a condition. @returns its value and the variables that it looked at, which the program runs without */
function condition(expr: Expr | undefined, scope: Scope): [Value, string[]] {
  const [value, reads] = recordReads(scope, () => evaluate(expr, scope));
  scope.run?.variables.settle(reads);
  return [value, reads];
}

const ifOrUnless =
  (isIf: boolean): Form =>
  ({ args, blocks }, scope) => {
    const [value, reads] = condition(args[0], scope);
    const runBlock = (name: string) => evaluateBody(blocks[name] ?? [], innerScope(scope, reads));
    if (!(value instanceof Unknown)) return runBlock(isFalsy(value) === isIf ? 'else' : 'do');
    if (scope.everyBranch) for (const name of ['do', 'else']) runBlock(name);
    return value;
  };

const cond: Form = ({ clauses }, scope) => {
  let doubt: Unknown | undefined;
  for (const { patterns, body } of clauses) {
    const [value, reads] = condition(patterns[0], scope);
    if (value instanceof Unknown && !scope.everyBranch) return value;
    if (isFalsy(value)) continue;
    const result = evaluateBody(body, innerScope(scope, reads));
    if (!(value instanceof Unknown)) return doubt ?? result;
    doubt ??= value;
  }
  return doubt ?? null;
};

const caseOf: Form = ({ args, clauses }, scope) => {
  const [subject, reads] = condition(args[0], scope);
  return choose(clauses, [subject], innerScope(scope, reads));
};

/** `for x <- list, do: …` over a list that is known. Filters are not applied: what they would leave out counts too. */
const comprehension: Form = ({ args: [generator], blocks }, scope) => {
  const [pattern, source] = isOperator(generator, '<-') ? generator.operands : [];
  const list = evaluate(source, scope);
  if (!Array.isArray(list) || !pattern) return new Unknown('for');
  return list.flatMap((item): Value[] => {
    const itemScope = innerScope(scope);
    const fits = match(pattern, item, itemScope);
    return fits === false ? [] : [evaluateBody(blocks.do ?? [], itemScope)];
  });
};

const stop: Form = ({ args, offset }, scope, name) => {
  scope.run?.stop(evaluate(args.at(-1), scope), scope.causes, offset);
  return new Unknown(name);
};

const loadFile: Form = ({ args }, scope, name) => {
  const values = args.map((arg) => evaluate(arg, scope));
  const path = callLibrary('Path.expand', values);
  if (typeof path === 'string') scope.run?.load(path);
  return new Unknown(name);
};

const readVariable: Form = ({ args, name, offset }, scope) => {
  if (args.length === 0) return new Environment();
  const [variable = null, fallback = null] = args.map((arg) => evaluate(arg, scope));
  if (variable === 'MIX_ENV') return 'prod';
  return scope.run
    ? scope.run.readVariable(variable, fallback, name === 'fetch_env!', offset)
    : new Unknown(`System.${name}(${show(variable)})`);
};

const readFile: Form = ({ args }, scope, name) => {
  const path = evaluate(args[0], scope);
  const text = typeof path === 'string' && scope.run?.readFile(path);
  return text || new Unknown(`${name}(${show(path)})`);
};

const forEach = (names: readonly string[], form: Form) =>
  names.map((name) => [name, form] as const);

/** Language constructs, and functions of Elixir, Mix and Config, as they work in a production build. */
export const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['if', ifOrUnless(true)],
  ['unless', ifOrUnless(false)],
  ['cond', cond],
  ['for', comprehension],
  ['case', caseOf],
  // As if nothing went wrong
  ['try', ({ blocks }, scope) => evaluateBody(blocks.do ?? [], innerScope(scope))],
  ['__MODULE__', (_, scope) => new Module(scope.module)],
  ['__DIR__', (_, scope) => scope.dir],
  ['Mix.target', () => new Atom('host')],
  ['File.cwd!', (_, scope) => scope.cwd],
  ['File.read!', readFile],
  ...forEach(['Mix.env', 'config_env', 'Config.config_env'], () => new Atom('prod')),
  ...forEach(['raise', 'Mix.raise', 'System.halt', 'System.stop'], stop),
  ...forEach(['Code.require_file', 'Code.eval_file', 'Code.compile_file'], loadFile),
  ...forEach(['System.get_env', 'System.fetch_env!'], readVariable),
]);
