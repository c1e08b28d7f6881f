import { outsideBlock } from '../edit/block.ts';
import { Problem } from '../problem.ts';
import { below, subtree, type Tree, withFile } from '../tree.ts';
import { readCode } from './code.ts';
import { readConfig } from './config.ts';
import { pathDependencies } from './deps.ts';
import { readLock } from './mix-lock.ts';
import { type MixProject, readMixProject } from './mix-project.ts';
import { releasedApps } from './mix-releases.ts';
import { Sources } from './sources.ts';

const NO_MIX = 'no mix.exs here: name the folder of a Phoenix app with --dest';

/** The files of a Phoenix app, read: what all facts are taken from. */
export type PhoenixRepo = ReturnType<typeof readRepo>;

/**
 * Finds the app in the repo and reads its mix files, configuration and code.
 * @param wantedRelease the release that is built; one that mix.exs doesn't have changes nothing
 * @throws Problem for what is no Phoenix app
 */
export function readRepo(repo: Tree, wantedRelease: string | undefined) {
  const notes: string[] = [];
  const appDir = findAppDir(repo);
  const tree = subtree(repo, appDir);
  const root = readMixProject(tree, '.');
  if (!root) throw new Problem(NO_MIX);
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
  const projects = [root, ...(root.appsPath === null ? [] : childProjects(tree, root.appsPath))];
  const incomplete = projects.filter(({ depsIncomplete }) => depsIncomplete);
  for (const { dir } of hasOtherProjects(tree, projects) ? incomplete : [])
    notes.push(
      `deps in ${below(dir, 'mix.exs')} could not be read to their end: those that are folders of this repo may be missing from the Dockerfile.`,
    );
  const deps = projects.flatMap((project) => project.deps);
  if (!deps.some((dep) => dep.name === 'phoenix') && !lock.has('phoenix'))
    throw new Problem(
      `not a Phoenix app: neither mix.exs nor mix.lock names phoenix (found the app ${root.app ?? '?'})`,
    );
  const runtime = ['config/runtime.exs', 'config/releases.exs'].find((file) =>
    tree.paths.has(file),
  );
  const ownersTree = withoutOurBlock(tree, runtime);
  const release = root.releases.find((name) => name === wantedRelease) ?? null;
  const apps = releasedApps(projects, release);
  const released = projects.filter(({ app }) => app === null || (apps?.has(app) ?? true));
  const sources = new Sources(tree, projects);
  const code = readCode(released.length < projects.length ? new Sources(tree, released) : sources);
  return {
    appDir,
    /** Rooted at `appDir`. */
    tree,
    /** The same without our block in runtime.exs. */
    ownersTree,
    root,
    /** The app's mix.exs, and behind it those of an umbrella's apps. */
    projects,
    deps,
    lock,
    /** config/runtime.exs, or what stood for it before Elixir 1.11. */
    runtime,
    release,
    releasedApps: apps,
    /** The projects that end up in the release: of an umbrella perhaps not every app. */
    released,
    config: readConfig(ownersTree, projects, runtime),
    sources,
    /** The code that the release holds; all of it, when none of the rest serves pages. */
    code: code.endpoints.length ? code : readCode(sources),
    /** The version of a package in mix.lock; null when it isn't there or comes from git without a version tag. */
    lockedVersion: (name: string): string | null => lock.get(name)?.version ?? null,
    notes,
  };
}

/** Whether the repo holds a project that is neither the app's nor among the path dependencies that could be read. */
function hasOtherProjects(tree: Tree, projects: readonly MixProject[]): boolean {
  const known = [...projects, ...pathDependencies(tree, projects).found].map(({ dir }) =>
    below(dir ?? '', 'mix.exs'),
  );
  const isOther = (path: string) => /(^|\/)mix\.exs$/.test(path) && !known.includes(path);
  return (tree.above ?? 0) > 0 || [...tree.paths].some(isOther);
}

/** Our own block in runtime.exs is no fact about the app. */
export const withoutOurBlock = (tree: Tree, runtime: string | undefined): Tree =>
  runtime && tree.paths.has(runtime)
    ? withFile(tree, runtime, outsideBlock(tree.read(runtime) ?? ''))
    : tree;

/** The folder with mix.exs: the repo's root, else the one folder below it whose mix.exs names phoenix. */
function findAppDir(repo: Tree): string {
  if (repo.paths.has('mix.exs')) return '.';
  const dirs = [...repo.paths]
    .filter((path) => /^([^/]+\/){1,3}mix\.exs$/.test(path))
    .map((path) => path.replace(/\/mix\.exs$/, ''));
  const topDirs = dirs.filter((dir) => !dirs.some((parent) => dir.startsWith(`${parent}/`)));
  const [first, ...rest] = topDirs.filter((dir) =>
    /:phoenix\b|apps_path/.test(repo.read(`${dir}/mix.exs`) ?? ''),
  );
  if (first === undefined) throw new Problem(NO_MIX);
  if (rest.length)
    throw new Problem(`several apps here (${[first, ...rest].join(', ')}): name one with --dest`);
  return first;
}

function childProjects(tree: Tree, appsPath: string): MixProject[] {
  const prefix = `${appsPath}/`;
  const dirs = [...tree.paths]
    .filter((path) => path.startsWith(prefix))
    .filter((path) => /^[^/]+\/mix\.exs$/.test(path.slice(prefix.length)))
    .map((path) => path.replace(/\/mix\.exs$/, ''));
  return dirs.sort().flatMap((dir) => readMixProject(tree, dir) ?? []);
}
