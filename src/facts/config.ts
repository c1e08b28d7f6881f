import { bind, evaluate, falsy } from '../elixir/evaluate.ts';
import { match } from '../elixir/match.ts';
import { declare, emptyScope, inner, type Loaded, type Scope } from '../elixir/scope.ts';
import {
  type Clause,
  type Expr,
  lineAt,
  parseElixir,
  type Source,
  walk,
} from '../elixir/syntax.ts';
import {
  Atom,
  deepMerge,
  isKeyword,
  moduleName,
  show,
  Tuple,
  Unknown,
  type Value,
} from '../elixir/value.ts';
import type { Tree } from '../tree.ts';
import { normalize } from './paths.ts';

/** Where an environment variable is read. */
export interface EnvRead {
  name: string;
  file: string;
  line: number;
}

/** An environment variable that production insists on. */
export interface RequiredEnv extends EnvRead {
  /** Read while the image is built (config.exs, prod.exs), not when it boots. */
  compileTime: boolean;
}

/** Where a setting was written: `key` is `app` or `app Module`. */
export interface Setting {
  app: string;
  key: string | null;
  value: Value;
  file: string;
  line: number;
}

/** The production configuration as Config.Reader would see it, as far as it can be known. */
export interface Config {
  apps: Map<string, Value>;
  settings: Setting[];
  /** Config files read, in order (imports included). */
  files: string[];
  required: RequiredEnv[];
  /** Every variable that is read at all. */
  env: Set<string>;
  /** Syntax trees of `files`, which are needed twice. */
  parsed: Map<string, Source>;
  loaded: Loaded;
  /** Files that each config file reads (`Code.require_file`, `File.read!`), wherever they are. */
  reads: Map<string, Set<string>>;
}

export const emptyConfig = (): Config => ({
  apps: new Map(),
  settings: [],
  files: [],
  required: [],
  env: new Set(),
  parsed: new Map(),
  loaded: { texts: new Set(), modules: new Map() },
  reads: new Map(),
});

/**
 * Reads the settings of a config file and of what it imports into `config`; where only the running
 * system can choose a branch, both count. Missing files are skipped.
 */
export function readConfig(tree: Tree, path: string, config: Config): void {
  const text = tree.read(path);
  if (text === undefined || config.files.includes(path)) return;
  config.files.push(path);
  const source = parseElixir(text);
  config.parsed.set(path, source);
  const { body } = source;
  walk(body, (expr) => {
    const variable = envRead(expr);
    if (variable) config.env.add(variable);
  });
  new Reader(tree, path, text, config).run(body, configScope(tree, path, config));
}

class Reader {
  private readonly tree: Tree;
  private readonly path: string;
  private readonly text: string;
  private readonly config: Config;

  constructor(tree: Tree, path: string, text: string, config: Config) {
    this.tree = tree;
    this.path = path;
    this.text = text;
    this.config = config;
  }

  run(body: readonly Expr[], scope: Scope): void {
    for (const statement of body) {
      if (declare(statement, scope) || bind(statement, scope) !== undefined) continue;
      if (statement.is !== 'call' || statement.on) {
        // Code.require_file and its kind bring helper modules in.
        evaluate(statement, scope);
        continue;
      }
      const { name, args, blocks, clauses } = statement;
      if (name === 'config') this.setting(args, statement.at, scope);
      else if (name === 'import_config') this.importConfig(args[0], scope);
      else if (name === 'if' || name === 'unless') this.branch(name, args[0], blocks, scope);
      else if (name === 'case' || name === 'cond') this.clauses(args[0], clauses, scope);
      else if (name === 'for') this.each(args[0], blocks.do ?? [], scope);
    }
  }

  private branch(
    name: string,
    condition: Expr | undefined,
    blocks: Record<string, Expr[]>,
    scope: Scope,
  ): void {
    const value = evaluate(condition, scope);
    if (value instanceof Unknown) {
      this.run(blocks.do ?? [], scope);
      this.run(blocks.else ?? [], scope);
    } else this.run(blocks[falsy(value) === (name === 'if') ? 'else' : 'do'] ?? [], scope);
  }

