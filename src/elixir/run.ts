import { below, matches, normalize, type Tree } from '../tree.ts';
import { invoke } from './apply.ts';
import { spend } from './budget.ts';
import { evaluateBody } from './evaluate.ts';
import type { Expr } from './expr.ts';
import { modulesIn } from './modules.ts';
import { moduleScope, Scope } from './scope.ts';
import { lineAt, parseElixir } from './syntax.ts';
import type { ModuleSource, Position, RunOptions, Setting } from './types.ts';
import {
  Atom,
  deepMerge,
  keywords,
  Module,
  pairs,
  show,
  sizeOf,
  Unknown,
  type Value,
} from './value.ts';
import { Variables } from './variables.ts';

/** Where the run is: a file, and the call that led out of it, which is where a person would look first. */
interface Location {
  file: string;
  text: string;
  call?: { offset: number; name: string };
}

/**
 * Simulates config files and functions in production: what they set, what stops them, which variables and files they read.
 * Never throws; what can't be known is Unknown in the settings.
 */
export class Run {
  readonly settings: Setting[] = [];
  /** Messages of `raise` and the like, '' where only the running program knows them. The run goes on, to find the next. */
  readonly stops: string[] = [];
  readonly variables: Variables;
  /** Files that the code reads (`Code.require_file`, `File.read!`); those above the tree begin with `..`. */
  readonly inputs = new Set<string>();
  /** Config files that were run, in order (imports included). */
  readonly files: string[] = [];
  private readonly tree: Pick<Tree, 'read' | 'paths'>;
  private readonly options: RunOptions;
  private readonly appSettings = new Map<string, Map<string, Value>>();
  private readonly modules = new Map<string, Scope>();
  private location: Location = { file: '', text: '' };

  constructor(tree: Pick<Tree, 'read' | 'paths'>, options: RunOptions) {
    this.tree = tree;
    this.options = options;
    this.variables = new Variables(options.environment);
    for (const [app, settings] of options.settings ?? [])
      this.appSettings.set(app, new Map(pairs(settings)));
  }

  /** The settings by app, as keyword lists. */
  get apps(): ReadonlyMap<string, Value> {
    return new Map([...this.appSettings].map(([app, settings]) => [app, keywords(settings)]));
  }

  /** Runs a config file; missing files and those that already ran are skipped. */
  runFile(file: string): void {
    const text = this.tree.read(file);
    if (text === undefined || this.files.includes(file)) return;
    this.files.push(file);
    const { body } = parseElixir(text);
    this.defineModules(body);
    const everyBranch = this.options.everyBranch ?? this.variables.environment === 'any';
    const dir = `/${file.replace(/\/?[^/]*$/, '')}`;
    this.runAt({ file, text }, () =>
      evaluateBody(body, { ...new Scope(), run: this, dir, everyBranch }),
    );
  }

  /** Runs a function of a module. @returns undefined when it has none of that name and number of arguments */
  runFunction({ file, text, scope }: ModuleSource, name: string, args: Value[]): Value | undefined {
    const clauses = (scope.functions.get(name) ?? []).filter(
      ({ patterns }) => patterns.length === args.length,
    );
    if (!clauses.length) return undefined;
    return this.runAt({ file, text }, () => invoke(clauses, args, { ...scope, run: this }));
  }

  private runAt<Result>(location: Location, body: () => Result): Result {
    const outer = this.location;
    this.location = location;
    const result = body();
    this.location = outer;
    return result;
  }

  private position(offset: number): Position {
    const { file, text, call } = this.location;
    return { file, line: lineAt(text, call?.offset ?? offset) };
  }

  /** `System.get_env(name, fallback)`, or `System.fetch_env!(name)`, which demands the variable. */
  readVariable(name: Value, fallback: Value, isDemanded: boolean, offset: number): Value {
    if (typeof name !== 'string') {
      this.variables.opaque.add(this.location.call?.name ?? 'System.get_env');
      return new Unknown('the environment');
    }
    const unknown = new Unknown(`System.${isDemanded ? 'fetch_env!' : 'get_env'}(${show(name)})`);
    const value = this.variables.read(name, unknown);
    if (value !== undefined) return value;
    if (isDemanded) {
      this.stop(`environment variable ${name} is missing`, [name], offset);
      return unknown;
    }
    if (fallback === null) this.variables.nilReads.set(name, { name, ...this.position(offset) });
    return fallback;
  }

