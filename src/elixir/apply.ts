import { evaluate, evaluateBody, falsy } from './evaluate.ts';
import type { Call, Clause } from './expr.ts';
import { library } from './library.ts';
import { match } from './match.ts';
import { inner, type Scope } from './scope.ts';
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
  const isOwn = !expr.on || name === `${scope.module}.${expr.name}`;
  const own = isOwn ? scope.functions.get(expr.name) : undefined;
  const on = name ? undefined : evaluate(expr.on, scope);
  const args = expr.args.map((arg) => evaluate(arg, scope));
  if (own) return invoke(own, args, scope);
  if (on instanceof Closure) return choose(on.clauses, args, on.scope);
  const { host } = scope;
  const [first, second = null, third = null] = args;
  if (host && first instanceof Environment && /^(Map\.(get|fetch!)|Access\.get)$/.test(name))
    return host.variable(second, third, name === 'Map.fetch!', expr.offset);
  if (first === null && NOT_NIL.test(name)) host?.stop(new Unknown(`${name} of nil`), expr.offset);
  if (EACH.has(name) && Array.isArray(first) && second instanceof Closure) {
    const results = first.map((item) => choose(second.clauses, [item], second.scope));
    return name === 'Enum.flat_map' ? (results.flat() as Value[]) : results;
  }
  const computed = library(name, args);
  if (computed !== undefined) return computed;
  const known = name ? host?.call(name, args, scope, expr.offset) : undefined;
  return known === undefined ? new Unknown(`${name || expr.name}(…)`) : known;
}

/** Calls a function of a module. */
export const invoke = (clauses: readonly Clause[], args: Value[], outer: Scope): Value =>
  choose(clauses, args, { ...outer, variables: new Map(), everyBranch: false });

/** The value of the first clause whose patterns and guard fit; where that can't be known, perhaps all are run. */
export function choose(clauses: readonly Clause[], subjects: Value[], scope: Scope): Value {
  let doubt: Unknown | undefined;
  for (const clause of clauses) {
    const each = inner(scope);
    const fits = fit(clause, subjects, each);
    if (fits === false) continue;
    if (fits instanceof Unknown && !scope.everyBranch) return fits;
    const value = evaluateBody(clause.body, each);
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
