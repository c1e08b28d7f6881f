import { below, matches, normalize, type Tree } from '../tree.ts';
import { invoke } from './apply.ts';
import { spend } from './budget.ts';
import { evaluateBody } from './evaluate.ts';
import type { Expr } from './expr.ts';
import { modulesIn } from './modules.ts';
import { moduleScope, Scope } from './scope.ts';
import { lineAt, parseElixir } from './syntax.ts';
import {
  Atom,
  deepMerge,
  keywords,
  Module,
  pairs,
  show,
  Unknown,
  type Value,
  weigh,
} from './value.ts';
import type { ModuleSource, Position, Setting, VariableRead, World } from './world.ts';

/**
 * Runs config files and functions in thought, in production: what they set, what stops them, which
 * variables and files they read. Never throws; what can't be known is Unknown in the settings.
 */
export class Run {
  readonly settings: Setting[] = [];
  /** What the program says where it ends; '' where only the running one knows. The run goes on, so that the next is found too. */
  readonly stops: string[] = [];
  /** Variables whose absence led there, each once. */
  readonly missing: VariableRead[] = [];
  /** Variables that were read since the innermost condition began. */
  reads = new Set<string>();
  /** Variables that were read as nil and that nothing stood in for since. */
  readonly nilReads = new Map<string, VariableRead>();
  /** Functions that read the environment by names that can't be followed, by where they were called. */
  readonly opaque = new Set<string>();
  /** Files that each config file reads (`Code.require_file`, `File.read!`), wherever they are. */
  readonly inputs = new Map<string, Set<string>>();
  /** Config files that were run, in order (imports included). */
  readonly files: string[] = [];
  private readonly tree: Pick<Tree, 'read' | 'paths'>;
  private readonly world: World;
  private readonly held = new Map<string, Map<string, Value>>();
  private readonly modules = new Map<string, Scope>();
  private readonly loaded = new Set<string>();
  /** Variables that count as set since the program would have stopped without them. */
  private readonly assumed = new Set<string>();
  /** The file being run, and the outermost call out of it: where a reader would look first. */
  private place: { file: string; text: string; site?: { offset: number; name: string } } = {
    file: '',
    text: '',
  };

  constructor(tree: Pick<Tree, 'read' | 'paths'>, world: World) {
    this.tree = tree;
    this.world = world;
    for (const [app, settings] of world.settings ?? [])
      this.held.set(app, new Map(pairs(settings)));
  }

  /** The settings by app, as keyword lists. */
  get apps(): ReadonlyMap<string, Value> {
    return new Map([...this.held].map(([app, held]) => [app, keywords(held)]));
  }

  /** Runs a config file; missing files and those that already ran are skipped. */
  runFile(file: string): void {
    const text = this.tree.read(file);
    if (text === undefined || this.files.includes(file)) return;
    this.files.push(file);
    const { body } = parseElixir(text);
    this.define(body);
    const everyBranch = this.world.everyBranch ?? this.world.environment === 'any';
    const dir = `/${file.replace(/\/?[^/]*$/, '')}`;
    this.within({ file, text }, () =>
      evaluateBody(body, { ...new Scope(), host: this, dir, everyBranch }),
    );
  }

  /** Runs a function of a module; undefined when it has none of that name and number of arguments. */
  runFunction({ file, text, scope }: ModuleSource, name: string, args: Value[]): Value | undefined {
    const all = scope.functions.get(name) ?? [];
    const clauses = all.filter(({ patterns }) => patterns.length === args.length);
    return clauses.length
      ? this.within({ file, text }, () => invoke(clauses, args, { ...scope, host: this }))
      : undefined;
  }

  private within<Result>(place: Run['place'], body: () => Result): Result {
    const before = this.place;
    this.place = place;
    const result = body();
    this.place = before;
    return result;
  }

  private position(offset: number): Position {
    const { file, text, site } = this.place;
    return { file, line: lineAt(text, site?.offset ?? offset) };
  }

