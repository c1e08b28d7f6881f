import { budgetNotes, startBudget } from '../elixir/budget.ts';
import { get, show } from '../elixir/value.ts';
import { Problem } from '../problem.ts';
import type { Tree } from '../tree.ts';
import { background } from './background.ts';
import { pickRepos } from './database.ts';
import { demands } from './demands.ts';
import { dependencies, type PathDependencies, pathDependencies } from './deps.ts';
import { healthPath } from './health-route.ts';
import { httpServer, identity, pickEndpoint } from './identity.ts';
import type { MixProject } from './mix-project.ts';
import { mixSteps } from './mix-steps.ts';
import { readNodePackages } from './node-packages.ts';
import { type PhoenixRepo, readRepo } from './phoenix-repo.ts';
import { startedPrograms, startsNode } from './programs.ts';
import type { Project } from './project.ts';
import { buildReads } from './reads.ts';
import { releaseName } from './release.ts';
import { readPins } from './versions.ts';

export { type EctoAdapter, type Facts, factsOf, type Project } from './project.ts';

/**
 * Reads the facts off a repo. Pure: the tree is all it looks at.
 * @param release the release that is built, where mix.exs has several; one that it doesn't have changes nothing
 * @throws Problem when this is not a Phoenix app that can be generated for
 */
export function detect(repo: Tree, options: { release?: string } = {}): Project {
  startBudget();
  try {
    return detectAll(repo, options);
  } catch (error) {
    // What was not read may be why
    const [note] = [...budgetNotes(), ...(repo.skipped ?? [])];
    if (note && error instanceof Problem) throw new Problem(`${error.message} (${note})`);
    throw error;
  }
}

function detectAll(tree: Tree, { release }: { release?: string }): Project {
  const repo = readRepo(tree, release);
  const { root, projects, deps, lock, config, sources, code, released, notes } = repo;
  const endpoint = pickEndpoint({ code, config, projects, sources, release: repo.release }, notes);
  const web = projects.find((project) => project.app === endpoint.otpApp) ?? root;
  const database = pickRepos(code, config, released, lock, notes);
  const elixir = elixirOf(repo);
  const assets = assetsOf(repo, web);
  const env = demands({
    tree: repo.theirs,
    sources,
    config,
    projects: released,
    code,
    endpoints: code.endpoints.map(({ module }) => module),
    repos: database.repos,
    runtime: repo.runtime,
    notes,
  });
  const paths = pathDependencies(repo.tree, projects);
  const reads = readsInside(repo, paths);
  const programs = startedPrograms(sources);
  const project: Omit<Project, 'notes'> = {
    tree: repo.tree,
    appDir: repo.appDir,
    umbrella: root.appsPath !== null,
    appsPath: root.appsPath,
    projects,
    app: { ...identity(root, web, endpoint.module, code, sources), webDir: web.dir },
    endpoint: endpointOf(repo, endpoint),
    phoenix: phoenixOf(repo),
    elixir,
    database: { ...database, dbConnectionVersion: repo.version('db_connection') },
    release: releaseOf(repo),
    assets,
    deps: dependencies(projects, paths, lock, code.rustler),
    reads,
    mixSteps: mixSteps(
      repo.tree,
      projects,
      [...config.files, ...reads.mix, ...reads.config],
      programs,
    ),
    env,
    programs,
    startsNode: startsNode(sources),
    background: background(deps, lock, released, code, sources),
    clustering: deps.some((dep) => dep.prod && /^(dns_cluster|libcluster(_.*)?)$/.test(dep.name)),
    config,
    sources,
    lock,
    lockedVersion: repo.version,
    files: filesOf(repo.tree),
  };
  const skipped = (repo.tree.skipped ?? []).slice(0, 10);
  return { ...project, notes: [...notes, ...budgetNotes(), ...skipped] };
}

