import { choose } from './apply.ts';
import { evaluate, evaluateBody, falsy } from './evaluate.ts';
import { type Call, type Expr, isOperator } from './expr.ts';
import { library } from './library.ts';
import { match } from './match.ts';
import { inner, type Scope, watched } from './scope.ts';
import { Atom, Environment, Module, show, Unknown, type Value } from './value.ts';

/** @param name in full, such as `System.get_env` */
type Form = (expr: Call, scope: Scope, name: string) => Value;

/** A condition with the variables it looked at: the program goes on whatever they are. */
function condition(expr: Expr | undefined, scope: Scope): [Value, string[]] {
  const found = watched(scope, () => evaluate(expr, scope));
  scope.host?.settle(found[1]);
  return found;
}

const branch =
  (isIf: boolean): Form =>
  ({ args, blocks }, scope) => {
    const [value, reads] = condition(args[0], scope);
    const run = (name: string) => evaluateBody(blocks[name] ?? [], inner(scope, reads));
    if (!(value instanceof Unknown)) return run(falsy(value) === isIf ? 'else' : 'do');
    if (scope.everyBranch) for (const name of ['do', 'else']) run(name);
    return value;
  };

const cond: Form = ({ clauses }, scope) => {
  let doubt: Unknown | undefined;
  for (const { patterns, body } of clauses) {
    const [value, reads] = condition(patterns[0], scope);
    if (value instanceof Unknown && !scope.everyBranch) return value;
    if (falsy(value)) continue;
    const result = evaluateBody(body, inner(scope, reads));
    if (!(value instanceof Unknown)) return doubt ?? result;
    doubt ??= value;
  }
  return doubt ?? null;
};

const chosen: Form = ({ args, clauses }, scope) => {
  const [subject, reads] = condition(args[0], scope);
  return choose(clauses, [subject], inner(scope, reads));
};

/** `for x <- list, do: …` over a list that is known; what a filter leaves out is not known, so everything counts. */
const comprehension: Form = ({ args: [generator], blocks }, scope) => {
  const [pattern, source] = isOperator(generator, '<-') ? generator.operands : [];
  const list = evaluate(source, scope);
  if (!Array.isArray(list) || !pattern) return new Unknown('for');
  return list.flatMap((item): Value[] => {
    const each = inner(scope);
    const fits = match(pattern, item, each);
    return fits === false ? [] : [evaluateBody(blocks.do ?? [], each)];
  });
};

const stop: Form = ({ args, offset }, scope, name) => {
  scope.host?.stop(evaluate(args.at(-1), scope), scope.because, offset);
  return new Unknown(name);
};

const load: Form = ({ args }, scope, name) => {
  const values = args.map((arg) => evaluate(arg, scope));
  const path = library('Path.expand', values);
  if (typeof path === 'string') scope.host?.load(path);
  return new Unknown(name);
};

const readVariable: Form = ({ args, name, offset }, scope) => {
  if (args.length === 0) return new Environment();
  const [wanted = null, fallback = null] = args.map((arg) => evaluate(arg, scope));
  if (wanted === 'MIX_ENV') return 'prod';
  return scope.host
    ? scope.host.variable(wanted, fallback, name === 'fetch_env!', offset)
    : new Unknown(`System.${name}(${show(wanted)})`);
};

const readFile: Form = ({ args }, scope, name) => {
  const path = evaluate(args[0], scope);
  const text = typeof path === 'string' && scope.host?.readFile(path);
  return text || new Unknown(`${name}(${show(path)})`);
};

const forms = (form: Form, ...names: string[]) => names.map((name): [string, Form] => [name, form]);

/** What Elixir, Mix and Config do by themselves in a production build. */
export const FORMS = new Map<string, Form>([
  ['if', branch(true)],
  ['unless', branch(false)],
  ['cond', cond],
  ['for', comprehension],
  ['case', chosen],
  // As if nothing went wrong
  ['try', ({ blocks }, scope) => evaluateBody(blocks.do ?? [], inner(scope))],
  ['__MODULE__', (_, scope) => new Module(scope.module)],
  ['__DIR__', (_, scope) => scope.dir],
  ['Mix.target', () => new Atom('host')],
  ['File.cwd!', (_, scope) => scope.cwd],
  ['File.read!', readFile],
  ...forms(() => new Atom('prod'), 'Mix.env', 'config_env', 'Config.config_env'),
  ...forms(stop, 'raise', 'Mix.raise', 'System.halt', 'System.stop'),
  ...forms(load, 'Code.require_file', 'Code.eval_file', 'Code.compile_file'),
  ...forms(readVariable, 'System.get_env', 'System.fetch_env!'),
]);
