import { evaluate } from '../elixir/evaluate.ts';
import { callsIn } from '../elixir/modules.ts';
import { emptyScope, fullName } from '../elixir/scope.ts';
import { type Expr, lineAt, walk } from '../elixir/syntax.ts';
import { atomName, get, moduleName, Tuple, type Value } from '../elixir/value.ts';
import type { RequiredEnv, VariableRead } from './config.ts';
import type { SourceModule, Sources } from './sources.ts';

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
  /** Modules with routes: Phoenix.Router and Plug.Router. */
  routers: SourceModule[];
  /** Modules that look at a request's path themselves. */
  plugs: SourceModule[];
  /** `System.fetch_env!` in code that no condition guards. */
  fetchEnv: RequiredEnv[];
  /** Bindings of Vapor's `%Env{}` without a default. */
  bindings: RequiredEnv[];
  /** `System.get_env` in a module's body, where the compiler runs it. */
  buildReads: VariableRead[];
  /** `use Phoenix.LiveView` or a `live` route somewhere. */
  liveView: boolean;
  /** Modules that others `use` with :router, :controller, …: what Phoenix calls the web module. */
  webModules: string[];
  /** A module is a Rust crate of the project (`use Rustler`). */
  rustler: boolean;
}

/** A router's only interest here: routes that health.ts knows, by their last words. */
const ROUTER = /use [\w.]+,? *\(?:router\b/;
const HEALTH_ROUTE =
  /health|heartbeat|livez|readyz|liveness|readiness|["/](up|ping|status|alive|live|ready)"/;
const MARKERS =
  /Phoenix\.Endpoint|^ *use [\w.]+Endpoint\b|Ecto\.Repo|use [\w.]+,? *\(?:endpoint\b|(?:Phoenix|Plug)\.Router|System\.fetch_env!|\.Repo\b.*otp_app|use Rustler|Vapor\.Provider|^ *@\w+ .*System\.get_env/m;
/** What `MARKERS` can only match together with. */
const WORDS = [
  'Phoenix.Endpoint',
  'Ecto.Repo',
  'Phoenix.Router',
  'Plug.Router',
  'otp_app',
  ':router',
  ':endpoint',
  'fetch_env!',
  'get_env',
  'use Rustler',
  'Vapor.Provider',
];
/** A plug that answers health checks compares the path with something like "/health". */
const PATH = /(request_path|path_info)(:|\)?\s*(==|in\b))/;
const HEALTH = /"\/?[\w/-]*(health|heartbeat|alive|live|ready|ping|status|up)/;

/** Reads the project's modules; only files that mention something of interest are parsed. */
export function readCode(sources: Sources): Code {
  const code: Code = {
    endpoints: [],
    repos: [],
    routers: [],
    plugs: [],
    fetchEnv: [],
    bindings: [],
    buildReads: [],
    liveView: false,
    webModules: [],
    rustler: false,
  };
  const macros: Macro[] = [];
  const users: Declared[] = [];
  code.liveView = sources.files.some((file) =>
    /Phoenix\.LiveView|:live_view/.test(sources.text(file)),
  );
  for (const file of sources.mentioning([...WORDS, 'request_path', 'path_info'])) {
    const text = sources.text(file);
    const looksAtPath = PATH.test(text) && HEALTH.test(text);
    if (!looksAtPath && !MARKERS.test(text) && !(ROUTER.test(text) && HEALTH_ROUTE.test(text)))
      continue;
    for (const module of sources.modules(file)) {
      macros.push(...macrosIn(module));
      for (const use of callsIn(module.body, 'use')) {
        const target = use.args[0]?.is === 'module' ? fullName(use.args[0].name, module.scope) : '';
        users.push({ module, target, options: evaluate(use.args[1], module.scope) });
      }
      if (looksAtPath) code.plugs.push(module);
      if (!/(^|\/)mix\//.test(file)) unguarded(module, code);
      if (text.includes('Vapor.Provider')) code.bindings.push(...bindings(module));
    }
  }
  code.webModules = [
    ...new Set(
      macros
        .filter(
          (macro) => macro.variant !== null && /^Phoenix\.(Router|Controller)$/.test(macro.uses),
        )
        .map((macro) => macro.module),
    ),
  ];
  for (const user of users) classify(user, macros, code);
  return code;
}

interface Declared {
  module: SourceModule;
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

function macrosIn(module: SourceModule): Macro[] {
  const found: Macro[] = [];
  for (const expr of module.body) {
    if (expr.is !== 'call' || !['def', 'defmacro', 'defp'].includes(expr.name)) continue;
    const head = expr.args[0];
    const name = head?.is === 'call' || head?.is === 'variable' ? head.name : null;
    walk(expr.blocks.do ?? [], (inner) => {
      if (inner.is !== 'call' || inner.name !== 'use' || inner.args[0]?.is !== 'module') return;
      found.push({
        module: module.name,
        uses: fullName(inner.args[0].name, module.scope),
        options: evaluate(inner.args[1], module.scope),
        variant: name === '__using__' ? null : name,
      });
    });
  }
  return found;
}

function classify(
  { module, target, options }: Declared,
  macros: readonly Macro[],
  code: Code,
): void {
  const variant = atomName(options);
  const through = macros.filter(
    (macro) =>
      macro.module === target &&
      (macro.variant === null ||
        macro.variant === variant ||
        macro.variant === get(options, 'which')),
  );
  const at = { module: module.name, file: module.file };
  for (const amounts of [{ uses: target, options }, ...through]) {
    const option = (key: string) => get(options, key) ?? get(amounts.options, key);
    const otpApp = atomName(option('otp_app')) ?? null;
    if (amounts.uses === 'Phoenix.Endpoint' || (amounts.uses.endsWith('Endpoint') && otpApp))
      code.endpoints.push({ ...at, otpApp });
    else if (amounts.uses === 'Ecto.Repo' || (amounts.uses.endsWith('.Repo') && otpApp))
      code.repos.push({ ...at, otpApp, adapter: moduleName(option('adapter')) ?? null });
    else if (
      amounts.uses === 'Phoenix.Router' ||
      amounts.uses === 'Plug.Router' ||
      (variant === 'router' && amounts.uses === target)
    ) {
      if (!code.routers.includes(module)) code.routers.push(module);
    } else if (amounts.uses === 'Rustler') code.rustler = true;
  }
}

function bindings(module: SourceModule): RequiredEnv[] {
  const found: RequiredEnv[] = [];
  walk(module.body, (expr) => {
    const listed = expr.is === 'map' ? get(evaluate(expr, module.scope), 'bindings') : undefined;
    for (const one of Array.isArray(listed) ? listed : []) {
      const [, name, options] = one instanceof Tuple ? one.items : [];
      if (
        typeof name === 'string' &&
        get(options, 'default') === undefined &&
        get(options, 'required') !== false
      )
        found.push({
          name,
          file: module.file,
          line: lineAt(module.text, expr.offset),
          compileTime: false,
        });
    }
  });
  return found;
}

const CONDITIONS = new Set(['if', 'unless', 'case', 'cond', 'with', 'try', 'quote']);

/** Reads of the environment that happen whenever their function runs. */
function unguarded(module: SourceModule, code: Code): void {
  let compileTime = true;
  const visit = (expr: Expr): void => {
    if (expr.is === 'fn') return;
    if (expr.is === 'list' || expr.is === 'tuple') return expr.items.forEach(visit);
    if (expr.is === 'map') return expr.pairs.forEach(visit);
    if (expr.is === 'attribute') return expr.value && visit(expr.value);
    if (expr.is === 'string')
      return expr.parts.forEach((part) => typeof part === 'string' || visit(part));
    if (expr.is === 'operator') {
      const known = code.buildReads.length;
      (['||', '&&', 'and', 'or'].includes(expr.name)
        ? expr.operands.slice(0, 1)
        : expr.operands
      ).forEach(visit);
      if (expr.name === '||' || expr.name === 'or') code.buildReads.length = known;
      return;
    }
    if (expr.is !== 'call') return;
    if (expr.on?.is === 'module' && expr.on.name === 'System') {
      const name = evaluate(expr.args[0], emptyScope());
      const read =
        typeof name === 'string'
          ? { name, file: module.file, line: lineAt(module.text, expr.offset) }
          : undefined;
      if (read && expr.name === 'fetch_env!') code.fetchEnv.push({ ...read, compileTime });
      else if (read && expr.name === 'get_env' && compileTime && expr.args.length === 1)
        code.buildReads.push(read);
    }
    if (expr.name === 'defmodule' || expr.name === 'quote') return;
    [...(expr.on ? [expr.on] : []), ...expr.args].forEach(visit);
    if (CONDITIONS.has(expr.name)) return;
    const outer = compileTime;
    if (/^def(p|macrop?)?$/.test(expr.name)) compileTime = false;
    Object.values(expr.blocks).flat().forEach(visit);
    compileTime = outer;
  };
  module.body.forEach(visit);
}
