import { Atom, get } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';
import { elixirAtom, shellPath, shellWord } from '../quote.ts';
import { type Assets, installsNode } from './asset-steps.ts';
import { notExecutable } from './copies.ts';
import { relFolder } from './release-files.ts';
import { access, buildVariables, secretLines } from './secrets.ts';

/** Compilers that write below _build alone (their sources, 2026-11). Any other may write into priv, say. */
const IN_BUILD = /^(app|boundary|elixir|erlang|gettext|leex|phoenix|phoenix_live_view|yecc)$/;

/** What the stages run, from the tools that Mix needs to the release. */
export function buildSteps(project: Project, release: string, assets: Assets) {
  const { deps, projects, tree, umbrella } = project;
  const variables = buildVariables(project);
  const secrets = access(project);
  const archives = projects.flatMap((owner) => owner.archives);
  const getAlias = rootAlias(project, 'deps.get');
  const depsCompile = umbrella ? 'deps.compile --skip-umbrella-children' : 'deps.loadpaths';
  const prepare = ['deps.clean --unused', depsCompile, ...assets.setup].join(' + ');
  const beside = writesBesideBuild(project);
  return {
    mixTools: [
      'mix local.hex --force --if-missing',
      'mix local.rebar --force --if-missing',
      ...archives.map(
        (archive) => `mix archive.install --force hex ${archive.map(shellWord).join(' ')}`,
      ),
    ].join(' && '),
    /**
     * Where dependencies are built: a cache that begins with the stage base. Native code of a dependency in the repo is
     * written into its own folder, which no cache holds, so then it is memory that begins empty.
     */
    depsCache: deps.pathSources.some(({ dir }) =>
      /elixir_make|rustler|compilers:/.test(tree.read(`${dir}/mix.exs`) ?? ''),
    )
      ? 'tmpfs,target=/cache'
      : 'cache,target=/cache,from=base,source=/app,sharing=locked',
    /** Why the command that fetches dependencies is not the ordinary one. */
    fetchComments: [
      secrets.secrets.length > 0 &&
        'Private dependencies: BuildKit gives the secrets to this command only',
      variables.length > 0 &&
        'The configuration reads variables while the image is built: fly deploy --build-secret gives them',
      getAlias !== undefined &&
        'mix.exs adds steps to deps.get, whose files are not here yet: without mix.exs, Mix runs the task alone',
    ].filter(Boolean),
    fetchLines: secretLines(variables, secrets),
    /** An umbrella's own apps come later, with their code. */
    fetch: getAlias
      ? [plainGet(project), `mix do ${prepare}`]
      : [`mix do deps.get --only prod + ${prepare}`],
    compile: beside ? 'docker/compile-all' : 'docker/compile-changed',
    writesBeside: beside,
    buildLines: secretLines(variables),
    build: [
      ...addedSteps(project),
      'compile',
      ...assets.build,
      ...(packagesSource(project) ? ['sentry.package_source_code'] : []),
      ...downloads(project),
      `release${project.release.names.length > 1 ? ` ${release}` : ''} --overwrite --path /release${packs(project, release) ? ' && rm /release/*.tar.gz' : ''}`,
    ].join(' + '),
  };
}

/** The step :tar puts the release once more into the folder that --path names (Mix.Tasks.Release, 1.20). */
function packs({ projects }: Project, release: string): boolean {
  const options = projects.map(({ releaseOptions }) => releaseOptions.get(release));
  return options
    .flatMap((found) => get(found, 'steps') ?? [])
    .some((step) => step instanceof Atom && step.name === 'tar');
}

const rootAlias = ({ projects }: Project, name: string): string[] | undefined =>
  projects.find(({ dir }) => dir === '.')?.aliases.get(name);

/** `mix deps.get` where mix.exs has an alias of that name. */
function plainGet({ app, projects }: Project): string {
  const name = elixirAtom(projects[0]?.app ?? app.otpApp);
  const code = `Mix.Project.in_project(${name}, "/app", fn _ -> Mix.Tasks.Deps.Get.run(["--only", "prod"]) end)`;
  return `MIX_EXS=/none mix run --no-mix-exs -e ${shellWord(code)}`;
}

/** Tasks that the image runs without what an alias adds, or not at all. */
const REPLACED = ['deps.get', 'deps.compile'];

