import { evaluateBody } from '../elixir/evaluate.ts';
import type { Call } from '../elixir/expr.ts';
import { callsIn, modulesIn } from '../elixir/modules.ts';
import { Run } from '../elixir/run.ts';
import { inner, moduleScope, type Scope } from '../elixir/scope.ts';
import { parseElixir } from '../elixir/syntax.ts';
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
export type MixProject = NonNullable<ReturnType<typeof readMixProject>>;

/** Reads `dir`/mix.exs; undefined when there is none. */
export function readMixProject(tree: Tree, dir: string) {
  const file = below(dir, 'mix.exs');
  const text = tree.read(file);
  if (text === undefined) return undefined;
  const source = parseElixir(text);
  const modules = modulesIn(source.body);
  const module = modules.find(({ body }) => callsIn(body, 'use').some(usesMix)) ?? modules[0];
  // What is built has the image's environment, which is empty as far as mix.exs is concerned
  const host = new Run(tree, { environment: {}, folder: dir });
  const scope = moduleScope(module?.body ?? [], module?.name, host);
  const project = call(scope, 'project');
  const started = new Run(tree, { environment: {}, folder: dir });
  const application = started.runFunction({ file, text, scope }, 'application', []);
  const mod = get(application, 'mod');
  const inputs = [host, started].flatMap((run) => [...run.inputs.values()]);
  const demands = [...new Set(inputs.flatMap((paths) => [...paths]))];
  const mayRead = [...text.matchAll(MAY_READ)].map(([, path = '']) => normalize(below(dir, path)));
  const field = (key: string) => get(project, key);
  const releases = pairs(field('releases'));
  return {
    dir,
    app: atomName(field('app')) ?? null,
    elixir: textOf(field('elixir')),
    /** `mod:` of application/0, e.g. Shop.Application. */
    applicationModule: moduleName(mod instanceof Tuple ? mod.items[0] : mod) ?? null,
    /** Variables that application/0 reads without a default, such as for `env:`; it is read while the image is built. */
    applicationReads: [...started.nilReads.values()],
    /** Those without which it stops. */
    applicationDemands: started.stops.flatMap(({ variable, file, line }) =>
      variable === null ? [] : [{ name: variable, file, line, compileTime: true }],
    ),
    projectModule: module?.name ?? null,
    appsPath: textOf(field('apps_path')),
    /** `elixirc_paths:` in production, relative to `dir`. */
    sourceFolders: [
      ...sourceFolders(field('elixirc_paths')),
      ...['src', 'include'].filter((folder) => holdsErlang(tree, `${below(dir, folder)}/`)),
    ],
    ...readDeps(field('deps'), scope),
    aliases: new Map(pairs(field('aliases')).map(([name, steps]) => [name, stepNames(steps)])),
    /** `archives:`, what Mix itself must have installed: name and requirement. */
    archives: listOf(field('archives')).flatMap((archive): [string, string][] => {
      const [name, requirement] = archive instanceof Tuple ? archive.items : [];
      const known = atomName(name);
      return known ? [[known, textOf(requirement) ?? '>= 0.0.0']] : [];
    }),
    /** Names in `compilers:`; what is unknown in it is Mix.compilers(), as far as anybody has seen. */
    compilers: listOf(field('compilers')).flatMap((name) => atomName(name) ?? []),
    releases: releases.map(([name]) => name),
    /** `releases:` options of each release, by name. */
    releaseOptions: new Map(releases),
    defaultRelease: atomName(field('default_release')) ?? null,
    /** Files that mix.exs reads while it loads, relative to the app (`../x` above it); the build needs them first. */
    reads: [...new Set([...demands, ...mayRead.filter((path) => tree.paths.has(path))])],
    /** Those without which it can't be loaded: not by `File.read` that takes a missing file. */
    demands,
    problem: source.problem,
  };
}

const usesMix = ({ args: [target] }: Call): boolean =>
  target?.is === 'module' && target.name === 'Mix.Project';

const textOf = (value: Value | undefined): string | null =>
  typeof value === 'string' ? value : null;

const listOf = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : []);

function call(scope: Scope, name: string): Value | undefined {
  const clause = scope.functions.get(name)?.[0];
  return clause && evaluateBody(clause.body, inner(scope));
}

/** Code of Mix's other compilers: Erlang, its parsers, Gleam. */
const holdsErlang = ({ paths }: Tree, folder: string): boolean =>
  [...paths].some((path) => path.startsWith(folder) && /\.(erl|hrl|[xy]rl|gleam)$/.test(path));

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
  const found = new Map<string, Dep>();
  for (const item of [...(isKnown ? [] : listOf(call(scope, 'deps'))), ...listOf(listed)]) {
    const [name, second = null, third] = item instanceof Tuple ? item.items : [];
    if (!(name instanceof Atom)) continue;
    const options = third ?? (isKeyword(second) ? second : []);
    const prod = isForProduction(get(options, 'only'));
    found.set(`${name.name} ${prod}`, { name: name.name, prod, options });
  }
  return {
    deps: [...found.values()],
    /** deps/0 could not be followed to the end. */
    depsIncomplete: !isKnown,
  };
}

function isForProduction(only: Value | undefined): boolean {
  if (only === undefined || only instanceof Unknown) return true;
  return (Array.isArray(only) ? only : [only]).some((name) => atomName(name) === 'prod');
}

const stepNames = (steps: Value): string[] =>
  (Array.isArray(steps) ? steps.flat() : [steps]).map((step) =>
    typeof step === 'string' ? step : '(a function)',
  );

/** Reads that do without the file. */
const MAY_READ = /(?:File\.read|@external_resource)\(? *"([^"#]+)"/g;