function endpointOf(
  { config, deps, code, sources }: PhoenixRepo,
  { otpApp, module, file }: ReturnType<typeof pickEndpoint>,
): Project['endpoint'] {
  const settings = get(config.apps.get(otpApp), module) ?? [];
  // Phoenix compiles force_ssl into the endpoint: what runtime.exs says about it comes too late
  const force = get(get(config.compiled.get(otpApp), module), 'force_ssl');
  return {
    module,
    file,
    config: settings,
    httpServer: httpServer(settings, deps),
    forceSsl: force === undefined || force === null ? null : show(force),
    healthPath: healthPath(code, sources),
  };
}

function phoenixOf({ deps, lock, code, version }: PhoenixRepo): Project['phoenix'] {
  const isDependency = deps.some((dep) => dep.name === 'phoenix_live_view' && dep.prod);
  return {
    version: version('phoenix'),
    liveView: isDependency || (lock.has('phoenix_live_view') && code.liveView),
    liveViewVersion: version('phoenix_live_view'),
    plugVersion: version('plug'),
  };
}

function elixirOf({ tree, root, projects, notes }: PhoenixRepo): Project['elixir'] {
  const { elixir: version, otp, source, conflicts } = readPins(tree);
  notes.push(...conflicts);
  if (!version)
    notes.push(
      'No file pins Elixir (.tool-versions, mise.toml, .elixir-version); an image that fits mix.exs was chosen.',
    );
  const requirements = [...new Set(projects.flatMap((project) => project.elixir ?? []))];
  return { requirement: root.elixir, requirements, version, otp, source };
}

const releaseOf = ({ root, release, notes }: PhoenixRepo): Project['release'] => ({
  name: releaseName(root, release, notes),
  names: root.releases,
  rebootAfterConfig: [...root.releaseOptions.values()].some(
    (options) => get(options, 'reboot_system_after_config') === true,
  ),
});

function assetsOf(repo: PhoenixRepo, web: MixProject): Project['assets'] {
  const { tree, root, released, deps, lock, notes } = repo;
  const deploy = web.aliases.get('assets.deploy') ?? root.aliases.get('assets.deploy') ?? null;
  const nodePackages = readNodePackages(tree, released, deploy ?? [], notes);
  const hexTools = ['esbuild', 'tailwind', 'dart_sass', 'bun'].filter(
    (tool) => lock.has(tool) && deps.some((dep) => dep.name === tool),
  );
  return {
    tools: [...new Set([...hexTools, ...nodePackages.map(({ manager }) => manager)])],
    hexTools,
    packageJsons: nodePackages.map(({ file }) => file),
    nodePackages,
    deploy,
    appDir: assetsFolder(released),
    aliases: new Set([...web.aliases.keys(), ...root.aliases.keys()]),
  };
}

/** What the build reads; what lies above the app's folder is noted. */
function readsInside(repo: PhoenixRepo, paths: PathDependencies): Project['reads'] {
  const { tree, projects, config, runtime, sources, code, notes } = repo;
  const folders = { projects, vendored: paths.projects };
  const reads = buildReads(tree, folders, config, runtime, sources, code.rustler);
  const outside = [...reads.outside, ...paths.above];
  if (outside.length)
    notes.push(
      `The build reads ${outside.join(', ')} above the app's folder, which an image of that folder can't hold.`,
    );
  return { ...reads, outside };
}

const filesOf = ({ paths }: Tree): Project['files'] => ({
  dockerfile: paths.has('Dockerfile'),
  dockerignore: paths.has('.dockerignore'),
  flyToml: paths.has('fly.toml'),
  envSh: paths.has('rel/env.sh.eex'),
  runtimeExs: paths.has('config/runtime.exs'),
});

/** Folder of the mix.exs that has the alias assets.deploy (else assets.setup, assets.build): mix runs there. */
function assetsFolder(projects: readonly MixProject[]): string | null {
  const holders = ['assets.deploy', 'assets.setup', 'assets.build'].flatMap((alias) =>
    projects.filter((project) => project.aliases.has(alias)),
  );
  return (holders.find(({ dir }) => dir !== '.') ?? holders[0])?.dir ?? null;
}
