import { outsideBlock } from '../edit/block.ts';
import { budgetNotes, startBudget } from '../elixir/budget.ts';
import { get, show } from '../elixir/value.ts';
import { Problem } from '../problem.ts';
import { subtree, type Tree } from '../tree.ts';
import { background } from './background.ts';
import { readCode } from './code.ts';
import { readConfig } from './config.ts';
import { pickRepos } from './database.ts';
import { demands } from './demands.ts';
import { dependencies, pathDependencies } from './deps.ts';
import { healthPath } from './health-route.ts';
import { httpServer, identity, pickEndpoint } from './identity.ts';
import { readLock } from './lock.ts';
import { type MixProject, readMixProject } from './mix-project.ts';
import { mixSteps } from './mix-steps.ts';
import { readNodePackages } from './node-packages.ts';
import { startedPrograms, startsNode } from './programs.ts';
import type { Project } from './project.ts';
import { buildReads as readsOf } from './reads.ts';
import { inRelease, releasedCode, releaseName } from './release.ts';
import { Sources } from './sources.ts';
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

function detectAll(repo: Tree, { release }: { release?: string }): Project {
  const notes: string[] = [];
  const appDir = findApp(repo);
  const tree = subtree(repo, appDir);
  const root = readMixProject(tree, '.');
  if (!root) throw new Problem('no mix.exs here: name the folder of a Phoenix app with --dest');
  if (root.problem)
    notes.push(
      `mix.exs line ${root.problem.line} could not be read as Elixir: ${root.problem.text}`,
    );
  const lockText = tree.read('mix.lock');
  if (lockText === undefined)
    throw new Problem(
      'no mix.lock: run `mix deps.get` and commit mix.lock, so that the image gets the versions you tested',
    );
  const lock = readLock(lockText);

  const umbrella = root.appsPath !== null;
  const children = umbrella ? childProjects(tree, root.appsPath ?? 'apps') : [];
  const projects = [root, ...children];
  const deps = projects.flatMap((project) => project.deps);
  if (!deps.some((dep) => dep.name === 'phoenix') && !lock.has('phoenix')) {
    throw new Problem(
      `not a Phoenix app: neither mix.exs nor mix.lock names phoenix (found the app ${root.app ?? '?'})`,
    );
  }

  const runtime = ['config/runtime.exs', 'config/releases.exs'].find((file) =>
    tree.paths.has(file),
  );
  // Our own block is no fact about the app
  const theirs: Tree = {
    ...tree,
    read: (path) => (path === runtime ? outsideBlock(tree.read(path) ?? '') : tree.read(path)),
  };
  const folders = projects.map(({ dir }) => dir);
  const config = readConfig(theirs, folders, runtime);
  const sources = new Sources(
    tree,
    projects.flatMap((project) =>
      project.sourceFolders.map((folder) =>
        project.dir === '.' ? folder : `${project.dir}/${folder}`,
      ),
    ),
  );
  const chosen = release !== undefined && root.releases.includes(release) ? release : null;
  const released = inRelease(projects, chosen);
  const code = releasedCode(readCode(sources), projects, released);
  const endpoint = pickEndpoint({ code, config, projects, sources, release: chosen }, notes);
  const web = projects.find((project) => project.app === endpoint.otpApp) ?? root;
  const endpointConfig = get(config.apps.get(endpoint.otpApp), endpoint.module) ?? [];
  const database = pickRepos(code, config, released, lock, notes);
  const pins = readPins(tree);
  notes.push(...pins.conflicts);
  if (!pins.elixir)
    notes.push(
      'No file pins Elixir (.tool-versions, mise.toml, .elixir-version); an image that fits mix.exs was chosen.',
    );
  const deploy = web.aliases.get('assets.deploy') ?? root.aliases.get('assets.deploy') ?? null;
  const programs = startedPrograms(sources);
  const nodePackages = readNodePackages(tree, released, deploy ?? [], notes);
  const { required, buildReads } = demands({
    tree: theirs,
    sources,
    config,
    projects: released,
    code,
    endpoints: code.endpoints.map((one) => one.module),
    repos: database.repos,
    runtime,
    notes,
  });
  // Phoenix compiles force_ssl into the endpoint: what runtime.exs says about it comes too late.
  const force = get(get(config.compiled.get(endpoint.otpApp), endpoint.module), 'force_ssl');
  const hexTools = ['esbuild', 'tailwind', 'dart_sass', 'bun'].filter(
    (tool) => lock.has(tool) && deps.some((dep) => dep.name === tool),
  );
  const paths = pathDependencies(tree, projects);
  const reads = readsOf(
    tree,
    { projects, vendored: paths.projects },
    config,
    runtime,
    sources,
    code.rustler,
  );
  reads.outside.push(...paths.above);
  if (reads.outside.length)
    notes.push(
      `The build reads ${reads.outside.join(', ')} above the app's folder, which an image of that folder can't hold.`,
    );
  const has = (path: string) => tree.paths.has(path);
  const inProd = (name: string) => deps.some((dep) => dep.name === name && dep.prod);
  const version = (name: string) => lock.get(name)?.version ?? null;
  const project: Omit<Project, 'notes'> = {
    tree,
    appDir,
    umbrella,
    appsPath: root.appsPath,
    projects,
    app: { ...identity(root, web, endpoint.module, code, sources), webDir: web.dir },
    endpoint: {
      module: endpoint.module,
      file: endpoint.file,
      config: endpointConfig,
      httpServer: httpServer(endpointConfig, deps),
      forceSsl: force === undefined || force === null ? null : show(force),
      healthPath: healthPath(code, sources),
    },
    phoenix: {
      version: version('phoenix'),
      liveView: inProd('phoenix_live_view') || (lock.has('phoenix_live_view') && code.liveView),
      liveViewVersion: version('phoenix_live_view'),
      plugVersion: version('plug'),
    },
    elixir: {
      requirement: root.elixir,
      requirements: [...new Set(projects.flatMap((project) => project.elixir ?? []))],
      version: pins.elixir,
      otp: pins.otp,
      source: pins.source,
    },
    database: { ...database, dbConnectionVersion: version('db_connection') },
    release: {
      name: releaseName(root, chosen, notes),
      names: root.releases,
      rebootAfterConfig: [...root.releaseOptions.values()].some(
        (options) => get(options, 'reboot_system_after_config') === true,
      ),
    },
    assets: {
      tools: [...new Set([...hexTools, ...nodePackages.map((one) => one.manager)])],
      hexTools,
      packageJsons: nodePackages.map((one) => one.file),
      nodePackages,
      deploy,
      appDir: assetsFolder(released),
      aliases: new Set([...web.aliases.keys(), ...root.aliases.keys()]),
    },
    deps: dependencies(projects, paths, lock, code.rustler),
    reads,
    mixSteps: mixSteps(tree, projects, [...config.files, ...reads.mix, ...reads.config], programs),
    env: { required, buildReads },
    programs,
    startsNode: startsNode(sources),
    background: background(deps, lock, released, code, sources),
    clustering: deps.some((dep) => dep.prod && /^(dns_cluster|libcluster(_.*)?)$/.test(dep.name)),
    config,
    sources,
    lock,
    lockedVersion: version,
    files: {
      dockerfile: has('Dockerfile'),
      dockerignore: has('.dockerignore'),
      flyToml: has('fly.toml'),
      envSh: has('rel/env.sh.eex'),
      runtimeExs: has('config/runtime.exs'),
    },
  };
  const skipped = (tree.skipped ?? []).slice(0, 10);
  return { ...project, notes: [...notes, ...budgetNotes(), ...skipped] };
}

