import { evaluate, evaluateBody } from '../elixir/evaluate.ts';
import { type Call, callOf, type Expr, moduleOf, walk } from '../elixir/expr.ts';
import { callsIn, type DefinedModule, modulesIn } from '../elixir/modules.ts';
import { type ModuleSource, Run, type VariableRead } from '../elixir/run.ts';
import { inner, moduleScope, type Scope } from '../elixir/scope.ts';
import { parseElixir, type SyntaxProblem } from '../elixir/syntax.ts';
import {
  Atom,
  atomName,
  get,
  isKeyword,
  moduleName,
  pairs,
  Tuple,
  Unknown,
  type Value,
} from '../elixir/value.ts';
import { below, normalize, type Tree } from '../tree.ts';

export interface Dep {
  name: string;
  /** `only:` allows MIX_ENV=prod. */
  prod: boolean;
  options: Value;
}

/** One mix.exs, as far as it can be read. */
export interface MixProject {
  dir: string;
  app: string | null;
  elixir: string | null;
  /** `mod:` of application/0, e.g. Shop.Application. */
  applicationModule: string | null;
  /** Variables that application/0 reads without a default, such as for `env:`; it is read while the image is built. */
  applicationReads: VariableRead[];
  projectModule: string | null;
  appsPath: string | null;
  /** `elixirc_paths:` in production, relative to `dir`. */
  sourceFolders: string[];
  deps: Dep[];
  aliases: Map<string, string[]>;
  /** `archives:`, what Mix itself must have installed: name and requirement. */
  archives: [name: string, requirement: string][];
  /** `compilers:` beside Mix's own, and those that can't be read. */
  compilers: string[];
  releases: string[];
  defaultRelease: string | null;
  /** `releases:` options of each release, by name. */
  releaseOptions: Map<string, Value>;
  /** Files that mix.exs reads while it loads, relative to `dir` (`../x` above it); the build needs them first. */
  readsFiles: string[];
  /** Those without which it can't be loaded: `File.read!` on the way to its settings, not in a function for later. */
  demandsFiles: string[];
  /** True when deps/0 could not be followed to the end. */
  depsIncomplete: boolean;
  problem: SyntaxProblem | null;
}

/** Reads `dir`/mix.exs; undefined when there is none. */
export function readMixProject(tree: Tree, dir: string): MixProject | undefined {
  const text = tree.read(below(dir, 'mix.exs'));
  if (text === undefined) return undefined;
  const source = parseElixir(text);
  const modules = modulesIn(source.body);
  const module = modules.find(({ body }) => callsIn(body, 'use').some(usesMix)) ?? modules[0];
  // What is built has the image's environment, which is empty as far as mix.exs is concerned
  const host = new Run(tree, { environment: {}, folder: dir });
  const scope = moduleScope(module?.body ?? [], module?.name, host);
  const project = call(scope, 'project');
  const started = new Run(tree, { environment: {}, folder: dir });
  const application = readApplication(started, { file: below(dir, 'mix.exs'), text, scope });
  const deps = readDeps(get(project, 'deps'), scope);
  const exists = (path: string) =>
    path.startsWith('..') || tree.paths.has(normalize(below(dir, path)));
  const inputs = [host, started].flatMap((run) => [...run.inputs.values()]);
  const loaded = new Set(inputs.flatMap((paths) => [...paths]));
  const demanded = [
    ...readsFiles(source.body, scope, DEMANDS).filter((path) => loaded.has(below(dir, path))),
    ...readsFiles(loadedBody(source.body, modules), scope, DEMANDS),
  ];
  const textAt = (key: string) => textOf(get(project, key));
  const releases = get(project, 'releases');
  const aliases = pairs(get(project, 'aliases'));
  return {
    dir,
    app: atomName(get(project, 'app')) ?? null,
    elixir: textAt('elixir'),
    ...application,
    projectModule: module?.name ?? null,
    appsPath: textAt('apps_path'),
    sourceFolders: sourceFolders(get(project, 'elixirc_paths')),
    ...deps,
    aliases: new Map(aliases.map(([name, steps]) => [name, stepNames(steps)])),
    archives: archives(get(project, 'archives')),
    compilers: compilers(get(project, 'compilers')),
    releases: pairs(releases).map(([name]) => name),
    releaseOptions: new Map(pairs(releases)),
    defaultRelease: atomName(get(project, 'default_release')) ?? null,
    readsFiles: readsFiles(source.body, scope).filter(exists),
    demandsFiles: [...new Set(demanded)].filter(exists),
    problem: source.problem,
  };
}

