import { evaluate, evaluateBody, falsy } from './evaluate.ts';
import { type Call, type Clause, type Expr, isOperator } from './expr.ts';
import { library } from './library.ts';
import { match } from './match.ts';
import { inner, type Scope, watched } from './scope.ts';
import { Closure, Environment, Unknown, type Value } from './value.ts';

/** Functions that stop the program when their first argument is nil, as an unset variable is. */
const NOT_NIL =
  /^(String\.\w+[?!]?|Base\.\w*decode\w*!?|(Integer|Float)\.parse|URI\.(parse|new!)|Path\.(join|expand)|File\.(read|stream)!?|Jason\.decode!)$/;
const EACH = new Set(['Enum.map', 'Enum.each', 'Enum.flat_map', 'Map.new']);

/** A call of the module's own functions, of a closure, of the library or of what the host knows. */
export function apply(expr: Call, module: string | null, name: string, scope: Scope): Value {
  const { host } = scope;
  const own = !expr.on || module === scope.module ? scope.functions.get(expr.name) : undefined;
  const on = expr.on && module === null ? evaluate(expr.on, scope) : undefined;
  const [args, reads] = watched(host, () => expr.args.map((arg) => evaluate(arg, scope)));
  const because = reads.length ? [...scope.because, ...reads] : scope.because;
  if (own) return invoke(own, args, { ...scope, because });
  if (on instanceof Closure) return applyClosure(on, args, scope);
  const [first, second = null, third = null] = args;
  if (first === null && module !== null && NOT_NIL.test(name))
    host.stop(new Unknown(`${name} of nil`), because, expr.offset);
  if (first instanceof Environment && /^(Map\.(get|fetch!)|Access\.get)$/.test(name))
    return host.variable(second, third, name === 'Map.fetch!', expr.offset);
  if (EACH.has(name) && Array.isArray(first) && second instanceof Closure) {
    const results = first.map((item) => applyClosure(second, [item], scope));
    return name === 'Enum.flat_map' ? (results.flat() as Value[]) : results;
  }
  const computed = library(name, args);
  if (computed !== undefined) return computed;
  const known =
    module !== null || !expr.on
      ? host.call({ module, name: expr.name, args, scope, because, offset: expr.offset })
      : undefined;
  return known === undefined ? new Unknown(`${name || expr.name}(…)`) : known;
}

const applyClosure = ({ clauses, scope }: Closure, args: Value[], { because }: Scope): Value =>
  choose(clauses, args, { ...scope, because });

/** `for x <- list, do: …` over a list that is known. */
export function comprehension(expr: Call, scope: Scope): Value {
  const [generator, ...rest] = expr.args;
  const [pattern, source] = isOperator(generator, '<-') ? generator.operands : [];
  const list = evaluate(source, scope);
  if (!Array.isArray(list) || !pattern) return new Unknown('for');
  const filters = rest.filter((filter) => filter.is !== 'list' && filter.is !== 'operator');
  return list.flatMap((item): Value[] => {
    const each = inner(scope);
    if (match(pattern, item, each, evaluate) === false) return [];
    if (filters.some((filter) => falsy(evaluate(filter, each)))) return [];
    return [evaluateBody(expr.blocks.do ?? [], each)];
  });
}

type Default = Extract<Expr, { is: 'operator' }>;
const isDefault = (pattern: Expr): pattern is Default => isOperator(pattern, '\\\\');

/** Calls the first clause that fits, with default arguments filled in; a head without a body may hold them. */
export function invoke(clauses: readonly Clause[], args: Value[], scope: Scope): Value {
  const fresh: Scope = {
    ...scope,
    variables: new Map(),
    origins: new Map(),
    everyBranch: false,
  };
  const head = clauses.find(({ patterns }) => {
    const missing = patterns.length - args.length;
    return missing >= 0 && missing <= patterns.filter(isDefault).length;
  });
  if (!head) return new Unknown('no matching clause');
  const full = withDefaults(head.patterns, args, fresh);
  const fitting = clauses.filter(
    ({ patterns, body }) => body.length > 0 && patterns.length === full.length,
  );
  return choose(fitting, full, fresh);
}

function withDefaults(patterns: readonly Expr[], args: readonly Value[], scope: Scope): Value[] {
  let given = args.length - patterns.filter((pattern) => !isDefault(pattern)).length;
  let next = 0;
  return patterns.map((pattern) =>
    isDefault(pattern) && given-- <= 0
      ? evaluate(pattern.operands[1], scope)
      : (args[next++] ?? null),
  );
}

/** The value of the first clause whose patterns and guard fit; where that can't be known, perhaps all are run. */
export function choose(clauses: readonly Clause[], subjects: Value[], scope: Scope): Value {
  // What earlier patterns looked up in the environment led to a later clause too
  const because: string[] = [];
  let doubt: Unknown | undefined;
  for (const clause of clauses) {
    const each = inner(scope);
    const [fits, reads] = watched(scope.host, () => fit(clause, subjects, each));
    because.push(...reads);
    if (fits === false) continue;
    if (fits instanceof Unknown && !scope.everyBranch) return fits;
    const value = evaluateBody(clause.body, inner(each, because));
    if (fits === true) return doubt ?? value;
    doubt ??= fits;
  }
  return doubt ?? new Unknown('no matching clause');
}

function fit({ patterns, guard }: Clause, subjects: Value[], scope: Scope): boolean | Unknown {
  let fits: boolean | Unknown = true;
  for (const [index, pattern] of patterns.entries()) {
    const matched = match(pattern, subjects[index] ?? null, scope, evaluate);
    if (matched === false) return false;
    if (matched instanceof Unknown) fits = matched;
  }
  if (!guard) return fits;
  const allowed = evaluate(guard, scope);
  if (allowed instanceof Unknown) return fits === true ? allowed : fits;
  return falsy(allowed) ? false : fits;
}