/** The folder with mix.exs: the repo's root, else the one folder below it whose mix.exs names phoenix. */
function findApp(repo: Tree): string {
  if (repo.paths.has('mix.exs')) return '.';
  const below = [...repo.paths]
    .filter((path) => /^([^/]+\/){1,3}mix\.exs$/.test(path))
    .map((path) => path.replace(/\/mix\.exs$/, ''));
  const outer = below.filter((dir) => !below.some((other) => dir.startsWith(`${other}/`)));
  const phoenix = outer.filter((dir) =>
    /:phoenix\b|apps_path/.test(repo.read(`${dir}/mix.exs`) ?? ''),
  );
  if (phoenix.length === 1 && phoenix[0]) return phoenix[0];
  if (phoenix.length > 1)
    throw new Problem(`several apps here (${phoenix.join(', ')}): name one with --dest`);
  throw new Problem('no mix.exs here: name the folder of a Phoenix app with --dest');
}

function childProjects(tree: Tree, appsPath: string): MixProject[] {
  const dirs = [...tree.paths].filter(
    (path) =>
      path.startsWith(`${appsPath}/`) && /^[^/]+\/mix\.exs$/.test(path.slice(appsPath.length + 1)),
  );
  return dirs.sort().flatMap((path) => readMixProject(tree, path.replace(/\/mix\.exs$/, '')) ?? []);
}

/** Folder of the mix.exs that has the alias assets.deploy (else assets.setup, assets.build): mix runs there. */
function assetsFolder(projects: readonly MixProject[]): string | null {
  const holders = ['assets.deploy', 'assets.setup', 'assets.build'].flatMap((alias) =>
    projects.filter((project) => project.aliases.has(alias)),
  );
  return (holders.find(({ dir }) => dir !== '.') ?? holders[0])?.dir ?? null;
}
