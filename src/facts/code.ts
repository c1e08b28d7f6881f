import { evaluate, moduleScope } from '../elixir/evaluate.ts';
import { lineAt, parseElixir, walk, type Expr } from '../elixir/syntax.ts';
import { Atom, atomName, get, Module, moduleName, type Value } from '../elixir/value.ts';
import type { Tree } from '../tree.ts';
import { callsIn, modulesIn } from './mix-project.ts';

export interface EndpointModule {
  module: string;
  file: string;
  otpApp: string | null;
}

export interface RepoModule extends EndpointModule {
  adapter: string | null;
}

/** What the project's own modules say, by the code that declares them and not by their names. */
export interface Code {
  endpoints: EndpointModule[];
  repos: RepoModule[];
  routers: { module: string; file: string; body: Expr[] }[];
  /** Children named in each `use Application` module's start/2, by module. */
  children: Map<string, string[]>;
  /** `System.fetch_env!` outside the config files: these run when the code does. */
  fetchEnv: { name: string; file: string; line: number }[];
  /** Paths that plug modules compare `request_path` with. */
  plugPaths: { path: string; module: string }[];
  /** `use Phoenix.LiveView` or a `live` route somewhere. */
  liveView: boolean;
}

const MARKERS = /Phoenix\.Endpoint|Ecto\.Repo|use Application|:router|Phoenix\.Router|request_path|path_info|fetch_env!|\.Repo\b.*otp_app|:endpoint\b/;

/** Reads the .ex files below the given folders; only those that mention something of interest are parsed. */
export function readCode(tree: Tree, folders: readonly string[]): Code {
  const code: Code = { endpoints: [], repos: [], routers: [], children: new Map(), fetchEnv: [], plugPaths: [], liveView: false };
  const macros: Macro[] = [];
  const users: Declared[] = [];
  for (const file of tree.paths) {
    if (!file.endsWith('.ex') || !folders.some((folder) => file.startsWith(`${folder}/`))) continue;
    const text = tree.read(file) ?? '';
    if (!code.liveView && /Phoenix\.LiveView|:live_view/.test(text)) code.liveView = true;
    if (!MARKERS.test(text)) continue;
    const source = parseElixir(text);
    for (const { name, body } of modulesIn(source.body)) {
      macros.push(...macrosIn(name, body));
      for (const use of callsIn(body, 'use')) {
        const target = use.args[0]?.is === 'module' ? use.args[0].name : '';
        users.push({ name, file, body, target, options: evaluate(use.args[1], moduleScope(body)) });
      }
      collectPaths(body, name, code);
    }
    walk(source.body, (expr) => {
      if (expr.is !== 'call' || expr.name !== 'fetch_env!' || expr.on?.is !== 'module' || expr.on.name !== 'System') return;
      const variable = evaluate(expr.args[0], moduleScope([]));
      if (typeof variable === 'string') code.fetchEnv.push({ name: variable, file, line: lineAt(text, expr.at) });
    });
  }
  for (const user of users) classify(user, macros, code);
  return code;
}

interface Declared {
  name: string;
  file: string;
  body: Expr[];
  target: string;
  options: Value;
}

/** A module's own `__using__` (or `def router do quote …`): what using it amounts to. */
interface Macro {
  module: string;
  uses: string;
  options: Value;
  /** The function the quote stands in, e.g. "router"; null in __using__ itself. */
  variant: string | null;
}

function macrosIn(module: string, body: readonly Expr[]): Macro[] {
  const found: Macro[] = [];
  for (const expr of body) {
    if (expr.is !== 'call' || !['def', 'defmacro', 'defp'].includes(expr.name)) continue;
    const head = expr.args[0];
    const name = head?.is === 'call' || head?.is === 'variable' ? head.name : null;
    walk(expr.blocks.do ?? [], (inner) => {
      if (inner.is !== 'call' || inner.name !== 'use' || inner.args[0]?.is !== 'module') return;
      found.push({ module, uses: inner.args[0].name, options: evaluate(inner.args[1], moduleScope(body)), variant: name === '__using__' ? null : name });
    });
  }
  return found;
}

