import { evaluate } from '../elixir/evaluate.ts';
import { type Expr, isDefinition, moduleOf } from '../elixir/expr.ts';
import { callsIn } from '../elixir/modules.ts';
import { fullName, Scope } from '../elixir/scope.ts';
import { lineAt } from '../elixir/syntax.ts';
import type { VariableRead } from '../elixir/types.ts';
import { atomName, get, moduleName } from '../elixir/value.ts';
import type { RequiredEnv } from './config.ts';
import { isMixTask, type SourceModule, type Sources } from './sources.ts';
import { uniqueBy } from './unique.ts';

/** A module by what it uses. */
export type Use = ReturnType<typeof usesOf>[number];

/** Files that may hold a `use` which `kindOf` knows; all others are not parsed. */
const MARKERS =
  /Phoenix\.Endpoint|^ *use [\w.]+Endpoint\b|Ecto\.Repo|use [\w.]+,? *\(?:(?:router|endpoint)\b|(?:Phoenix|Plug)\.Router|\.Repo\b[^\n.]*otp_app|use Rustler/m;

/** What the project's own modules say, by the code that declares them and not by their names. */
export type Code = ReturnType<typeof readCode>;

/** Reads the project's modules; only files that mention something of interest are parsed. */
export function readCode(sources: Sources) {
  const modules = sources.matching(MARKERS).flatMap((file) => sources.modules(file));
  const uses = modules.flatMap(usesOf);
  const ofKind = (kind: Use['kind']) => uses.filter((use) => use.kind === kind);
  const webFiles = sources
    .matching(/^ *use Phoenix\.(Router|Controller)\b/m)
    .filter((file) => sources.text(file).includes('__using__'));
  return {
    sources,
    endpoints: ofKind('endpoint'),
    repos: ofKind('repo'),
    /** Modules with routes: Phoenix.Router and Plug.Router. */
    routers: ofKind('router').map(({ source }) => source),
    /** A module is a Rust crate of the project (`use Rustler`). */
    rustler: ofKind('rustler').length > 0,
    /** Modules that others `use` with :router, :controller, …: what Phoenix calls the web module. */
    webModules: webFiles.flatMap((file) => sources.modules(file)[0]?.name ?? []),
    /** `System.fetch_env!` in code that no condition guards. */
    fetchEnv: unguardedFetches(sources),
    /** `System.get_env` of a module's attribute, where the compiler runs it. */
    buildReads: sources.files.flatMap((file) => attributeReads(file, sources.text(file))),
    /** `use Phoenix.LiveView` or a `live` route somewhere. */
    liveView: sources.matching(/Phoenix\.LiveView|:live_view/).length > 0,
  };
}

/** What a module is by what it uses, of each kind at most once. */
function usesOf(source: SourceModule) {
  const { name: module, file, body, scope } = source;
  const uses = callsIn(body, 'use').flatMap(({ args: [target, argument] }) => {
    const options = evaluate(argument, scope);
    const otpApp = atomName(get(options, 'otp_app')) ?? null;
    const used = target?.is === 'module' ? fullName(target.name, scope) : '';
    const kind = kindOf(used, otpApp, atomName(options));
    const adapter = moduleName(get(options, 'adapter')) ?? null;
    /** A replica, which nothing migrates. */
    const readOnly = get(options, 'read_only') === true;
    return kind ? [{ kind, source, module, file, otpApp, adapter, readOnly }] : [];
  });
  return uniqueBy(uses, ({ kind }) => kind);
}

/** Libraries and apps have macros of their own, named after what they bring. */
function kindOf(used: string, otpApp: string | null, variant = '') {
  if (used === 'Phoenix.Endpoint' || (used.endsWith('Endpoint') && otpApp)) return 'endpoint';
  if (used === 'Ecto.Repo' || (used.endsWith('.Repo') && otpApp)) return 'repo';
  if (/^(Phoenix|Plug)\.Router$/.test(used) || variant === 'router') return 'router';
  if (variant === 'endpoint') return 'endpoint';
  return used === 'Rustler' ? 'rustler' : undefined;
}

/** Whether what is inside may never run. */
const isCondition = (expr: Expr): boolean =>
  (expr.is === 'call' && /^(if|unless|case|cond|with|try|quote)$/.test(expr.name)) ||
  (expr.is === 'operator' && /^(\|\||&&|and|or)$/.test(expr.name)) ||
  expr.is === 'fn';

/** The part of a condition that always runs: `x` of `if x do … end` and of `x || y`. */
const alwaysRun = (expr: Expr): Expr | undefined =>
  ((expr.is === 'operator' && expr.operands) || (expr.is === 'call' && expr.args) || [])[0];

/** `System.fetch_env!` that runs whenever its function does, or the compiler. */
const unguardedFetches = (sources: Sources): RequiredEnv[] =>
  sources.findCalls(/System\.fetch_env!/, (call, { file, text }, ancestors) => {
    if (call.name !== 'fetch_env!' || moduleOf(call) !== 'System' || isMixTask(file, text))
      return undefined;
    const name = evaluate(call.args[0], new Scope());
    const mayNotRun = ancestors.some(
      (ancestor, index) =>
        isCondition(ancestor) && alwaysRun(ancestor) !== (ancestors[index + 1] ?? call),
    );
    return typeof name === 'string' && !mayNotRun
      ? { name, compileTime: !ancestors.some(isDefinition) }
      : undefined;
  });

/** `@token System.get_env("TOKEN")` without a default. */
const attributeReads = (file: string, text: string): VariableRead[] =>
  [...text.matchAll(/^ *@\w+ (.*)System\.get_env\("(\w+)"\)(.*)$/gm)].flatMap(
    ({ 1: before = '', 2: name = '', 3: after = '', index }) =>
      /\b(if|case|quote)\b|\|\|/.test(before + after)
        ? []
        : [{ name, file, line: lineAt(text, index) }],
  );
