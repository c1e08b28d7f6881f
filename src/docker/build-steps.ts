import satisfies from 'semver/functions/satisfies.js';
import { Atom, get } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';
import { elixirAtom, shellWord } from '../quote.ts';
import { type assetSteps, isNodeStageStep } from './asset-steps.ts';
import { buildVariables, privateAccess, secretLines } from './build-secrets.ts';

/** What the stages run, from the tools that Mix needs to the release. */
export function buildSteps(
  project: Project,
  release: string,
  assets: ReturnType<typeof assetSteps>,
) {
  const variables = buildVariables(project);
  const access = privateAccess(project);
  const getAlias = rootAlias(project, 'deps.get');
  const uncached = uncachedFiles(project);
  return {
    mixTools: mixTools(project),
    depsCache: depsCache(project),
    /** Why the command that fetches dependencies is not the ordinary one. */
    fetchComments: [
      access.secrets.length > 0 &&
        'Private dependencies: BuildKit gives the secrets to this command only',
      variables.length > 0 &&
        'The configuration reads variables while the image is built: fly deploy --build-secret gives them',
      getAlias !== undefined &&
        'mix.exs adds steps to deps.get, whose files are not here yet: without mix.exs, Mix runs the task alone',
    ].filter(Boolean),
    fetchLines: secretLines(variables, access),
    fetch: fetchCommands(project, assets.setup),
    compile: uncached ? 'docker/compile-all' : 'docker/compile-changed',
    /** Why all is compiled anew. */
    uncached,
    buildLines: secretLines(variables),
    build: [
      ...addedSteps(project),
      'compile',
      ...assets.build,
      ...(showsSource(project) && knowsSource(project) ? ['sentry.package_source_code'] : []),
      ...databaseDownloads(project),
      releaseCommand(project, release),
    ].join(' + '),
  };
}

const rootAlias = ({ projects }: Project, name: string): string[] | undefined =>
  projects.find(({ dir }) => dir === '.')?.aliases.get(name);

function mixTools({ projects }: Project): string {
  const archives = projects.flatMap((owner) => owner.archives);
  return [
    'mix local.hex --force --if-missing',
    'mix local.rebar --force --if-missing',
    ...archives.map((words) => `mix archive.install --force hex ${words.map(shellWord).join(' ')}`),
  ].join(' && ');
}

/**
 * The mount in which dependencies are built: a cache that begins with the stage base. Native code of a dependency in the repo
 * is written into its own folder, which no cache holds, so then it is memory that begins empty.
 */
function depsCache({ deps, tree }: Project): string {
  const hasNative = deps.pathSources.some(({ dir }) =>
    /elixir_make|rustler|compilers:/.test(tree.read(`${dir}/mix.exs`) ?? ''),
  );
  return hasNative
    ? 'tmpfs,target=/cache'
    : 'cache,target=/cache,from=base,source=/app,sharing=locked';
}

/** Fetches and compiles dependencies; an umbrella's own apps come later, with their code. */
function fetchCommands(project: Project, assetSetup: readonly string[]): string[] {
  const { app, projects, umbrella } = project;
  const compile = umbrella ? 'deps.compile --skip-umbrella-children' : 'deps.loadpaths';
  const prepare = ['deps.clean --unused', compile, ...assetSetup].join(' + ');
  if (!rootAlias(project, 'deps.get')) return [`mix do deps.get --only prod + ${prepare}`];
  // The task itself, not the alias of its name
  const name = elixirAtom(projects[0]?.app ?? app.otpApp);
  const code = `Mix.Project.in_project(${name}, "/app", fn _ -> Mix.Tasks.Deps.Get.run(["--only", "prod"]) end)`;
  return [`MIX_EXS=/none mix run --no-mix-exs -e ${shellWord(code)}`, `mix do ${prepare}`];
}

function releaseCommand({ projects, release: { names } }: Project, release: string): string {
  const name = names.length > 1 ? ` ${release}` : '';
  const options = projects.map(({ releaseOptions }) => releaseOptions.get(release));
  const steps = options.flatMap((keywords) => get(keywords, 'steps') ?? []);
  // It puts the release once more into the folder that --path names (Mix.Tasks.Release, 1.20)
  const makesTarball = steps.some((step) => step instanceof Atom && step.name === 'tar');
  const removal = makesTarball ? ' && rm /release/*.tar.gz' : '';
  return `release${name} --overwrite --path /release${removal}`;
}

/** Tasks that the image runs without what an alias adds, or not at all. */
const TASKS_WITHOUT_ALIAS = ['deps.get', 'deps.compile'];