function classify(user: Declared, macros: readonly Macro[], code: Code): void {
  const variant = atomName(user.options);
  const through = macros.filter((macro) => macro.module === user.target && (macro.variant === null || macro.variant === variant || macro.variant === get(user.options, 'which')));
  const amounts = [{ uses: user.target, options: user.options }, ...through];
  for (const { uses, options } of amounts) {
    const option = (key: string) => get(user.options, key) ?? get(options, key);
    const otpApp = atomName(option('otp_app')) ?? null;
    if (uses === 'Phoenix.Endpoint') code.endpoints.push({ module: user.name, file: user.file, otpApp });
    else if (uses === 'Ecto.Repo' || (/\.Repo$/.test(uses) && otpApp)) code.repos.push({ module: user.name, file: user.file, otpApp, adapter: moduleName(option('adapter')) ?? null });
    else if (uses === 'Phoenix.Router' || (variant === 'router' && uses === user.target)) code.routers.push({ module: user.name, file: user.file, body: user.body });
    else if (uses === 'Application') code.children.set(user.name, children(user.body));
  }
}

/** Module names in the lists that start/2 and the functions beside it build. */
function children(body: readonly Expr[]): string[] {
  const found = new Set<string>();
  const scope = moduleScope(body);
  const child = (item: Expr) => {
    const first = item.is === 'tuple' ? item.items[0] : item;
    if (first?.is === 'module') found.add(first.name);
    if (item.is === 'call' && ['worker', 'supervisor', 'child_spec'].includes(item.name)) {
      const target = item.args.map((arg) => evaluate(arg, scope)).find((arg) => arg instanceof Module);
      if (target instanceof Module) found.add(target.name);
    }
  };
  walk(body, (expr) => {
    if (expr.is === 'list') expr.items.forEach(child);
  });
  const aliases = new Map<string, string>();
  walk(body, (expr) => {
    if (expr.is !== 'call' || expr.name !== 'alias' || expr.args[0]?.is !== 'module') return;
    aliases.set(expr.args[0].name.split('.').at(-1) ?? '', expr.args[0].name);
  });
  return [...found].map((name) => aliases.get(name) ?? name);
}

function collectPaths(body: readonly Expr[], module: string, code: Code): void {
  walk(body, (expr) => {
    if (expr.is !== 'tuple' && !(expr.is === 'operator' && expr.name === '==')) return;
    const [left, right] = expr.is === 'tuple' ? expr.items : expr.operands;
    const named = left?.is === 'atom' ? left.name : left?.is === 'call' ? left.name : undefined;
    const value = right && evaluate(right, moduleScope([]));
    if (named === 'request_path' && typeof value === 'string') code.plugPaths.push({ path: value, module });
    if (named === 'path_info' && Array.isArray(value) && value.every((part) => typeof part === 'string')) code.plugPaths.push({ path: `/${value.join('/')}`, module });
  });
}

export interface Route {
  path: string;
  pipelines: string[];
  /** The plug or controller it goes to. */
  to: string;
}

/** GET-able routes of a router body with their scopes' prefixes and pipelines. */
export function routesIn(body: readonly Expr[], prefix = '', pipelines: readonly string[] = []): Route[] {
  let through = [...pipelines];
  return body.flatMap((expr): Route[] => {
    if (expr.is !== 'call') return [];
    const first = expr.args[0] ? evaluate(expr.args[0], moduleScope([])) : null;
    if (expr.name === 'pipe_through') through = [...through, ...(Array.isArray(first) ? first : [first]).flatMap((one) => (one instanceof Atom ? one.name : []))];
    if (expr.name === 'scope') {
      const options = expr.args.map((arg) => evaluate(arg, moduleScope([])));
      const path = typeof first === 'string' ? first : options.map((option) => get(option, 'path')).find((one) => typeof one === 'string');
      return routesIn(expr.blocks.do ?? [], join(prefix, typeof path === 'string' ? path : ''), through);
    }
    if (['if', 'unless', 'pipeline'].includes(expr.name)) return expr.name === 'pipeline' ? [] : routesIn(expr.blocks.do ?? [], prefix, through);
    if (!['get', 'match', 'forward', 'head', 'resources'].includes(expr.name)) return [];
    const path = expr.name === 'match' && typeof first !== 'string' ? evaluate(expr.args[1], moduleScope([])) : first;
    if (typeof path !== 'string') return [];
    return [{ path: join(prefix, path), pipelines: through, to: expr.args.map((arg) => (arg.is === 'module' ? arg.name : '')).find(Boolean) ?? '' }];
  });
}

const join = (prefix: string, path: string): string => `/${[prefix, path].flatMap((part) => part.split('/')).filter(Boolean).join('/')}`;