  private clauses(subject: Expr | undefined, clauses: readonly Clause[], scope: Scope): void {
    const value = subject ? evaluate(subject, scope) : new Unknown('cond');
    for (const clause of clauses) {
      const within = inner(scope);
      const [pattern] = clause.patterns;
      const fits = pattern && subject ? match(pattern, value, within, evaluate) : value;
      if (fits === false) continue;
      this.run(clause.body, within);
      if (fits === true && !clause.guard) return;
    }
  }

  private each(generator: Expr | undefined, body: readonly Expr[], scope: Scope): void {
    const [pattern, source] =
      generator?.is === 'operator' && generator.name === '<-' ? generator.operands : [];
    const list = evaluate(source, scope);
    if (!pattern || !Array.isArray(list)) return;
    for (const item of list) {
      const within = inner(scope);
      if (match(pattern, item, within, evaluate) !== false) this.run(body, within);
    }
  }

  private setting(args: readonly Expr[], at: number, scope: Scope): void {
    const setting = merge(
      this.config.apps,
      args.map((arg) => evaluate(arg, scope)),
    );
    if (setting)
      this.config.settings.push({ ...setting, file: this.path, line: lineAt(this.text, at) });
  }

  private importConfig(argument: Expr | undefined, scope: Scope): void {
    const name = evaluate(argument, scope);
    if (typeof name === 'string')
      for (const file of imported(this.tree, this.path, name))
        readConfig(this.tree, file, this.config);
  }
}

/** What `config :app, …` or `config :app, key, …` does to the settings of all apps. */
export function merge(
  apps: Map<string, Value>,
  [first, second, third]: readonly Value[],
): Pick<Setting, 'app' | 'key' | 'value'> | undefined {
  if (!(first instanceof Atom)) return undefined;
  const app = first.name;
  const key =
    third === undefined
      ? null
      : second instanceof Atom
        ? second.name
        : (moduleName(second) ?? show(second));
  const value = third ?? second ?? null;
  const patch = key === null ? value : [new Tuple([new Atom(key), value])];
  apps.set(
    app,
    isKeyword(patch) ? deepMerge(apps.get(app) ?? patch, patch) : (apps.get(app) ?? patch),
  );
  return { app, key, value };
}

/** The scope of a config file: it may read files around it, and `__DIR__` makes paths absolute, from the tree's root. */
export function configScope(tree: Tree, path: string, config: Config): Scope {
  const readFile = (wanted: string): string | undefined => {
    const file = normalize(wanted);
    const text = file.startsWith('..') ? undefined : tree.read(file);
    if (text !== undefined || file.startsWith('..'))
      config.reads.set(path, (config.reads.get(path) ?? new Set()).add(file));
    return text;
  };
  return {
    ...emptyScope(readFile),
    loaded: config.loaded,
    dir: `/${path.replace(/\/?[^/]*$/, '')}`,
  };
}

/** The files that `import_config name` in `from` stands for; a name may have wildcards. */
export function imported(tree: Tree, from: string, name: string): string[] {
  const path = normalize(name.startsWith('/') ? name : `${from.replace(/[^/]*$/, '')}${name}`);
  if (!path.includes('*')) return [path];
  const pattern = new RegExp(
    `^${path
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^/]*')}$`,
  );
  return [...tree.paths].filter((one) => pattern.test(one)).sort();
}

/** The variable that `System.get_env("X")` or `fetch_env!("X")` reads. */
function envRead(expr: Expr): string | undefined {
  if (
    expr.is !== 'call' ||
    expr.on?.is !== 'module' ||
    expr.on.name !== 'System' ||
    !/^(get_env|fetch_env!?)$/.test(expr.name)
  )
    return undefined;
  const name = evaluate(expr.args[0], emptyScope());
  return typeof name === 'string' ? name : undefined;
}
