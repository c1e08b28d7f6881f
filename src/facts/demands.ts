import { Run } from '../elixir/run.ts';
import type { VariableRead } from '../elixir/types.ts';
import { Environment, get, Unknown } from '../elixir/value.ts';
import { configFile, READERS, variablesIn } from './config.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';

/**
 * The environment variables that a production build or start asks for: the app is started in thought with an
 * empty environment, and whatever then stops the start is what it demands.
 */
export function demands(repo: PhoenixRepo, repoModules: readonly string[]) {
  const { code, released, runtime, notes } = repo;
  const { run, built, nilReads } = dryStart(repo, repoModules);
  if (run.opaque.size)
    notes.push(
      `${[...run.opaque].join(', ')} reads the environment under computed names, so the variables it demands can't be listed.`,
    );
  const stops = run.missing.map((read, index) => ({ ...read, compileTime: index < built }));
  const applicationDemands = released.flatMap((project) => project.applicationDemands);
  const required = firstByName([...stops, ...applicationDemands, ...code.fetchEnv]);
  const atBuild = new Set(required.filter((read) => read.compileTime).map(({ name }) => name));
  const applicationReads = released.flatMap((project) => project.applicationReads);
  const buildReads = firstByName([...nilReads, ...applicationReads, ...code.buildReads]).filter(
    ({ name }) => !atBuild.has(name),
  );
  const again = new Set(variablesIn((runtime && repo.theirs.read(runtime)) ?? ''));
  const kept = buildReads.filter(({ name }) => !again.has(name));
  const listed = kept.map(({ name, file, line }) => `${name} (${file}:${line})`).join(', ');
  if (listed)
    notes.push(
      `Read while the image is built, without Fly's secrets, so the release keeps nil: ${listed}. Read them in config/runtime.exs, or give them to the build.`,
    );
  return {
    /** Variables that the app demands, in the order it meets them: without them it does not build or boot. */
    required,
    /** Variables that config.exs, prod.exs or a module's body read while the image is built, without a default. */
    buildReads,
  };
}

/** What the build reads is told from what the start reads by when the run met it. */
function dryStart(repo: PhoenixRepo, repoModules: readonly string[]) {
  const { config, released, code, runtime, sources } = repo;
  const run = new Run(repo.theirs, {
    environment: {},
    readers: READERS,
    // Only a module that reads the environment is worth following
    module: (name, args) => {
      const text = sources.text(sources.fileOf(name) ?? '');
      const reads = /System\.(get|fetch)_env/.test(text);
      const isGiven = args.some((arg) => arg instanceof Environment);
      return reads || isGiven ? sources.module(name)?.scope : undefined;
    },
  });
  for (const { dir } of released) run.runFile(configFile(dir));
  const built = run.missing.length;
  const builtReads = [...run.nilReads.values()];
  if (runtime) run.runFile(runtime);
  const unknown = new Unknown('an argument');
  for (const { applicationModule } of released) {
    const source = sources.module(applicationModule ?? '');
    if (source) run.runFunction(source, 'start', [unknown, unknown]);
  }
  for (const name of [...code.endpoints.map(({ module }) => module), ...repoModules]) {
    const settings = [...config.apps.values()].map((app) => get(app, name)).find(Boolean);
    const source = sources.module(name);
    if (source) run.runFunction(source, 'init', [unknown, settings ?? unknown]);
  }
  return { run, built, nilReads: builtReads.filter(({ name }) => run.nilReads.has(name)) };
}

function firstByName<Read extends VariableRead>(reads: readonly Read[]): Read[] {
  const names = new Set<string>();
  return reads.filter(({ name }) => !names.has(name) && names.add(name));
}
