import { outsideBlock } from '../edit/block.ts';
import { Problem } from '../problem.ts';
import { subtree, type Tree } from '../tree.ts';
import { readCode } from './code.ts';
import { readConfig } from './config.ts';
import { readLock } from './lock.ts';
import { type MixProject, readMixProject } from './mix-project.ts';
import { releasedApps } from './release.ts';
import { Sources } from './sources.ts';

const NO_MIX = 'no mix.exs here: name the folder of a Phoenix app with --dest';

export type PhoenixRepo = ReturnType<typeof readRepo>;

/** The repo's own account of itself, which all facts are taken from. @throws Problem for what is no Phoenix app */
export function readRepo(repo: Tree, wanted: string | undefined) {
  const notes: string[] = [];
  const appDir = findApp(repo);
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
  const deps = projects.flatMap((project) => project.deps);
  if (!deps.some((dep) => dep.name === 'phoenix') && !lock.has('phoenix'))
    throw new Problem(
      `not a Phoenix app: neither mix.exs nor mix.lock names phoenix (found the app ${root.app ?? '?'})`,
    );
  const runtime = ['config/runtime.exs', 'config/releases.exs'].find((file) =>
    tree.paths.has(file),
  );
  // Our own block is no fact about the app
  const theirs: Tree = {
    ...tree,
    read: (path) => (path === runtime ? outsideBlock(tree.read(path) ?? '') : tree.read(path)),
  };
  const folders = projects.map(({ dir }) => dir);
  const release = wanted !== undefined && root.releases.includes(wanted) ? wanted : null;
  const inRelease = releasedApps(projects, release);
  /** The projects that end up in the release: of an umbrella perhaps not every app. */
  const released = projects.filter(({ app }) => app === null || (inRelease?.has(app) ?? true));
  const sources = new Sources(tree, projects);
  const code = readCode(released.length < projects.length ? new Sources(tree, released) : sources);
  return {
    ...{ appDir, tree, theirs, root, projects, deps, lock, runtime, release, released, notes },
    releasedApps: inRelease,
    config: readConfig(theirs, folders, runtime),
    sources,
    /** The code that the release holds; all of it, when none of the rest serves pages. */
    code: code.endpoints.length ? code : readCode(sources),
    /** The version of a package in mix.lock; null when it isn't there or comes from git without a version tag. */
    lockedVersion: (name: string): string | null => lock.get(name)?.version ?? null,
  };
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
  throw new Problem(NO_MIX);
}

function childProjects(tree: Tree, appsPath: string): MixProject[] {
  const dirs = [...tree.paths].flatMap((path) => {
    const below = path.startsWith(`${appsPath}/`) ? path.slice(appsPath.length + 1) : '';
    return /^[^/]+\/mix\.exs$/.test(below) ? [path.replace(/\/mix\.exs$/, '')] : [];
  });
  return dirs.sort().flatMap((dir) => readMixProject(tree, dir) ?? []);
}
