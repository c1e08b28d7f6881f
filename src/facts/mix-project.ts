import { evaluate, evaluateBody } from '../elixir/evaluate.ts';
import { callsIn, modulesIn } from '../elixir/modules.ts';
import { emptyEnvironment, inner, moduleScope, type Scope } from '../elixir/scope.ts';
import { type Expr, lineAt, parseElixir, type SyntaxProblem, walk } from '../elixir/syntax.ts';
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
import type { Tree } from '../tree.ts';
import { normalize } from './paths.ts';

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
  applicationReads: { name: string; line: number }[];
  projectModule: string | null;
  appsPath: string | null;
  /** `elixirc_paths:` in production, relative to `dir`. */
  sourceFolders: string[];
  deps: Dep[];
  aliases: Map<string, string[]>;
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
  const inDir = (path: string) => (dir === '.' ? path : `${dir}/${path}`);
  const text = tree.read(inDir('mix.exs'));
  if (text === undefined) return undefined;
  const source = parseElixir(text);
  const modules = modulesIn(source.body);
  const module =
    modules.find((one) =>
      callsIn(one.body, 'use').some(
        (use) => use.args[0]?.is === 'module' && use.args[0].name === 'Mix.Project',
      ),
    ) ?? modules[0];
  const loaded = new Set<string>();
  const readFile = (path: string) => {
    loaded.add(normalize(path));
    return normalize(inDir(path)).startsWith('..') ? undefined : tree.read(normalize(inDir(path)));
  };
  // What is built has the image's environment, which is empty as far as mix.exs is concerned
  const scope: Scope = { ...moduleScope(module?.body ?? [], readFile), world: emptyEnvironment() };
  const project = run(scope, 'project');
  const listed = get(project, 'deps');
  // `deps: with_lock(deps())`: what the wrapper does may be unreadable, the list inside it is not.
  const plain =
    Array.isArray(listed) && !listed.some((item) => item instanceof Unknown)
      ? []
      : run(scope, 'deps');
  const depsValue = [listed, plain].flatMap((list): Value[] =>
    Array.isArray(list) ? list : [new Unknown('deps')],
  );
  const applicationReads = new Map<string, { name: string; line: number }>();
  const application = run(
    {
      ...scope,
      world: {
        ...emptyEnvironment(),
        env: (name, fallback, demanded, at) => {
          const known = typeof name === 'string' && (demanded || fallback === null);
          if (known) applicationReads.set(name, { name, line: lineAt(text, at) });
          return demanded ? new Unknown('the environment') : fallback;
        },
      },
    },
    'application',
  );
  const paths = get(project, 'elixirc_paths');
  const releases = get(project, 'releases');
  const there = (path: string) => path.startsWith('..') || tree.paths.has(normalize(inDir(path)));
  const outsideFunctions = [...source.body, ...modules.flatMap(({ body }) => body)].filter(
    (expr) => expr.is !== 'call' || !/^(def\w*)$/.test(expr.name),
  );
  return {
    dir,
    app: atomName(get(project, 'app')) ?? null,
    elixir: text2(get(project, 'elixir')),
    applicationModule: applicationModule(application),
    applicationReads: [...applicationReads.values()],
    projectModule: module?.name ?? null,
    appsPath: text2(get(project, 'apps_path')),
    sourceFolders: [
      ...new Set([
        'lib',
        ...(Array.isArray(paths)
          ? paths.flatMap((path) =>
              typeof path === 'string' && !/[*]|\.ex$/.test(path) ? path : [],
            )
          : ['web']),
      ]),
    ],
    deps: uniqueDeps(depsValue.flat().flatMap((item) => dep(item))),
    depsIncomplete: depsValue.flat().some((item) => item instanceof Unknown),
    aliases: new Map(
      pairs(get(project, 'aliases')).map(([name, steps]) => [name, stepNames(steps)]),
    ),
    compilers: compilers(get(project, 'compilers')),
    releases: pairs(releases).map(([name]) => name),
    releaseOptions: new Map(pairs(releases)),
    defaultRelease: atomName(get(project, 'default_release')) ?? null,
    readsFiles: readsFiles(source.body, scope).filter(there),
    demandsFiles: [
      ...new Set([
        ...readsFiles(source.body, scope, /!$|_file$/).filter((path) => loaded.has(path)),
        ...readsFiles(outsideFunctions, scope, /!$|_file$/),
      ]),
    ].filter(there),
    problem: source.problem,
  };
}

const text2 = (value: Value | undefined): string | null =>
  typeof value === 'string' ? value : null;

const uniqueDeps = (deps: Dep[]): Dep[] =>
  deps.filter(
    (dep, index) =>
      !deps
        .slice(0, index)
        .some((earlier) => earlier.name === dep.name && earlier.prod === dep.prod),
  );

function run(scope: Scope, name: string): Value | undefined {
  const clause = scope.functions.get(name)?.[0];
  return clause && evaluateBody(clause.body, inner(scope));
}

function applicationModule(application: Value | undefined): string | null {
  const mod = get(application, 'mod');
  return mod instanceof Tuple ? (moduleName(mod.items[0]) ?? null) : (moduleName(mod) ?? null);
}

function dep(item: Value): Dep[] {
  if (!(item instanceof Tuple)) return [];
  const [name, second, third] = item.items;
  if (!(name instanceof Atom)) return [];
  const options = third ?? (isKeyword(second) ? second : []);
  const only = get(options, 'only');
  const onlyNames =
    only === undefined || only instanceof Unknown
      ? ['prod']
      : (Array.isArray(only) ? only : [only]).map((one) => atomName(one));
  return [{ name: name.name, prod: onlyNames.includes('prod'), options }];
}

/** Names in a list; what is unknown in it is Mix.compilers(), as far as anybody has seen. */
const compilers = (listed: Value | undefined): string[] =>
  (Array.isArray(listed) ? listed : [listed]).flatMap((one) => atomName(one) ?? []);

function stepNames(steps: Value): string[] {
  return (Array.isArray(steps) ? steps.flat() : [steps]).map((step) =>
    typeof step === 'string' ? step : '(a function)',
  );
}

/** @param by names of the functions that read */
function readsFiles(body: readonly Expr[], scope: Scope, by = /./): string[] {
  const found = new Set<string>();
  walk(body, (expr) => {
    if (expr.is === 'attribute' && expr.name === 'external_resource') add(expr.value);
    if (expr.is !== 'call' || expr.on?.is !== 'module' || !by.test(expr.name)) return;
    if (
      (expr.on.name === 'File' && ['read!', 'read', 'stream!'].includes(expr.name)) ||
      (expr.on.name === 'Code' && ['eval_file', 'require_file'].includes(expr.name))
    )
      add({ ...expr, on: { is: 'module', at: expr.at, name: 'Path' }, name: 'expand' });
  });
  function add(expr: Expr | undefined) {
    const path = evaluate(expr, scope);
    if (typeof path === 'string') found.add(normalize(path));
  }
  return [...found];
}
