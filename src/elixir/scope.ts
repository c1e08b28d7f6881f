import type { Clause, Expr } from './syntax.ts';
import { Unknown, type Value } from './value.ts';

/**
 * A production start to run code in, instead of only reading it: it decides what the environment
 * holds and hears what goes wrong.
 */
export interface World {
  /** `System.get_env(name, fallback)`, or `fetch_env!` when it is demanded. */
  env(name: Value, fallback: Value, demanded: boolean, at: number): Value;
  /** `raise`, `System.halt`; `because` names the variables that led there, outermost condition first. */
  raise(message: Value, because: readonly string[], at: number): void;
  /** The program goes on without these variables: a default or a branch stands in for them. */
  settle(names: readonly string[]): void;
  /** `try`: what `body` demands is only demanded when `rescue` stops the program as well. */
  attempt(body: () => Value, rescue: () => void): Value;
  /** A function that the scope itself doesn't define; undefined when nothing is known about it. */
  remote(
    module: string | null,
    name: string,
    args: Value[],
    scope: Scope,
    at: number,
  ): Value | undefined;
  /** Variables read since the innermost condition began, collected for `because`. */
  reads: Set<string>;
  /** Expressions that may still be evaluated: an endless program ends here. */
  fuel: number;
}

/** Only looks: no variable is set, and nobody hears what goes wrong. */
export const emptyEnvironment = (): World => ({
  env: (name, fallback, demanded) =>
    demanded || typeof name !== 'string' ? new Unknown('the environment') : fallback,
  raise: () => {},
  settle: () => {},
  attempt: (body) => body(),
  remote: () => undefined,
  reads: new Set(),
  fuel: 60_000,
});

/** Helper files are loaded once for the whole build, whoever asks for them. */
export interface Loaded {
  texts: Set<string>;
  modules: Map<string, Scope>;
}

/** What an expression may refer to. `readFile` sees paths relative to the file's own project. */
export interface Scope {
  /** What `__MODULE__` is. */
  module: string;
  aliases: Map<string, string>;
  /** Modules whose functions may be called by their bare name (`import`, `use`). */
  imports: string[];
  attributes: Map<string, Expr>;
  functions: Map<string, Clause[]>;
  variables: Map<string, Value>;
  /** Environment variables that each variable's value came from. */
  origins: Map<string, ReadonlySet<string>>;
  /** Environment variables that the conditions around this code looked at. */
  because: readonly string[];
  readFile: (path: string) => string | undefined;
  /** What `__DIR__` is, as `readFile` understands it. */
  dir: string;
  /** Modules that `Code.require_file` and its kind brought in. */
  loaded: Loaded;
  world?: World | undefined;
}

export const emptyScope = (readFile: Scope['readFile'] = () => undefined): Scope => ({
  module: '',
  aliases: new Map(),
  imports: [],
  attributes: new Map(),
  functions: new Map(),
  variables: new Map(),
  origins: new Map(),
  because: [],
  readFile,
  dir: '.',
  loaded: { texts: new Set(), modules: new Map() },
});

/** A block of its own: what it binds is not seen outside. */
export const inner = (scope: Scope, because: readonly string[] = []): Scope => ({
  ...scope,
  variables: new Map(scope.variables),
  origins: new Map(scope.origins),
  because: because.length ? [...scope.because, ...because] : scope.because,
});

/** Collects a module body's attributes, functions and aliases, so that calls between them can be followed. */
export function moduleScope(
  body: readonly Expr[],
  readFile?: Scope['readFile'],
  module = '',
): Scope {
  const scope = emptyScope(readFile);
  scope.module = module;
  for (const expr of body) {
    declare(expr, scope);
    if (expr.is === 'attribute' && expr.value) scope.attributes.set(expr.name, expr.value);
    if (expr.is !== 'call' || !['def', 'defp'].includes(expr.name)) continue;
    const [head, guard] = unguarded(expr.args[0]);
    if (head?.is !== 'call' && head?.is !== 'variable') continue;
    const clauses = scope.functions.get(head.name) ?? [];
    clauses.push({
      patterns: head.is === 'call' ? head.args : [],
      guard,
      body: expr.blocks.do ?? [],
    });
    scope.functions.set(head.name, clauses);
  }
  return scope;
}

/** `pattern when guard` as its two halves. */
export const unguarded = (expr: Expr | undefined): [Expr | undefined, Expr | undefined] =>
  expr?.is === 'operator' && expr.name === 'when'
    ? [expr.operands[0], expr.operands[1]]
    : [expr, undefined];

/** Takes `alias`, `import` and `use` into the scope; true when the statement was one of them. */
export function declare(expr: Expr, scope: Scope): boolean {
  if (expr.is !== 'call' || expr.on || !['alias', 'import', 'use', 'require'].includes(expr.name))
    return false;
  const target = expr.args[0];
  const options = expr.args[1];
  if (target?.is === 'call' && target.name === '{}' && target.on?.is === 'module') {
    const base = fullName(target.on.name, scope);
    for (const part of target.args)
      if (part.is === 'module') scope.aliases.set(lastPart(part.name), `${base}.${part.name}`);
  }
  if (target?.is !== 'module') return true;
  const name = fullName(target.name, scope);
  const pair =
    options?.is === 'list'
      ? options.items.find(
          (item) =>
            item.is === 'tuple' && item.items[0]?.is === 'atom' && item.items[0].name === 'as',
        )
      : undefined;
  const as =
    pair?.is === 'tuple' && pair.items[1]?.is === 'module' ? pair.items[1].name : undefined;
  if (expr.name === 'alias' || as) scope.aliases.set(as ?? lastPart(name), name);
  if (expr.name === 'import' || expr.name === 'use') scope.imports = [...scope.imports, name];
  return true;
}

const lastPart = (name: string): string => name.split('.').at(-1) ?? name;

/** A module's name with aliases and `__MODULE__` written out. */
export function fullName(name: string, scope: Pick<Scope, 'aliases' | 'module'>): string {
  const [first = '', ...rest] = name.split('.');
  if (first === 'Elixir') return rest.join('.');
  const start =
    first === '__MODULE__' ? scope.module || first : (scope.aliases.get(first) ?? first);
  return [start, ...rest].join('.');
}