const usesMix = ({ args: [target] }: Call): boolean =>
  target?.is === 'module' && target.name === 'Mix.Project';

const textOf = (value: Value | undefined): string | null =>
  typeof value === 'string' ? value : null;

function call(scope: Scope, name: string): Value | undefined {
  const clause = scope.functions.get(name)?.[0];
  return clause && evaluateBody(clause.body, inner(scope));
}

function readApplication(run: Run, source: ModuleSource) {
  const mod = get(run.runFunction(source, 'application', []), 'mod');
  const stops = run.stops.flatMap(({ variable, file, line }) =>
    variable === null ? [] : [{ name: variable, file, line }],
  );
  return {
    applicationModule: moduleName(mod instanceof Tuple ? mod.items[0] : mod) ?? null,
    applicationReads: [...run.nilReads.values(), ...stops],
  };
}

function sourceFolders(paths: Value | undefined): string[] {
  const listed = Array.isArray(paths) ? paths : ['web'];
  const folders = listed.filter(
    (path): path is string => typeof path === 'string' && !/[*]|\.ex$/.test(path),
  );
  return [...new Set(['lib', ...folders])];
}

function readDeps(listed: Value | undefined, scope: Scope) {
  const isKnown = Array.isArray(listed) && !listed.some((item) => item instanceof Unknown);
  // `deps: with_lock(deps())`: what the wrapper does may be unreadable, the list inside it is not.
  const lists = [listed, isKnown ? [] : call(scope, 'deps')];
  const items = lists.flatMap((list) => (Array.isArray(list) ? list : [new Unknown('deps')]));
  const seen = new Set<string>();
  return {
    deps: items.flatMap(readDep).filter(({ name, prod }) => {
      const key = `${name} ${prod}`;
      return !seen.has(key) && seen.add(key);
    }),
    depsIncomplete: items.some((item) => item instanceof Unknown),
  };
}

function readDep(item: Value): Dep[] {
  if (!(item instanceof Tuple)) return [];
  const [name, second = null, third] = item.items;
  if (!(name instanceof Atom)) return [];
  const options = third ?? (isKeyword(second) ? second : []);
  return [{ name: name.name, prod: isForProduction(get(options, 'only')), options }];
}

function isForProduction(only: Value | undefined): boolean {
  if (only === undefined || only instanceof Unknown) return true;
  return (Array.isArray(only) ? only : [only]).some((name) => atomName(name) === 'prod');
}

const archives = (listed: Value | undefined): [string, string][] =>
  (Array.isArray(listed) ? listed : []).flatMap((one): [string, string][] => {
    const [name, requirement] = one instanceof Tuple ? one.items : [];
    const known = atomName(name);
    return known ? [[known, typeof requirement === 'string' ? requirement : '>= 0.0.0']] : [];
  });

/** Names in a list; what is unknown in it is Mix.compilers(), as far as anybody has seen. */
const compilers = (listed: Value | undefined): string[] =>
  (Array.isArray(listed) ? listed : [listed]).flatMap((name) => atomName(name) ?? []);

const stepNames = (steps: Value): string[] =>
  (Array.isArray(steps) ? steps.flat() : [steps]).map((step) =>
    typeof step === 'string' ? step : '(a function)',
  );

/** Functions that stop when there is no such file. */
const DEMANDS = /!$|_file$/;

/** What runs while the file is loaded: everything but functions. */
const loadedBody = (body: readonly Expr[], modules: readonly DefinedModule[]): Expr[] =>
  [...body, ...modules.flatMap((module) => module.body)].filter(
    (expr) => expr.is !== 'call' || !/^def\w*$/.test(expr.name),
  );

/** @param by names of the functions that read */
function readsFiles(body: readonly Expr[], scope: Scope, by = /./): string[] {
  const found = new Set<string>();
  const add = (expr: Expr | undefined) => {
    const path = evaluate(expr, scope);
    if (typeof path === 'string') found.add(normalize(path));
  };
  walk(body, (expr) => {
    if (expr.is === 'attribute' && expr.name === 'external_resource') add(expr.value);
    if (expr.is !== 'call' || !by.test(expr.name)) return;
    if (
      /^(File\.(read!?|stream!)|Code\.(eval|require)_file)$/.test(`${moduleOf(expr)}.${expr.name}`)
    )
      add(callOf(expr.offset, 'expand', expr.args, PATH));
  });
  return [...found];
}

const PATH: Expr = { is: 'module', offset: 0, name: 'Path' };
