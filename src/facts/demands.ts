import { type KnownFunction, Run, type VariableRead } from '../elixir/run.ts';
import { Environment, get, Unknown, type Value } from '../elixir/value.ts';
import type { Tree } from '../tree.ts';
import type { Code } from './code.ts';
import { type Config, configFile, type RequiredEnv } from './config.ts';
import type { MixProject } from './mix-project.ts';
import type { Sources } from './sources.ts';

interface Start {
  tree: Tree;
  sources: Sources;
  config: Config;
  projects: readonly MixProject[];
  code: Code;
  endpoints: readonly string[];
  repos: readonly string[];
  /** runtime.exs, or the releases.exs of old. */
  runtime: string | undefined;
  notes: string[];
}

interface Demands {
  /** What a production build or start stops without, in the order it meets them. */
  required: RequiredEnv[];
  /** What the build reads and takes as nil when it isn't there. */
  buildReads: VariableRead[];
}

/** Reads a variable; with more arguments than `demanding` it has a default. */
const reader =
  (demanding: number): KnownFunction =>
  (args, read) => {
    const [name = null] = args;
    const fallback = args.length > 1 ? (args.at(-1) ?? null) : null;
    return typeof name === 'string'
      ? read(name, fallback, args.length <= demanding)
      : new Unknown('the environment');
  };

const PACKAGES = {
  'Envious.required!': reader(1),
  'Envious.optional': reader(0),
  'Dotenvy.env!': reader(2),
};

/**
 * The environment variables that a production build or start asks for: the app is started in thought with an
 * empty environment, and whatever then stops the start is what it demands.
 */
export function demands(start: Start): Demands {
  const { code, notes } = start;
  const { run, built, nilReads } = dryStart(start);
  if (run.opaque.size)
    notes.push(
      `${[...run.opaque].join(', ')} reads the environment under computed names, so the variables it demands can't be listed.`,
    );
  const required = firstByName([
    ...run.stops.flatMap(({ variable, file, line }, index): RequiredEnv[] =>
      variable === null ? [] : [{ name: variable, file, line, compileTime: index < built }],
    ),
    ...code.fetchEnv,
  ]);
  const atBuild = new Set(required.filter((read) => read.compileTime).map(({ name }) => name));
  const buildReads = firstByName([
    ...nilReads,
    ...start.projects.flatMap((project) => project.applicationReads),
    ...code.buildReads,
  ]).filter(({ name }) => !atBuild.has(name));
  if (buildReads.length) {
    const listed = buildReads.map(({ name, file, line }) => `${name} (${file}:${line})`);
    notes.push(
      `Read while the image is built, without Fly's secrets, so the release keeps nil: ${listed.join(', ')}. Read them in config/runtime.exs, or give them to the build.`,
    );
  }
  return { required, buildReads };
}

/** What the build reads is told from what the start reads by when the run met it. */
function dryStart({ tree, sources, config, projects, endpoints, repos, runtime }: Start) {
  const run = new Run(tree, {
    environment: {},
    functions: PACKAGES,
    module: (name, args) => readingModule(sources, name, args)?.scope,
  });
  for (const { dir } of projects) run.runFile(configFile(dir));
  const built = run.stops.length;
  const builtReads = [...run.nilReads.values()];
  if (runtime) run.runFile(runtime);
  const unknown = new Unknown('an argument');
  const callback = (module: string, name: string, first: Value, second: Value) => {
    const source = sources.module(module);
    if (source) run.runFunction(source, name, [first, second]);
  };
  for (const { applicationModule } of projects)
    if (applicationModule) callback(applicationModule, 'start', unknown, unknown);
  for (const module of [...endpoints, ...repos]) {
    const settings = [...config.apps.values()].map((app) => get(app, module)).find(Boolean);
    callback(module, 'init', unknown, settings ?? unknown);
  }
  return { run, built, nilReads: builtReads.filter(({ name }) => run.nilReads.has(name)) };
}

/** Only a module that reads the environment is worth following. */
function readingModule(sources: Sources, name: string, args: readonly Value[]) {
  const file = sources.fileOf(name);
  const reads =
    file !== undefined &&
    (args.some((arg) => arg instanceof Environment) ||
      /System\.(get|fetch)_env/.test(sources.text(file)));
  return reads ? sources.module(name) : undefined;
}

function firstByName<Read extends VariableRead>(reads: readonly Read[]): Read[] {
  const names = new Set<string>();
  return reads.filter(({ name }) => !names.has(name) && names.add(name));
}
