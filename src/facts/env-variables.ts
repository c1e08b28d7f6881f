import { Run } from '../elixir/run.ts';
import { lineAt } from '../elixir/syntax.ts';
import type { VariableRead } from '../elixir/types.ts';
import { Environment, get, Unknown } from '../elixir/value.ts';
import { configFile, READERS, type RequiredEnv, variablesIn } from './config.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';
import { uniqueBy } from './unique.ts';

/**
 * The environment variables that a production build or start asks for: the start of a release is simulated with an
 * empty environment, and whatever would stop it is required.
 */
export function envVariables(repo: PhoenixRepo, repoModules: readonly string[]) {
  const { code, released, notes } = repo;
  const { buildRun, run } = simulateStart(repo, repoModules);
  const { missing, nilReads: startReads, opaque } = run.variables;
  if (opaque.size)
    notes.push(
      `${[...opaque].join(', ')} reads the environment under computed names, so the variables it demands can't be listed.`,
    );
  const demands: RequiredEnv[] = [
    ...[...missing.values()].map((read) => ({
      ...read,
      compileTime: buildRun.missing.has(read.name),
    })),
    ...released.flatMap((project) => project.applicationDemands),
    ...code.fetchEnv,
  ];
  const required = uniqueBy(demands, ({ name }) => name);
  const requiredByBuild = required.filter(({ compileTime }) => compileTime);
  const nilReads: (VariableRead & { hasDefault?: true })[] = [
    ...publicSecrets(repo),
    ...buildRun.nilReads.filter(({ name }) => startReads.has(name)),
    ...released.flatMap((project) => project.applicationReads),
    ...code.buildReads,
  ].filter(({ name }) => !requiredByBuild.some((read) => read.name === name));
  const buildReads = uniqueBy(nilReads, ({ name }) => name);
  noteNilReads(repo, buildReads);
  return {
    /** Variables that the app demands, in the order it meets them: without them it does not build or boot. */
    required,
    /** Variables that config.exs, prod.exs or a module's body read while the image is built, without a default; secrets also with one. */
    buildReads,
  };
}

/** `System.get_env("TOKEN_SECRET") || "text"`, `get_env("API_KEY", "text")` */
const PUBLIC_SECRET =
  /System\.get_env\(\s*"(\w*(?:SECRET|PASSWORD|TOKEN|(?:API|PRIVATE|ENCRYPTION|SIGNING)_KEY))"(?:,|\)\s*\|\|)\s*"[^"$]+"/g;

/** Secrets of the build's config files with a default, which everybody knows who knows the code. */
function publicSecrets({ config, runtime, ownersTree }: PhoenixRepo) {
  const files = config.files.filter((file) => file !== runtime);
  return files.flatMap((file) => {
    const code = (ownersTree.read(file) ?? '').replace(/^ *#.*$/gm, '#');
    return [...code.matchAll(PUBLIC_SECRET)].map(({ 1: name = '', index }) => {
      return { name, file, line: lineAt(code, index), hasDefault: true as const };
    });
  });
}

/** Only those count that runtime.exs doesn't read again. */
function noteNilReads(
  { runtime, ownersTree, notes }: PhoenixRepo,
  buildReads: VariableRead[],
): void {
  const readAgain = new Set(variablesIn((runtime && ownersTree.read(runtime)) ?? ''));
  const kept = buildReads.filter(({ name }) => !readAgain.has(name));
  const list = kept.map(({ name, file, line }) => `${name} (${file}:${line})`).join(', ');
  if (list)
    notes.push(
      `Read while the image is built, without Fly's secrets, so where config/runtime.exs doesn't set the same, the release keeps nil, or the default in the code: ${list}. Read them in config/runtime.exs, or give them to the build.`,
    );
}

/** Runs what a build and a start run, in that order. `buildRun` is what the build's part has met. */
function simulateStart(repo: PhoenixRepo, repoModules: readonly string[]) {
  const { config, root, release, released, code, runtime, sources } = repo;
  const run = new Run(repo.ownersTree, {
    environment: {},
    readers: READERS,
    // Only a module that reads the environment is worth following
    module: (name, args) => {
      const isGivenEnv = args.some((arg) => arg instanceof Environment);
      return sources.module(name, isGivenEnv ? undefined : /System\.(get|fetch)_env/)?.scope;
    },
  });
  for (const { dir } of released) run.runFile(configFile(dir));
  const { missing, nilReads } = run.variables;
  const buildRun = { missing: new Set(missing.keys()), nilReads: [...nilReads.values()] };
  // Set by bin/NAME, so that runtime.exs can tell a release from Mix
  run.variables.environment = { RELEASE_MODE: 'embedded', RELEASE_NAME: release ?? root.app ?? '' };
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
  return { run, buildRun };
}