  /** `raise`, `System.halt`. @param causes variables that led here, outermost condition first */
  stop(message: Value, causes: readonly string[], offset: number): void {
    const text = message instanceof Unknown ? causes.join(', ') : message;
    this.stops.push(typeof text === 'string' ? text : '');
    this.variables.blame(show(message), causes, this.position(offset));
  }

  /** Calls a function that neither the scope nor the library defines. @returns undefined when nothing is known about it */
  call(name: string, args: Value[], scope: Scope, offset: number): Value | undefined {
    if (name === 'config') return this.config(args, offset);
    if (name === 'import_config') return this.importConfig(args[0]);
    if (/^Application\.(get_env|fetch_env!|compile_env!?)$/.test(name)) return this.getEnv(args);
    const [, module, functionName = name] = /^(.*)\.(.*)$/.exec(name) ?? [];
    for (const candidate of module === undefined ? scope.imports : [module]) {
      spend('evaluation', 1);
      const fullName = `${candidate}.${functionName}`;
      const read = this.callReader(fullName, args, offset);
      if (read !== undefined) return read;
      const called = this.modules.get(candidate) ?? this.options.module?.(candidate, args);
      const clauses = called?.functions.get(functionName);
      if (!called || !clauses) continue;
      const location = { call: { name: fullName, offset }, ...this.location };
      return this.runAt(location, () =>
        invoke(clauses, args, { ...called, run: this, causes: scope.causes }),
      );
    }
    return undefined;
  }

  /** A package's function that reads a variable, such as `Dotenvy.env!("PORT", :integer, 4000)`. */
  private callReader(name: string, args: readonly Value[], offset: number): Value | undefined {
    const { readers = {} } = this.options;
    const demandingArgs = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (demandingArgs === undefined) return undefined;
    const [variable = null, ...rest] = args;
    const isDemanded = args.length <= demandingArgs;
    return this.readVariable(variable, rest.at(-1) ?? null, isDemanded, offset);
  }

  private config([app, second = null, third]: readonly Value[], offset: number): null {
    if (!(app instanceof Atom)) return null;
    const [key, value] = third === undefined ? [null, second] : [keyOf(second), third];
    this.settings.push({ app: app.name, key, value, ...this.position(offset) });
    const settings = this.appSettings.get(app.name) ?? new Map<string, Value>();
    this.appSettings.set(app.name, settings);
    for (const [name, next] of key === null ? pairs(value) : [[key, value] as const]) {
      const before = settings.get(name);
      const isAffordable = spend('evaluation', sizeOf(before ?? null) + sizeOf(next));
      settings.set(name, isAffordable ? deepMerge(before, next) : next);
    }
    return null;
  }

  /** @param name a path beside the file that is run, perhaps with wildcards */
  private importConfig(name: Value | undefined): null {
    if (typeof name !== 'string') return null;
    const folder = name.startsWith('/') ? '' : this.location.file.replace(/[^/]*$/, '');
    const path = normalize(folder + name);
    const files = path.includes('*')
      ? [...this.tree.paths].filter((file) => matches(path, file)).sort()
      : [path];
    for (const file of files) this.runFile(file);
    return null;
  }

  private getEnv([app, key, fallback]: readonly Value[]): Value | undefined {
    if (this.variables.environment === 'any' || !(app instanceof Atom) || key === undefined)
      return undefined;
    const settings = this.appSettings.get(app.name);
    return settings && (settings.get(keyOf(key)) ?? fallback);
  }

  /** @param wanted absolute paths begin at the tree's root, as those with `__DIR__` do */
  readFile(wanted: string): string | undefined {
    const folder = wanted.startsWith('/') ? '.' : (this.options.folder ?? '.');
    const path = normalize(below(folder, wanted));
    const isOutside = path.startsWith('..');
    const text = isOutside ? undefined : this.tree.read(path);
    if (text !== undefined || isOutside) this.inputs.add(path);
    return text;
  }

  /** `Code.require_file`: defines the modules of another file. */
  load(path: string): void {
    const text = this.readFile(path);
    if (text !== undefined) this.defineModules(parseElixir(text).body);
  }

  private defineModules(body: readonly Expr[]): void {
    for (const module of modulesIn(body))
      this.modules.set(module.name, moduleScope(module.body, module.name));
  }
}

const keyOf = (key: Value): string =>
  key instanceof Atom || key instanceof Module ? key.name : show(key);