/** The steps that mix.exs adds to these and the image has no other way to do: a Node stage installs packages. */
const addedSteps = (project: Project): string[] =>
  REPLACED.flatMap((alias) => rootAlias(project, alias) ?? []).filter(
    (step) =>
      !/^deps\.(get|compile)\b/.test(step) && step !== '(a function)' && !installsNode(step),
  );

/** Sentry shows the code around an error when the release holds it (Sentry's guide, since 10.0.0). */
function packagesSource(project: Project): boolean {
  const major = Number.parseInt(project.lockedVersion('sentry') ?? '', 10);
  const shows = get(project.config.apps.get('sentry'), 'enable_source_code_context') === true;
  return major >= 10 && shows && !runsAlready(project, 'sentry.package_source_code');
}

/** Databases that these packages look for in their own folder, and don't bring along (their READMEs, 3.12). */
const DOWNLOADS = { ua_inspector: 'UAInspector', ref_inspector: 'RefInspector' };

const downloads = (project: Project): string[] =>
  Object.entries(DOWNLOADS)
    .filter(
      ([name, module]) =>
        project.lockedVersion(name) &&
        !get(project.config.apps.get(name), 'database_path') &&
        !project.sources.matching(new RegExp(`${module}\\.Downloader`)).length &&
        !runsAlready(project, `${name}.download`),
    )
    .map(([name]) => `${name}.download --force`);

const runsAlready = (project: Project, task: string): boolean =>
  ['release', 'assets.deploy', 'compile'].some((alias) =>
    rootAlias(project, alias)?.some((step) => step.split(' ')[0] === task),
  );

/**
 * Why the app's build can't be taken over from the last one: its compilation writes where no cache is, so that those files
 * would be missing. undefined: it can.
 */
function writesBesideBuild({ deps, projects }: Project): string | undefined {
  const compilers = projects.flatMap((owner) => owner.compilers);
  const other = compilers.find((name) => !IN_BUILD.test(name));
  const steps = projects.flatMap(({ aliases }) => aliases.get('compile') ?? []);
  if (deps.nif.includes('rustler')) return "the app's own Rust crates are compiled into priv";
  if (other) return `the compiler ${other} may write files outside _build`;
  if (steps.some((step) => !/^compile\b/.test(step)))
    return 'the alias compile in mix.exs may write files outside _build';
}

/** Not worth reading, or of a name that no command can show. */
const NO_SCRIPT =
  /[\p{C}\p{Zl}\p{Zp}]|\.(avif|bin|bmp|br|css|db|eot|gif|gz|ico|jpe?g|map|mmdb|mp[34]|otf|pdf|png|so|svg|ttf|wasm|webp|woff2?|zip)$/iu;

/** What the owner should know of how the image is built. */
export function buildNotes(project: Project, release: string): string[] {
  const { tree, projects } = project;
  const paths = new Set([...tree.paths].filter((path) => !NO_SCRIPT.test(path)));
  const scriptsIn = (folder: string) =>
    notExecutable({ ...project, tree: { ...tree, paths } }, folder);
  const notes = scriptsIn(`${relFolder(project, release)}/overlays`).map(
    (path) =>
      `${path} is not executable in the repo; the image makes it so (COPY --chmod). To change it there: git update-index --chmod=+x ${shellPath(path)}`,
  );
  const scripts = projects
    .flatMap(({ dir }) => scriptsIn(dir === '.' ? 'priv' : `${dir}/priv`))
    .map(shellPath)
    .join(' ');
  if (scripts)
    notes.push(
      `${scripts}: not executable in the repo. If the app starts them by their path, not with sh or another interpreter: git update-index --chmod=+x ${scripts}`,
    );
  const added = addedSteps(project).join(', ');
  const aliased = REPLACED.filter((task) => rootAlias(project, task)).join(' and ');
  if (aliased)
    notes.push(
      `mix.exs adds steps to ${aliased} (an alias); the image runs the task alone to fetch dependencies${added && `, and ${added} before it compiles`}.`,
    );
  const { git } = project.mixSteps;
  if (git)
    notes.push(
      `The build asks git for the version, so ${git === 'history' ? '.git' : '.git/HEAD and .git/refs'} goes into the builder (not into the image), and each commit builds anew.`,
    );
  return notes;
}
