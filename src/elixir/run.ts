import { below, matches, normalize, type Tree } from '../tree.ts';
import { invoke } from './apply.ts';
import { evaluation } from './budget.ts';
import { evaluateBody } from './evaluate.ts';
import type { Expr } from './expr.ts';
import { modulesIn } from './modules.ts';
import { emptyScope, Host, moduleScope, type RemoteCall, type Scope } from './scope.ts';
import { Settings } from './settings.ts';
import { lineAt, parseElixir } from './syntax.ts';
import { Atom, Environment, Module, show, Unknown, type Value } from './value.ts';

/** Where an environment variable is read. */
export interface VariableRead {
  name: string;
  file: string;
  line: number;
}

/** `config :app, …` or `config :app, key, …`, as written. */
export interface Setting {
  app: string;
  key: string | null;
  value: Value;
  file: string;
  line: number;
}

/** Something that ends the program. The run goes on as if the variable had been set, so that the next one is found too. */
export interface Stop {
  /** '' where only the running program knows it. */
  message: string;
  /** The variable whose absence led here; null: none did. */
  variable: string | null;
  file: string;
  line: number;
}

/** A function of a package, by its full name such as `Dotenvy.env!`; `read` reads a variable. */
export type KnownFunction = (
  args: readonly Value[],
  read: (name: Value, fallback: Value, demanded: boolean) => Value,
) => Value;

export interface World {
  /** What is set and nothing else; 'any': no variable is known, and both branches of a condition on one are run. */
  environment: Readonly<Record<string, string>> | 'any';
  /** Settings that are there already, by app. */
  settings?: ReadonlyMap<string, Value>;
  functions?: Readonly<Record<string, KnownFunction>>;
  /** Folder that relative paths are seen from; the tree's root. */
  folder?: string;
  /** Modules beside those that the run files define or load. */
  module?(name: string, args: readonly Value[]): Scope | undefined;
}

/** A module with its source. */
export interface ModuleSource {
  file: string;
  text: string;
  scope: Scope;
}

/**
 * Runs config files and functions in thought, in production: what they set, what stops them, which
 * variables and files they read. Never throws; what can't be known is Unknown in the settings.
 */
export class Run extends Host {
  readonly settings: Setting[] = [];
  readonly stops: Stop[] = [];
  /** Variables that were read as nil and that nothing stood in for since. */
  readonly nilReads = new Map<string, VariableRead>();
  /** Functions that read the environment by names that can't be followed, by where they were called. */
  readonly opaque = new Set<string>();
  /** Files that each config file reads (`Code.require_file`, `File.read!`), wherever they are. */
  readonly inputs = new Map<string, Set<string>>();
  private readonly tree: Pick<Tree, 'read' | 'paths'>;
  private readonly world: World;
  private readonly held: Settings;
  private readonly ran = new Set<string>();
  private readonly modules = new Map<string, Scope>();
  private readonly loaded = new Set<string>();
  /** Variables that count as set since the program would have stopped without them. */
  private readonly assumed = new Set<string>();
  private file = '';
  private text = '';
  /** The outermost call out of the file being run: where a reader would look first. */
  private site: { offset: number; name: string } | undefined;

  constructor(tree: Pick<Tree, 'read' | 'paths'>, world: World) {
    super();
    this.tree = tree;
    this.world = world;
    this.held = new Settings(world.settings);
  }

  /** Config files that were run, in order (imports included). */
  get files(): string[] {
    return [...this.ran];
  }

  /** The settings by app, as keyword lists. */
  get apps(): ReadonlyMap<string, Value> {
    return this.held.apps;
  }

  /** Runs a config file; missing files and those that already ran are skipped. */
  runFile(path: string): void {
    const text = this.tree.read(path);
    if (text === undefined || this.ran.has(path)) return;
    this.ran.add(path);
    const { body } = parseElixir(text);
    this.define(body);
    const scope: Scope = {
      ...emptyScope(this),
      dir: `/${path.replace(/\/?[^/]*$/, '')}`,
      everyBranch: this.world.environment === 'any',
    };
    this.within(path, text, () => evaluateBody(body, scope));
  }

  /** Runs a function of a module; undefined when it has none of that name and number of arguments. */
  runFunction({ file, text, scope }: ModuleSource, name: string, args: Value[]): Value | undefined {
    const clauses = scope.functions
      .get(name)
      ?.filter(({ patterns }) => patterns.length === args.length);
    if (!clauses?.length) return undefined;
    return this.within(file, text, () => invoke(clauses, args, { ...scope, host: this }));
  }

  private within(file: string, text: string, body: () => Value): Value {
    const before = { file: this.file, text: this.text, site: this.site };
    Object.assign(this, { file, text, site: undefined });
    const value = body();
    Object.assign(this, before);
    return value;
  }

  private position(offset: number): { file: string; line: number } {
    return { file: this.file, line: lineAt(this.text, this.site?.offset ?? offset) };
  }

