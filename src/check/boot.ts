import { invoke } from '../elixir/apply.ts';
import { evaluateBody } from '../elixir/evaluate.ts';
import { modulesIn } from '../elixir/modules.ts';
import { moduleScope, type Scope, type World } from '../elixir/scope.ts';
import { type Expr, parseElixir } from '../elixir/syntax.ts';
import { Atom, deepMerge, get, moduleName, Tuple, Unknown, type Value } from '../elixir/value.ts';
import { configScope, emptyConfig, imported, readConfig } from '../facts/config.ts';
import type { Tree } from '../tree.ts';

const FUEL = 60_000;

/** The configuration that a release would start with. */
export interface Boot {
  /** Settings by OTP app, compiled ones included. */
  apps: ReadonlyMap<string, Value>;
  /** What it stopped with, in the order met (a real start ends at the first); '' where only the running release knows. */
  stops: string[];
}

/** `get_in(config, [app, key, name, …])`; undefined when nobody sets it. */
export const setting = (boot: Boot, app: string, ...keys: string[]): Value | undefined =>
  keys.reduce<Value | undefined>((value, key) => get(value, key), boot.apps.get(app));

/**
 * Runs runtime.exs in thought, on top of what config.exs compiled in, with exactly the environment given. So a setting is
 * judged by what it does, however it is written. Pure; what only a running system knows is Unknown in the result.
 */
export function booter(
  tree: Tree,
  runtime: string,
  compiled: ReadonlyMap<string, Value>,
): (environment: Readonly<Record<string, string>>) => Boot {
  const parsed = new Map<string, Expr[]>();
  return (environment) => {
    const start = new Start(tree, parsed, new Map(compiled), environment);
    start.run(runtime);
    return { apps: start.apps, stops: start.stops };
  };
}

class Start implements World {
  readonly apps: Map<string, Value>;
  readonly stops: string[] = [];
  reads = new Set<string>();
  fuel = FUEL;
  private readonly tree: Tree;
  /** Syntax trees of the files, for all starts. */
  private readonly parsed: Map<string, Expr[]>;
  private readonly environment: Readonly<Record<string, string>>;
  private readonly local = new Map<string, Scope>();
  private file = '';

  constructor(
    tree: Tree,
    parsed: Map<string, Expr[]>,
    apps: Map<string, Value>,
    environment: Readonly<Record<string, string>>,
  ) {
    this.tree = tree;
    this.parsed = parsed;
    this.apps = apps;
    this.environment = environment;
  }

  run(file: string): void {
    const body = this.parsed.get(file) ?? parseElixir(this.tree.read(file) ?? '').body;
    this.parsed.set(file, body);
    for (const one of modulesIn(body))
      this.local.set(one.name, moduleScope(one.body, undefined, one.name));
    const before = this.file;
    this.file = file;
    evaluateBody(body, { ...configScope(this.tree, file, emptyConfig()), world: this });
    this.file = before;
  }

  env(wanted: Value, fallback: Value, demanded: boolean): Value {
    if (typeof wanted !== 'string') return new Unknown('a computed environment variable');
    this.reads.add(wanted);
    const value = Object.hasOwn(this.environment, wanted) ? this.environment[wanted] : undefined;
    if (value === undefined && demanded)
      this.stops.push(`environment variable ${wanted} is missing`);
    return value ?? fallback;
  }

  raise(message: Value, because: readonly string[]): void {
    // System.halt has a number, and what it printed before is not followed
    this.stops.push(
      typeof message === 'string' ? message : message instanceof Unknown ? because.join(', ') : '',
    );
  }

  settle(): void {}

  attempt(body: () => Value, rescue: () => void): Value {
    const { length } = this.stops;
    const value = body();
    if (this.stops.length === length) return value;
    this.stops.length = length;
    rescue();
    return new Unknown('what is rescued');
  }

  remote(module: string | null, name: string, args: Value[], scope: Scope): Value | undefined {
    if (module === null && name === 'config') return this.set(args);
    if (module === null && name === 'import_config') {
      if (typeof args[0] === 'string')
        for (const file of imported(this.tree, this.file, args[0])) this.run(file);
      return null;
    }
    for (const target of module === null ? scope.imports : [module]) {
      const found = this.local.get(target);
      const clauses = found?.functions.get(name);
      if (found && clauses)
        return invoke(clauses, args, { ...found, world: this, because: scope.because });
    }
    return undefined;
  }

  private set([app, second, third]: Value[]): null {
    if (!(app instanceof Atom) || second === undefined) return null;
    const key = second instanceof Atom ? second.name : moduleName(second);
    const patch =
      third === undefined ? second : key === undefined ? null : [new Tuple([new Atom(key), third])];
    if (patch !== null) this.apps.set(app.name, deepMerge(this.apps.get(app.name), patch));
    return null;
  }
}

/** What the code alone sets in production: `compiled` into the image, and `all` with every branch of runtime.exs, taken or not. */
export function possible(
  tree: Tree,
  runtime: string,
  folders: readonly string[],
): { compiled: ReadonlyMap<string, Value>; all: ReadonlyMap<string, Value> } {
  const config = emptyConfig();
  for (const dir of folders)
    readConfig(tree, dir === '.' ? 'config/config.exs' : `${dir}/config/config.exs`, config);
  const compiled = new Map(config.apps);
  readConfig(tree, runtime, config);
  return { compiled, all: config.apps };
}
