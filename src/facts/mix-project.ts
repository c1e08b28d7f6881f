import type { Call } from '../elixir/expr.ts';
import { callsIn, modulesIn } from '../elixir/modules.ts';
import { Run } from '../elixir/run.ts';
import { moduleScope } from '../elixir/scope.ts';
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
  const scope = moduleScope(module?.body ?? [], module?.name);
  // What is built has the image's environment, which is empty as far as mix.exs is concerned
  const ran = (name: string) => {
    const run = new Run(tree, { environment: {}, folder: dir });
    return { run, value: run.runFunction({ file, text, scope }, name, []) };
  };
  const { run, value: project } = ran('project');
  const { run: started, value: application } = ran('application');
  const mod = get(application, 'mod');
  const inputs = [run, started].flatMap(({ inputs }) => [...inputs.values()]);
  const demands = [...new Set(inputs.flatMap((paths) => [...paths]))];
  const mayRead = [...text.matchAll(MAY_READ)].map(([, path, piped = '']) =>
    normalize(below(dir, path ?? piped)),
  );
  const field = (key: string) => get(project, key);
  const releases = pairs(field('releases'));
  const deps = field('deps');
  return {
    dir,
    app: atomName(field('app')) ?? null,
    elixir: textOf(field('elixir')),
    /** `mod:` of application/0, e.g. Shop.Application. */
    applicationModule: moduleName(mod instanceof Tuple ? mod.items[0] : mod) ?? null,
    /** Variables that application/0 reads without a default, such as for `env:`; it is read while the image is built. */
    applicationReads: [...started.nilReads.values()],
    /** Those without which it stops. */
    applicationDemands: started.missing.map((read) => ({ ...read, compileTime: true })),
    projectModule: module?.name ?? null,
    appsPath: textOf(field('apps_path')),
    /** `elixirc_paths:` in production, relative to `dir`. */
    sourceFolders: [
      ...sourceFolders(field('elixirc_paths')),
      ...['src', 'include'].filter((folder) => holdsErlang(tree, `${below(dir, folder)}/`)),
    ],
    // `deps: with_lock(deps())`: what the wrapper does may be unreadable, the list inside it is not
    deps: isKnown(deps)
      ? readDeps(deps)
      : readDeps([...listOf(ran('deps').value), ...listOf(deps)]),
    /** deps/0 could not be followed to the end. */
    depsIncomplete: !isKnown(deps),
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

const isKnown = (listed: Value | undefined): listed is Value[] =>
  Array.isArray(listed) && !listed.some((item) => item instanceof Unknown);

function readDeps(listed: readonly Value[]): Dep[] {
  const found = new Map<string, Dep>();
  for (const item of listed) {
    const [name, second = null, third] = item instanceof Tuple ? item.items : [];
    if (!(name instanceof Atom)) continue;
    const options = third ?? (isKeyword(second) ? second : []);
    const only = get(options, 'only') ?? new Atom('prod');
    const environments = Array.isArray(only) ? only.map(atomName) : [atomName(only)];
    const prod = only instanceof Unknown || environments.includes('prod');
    found.set(`${name.name} ${prod}`, { name: name.name, prod, options });
  }
  return [...found.values()];
}

const stepNames = (steps: Value): string[] =>
  (Array.isArray(steps) ? steps.flat() : [steps]).map((step) =>
    typeof step === 'string' ? step : '(a function)',
  );

/** Reads that do without the file, or stand where no function runs them: `Code.require_file("x", __DIR__)`, `"x" |> File.read!()`. */
const MAY_READ =
  /(?:File\.(?:read|stream)!?|Code\.\w+_file|@external_resource)[( ]*(?:Path\.\w+\((?:__DIR__, *)?)?"([^"#]+)"|"([^"#]+)"\)?(?: *\|> *Path\.\w+\(__DIR__\))?\s*\|> *File\.read/g;

/** Deeper than this no alias is followed. */
const DEEPEST = 20;

/**
 * The steps of an alias, with aliases among them followed, each once, as Mix runs a task once; an alias that names itself
 * means the task.
 */
export function followed(
  owner: MixProject,
  step: string,
  inside: readonly string[] = [],
  seen = new Set<string>(),
): string[] {
  const steps = owner.aliases.get(step);
  if (!steps || inside.includes(step) || inside.length > DEEPEST) return [step];
  if (seen.has(step)) return [];
  seen.add(step);
  return steps.flatMap((next) => followed(owner, next, [...inside, step], seen));
}
