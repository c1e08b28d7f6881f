import { bind, emptyScope, evaluate, type Scope } from '../elixir/evaluate.ts';
import { lineAt, parseElixir, type Clause, type Expr } from '../elixir/syntax.ts';
import { Atom, deepMerge, isKeyword, moduleName, sameValue, show, Tuple, Unknown, type Value } from '../elixir/value.ts';
import type { Tree } from '../tree.ts';

/** An environment variable that production insists on. */
export interface RequiredEnv {
  name: string;
  file: string;
  line: number;
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
}

export const emptyConfig = (): Config => ({ apps: new Map(), settings: [], files: [], required: [], env: new Set() });

/** Reads a config file and what it imports into `config`. Missing files are skipped. */
export function readConfig(tree: Tree, path: string, config: Config, compileTime: boolean): void {
  const text = tree.read(path);
  if (text === undefined || config.files.includes(path)) return;
  config.files.push(path);
  const reader = new Reader(tree, path, text, config, compileTime);
  reader.run(parseElixir(text).body, emptyScope(), true);
}

class Reader {
  private readonly tree: Tree;
  private readonly path: string;
  private readonly text: string;
  private readonly config: Config;
  private readonly compileTime: boolean;

  constructor(tree: Tree, path: string, text: string, config: Config, compileTime: boolean) {
    this.tree = tree;
    this.path = path;
    this.text = text;
    this.config = config;
    this.compileTime = compileTime;
  }

  /** `sure` is false inside a condition that only the running system can decide. */
  run(body: readonly Expr[], scope: Scope, sure: boolean): void {
    for (const statement of body) {
      if (bind(statement, scope) !== undefined) {
        this.demands(statement, scope, sure);
        continue;
      }
      if (statement.is !== 'call') {
        this.demands(statement, scope, sure);
        continue;
      }
      if (statement.name === 'config' && !statement.on) this.setting(statement.args, statement.at, scope);
      if (statement.name === 'import_config') this.importConfig(statement.args[0], scope);
      if (statement.name === 'if' || statement.name === 'unless') this.branch(statement.name, statement.args[0], statement.blocks, scope, sure);
      else if (statement.name === 'case' || statement.name === 'cond') this.clauses(statement.args[0], statement.clauses, scope, sure);
      else this.demands(statement, scope, sure);
    }
  }

  private branch(name: string, condition: Expr | undefined, blocks: Record<string, Expr[]>, scope: Scope, sure: boolean): void {
    const value = evaluate(condition, scope);
    if (condition) this.demands(condition, scope, sure);
    if (value instanceof Unknown) {
      this.run(blocks.do ?? [], scope, false);
      this.run(blocks.else ?? [], scope, false);
    } else {
      const truthy = value !== false && value !== null;
      this.run(blocks[truthy === (name === 'if') ? 'do' : 'else'] ?? [], scope, sure);
    }
  }

  private clauses(subject: Expr | undefined, clauses: readonly Clause[], scope: Scope, sure: boolean): void {
    const value = subject ? evaluate(subject, scope) : new Unknown('cond');
    if (subject) this.demands(subject, scope, sure);
    for (const clause of clauses) {
      const pattern = clause.patterns[0];
      const known = !(value instanceof Unknown);
      const fits = pattern?.is === 'variable' || (pattern !== undefined && known && sameValue(evaluate(pattern, scope), value));
      if (!known || fits) this.run(clause.body, scope, sure && known);
      if (known && fits) return;
    }
  }

  private setting(args: readonly Expr[], at: number, scope: Scope): void {
    const [first, second, third] = args.map((arg) => evaluate(arg, scope));
    if (!(first instanceof Atom)) return;
    const app = first.name;
    const key = third === undefined ? null : second instanceof Atom ? second.name : (moduleName(second) ?? show(second));
    const value = third ?? second ?? null;
    const line = lineAt(this.text, at);
    this.config.settings.push({ app, key, value, file: this.path, line });
    const patch = key === null ? value : [new Tuple([new Atom(key), value])];
    this.config.apps.set(app, isKeyword(patch) ? deepMerge(this.config.apps.get(app) ?? patch, patch) : (this.config.apps.get(app) ?? patch));
  }

  private importConfig(argument: Expr | undefined, scope: Scope): void {
    const name = evaluate(argument, scope);
    if (typeof name !== 'string') return;
    const path = normalize(`${this.path.replace(/[^/]*$/, '')}${name}`);
    const pattern = new RegExp(`^${path.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('[^/]*')}$`);
    const found = path.includes('*') ? [...this.tree.paths].filter((one) => pattern.test(one)).sort() : [path];
    for (const file of found) readConfig(this.tree, file, this.config, this.compileTime);
  }

  /** Collects what `System.fetch_env!` and `get_env || raise` insist on, not entering what may never run. */
  private demands(expr: Expr, scope: Scope, sure: boolean): void {
    const into = (parts: readonly (Expr | undefined)[], still = sure) => parts.forEach((part) => part && this.demands(part, scope, still));
    if (expr.is === 'call') {
      const variable = envRead(expr, scope);
      if (variable) this.config.env.add(variable);
      if (variable && expr.name.startsWith('fetch_env') && expr.name.endsWith('!') && sure) this.require(variable, expr.at);
      if (expr.name === 'if' || expr.name === 'unless') return this.branch(expr.name, expr.args[0], expr.blocks, scope, sure);
      into([expr.on, ...expr.args]);
      if (expr.name === 'case' && expr.clauses.some((clause) => raises(clause.body))) {
        const subject = expr.args[0] && envRead(expr.args[0], scope);
        if (subject && sure) this.require(subject, expr.at);
      }
      into([...Object.values(expr.blocks).flat(), ...expr.clauses.flatMap((clause) => clause.body)], false);
    } else if (expr.is === 'operator') {
      const [left, right] = expr.operands;
      const variable = left && envRead(left, scope);
      if (['||', 'or'].includes(expr.name)) {
        if (variable && right && raises([right]) && sure) this.require(variable, expr.at);
        into([left]);
        into([right], false);
      } else into(expr.operands);
    } else if (expr.is === 'list' || expr.is === 'tuple') into(expr.items);
    else if (expr.is === 'map') into(expr.pairs);
    else if (expr.is === 'string') into(expr.parts.filter((part) => typeof part !== 'string'));
    else if (expr.is === 'fn') into(expr.clauses.flatMap((clause) => clause.body), false);
  }

  private require(name: string, at: number): void {
    if (!this.config.required.some((one) => one.name === name)) {
      this.config.required.push({ name, file: this.path, line: lineAt(this.text, at), compileTime: this.compileTime });
    }
  }
}

/** The variable that `System.get_env("X")` or `fetch_env!("X")` reads; with a default it is not demanded. */
export function envRead(expr: Expr, scope: Scope): string | undefined {
  if (expr.is === 'operator' && expr.name === '|>') return expr.operands[0]?.is === 'string' ? undefined : expr.operands[0] && envRead(expr.operands[0], scope);
  if (expr.is !== 'call' || expr.on?.is !== 'module' || expr.on.name !== 'System' || !/^(get_env|fetch_env!?)$/.test(expr.name)) return undefined;
  const name = evaluate(expr.args[0], scope);
  return typeof name === 'string' ? name : undefined;
}

const raises = (body: readonly Expr[]): boolean => {
  const last = body.at(-1);
  return last?.is === 'call' && (last.name === 'raise' || (last.on?.is === 'module' && last.on.name === 'System' && ['halt', 'stop'].includes(last.name)));
};

function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}
