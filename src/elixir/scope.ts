import { evaluation } from './budget.ts';
import { type Clause, type Expr, isOperator, option } from './expr.ts';
import { Unknown, type Value } from './value.ts';

/** What evaluated code asks of the world around it. This one knows nothing and does nothing: code is only looked at. */
export class Host {
  /** Variables read since the innermost condition began. */
  reads = new Set<string>();

  /** `System.get_env(name, fallback)`, or `fetch_env!` when it is demanded. */
  variable(name: Value, _fallback: Value, _demanded: boolean, _offset: number): Value {
    return new Unknown(
      typeof name === 'string' ? `System.get_env(${JSON.stringify(name)})` : 'the environment',
    );
  }

  /** All variables at once, `System.get_env()`. */
  variables(): Value {
    return new Unknown('System.get_env');
  }

  /** `raise`, `System.halt`; `because` names the variables that led there, outermost condition first. */
  stop(_message: Value, _because: readonly string[], _offset: number): void {}

  /** The program goes on without these variables: a default or a branch stands in for them. */
  settle(_names: readonly string[]): void {}

  /** `try`: what `body` demands is only demanded when `rescue` stops the program as well. */
  attempt(_body: () => Value, _rescue: () => void): Value {
    return new Unknown('try');
  }

  /** A function that the scope itself doesn't define; undefined when nothing is known about it. */
  call(_call: RemoteCall): Value | undefined {
    return undefined;
  }

  readFile(_path: string): string | undefined {
    return undefined;
  }

  /** `Code.require_file`: brings the modules of another file in. */
  load(_path: string): void {}
}

export interface RemoteCall {
  /** null for a bare name. */
  module: string | null;
  name: string;
  args: Value[];
  scope: Scope;
  /** Variables that led here: conditions around it, and its arguments. */
  because: readonly string[];
  offset: number;
}

/** What an expression may refer to. */
export interface Scope {
  /** What `__MODULE__` is. */
  module: string;
  aliases: Map<string, string>;
  /** Modules whose functions may be called by their bare name (`import`, `use`). */
  imports: Set<string>;
  attributes: Map<string, Expr>;
  functions: Map<string, Clause[]>;
  variables: Map<string, Value>;
  /** Environment variables that each variable's value came from. */
  origins: Map<string, ReadonlySet<string>>;
  /** Environment variables that the conditions around this code looked at. */
  because: readonly string[];
  /** What `__DIR__` is, as the host's `readFile` understands it. */
  dir: string;
  /** The folder that Mix runs in. */
  cwd: string;
  /** Where a condition can't be known, all its branches are run. */
  everyBranch: boolean;
  host: Host;
}

export const emptyScope = (host = new Host()): Scope => ({
  module: '',
  aliases: new Map(),
  imports: new Set(),
  attributes: new Map(),
  functions: new Map(),
  variables: new Map(),
  origins: new Map(),
  because: [],
  dir: '.',
  cwd: '.',
  everyBranch: false,
  host,
});

/** A block of its own: what it binds is not seen outside. */
export function inner(scope: Scope, because: readonly string[] = []): Scope {
  evaluation.spend((scope.variables.size + scope.because.length) >> 3);
  return {
    ...scope,
    variables: new Map(scope.variables),
    origins: new Map(scope.origins),
    because: because.length ? [...scope.because, ...because] : scope.because,
  };
}

/** Runs `body` and tells which environment variables it looked at. */
export function watched<Result>(host: Host, body: () => Result): [Result, string[]] {
  const outer = host.reads;
  host.reads = new Set();
  const result = body();
  const reads = [...host.reads];
  host.reads = outer;
  for (const name of reads) outer.add(name);
  return [result, reads];
}

/** Collects a module body's attributes, functions and aliases, so that calls between them can be followed. */
export function moduleScope(body: readonly Expr[], module = '', host?: Host): Scope {
  const scope = { ...emptyScope(host), module };
  for (const expr of body) {
    declare(expr, scope);
    if (expr.is === 'attribute' && expr.value) scope.attributes.set(expr.name, expr.value);
    if (expr.is !== 'call' || (expr.name !== 'def' && expr.name !== 'defp')) continue;
    const [head, guard] = unguarded(expr.args[0]);
    if (head?.is !== 'call' && head?.is !== 'variable') continue;
    const clauses = scope.functions.get(head.name) ?? [];
    const patterns = head.is === 'call' ? head.args : [];
    clauses.push({ patterns, guard, body: expr.blocks.do ?? [] });
    scope.functions.set(head.name, clauses);
  }
  return scope;
}

/** `pattern when guard` as its two halves. */
export const unguarded = (expr: Expr | undefined): [Expr | undefined, Expr | undefined] =>
  isOperator(expr, 'when') ? [expr.operands[0], expr.operands[1]] : [expr, undefined];

/** Takes `alias`, `import` and `use` into the scope; true when the statement was one of them. */
export function declare(expr: Expr, scope: Scope): boolean {
  if (expr.is !== 'call' || expr.on || !/^(alias|import|use|require)$/.test(expr.name))
    return false;
  const [target, options] = expr.args;
  if (target?.is === 'call' && target.name === '{}' && target.on?.is === 'module') {
    const base = fullName(target.on.name, scope);
    for (const part of target.args)
      if (part.is === 'module') scope.aliases.set(lastPart(part.name), `${base}.${part.name}`);
  }
  if (target?.is !== 'module') return true;
  const name = fullName(target.name, scope);
  const short = option(options, 'as');
  const as = short?.is === 'module' ? short.name : undefined;
  if (expr.name === 'alias' || as) scope.aliases.set(as ?? lastPart(name), name);
  if (expr.name === 'import' || expr.name === 'use') scope.imports.add(name);
  return true;
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Erlang's limit for an atom. */
const LONGEST_NAME = 255;

/** A module's name with aliases and `__MODULE__` written out. */
export function fullName(name: string, scope: Pick<Scope, 'aliases' | 'module'>): string {
  const [first = '', ...rest] = name.split('.');
  if (first === 'Elixir') return rest.join('.');
  const start =
    first === '__MODULE__' ? scope.module || first : (scope.aliases.get(first) ?? first);
  const full = [start, ...rest].join('.');
  return full.length > LONGEST_NAME ? name : full;
}
