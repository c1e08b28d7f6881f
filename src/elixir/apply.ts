import { evaluate, evaluateBody, isFalsy } from './evaluate.ts';
import { type Call, type Clause, type Expr, isOperator } from './expr.ts';
import { callLibrary } from './library.ts';
import { type Match, match } from './match.ts';
import { innerScope, recordReads, type Scope } from './scope.ts';
import { Closure, Environment, Tuple, Unknown, type Value } from './value.ts';

/** Functions that stop the program when their first argument is nil, as an unset variable is. */
const REJECTS_NIL =
  /^(Base|Float|Integer|Path|String|URI)\.\w+[?!]?$|^Jason\.decode!$|^File\.(read|stream)!?$/;
const MAPPERS = new Set(['Enum.map', 'Enum.each', 'Enum.flat_map', 'Map.new']);
const LOOKUPS = new Set(['Map.get', 'Map.fetch!', 'Access.get']);

/**
 * Calls a function of the module itself, a closure, a function of the library, or what the run knows.
 * @param name in full, such as `Shop.Env.get`; '' for a call on a value
 */
export function apply(call: Call, name: string, scope: Scope): Value {
  const { run } = scope;
  const isOwn = !call.target || name === `${scope.module}.${call.name}`;
  const ownClauses = isOwn ? scope.functions.get(call.name) : undefined;
  const target = name ? undefined : evaluate(call.target, scope);
  const [args, reads] = recordReads(scope, () => call.args.map((arg) => evaluate(arg, scope)));
  const callScope = reads.length ? { ...scope, causes: [...scope.causes, ...reads] } : scope;
  if (ownClauses) return invoke(ownClauses, args, callScope);
  if (target instanceof Closure) return invokeClosure(target, args, scope);
  const [first, second = null, third = null] = args;
  if (first === null && REJECTS_NIL.test(name))
    run?.stop(new Unknown(`${name} of nil`), callScope.causes, call.offset);
  if (run && first instanceof Environment && LOOKUPS.has(name))
    return run.readVariable(second, third, name === 'Map.fetch!', call.offset);
  if (MAPPERS.has(name) && Array.isArray(first) && second instanceof Closure) {
    const results = first.map((item) => invokeClosure(second, [item], scope));
    return name === 'Enum.flat_map' ? (results.flat() as Value[]) : results;
  }
  const computed = callLibrary(name, args);
  if (computed !== undefined) return computed;
  const result = name ? run?.call(name, args, callScope, call.offset) : undefined;
  return result === undefined ? new Unknown(`${name || call.name}(…)`) : result;
}

const invokeClosure = ({ clauses, scope }: Closure, args: Value[], { causes }: Scope): Value =>
  choose(clauses, args, { ...scope, causes });

/** `name \\ default` among a function's parameters. */
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
  const allArgs = withDefaults(head.patterns, args, scope);
  const bodies = clauses.filter(
    ({ patterns, body }) => body.length > 0 && patterns.length === allArgs.length,
  );
  return choose(bodies, allArgs, scope);
}

/** Arguments beyond the required ones go to the first parameters that have a default. */
function withDefaults(patterns: readonly Expr[], args: readonly Value[], scope: Scope): Value[] {
  const required = patterns.filter((pattern) => !isDefault(pattern));
  let optionalArgs = args.length - required.length;
  const rest = [...args];
  const values: Value[] = [];
  for (const pattern of patterns) {
    const isOmitted = isDefault(pattern) && optionalArgs-- <= 0;
    values.push(isOmitted ? evaluate(pattern.operands[1], scope) : (rest.shift() ?? null));
  }
  return values;
}

/**
 * The value of the first clause whose patterns and guard fit. Where that can't be known it is Unknown, and `everyBranch`
 * decides whether the clauses that may fit are run.
 */
export function choose(clauses: readonly Clause[], subjects: Value[], scope: Scope): Value {
  // What earlier patterns looked up in the environment led to a later clause too
  const causes: string[] = [];
  let doubt: Unknown | undefined;
  for (const clause of clauses) {
    const clauseScope = innerScope(scope);
    const [fits, reads] = recordReads(scope, () => matchClause(clause, subjects, clauseScope));
    causes.push(...reads);
    if (fits === false) continue;
    if (fits instanceof Unknown && !scope.everyBranch) return fits;
    const value = evaluateBody(clause.body, innerScope(clauseScope, causes));
    if (fits === true) return doubt ?? value;
    doubt ??= fits;
  }
  return doubt ?? new Unknown('no matching clause');
}

function matchClause({ patterns, guard }: Clause, subjects: Value[], scope: Scope): Match {
  const fits = match({ is: 'tuple', offset: 0, items: patterns }, new Tuple(subjects), scope);
  if (fits === false || !guard) return fits;
  const allowed = evaluate(guard, scope);
  if (allowed instanceof Unknown) return fits === true ? allowed : fits;
  return isFalsy(allowed) ? false : fits;
}