  override variable(name: Value, fallback: Value, demanded: boolean, offset: number): Value {
    if (typeof name !== 'string') {
      this.opaque.add(this.site?.name ?? 'System.get_env');
      return new Unknown('the environment');
    }
    this.reads.add(name);
    const { environment } = this.world;
    const unknown = new Unknown(`System.${demanded ? 'fetch_env!' : 'get_env'}(${show(name)})`);
    if (environment === 'any' || this.assumed.has(name)) return unknown;
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value !== undefined) return value;
    if (demanded) {
      this.stopped(`environment variable ${name} is missing`, name, offset);
      return unknown;
    }
    if (fallback === null) this.nilReads.set(name, { name, ...this.position(offset) });
    return fallback;
  }

  override variables(): Value {
    return this.world.environment === 'any' ? super.variables() : new Environment();
  }

  override stop(message: Value, because: readonly string[], offset: number): void {
    const { environment } = this.world;
    if (environment === 'any') return;
    const open = because.filter(
      (name) => !this.assumed.has(name) && !Object.hasOwn(environment, name),
    );
    const words = new Set((message instanceof Unknown ? message.why : show(message)).split(/\W+/));
    const variable = open.find((name) => words.has(name)) ?? open.at(-1) ?? null;
    const told = message instanceof Unknown ? because.join(', ') : message;
    this.stopped(typeof told === 'string' ? told : '', variable, offset);
  }

  private stopped(message: string, variable: string | null, offset: number): void {
    this.stops.push({ message, variable, ...this.position(offset) });
    if (variable !== null) this.assumed.add(variable);
  }

  override settle(names: readonly string[]): void {
    for (const name of names) this.nilReads.delete(name);
  }

  override attempt(body: () => Value, rescue: () => void): Value {
    const before = this.stops.length;
    const value = body();
    const { length } = this.stops;
    if (length === before) return value;
    rescue();
    if (this.stops.length === length)
      for (const { variable } of this.stops.splice(before))
        if (variable !== null) this.assumed.delete(variable);
    return new Unknown('what is rescued');
  }

  override call(call: RemoteCall): Value | undefined {
    const { module, name, args, scope, because, offset } = call;
    if (module === null && name === 'config') return this.set(args, offset);
    if (module === null && name === 'import_config') return this.importConfig(args[0]);
    if (module === 'Application' && /^(get_env|fetch_env!|compile_env!?)$/.test(name))
      return this.configured(args);
    for (const target of module === null ? scope.imports : [module]) {
      evaluation.spend(1);
      const full = `${target}.${name}`;
      const known = this.world.functions;
      if (known && Object.hasOwn(known, full))
        return known[full]?.(args, (wanted, fallback, demanded) =>
          this.variable(wanted, fallback, demanded, offset),
        );
      const found = this.modules.get(target) ?? this.world.module?.(target, args);
      const clauses = found?.functions.get(name);
      if (found && clauses)
        return this.enter({ name: full, offset }, () =>
          invoke(clauses, args, { ...found, host: this, because }),
        );
    }
    return undefined;
  }

  private enter(site: { name: string; offset: number }, body: () => Value): Value {
    const before = this.site;
    this.site ??= site;
    const value = body();
    this.site = before;
    return value;
  }

  private set([app, second = null, third]: readonly Value[], offset: number): null {
    if (!(app instanceof Atom)) return null;
    const key = third === undefined ? null : keyOf(second);
    const value = third === undefined ? second : third;
    this.held.set(app.name, key, value);
    this.settings.push({ app: app.name, key, value, ...this.position(offset) });
    return null;
  }

  /** A name may have wildcards. */
  private importConfig(wanted: Value | undefined): null {
    if (typeof wanted !== 'string') return null;
    const folder = wanted.startsWith('/') ? '' : this.file.replace(/[^/]*$/, '');
    const path = normalize(folder + wanted);
    const found = path.includes('*')
      ? [...this.tree.paths].filter((file) => matches(path, file)).sort()
      : [path];
    for (const file of found) this.runFile(file);
    return null;
  }

  private configured([app, key, fallback]: readonly Value[]): Value | undefined {
    if (this.world.environment === 'any' || !(app instanceof Atom)) return undefined;
    if (!(key instanceof Atom || key instanceof Module)) return undefined;
    return this.held.has(app.name) ? (this.held.get(app.name, key.name) ?? fallback) : undefined;
  }

  /** An absolute path begins at the tree's root, as `__DIR__` gives it. */
  override readFile(wanted: string): string | undefined {
    const folder = wanted.startsWith('/') ? '.' : (this.world.folder ?? '.');
    const path = normalize(below(folder, wanted));
    const outside = path.startsWith('..');
    const text = outside ? undefined : this.tree.read(path);
    if (text !== undefined || outside)
      this.inputs.set(this.file, (this.inputs.get(this.file) ?? new Set()).add(path));
    return text;
  }

  override load(path: string): void {
    const text = this.readFile(path);
    // By content, since every child of an umbrella spells the path its own way
    if (text === undefined || this.loaded.has(text)) return;
    this.loaded.add(text);
    this.define(parseElixir(text).body);
  }

  private define(body: readonly Expr[]): void {
    for (const module of modulesIn(body))
      this.modules.set(module.name, moduleScope(module.body, module.name, this));
  }
}

const keyOf = (key: Value): string =>
  key instanceof Atom || key instanceof Module ? key.name : show(key);