/** The steps that mix.exs adds to these and the image has no other way to do: a Node stage installs packages. */
const addedSteps = (project: Project): string[] =>
  TASKS_WITHOUT_ALIAS.flatMap((alias) => rootAlias(project, alias) ?? []).filter(
    (step) =>
      !/^deps\.(get|compile)\b/.test(step) && step !== '(a function)' && !isNodeStageStep(step),
  );

/**
 * Sentry shows the code around an error when the release holds it (Sentry's guide). The task knows what config.exs and
 * prod.exs set, nothing of runtime.exs, which it evaluated before 10.0.3, without the secrets (its changelog).
 */
function showsSource(project: Project): boolean {
  const shows = get(project.config.apps.get('sentry'), 'enable_source_code_context') === true;
  const reads = satisfies(project.lockedVersion('sentry') ?? '', '>=10.0.3');
  return shows && reads && !runsAlready(project, 'sentry.package_source_code');
}

/** Whether the task knows where the code is; without that it packages nothing (lib/sentry/sources.ex, 2026-08). */
const knowsSource = ({ config }: Project): boolean =>
  ['root_source_code_paths', 'root_source_code_path'].some(
    (key) => get(config.compiled.get('sentry'), key) !== undefined,
  );

/** Databases that these packages look for in their own folder, and don't bring along (their READMEs, 3.12). */
const DATABASES = { ua_inspector: 'UAInspector', ref_inspector: 'RefInspector' };

function databaseDownloads(project: Project): string[] {
  const { config, lockedVersion, sources } = project;
  return Object.entries(DATABASES)
    .filter(([name]) => lockedVersion(name) && !get(config.apps.get(name), 'database_path'))
    .filter(([, module]) => !sources.matching(new RegExp(`${module}\\.Downloader`)).length)
    .map(([name]) => `${name}.download`)
    .filter((task) => !runsAlready(project, task))
    .map((task) => `${task} --force`);
}

const runsAlready = (project: Project, task: string): boolean =>
  ['release', 'assets.deploy', 'compile'].some((alias) =>
    rootAlias(project, alias)?.some((step) => step.split(' ')[0] === task),
  );

/** Compilers that write below _build alone (their sources, 2026-11). Any other may write into priv, say. */
const IN_BUILD = new Set(
  'app boundary elixir erlang gettext leex phoenix phoenix_live_view yecc'.split(' '),
);

/** Which files the compilation writes where no cache is, so that they would be missing after the next build; undefined: none. */
function uncachedFiles({ deps, projects }: Project): string | undefined {
  const compilers = projects.flatMap((owner) => owner.compilers);
  const unknown = compilers.find((name) => !IN_BUILD.has(name));
  const steps = projects.flatMap(({ aliases }) => aliases.get('compile') ?? []);
  if (deps.nif.includes('rustler')) return "the app's own Rust crates are compiled into priv";
  if (unknown) return `the compiler ${unknown} may write files outside _build`;
  if (steps.some((step) => !/^compile\b/.test(step)))
    return 'the alias compile in mix.exs may write files outside _build';
}

/** What the owner should know of how the image is built. */
export const buildNotes = (project: Project): string[] => [
  ...aliasNotes(project),
  ...crateNotes(project),
  ...(showsSource(project) && !knowsSource(project) ? [SOURCE_NOTE] : []),
  ...gitNotes(project),
];

const SOURCE_NOTE =
  'Sentry shows no code around an error: mix sentry.package_source_code, which packages it, reads root_source_code_paths in config/config.exs or config/prod.exs, not in config/runtime.exs. Set it there, and run npx plop dockerfile again.';

/** Rustler's own switch. */
const crateNotes = ({ config }: Project): string[] =>
  config.settings
    .filter(({ value }) => get(value, 'skip_compilation?') === true)
    .map(
      ({ key, file, line }) =>
        `${file}:${line}: skip_compilation? leaves the crate of ${key} uncompiled, and our Dockerfile doesn't compile it otherwise: remove it, or build the crate into priv/native.`,
    );

function aliasNotes(project: Project): string[] {
  const aliased = TASKS_WITHOUT_ALIAS.filter((task) => rootAlias(project, task)).join(' and ');
  if (!aliased) return [];
  const added = addedSteps(project).join(', ');
  return [
    `mix.exs adds steps to ${aliased} (an alias); the image runs the task alone to fetch dependencies${added && `, and ${added} before it compiles`}.`,
  ];
}

function gitNotes({ mixSteps: { git } }: Project): string[] {
  if (!git) return [];
  const paths = git === 'history' ? '.git' : '.git/HEAD and .git/refs';
  return [
    `The build asks git for the version, so ${paths} goes into the builder (not into the image), and each commit builds anew.`,
  ];
}
