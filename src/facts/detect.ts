import { budgetNotes, startBudget } from '../elixir/budget.ts';
import { get, show } from '../elixir/value.ts';
import { Problem } from '../problem.ts';
import type { Tree } from '../tree.ts';
import { assets } from './assets.ts';
import { background } from './background.ts';
import { pickRepos } from './database.ts';
import { dependencies, pathDependencies } from './deps.ts';
import { envVariables } from './env-variables.ts';
import { healthPath } from './health-route.ts';
import { httpServer, identity, pickEndpoint } from './identity.ts';
import { readInputs } from './inputs.ts';
import { releaseName } from './mix-releases.ts';
import { mixSteps } from './mix-steps.ts';
import { readRepo } from './phoenix-repo.ts';
import { startedPrograms, startsNode } from './programs.ts';
import { readPins } from './versions.ts';

/** What is known about a Phoenix repo, by subject. null: it can't be known; `notes` says why. */
export type Project = ReturnType<typeof detectAll>;

/**
 * Reads the facts off a repo. Pure: the tree is all it looks at.
 * @param options.release the release that is built, where mix.exs has several; one that it doesn't have changes nothing
 * @throws Problem when this is not a Phoenix app that can be generated for
 */
export function detect(repo: Tree, options: { release?: string } = {}): Project {
  startBudget();
  try {
    return detectAll(repo, options.release);
  } catch (error) {
    // What was not read may be why
    const [note] = [...budgetNotes(), ...(repo.skipped ?? [])];
    if (note && error instanceof Problem) throw new Problem(`${error.message} (${note})`);
    throw error;
  }
}

function detectAll(wholeTree: Tree, wantedRelease: string | undefined) {
  const repo = readRepo(wholeTree, wantedRelease);
  const { tree, root, projects, deps, lock, lockedVersion, config, sources, code, notes } = repo;
  const endpoint = pickEndpoint(repo);
  const web = projects.find((project) => project.app === endpoint.otpApp) ?? root;
  const database = pickRepos(repo);
  const pins = readPins(tree, notes);
  const compiledEndpoint = get(config.compiled.get(endpoint.otpApp), endpoint.module);
  const forceSsl = get(compiledEndpoint, 'force_ssl') ?? null;
  const assetFacts = assets(repo, web);
  const env = envVariables(repo, database.repos);
  const paths = pathDependencies(tree, projects);
  const inputs = readInputs(repo, paths);
  const programs = startedPrograms(sources);
  const isLiveViewDep = deps.some(({ name, prod }) => name === 'phoenix_live_view' && prod);
  const project = {
    /** Rooted at `appDir`: paths of generated files are relative to it. */
    tree,
    appDir: repo.appDir,
    umbrella: root.appsPath !== null,
    /** Folder of an umbrella's apps; null: no umbrella. */
    appsPath: root.appsPath,
    /** The app's mix.exs, and behind it those of an umbrella's apps. */
    projects,
    /** Those of them that end up in the release. */
    released: repo.released,
    app: identity(repo, web, endpoint.module),
    endpoint: {
      module: endpoint.module,
      file: endpoint.file,
      httpServer: httpServer(get(config.apps.get(endpoint.otpApp), endpoint.module), deps),
      /**
       * The `force_ssl:` value in production, as Elixir text; "false" where it is switched off. Phoenix compiles it into
       * the endpoint: what runtime.exs says about it comes too late.
       */
      forceSsl: forceSsl === null ? null : show(forceSsl),
      /** The app's own health route, e.g. "/health". */
      healthPath: healthPath(code),
    },
    phoenix: {
      version: lockedVersion('phoenix'),
      liveView: isLiveViewDep || (lock.has('phoenix_live_view') && code.liveView),
      liveViewVersion: lockedVersion('phoenix_live_view'),
      plugVersion: lockedVersion('plug'),
    },
    elixir: {
      /** `elixir:` of the mix.exs that the release is built from: an umbrella's own. */
      requirement: root.elixir,
      /** `elixir:` of every mix.exs, an umbrella's apps included; the image must satisfy all of them. */
      requirements: [...new Set(projects.flatMap(({ elixir }) => elixir ?? []))],
      ...pins,
    },
    database: { ...database, dbConnectionVersion: lockedVersion('db_connection') },
    release: {
      name: releaseName(root, repo.release, notes),
      names: root.releases,
      rebootAfterConfig: [...root.releaseOptions.values()].some(
        (options) => get(options, 'reboot_system_after_config') === true,
      ),
    },
    assets: assetFacts,
    deps: dependencies(repo, paths),
    lock,
    lockedVersion,
    config,
    sources,
    inputs,
    mixSteps: mixSteps(repo, inputs, programs),
    env,
    /** Programs of the system that the code starts, by literal names. */
    programs,
    /** A child or a call of NodeJS.Supervisor, or of what stands on it. */
    startsNode: startsNode(sources),
    /** Names of what works in the background. */
    background: background(repo),
    clustering: deps.some((dep) => dep.prod && /^(dns_cluster|libcluster(_.*)?)$/.test(dep.name)),
    files: filesOf(tree),
  };
  const skipped = (tree.skipped ?? []).slice(0, 10);
  return { ...project, notes: [...notes, ...budgetNotes(), ...skipped] };
}

const filesOf = ({ paths }: Tree) => ({
  dockerfile: paths.has('Dockerfile'),
  dockerignore: paths.has('.dockerignore'),
  flyToml: paths.has('fly.toml'),
  envSh: paths.has('rel/env.sh.eex'),
  runtimeExs: paths.has('config/runtime.exs'),
});
