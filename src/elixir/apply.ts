import { evaluate, evaluateBody, falsy } from './evaluate.ts';
import { type Call, type Clause, type Expr, isOperator } from './expr.ts';
import { library } from './library.ts';
import { match } from './match.ts';
import { inner, type Scope, watched } from './scope.ts';
import { Closure, Environment, Tuple, Unknown, type Value } from './value.ts';

/** Functions that stop the program when their first argument is nil, as an unset variable is. */
const NOT_NIL =
  /^(String\.\w+[?!]?|Base\.\w*decode\w*!?|(Integer|Float)\.parse|URI\.(parse|new!)|Path\.(join|expand)|File\.(read|stream)!?|Jason\.decode!)$/;
const EACH = new Set(['Enum.map', 'Enum.each', 'Enum.flat_map', 'Map.new']);

/**
 * A call of the module's own functions, of a closure, of the library or of what the host knows.
 * @param name in full; '' for a call on a value
 */
export function apply(expr: Call, name: string, scope: Scope): Value {
  const { host } = scope;
  const isOwn = !expr.on || name === `${scope.module}.${expr.name}`;
  const own = isOwn ? scope.functions.get(expr.name) : undefined;
  const on = name ? undefined : evaluate(expr.on, scope);
  const [args, reads] = watched(scope, () => expr.args.map((arg) => evaluate(arg, scope)));
  const within = reads.length ? { ...scope, because: [...scope.because, ...reads] } : scope;
  if (own) return invoke(own, args, within);
  if (on instanceof Closure) return applyClosure(on, args, scope);
  const [first, second = null, third = null] = args;
  if (first === null && NOT_NIL.test(name))
    host?.stop(new Unknown(`${name} of nil`), within.because, expr.offset);
  if (host && first instanceof Environment && /^(Map\.(get|fetch!)|Access\.get)$/.test(name))
    return host.variable(second, third, name === 'Map.fetch!', expr.offset);
  if (EACH.has(name) && Array.isArray(first) && second instanceof Closure) {
    const results = first.map((item) => applyClosure(second, [item], scope));
    return name === 'Enum.flat_map' ? (results.flat() as Value[]) : results;
  }
  const computed = library(name, args);
  if (computed !== undefined) return computed;
  const known = name ? host?.call(name, args, within, expr.offset) : undefined;
  return known === undefined ? new Unknown(`${name || expr.name}(…)`) : known;
}

const applyClosure = ({ clauses, scope }: Closure, args: Value[], { because }: Scope): Value =>
  choose(clauses, args, { ...scope, because });

const isDefault = (pattern: Expr): pattern is Extract<Expr, { is: 'operator' }> =>
  isOperator(pattern, '\\\\');

/** Calls the first clause that fits, with default arguments filled in; a head without a body may hold them. */
export function invoke(clauses: readonly Clause[], args: Value[], outer: Scope): Value {
  const scope = { ...outer, variables: new Map(), origins: new Map(), everyBranch: false };
  const head = clauses.find(({ patterns }) => {
    const missing = patterns.length - args.length;
    return missing >= 0 && missing <= patterns.filter(isDefault).length;
  });
  if (!head) return new Unknown('no matching clause');
  let given = args.length - head.patterns.filter((pattern) => !isDefault(pattern)).length;
  const rest = [...args];
  const full = head.patterns.map((pattern) =>
    isDefault(pattern) && given-- <= 0
      ? evaluate(pattern.operands[1], scope)
      : (rest.shift() ?? null),
  );
  const fitting = clauses.filter(
    ({ patterns, body }) => body.length > 0 && patterns.length === full.length,
  );
  return choose(fitting, full, scope);
}

/** The value of the first clause whose patterns and guard fit; where that can't be known, perhaps all are run. */
export function choose(clauses: readonly Clause[], subjects: Value[], scope: Scope): Value {
  // What earlier patterns looked up in the environment led to a later clause too
  const because: string[] = [];
  let doubt: Unknown | undefined;
  for (const clause of clauses) {
    const each = inner(scope);
    const [fits, reads] = watched(scope, () => fit(clause, subjects, each));
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
  const offset = 0;
  const fits = match({ is: 'tuple', offset, items: patterns }, new Tuple(subjects), scope);
  if (fits === false || !guard) return fits;
  const allowed = evaluate(guard, scope);
  if (allowed instanceof Unknown) return fits === true ? allowed : fits;
  return falsy(allowed) ? false : fits;
}
