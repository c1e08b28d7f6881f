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
import { unique } from './unique.ts';

/** A dependency of mix.exs. */
export interface Dep {
  name: string;
  /** `only:` allows MIX_ENV=prod. */
  prod: boolean;
  /** A keyword list. */
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
  const runFunction = (name: string) => {
    // The image's environment holds nothing that mix.exs asks for
    const run = new Run(tree, { environment: {}, folder: dir });
    return { run, value: run.runFunction({ file, text, scope }, name, []) };
  };
  const project = runFunction('project');
  const application = runFunction('application');
  const field = (key: string) => get(project.value, key);
  const mod = get(application.value, 'mod');
  const releases = pairs(field('releases'));
  const deps = field('deps');
  const requiredInputs = unique([...project.run.inputs, ...application.run.inputs]);
  return {
    /** Folder of the mix.exs, relative to the app; "." for its own. */
    dir,
    text,
    app: atomName(field('app')) ?? null,
    /** The requirement of `elixir:`, e.g. "~> 1.15". */
    elixir: textOf(field('elixir')),
    /** `mod:` of application/0, e.g. Shop.Application. */
    applicationModule: moduleName(mod instanceof Tuple ? mod.items[0] : mod) ?? null,
    /** Variables that application/0 reads without a default, such as for `env:`; it is read while the image is built. */
    applicationReads: [...application.run.variables.nilReads.values()],
    /** Those of them without which it stops. */
    applicationDemands: [...application.run.variables.missing.values()].map((read) => ({
      ...read,
      compileTime: true,
    })),
    projectModule: module?.name ?? null,
    appsPath: textOf(field('apps_path')),
    /** `elixirc_paths:` in production and folders of other compilers, relative to `dir`. */
    sourceFolders: [
      ...elixirFolders(field('elixirc_paths')),
      ...['src', 'include'].filter((folder) => holdsErlang(tree, `${below(dir, folder)}/`)),
    ],
    // `deps: with_lock(deps())`: what the wrapper does may be unreadable, the list inside it is not
    deps: (isKnown(deps) ? deps : [...listOf(runFunction('deps').value), ...listOf(deps)]).flatMap(
      readDep,
    ),
    /** deps/0 could not be followed to the end. */
    depsIncomplete: !isKnown(deps),
    /** The steps of each alias; "(a function)" for those that are no text. */
    aliases: new Map(pairs(field('aliases')).map(([name, steps]) => [name, stepNames(steps)])),
    /** `archives:`, what Mix itself must have installed: name and requirement. */
    archives: listOf(field('archives')).flatMap(readArchive),
    /** Names in `compilers:`; what is unknown in it is Mix.compilers(), as far as anybody has seen. */
    compilers: listOf(field('compilers')).flatMap((name) => atomName(name) ?? []),
    releases: releases.map(([name]) => name),
    /** `releases:` options of each release, by name. */
    releaseOptions: new Map(releases),
    defaultRelease: atomName(field('default_release')) ?? null,
    /** Files that mix.exs reads while it loads, relative to the app (`../x` above it); the build needs them first. */
    inputs: unique([...requiredInputs, ...possibleInputs(tree, dir, text)]),
    /** Those of them without which it can't be loaded; `File.read` does with a missing file. */
    requiredInputs,
    /** Whether it has folders of its own for what the build fetches and compiles, in place of deps and _build. */
    movesFolders: ['deps_path', 'build_path'].some((key) => field(key) !== undefined),
    /** The first place that could not be read as Elixir. */
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

/** lib/ counts always; without a list that can be read web/ does too, where Phoenix 1.2 had its code. */
function elixirFolders(paths: Value | undefined): string[] {
  const folders = (Array.isArray(paths) ? paths : ['web']).filter(
    (path): path is string => typeof path === 'string' && !/[*]|\.ex$/.test(path),
  );
  return unique(['lib', ...folders]);
}

const isKnown = (list: Value | undefined): list is Value[] =>
  Array.isArray(list) && !list.some((item) => item instanceof Unknown);

/** `{:phoenix, "~> 1.8", only: :prod}` */
function readDep(row: Value): Dep[] {
  const [name, second = null, third] = row instanceof Tuple ? row.items : [];
  if (!(name instanceof Atom)) return [];
  const options = third ?? (isKeyword(second) ? second : []);
  const only = get(options, 'only') ?? new Atom('prod');
  const environments = Array.isArray(only) ? only.map(atomName) : [atomName(only)];
  const prod = only instanceof Unknown || environments.includes('prod');
  return [{ name: name.name, prod, options }];
}

/** `{:nerves_bootstrap, "~> 1.0"}` */
function readArchive(archive: Value): [name: string, requirement: string][] {
  const [name, requirement] = archive instanceof Tuple ? archive.items : [];
  return name instanceof Atom ? [[name.name, textOf(requirement) ?? '>= 0.0.0']] : [];
}

const stepNames = (steps: Value): string[] =>
  (Array.isArray(steps) ? steps.flat() : [steps]).map((step) =>
    typeof step === 'string' ? step : '(a function)',
  );

/** `File.read("NOTES")`, `Code.require_file("x.exs", __DIR__)`, `File.read!(Path.join(__DIR__, "VERSION"))` */
const READ_CALL =
  /(?:File\.(?:read|stream)!?|Code\.\w+_file|@external_resource)[( ]*(?:Path\.\w+\((?:__DIR__, *)?)?"([^"#]+)"/g;

/** Reads that do without the file, or stand where no function runs them. */
const possibleInputs = (tree: Tree, dir: string, text: string): string[] =>
  [...text.matchAll(READ_CALL)]
    .map(([, path = '']) => normalize(below(dir, path)))
    .filter((path) => tree.paths.has(path));

/** An alias may lead to itself, or a long way. */
const MAX_ALIASES = 100;

/** The steps of an alias, those of aliases among them in their place. One that is met again means the task of that name. */
export function aliasSteps(owner: MixProject, step: string, seen = new Set<string>()): string[] {
  const steps = owner.aliases.get(step);
  if (!steps || seen.has(step) || seen.size > MAX_ALIASES) return [step];
  seen.add(step);
  return steps.flatMap((next) => aliasSteps(owner, next, seen));
}
