import { evaluate, evaluateBody, falsy, watched } from './evaluate.ts';
import { library } from './library.ts';
import { match } from './match.ts';
import { modulesIn } from './modules.ts';
import { inner, moduleScope, type Scope } from './scope.ts';
import { type Call, type Clause, type Expr, parseElixir } from './syntax.ts';
import { Closure, Environment, Unknown, type Value } from './value.ts';

/** Functions that stop the program when their first argument is nil, as an unset variable is. */
const NOT_NIL =
  /^(String\.\w+[?!]?|Base\.\w*decode\w*!?|(Integer|Float)\.parse|URI\.(parse|new!)|Path\.(join|expand)|File\.(read|stream)!?|Jason\.decode!)$/;

/** A call of the module's own functions, of a closure, of the library or of what the world knows. */
export function apply(expr: Call, module: string | null, name: string, scope: Scope): Value {
  const { world } = scope;
  const own =
    module === null || module === scope.module ? scope.functions.get(expr.name) : undefined;
  if (own && (!expr.on || module)) {
    const before = world?.reads;
    const [args, reads] = observed(expr.args, scope);
    const result = invoke(own, args, inner(scope, reads));
    if (world && before) world.reads = new Set([...before, ...world.reads]);
    return result;
  }
  const on = expr.on && !module ? evaluate(expr.on, scope) : undefined;
  const [args, reads] = observed(expr.args, scope);
  if (args[0] === null && module && NOT_NIL.test(name))
    world?.raise(new Unknown(`${name} of nil`), [...scope.because, ...reads], expr.at);
  if (on instanceof Closure)
    return choose(on.clauses, args, inner({ ...on.scope, because: scope.because }));
  const helper = module ? scope.loaded.modules.get(module) : undefined;
  const clauses = helper?.functions.get(expr.name);
  if (helper && clauses) return invoke(clauses, args, { ...helper, world, because: scope.because });
  const [held, wanted = null, fallback = null] = args;
  if (held instanceof Environment && /^(Map\.(get|fetch!)|Access\.get)$/.test(name) && world)
    return world.env(wanted, fallback, name === 'Map.fetch!', expr.at);
  const mapped = args[1];
  if (
    ['Enum.map', 'Enum.each', 'Enum.flat_map', 'Map.new'].includes(name) &&
    Array.isArray(args[0]) &&
    mapped instanceof Closure
  ) {
    const results = args[0].map((item) =>
      choose(mapped.clauses, [item], inner({ ...mapped.scope, because: scope.because })),
    );
    return name === 'Enum.flat_map' ? (results.flat() as Value[]) : results;
  }
  const computed = library(name, args);
  const known =
    computed === undefined && (module || !expr.on)
      ? world?.remote(module, expr.name, args, scope, expr.at)
      : computed;
  return known === undefined ? new Unknown(`${name || expr.name}(…)`) : known;
}

/** Brings the modules of another file in, as `Code.require_file` does. */
export function load(path: Value | undefined, scope: Scope): void {
  const text = typeof path === 'string' ? scope.readFile(path) : undefined;
  // By content, since every child of an umbrella spells the path its own way.
  if (text === undefined || scope.loaded.texts.has(text)) return;
  scope.loaded.texts.add(text);
  for (const { name, body } of modulesIn(parseElixir(text).body)) {
    scope.loaded.modules.set(name, {
      ...moduleScope(body, scope.readFile, name),
      loaded: scope.loaded,
    });
  }
}

function observed(exprs: readonly Expr[], scope: Scope): [Value[], string[]] {
  const pairs = exprs.map((expr) => watched(expr, scope));
  return [pairs.map(([value]) => value), pairs.flatMap(([, reads]) => reads)];
}

/** `for x <- list, do: …` over a list that is known. */
export function comprehension(expr: Call, scope: Scope): Value {
  const [generator, ...filters] = expr.args;
  const [pattern, source] =
    generator?.is === 'operator' && generator.name === '<-' ? generator.operands : [];
  const list = source ? evaluate(source, scope) : null;
  if (!Array.isArray(list) || !pattern) return new Unknown('for');
  return list.flatMap((item): Value[] => {
    const each = inner(scope);
    if (match(pattern, item, each, evaluate) === false) return [];
    if (
      filters.some(
        (filter) =>
          filter.is !== 'list' && filter.is !== 'operator' && falsy(evaluate(filter, each)),
      )
    )
      return [];
    return [evaluateBody(expr.blocks.do ?? [], each)];
  });
}

/** Calls the first clause that fits, with default arguments filled in. */
export function invoke(clauses: readonly Clause[], args: Value[], scope: Scope): Value {
  const fresh: Scope = { ...scope, variables: new Map(), origins: new Map() };
  const fitting = clauses.flatMap((clause): Clause[] => {
    const missing = clause.patterns.length - args.length;
    const defaults = clause.patterns.filter(
      (pattern) => pattern.is === 'operator' && pattern.name === '\\\\',
    );
    if (missing < 0 || missing > defaults.length || clause.body.length === 0) return [];
    return [clause];
  });
  const [first] = fitting;
  if (!first || first.patterns.length === args.length) return choose(fitting, args, fresh);
  let given =
    args.length -
    (first.patterns.length -
      first.patterns.filter((pattern) => pattern.is === 'operator' && pattern.name === '\\\\')
        .length);
  let next = 0;
  const full = first.patterns.map((pattern): Value => {
    const optional = pattern.is === 'operator' && pattern.name === '\\\\';
    if (!optional || given-- > 0) return args[next++] ?? null;
    return evaluate(pattern.operands[1], fresh);
  });
  return choose(fitting, full, fresh);
}

/** The body of the first clause whose patterns and guard fit. */
export function choose(clauses: readonly Clause[], subjects: Value[], scope: Scope): Value {
  const known = new Set(scope.world?.reads);
  for (const clause of clauses) {
    const each = inner(scope);
    let fits: boolean | Unknown = true;
    for (const [index, pattern] of clause.patterns.entries()) {
      const one = match(pattern, subjects[index] ?? null, each, evaluate);
      if (one !== true && fits !== false) fits = one;
    }
    if (fits === true && clause.guard) {
      const guard = evaluate(clause.guard, each);
      fits = guard instanceof Unknown ? guard : !falsy(guard);
    }
    if (fits instanceof Unknown) return fits;
    // What earlier patterns looked up in the environment led here too
    if (fits)
      return evaluateBody(
        clause.body,
        inner(
          each,
          [...(scope.world?.reads ?? [])].filter((name) => !known.has(name)),
        ),
      );
  }
  return new Unknown('no matching clause');
}
