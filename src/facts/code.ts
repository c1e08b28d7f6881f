import { evaluate } from '../elixir/evaluate.ts';
import { type Call, childrenOf, type Expr, moduleOf, walk } from '../elixir/expr.ts';
import type { VariableRead } from '../elixir/run.ts';
import { emptyScope } from '../elixir/scope.ts';
import { lineAt } from '../elixir/syntax.ts';
import { get, Tuple } from '../elixir/value.ts';
import type { RequiredEnv } from './config.ts';
import type { SourceModule, Sources } from './sources.ts';
import { readUses, type Uses } from './uses.ts';

export type { EndpointModule, RepoModule } from './uses.ts';

/** What the project's own modules say, by the code that declares them and not by their names. */
export interface Code extends Uses {
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
}

/** A router's only interest here: routes that health.ts knows, by their last words. */
const ROUTER = /use [\w.]+,? *\(?:router\b/;
const HEALTH_ROUTE =
  /health|heartbeat|livez|readyz|liveness|readiness|["/](up|ping|status|alive|live|ready)"/;
const MARKERS =
  /Phoenix\.Endpoint|^ *use [\w.]+Endpoint\b|Ecto\.Repo|use [\w.]+,? *\(?:endpoint\b|(?:Phoenix|Plug)\.Router|System\.fetch_env!|\.Repo\b[^\n.]*otp_app|use Rustler|Vapor\.Provider|^ *@\w+ .*System\.get_env/m;
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
  const found = sources.mentioning([...WORDS, 'request_path', 'path_info']).map((file) => {
    const text = sources.text(file);
    const looksAtPath = PATH.test(text) && HEALTH.test(text);
    const matters =
      looksAtPath || MARKERS.test(text) || (ROUTER.test(text) && HEALTH_ROUTE.test(text));
    return { looksAtPath, modules: matters ? sources.modules(file) : [] };
  });
  const modules = found.flatMap((file) => file.modules);
  const reads = modules.filter(({ file }) => !/(^|\/)mix\//.test(file)).map(unguardedReads);
  return {
    ...readUses(modules),
    plugs: found.flatMap((file) => (file.looksAtPath ? file.modules : [])),
    fetchEnv: reads.flatMap(({ fetchEnv }) => fetchEnv),
    buildReads: reads.flatMap(({ buildReads }) => buildReads),
    bindings: modules.filter(({ text }) => text.includes('Vapor.Provider')).flatMap(bindings),
    liveView: sources.files.some((file) => /Phoenix\.LiveView|:live_view/.test(sources.text(file))),
  };
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

const CONDITIONS = /^(if|unless|case|cond|with|try|quote)$/;

type Reads = Pick<Code, 'fetchEnv' | 'buildReads'>;

/** Reads of the environment that happen whenever their function runs. */
function unguardedReads(module: SourceModule): Reads {
  const reads: Reads = { fetchEnv: [], buildReads: [] };
  let compileTime = true;
  const visit = (expr: Expr): void => {
    if (expr.is === 'call') return call(expr);
    if (expr.is === 'operator') return operator(expr);
    if (expr.is !== 'fn') childrenOf(expr).forEach(visit);
  };
  /** What stands behind `||` is no demand, and in front of it, it has a default. */
  const operator = ({ name, operands }: Extract<Expr, { is: 'operator' }>): void => {
    const known = reads.buildReads.length;
    const isChoice = /^(\|\||&&|and|or)$/.test(name);
    operands.slice(0, isChoice ? 1 : undefined).forEach(visit);
    if (name === '||' || name === 'or') reads.buildReads.length = known;
  };
  const call = (expr: Call): void => {
    const variable = moduleOf(expr) === 'System' && evaluate(expr.args[0], emptyScope());
    if (typeof variable === 'string') {
      const read = { name: variable, file: module.file, line: lineAt(module.text, expr.offset) };
      if (expr.name === 'fetch_env!') reads.fetchEnv.push({ ...read, compileTime });
      if (expr.name === 'get_env' && compileTime && expr.args.length === 1)
        reads.buildReads.push(read);
    }
    if (expr.name === 'defmodule' || expr.name === 'quote') return;
    [...(expr.on ? [expr.on] : []), ...expr.args].forEach(visit);
    if (CONDITIONS.test(expr.name)) return;
    const outer = compileTime;
    if (/^def(p|macrop?)?$/.test(expr.name)) compileTime = false;
    Object.values(expr.blocks).flat().forEach(visit);
    compileTime = outer;
  };
  module.body.forEach(visit);
  return reads;
}
