import { invoke } from '../elixir/apply.ts';
import { evaluateBody } from '../elixir/evaluate.ts';
import { modulesIn } from '../elixir/modules.ts';
import { moduleScope, type Scope, type World } from '../elixir/scope.ts';
import { lineAt, parseElixir } from '../elixir/syntax.ts';
import { Atom, Environment, get, Module, show, Unknown, type Value } from '../elixir/value.ts';
import type { Tree } from '../tree.ts';
import {
  type Config,
  configScope,
  type EnvRead,
  imported,
  merge,
  type RequiredEnv,
} from './config.ts';
import type { Sources } from './sources.ts';

/** Functions of packages that read a variable; with more arguments than the number says it has a default. */
const READERS: Record<string, Record<string, { demands: number }>> = {
  Envious: { 'required!': { demands: 1 }, optional: { demands: 0 } },
  Dotenvy: { 'env!': { demands: 2 } },
};

const FUEL = 60_000;

/**
 * Starts the app in thought, in production and with an empty environment: whatever then stops the
 * start is what the app demands. A variable counts as set as soon as it has been demanded.
 */
export class DryStart implements World {
  readonly required: RequiredEnv[] = [];
  readonly buildReads = new Map<string, EnvRead>();
  reads = new Set<string>();
  fuel = FUEL;
  /** Functions that read the environment by names that can't be followed, by where they were called. */
  readonly opaque = new Set<string>();
  private readonly tree: Tree;
  private readonly sources: Sources;
  private readonly config: Config;
  private readonly seen = new Set<string>();
  private local = new Map<string, Scope>();
  private file = '';
  private text = '';
  private compileTime = false;
  /** How often the program was told to stop. */
  private stops = 0;
  /** What the config files have set so far, for `Application.get_env`. */
  private readonly settings = new Map<string, Value>();
  /** The outermost call out of the file being run: where a reader would look first. */
  private site: { at: number; name: string } | undefined;

  constructor(tree: Tree, sources: Sources, config: Config) {
    this.tree = tree;
    this.sources = sources;
    this.config = config;
  }

  /** Runs a config file; missing files and those that already ran are skipped. */
  runConfig(path: string, compileTime: boolean): void {
    const text = this.tree.read(path);
    if (text === undefined || this.seen.has(path)) return;
    this.seen.add(path);
    const { body } = this.config.parsed.get(path) ?? parseElixir(text);
    for (const one of modulesIn(body))
      this.local.set(one.name, moduleScope(one.body, undefined, one.name));
    this.run(path, text, compileTime, () =>
      evaluateBody(body, { ...configScope(this.tree, path, this.config), world: this }),
    );
  }

  /** Runs one callback of a module of the project, such as `start/2`. */
  runCallback(name: string, callback: string, config?: Value): void {
    const module = this.sources.module(name);
    const clauses = module?.scope.functions
      .get(callback)
      ?.filter((clause) => clause.patterns.length === 2);
    if (!module || !clauses?.length) return;
    const unknown = new Unknown('an argument');
    this.run(module.file, module.text, false, () =>
      invoke(clauses, [unknown, config ?? unknown], { ...module.scope, world: this }),
    );
  }

  private run(file: string, text: string, compileTime: boolean, body: () => void): void {
    const before = {
      file: this.file,
      text: this.text,
      compileTime: this.compileTime,
      site: this.site,
    };
    Object.assign(this, { file, text, compileTime, site: undefined, fuel: FUEL });
    body();
    Object.assign(this, before);
  }

  env(wanted: Value, fallback: Value, demanded: boolean, at: number): Value {
    if (typeof wanted !== 'string') {
      this.opaque.add(this.site?.name ?? 'System.get_env');
      return new Unknown('the environment');
    }
    this.config.env.add(wanted);
    this.reads.add(wanted);
    if (demanded) this.require(wanted, at);
    else if (this.compileTime && fallback === null && !this.isSet(wanted))
      this.buildReads.set(wanted, {
        name: wanted,
        file: this.file,
        line: lineAt(this.text, this.site?.at ?? at),
      });
    return this.isSet(wanted) ? new Unknown(`System.get_env(${show(wanted)})`) : fallback;
  }

  attempt(body: () => Value, rescue: () => void): Value {
    const { length } = this.required;
    const value = body();
    const stops = this.stops;
    rescue();
    if (this.stops === stops) this.required.length = length;
    return value;
  }

  settle(names: readonly string[]): void {
    for (const name of names) this.buildReads.delete(name);
  }

  raise(message: Value, because: readonly string[], at: number): void {
    this.stops++;
    const open = because.filter((name) => !this.isSet(name));
    const words = new Set((message instanceof Unknown ? message.why : show(message)).split(/\W+/));
    const name = open.find((one) => words.has(one)) ?? open.at(-1);
    if (name) this.require(name, at);
  }

  remote(
    module: string | null,
    name: string,
    args: Value[],
    scope: Scope,
    at: number,
  ): Value | undefined {
    if (module === null && name === 'import_config') {
      if (typeof args[0] === 'string')
        for (const file of imported(this.tree, this.file, args[0]))
          this.runConfig(file, this.compileTime);
      return null;
    }
    if (module === null && name === 'config') {
      merge(this.settings, args);
      return null;
    }
    if (module === 'Application' && /^(get_env|fetch_env!|compile_env!?)$/.test(name))
      return this.setting(args);
    for (const target of module === null ? scope.imports : [module]) {
      const reader = READERS[target]?.[name];
      if (reader && typeof args[0] === 'string')
        return this.env(
          args[0],
          args[args.length - 1] === args[0] ? null : (args.at(-1) ?? null),
          args.length <= reader.demands,
          at,
        );
      const found = this.local.get(target) ?? this.readingModule(target, args);
      const clauses = found?.functions.get(name);
      if (found && clauses)
        return this.enter(`${target}.${name}`, at, () =>
          invoke(clauses, args, {
            ...found,
            world: this,
            because: [...scope.because, ...this.reads],
          }),
        );
    }
    return undefined;
  }

  private setting([app, key, fallback]: readonly Value[]): Value | undefined {
    const held = app instanceof Atom ? this.settings.get(app.name) : undefined;
    const name = key instanceof Atom || key instanceof Module ? key.name : undefined;
    return held === undefined || name === undefined ? undefined : (get(held, name) ?? fallback);
  }

  private enter(name: string, at: number, body: () => Value): Value {
    const before = this.site;
    this.site ??= { at, name };
    const value = body();
    this.site = before;
    return value;
  }

  /** Only a module that reads the environment is worth following. */
  private readingModule(name: string, args: readonly Value[]): Scope | undefined {
    const file = this.sources.fileOf(name);
    if (args.some((arg) => arg instanceof Environment)) return this.sources.module(name)?.scope;
    return file && /System\.(get|fetch)_env/.test(this.sources.text(file))
      ? this.sources.module(name)?.scope
      : undefined;
  }

  private isSet(name: string): boolean {
    return this.required.some((one) => one.name === name);
  }

  private require(name: string, at: number): void {
    if (!this.isSet(name))
      this.required.push({
        name,
        file: this.file,
        line: lineAt(this.text, this.site?.at ?? at),
        compileTime: this.compileTime,
      });
  }
}