  /** `System.get_env(name, fallback)`, or `fetch_env!` when it is demanded. */
  variable(name: Value, fallback: Value, demanded: boolean, offset: number): Value {
    if (typeof name !== 'string') {
      this.opaque.add(this.place.site?.name ?? 'System.get_env');
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

  /** `raise`, `System.halt`; `because` names the variables that led there, outermost condition first. */
  stop(message: Value, because: readonly string[], offset: number): void {
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
    this.stops.push(message);
    if (variable === null) return;
    this.missing.push({ name: variable, ...this.position(offset) });
    this.assumed.add(variable);
  }

  /** The program goes on without these variables: a default or a branch stands in for them. */
  settle(names: readonly string[]): void {
    for (const name of names) this.nilReads.delete(name);
  }

  /** A function that neither the scope nor the library defines; undefined when nothing is known about it. */
  call(name: string, args: Value[], scope: Scope, offset: number): Value | undefined {
    if (name === 'config') return this.set(args, offset);
    if (name === 'import_config') return this.importConfig(args[0]);
    if (/^Application\.(get_env|fetch_env!|compile_env!?)$/.test(name))
      return this.configured(args);
    const [, module, called = name] = /^(.*)\.(.*)$/.exec(name) ?? [];
    for (const target of module === undefined ? scope.imports : [module]) {
      spend('evaluation', 1);
      const full = `${target}.${called}`;
      const { readers = {} } = this.world;
      const demanding = Object.hasOwn(readers, full) ? readers[full] : undefined;
      if (demanding !== undefined) {
        const [wanted = null, ...others] = args;
        const fallback = others.at(-1) ?? null;
        const read = this.variable(wanted, fallback, args.length <= demanding, offset);
        const isNumber =
          /^:integer/.test(show(others[0])) && /^\d+$/.test(show(read).replaceAll('"', ''));
        return isNumber && typeof read === 'string' ? Number(read) : read;
      }
      const found = this.modules.get(target) ?? this.world.module?.(target, args);
      const clauses = found?.functions.get(called);
      if (!found || !clauses) continue;
      const place = { site: { name: full, offset }, ...this.place };
      return this.within(place, () =>
        invoke(clauses, args, { ...found, host: this, because: scope.because }),
      );
    }
    return undefined;
  }

  private set([app, second = null, third]: readonly Value[], offset: number): null {
    if (!(app instanceof Atom)) return null;
    const [key, value] = third === undefined ? [null, second] : [keyOf(second), third];
    this.settings.push({ app: app.name, key, value, ...this.position(offset) });
    const held = this.held.get(app.name) ?? new Map<string, Value>();
    this.held.set(app.name, held);
    for (const [name, next] of key === null ? pairs(value) : [[key, value] as const]) {
      const before = held.get(name);
      const isAffordable = spend('evaluation', weigh(before ?? null) + weigh(next));
      held.set(name, isAffordable ? deepMerge(before, next) : next);
    }
    return null;
  }

  /** A name may have wildcards. */
  private importConfig(wanted: Value | undefined): null {
    if (typeof wanted !== 'string') return null;
    const folder = wanted.startsWith('/') ? '' : this.place.file.replace(/[^/]*$/, '');
    const path = normalize(folder + wanted);
    const found = path.includes('*')
      ? [...this.tree.paths].filter((file) => matches(path, file)).sort()
      : [path];
    for (const file of found) this.runFile(file);
    return null;
  }

  private configured([app, key, fallback]: readonly Value[]): Value | undefined {
    if (this.world.environment === 'any' || !(app instanceof Atom) || key === undefined)
      return undefined;
    const held = this.held.get(app.name);
    return held && (held.get(keyOf(key)) ?? fallback);
  }

  /** An absolute path begins at the tree's root, as `__DIR__` gives it. */
  readFile(wanted: string): string | undefined {
    const folder = wanted.startsWith('/') ? '.' : (this.world.folder ?? '.');
    const path = normalize(below(folder, wanted));
    const isOutside = path.startsWith('..');
    const text = isOutside ? undefined : this.tree.read(path);
    const { file } = this.place;
    if (text !== undefined || isOutside)
      this.inputs.set(file, new Set([...(this.inputs.get(file) ?? []), path]));
    return text;
  }

  /** `Code.require_file`: brings the modules of another file in. */
  load(path: string): void {
    const text = this.readFile(path);
    // By content, since every child of an umbrella spells the path its own way
    if (text === undefined || this.loaded.has(text)) return;
    this.loaded.add(text);
    this.define(parseElixir(text).body);
  }

  private define(body: readonly Expr[]): void {
    for (const { name, body: inside } of modulesIn(body))
      this.modules.set(name, moduleScope(inside, name));
  }
}

const keyOf = (key: Value): string =>
  key instanceof Atom || key instanceof Module ? key.name : show(key);
