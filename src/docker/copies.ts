import type { Project } from '../facts/detect.ts';
import { copyPaths } from '../quote.ts';
import type { Assets } from './asset-steps.ts';
import { nodeStages } from './node-stages.ts';
import { relFolder } from './release-files.ts';

/** The operands of a COPY, quoted. */
export type Copy = string;

/** Whether the repo has files in a folder. */
export const hasFolder = (project: Project, folder: string): boolean =>
  [...project.tree.paths].some((path) => path.startsWith(`${folder}/`));

/** A folder of the repo as it is called in the image. */
export const inImage = (dir: string): string => (dir === '.' ? '/app' : `/app/${dir}`);

const same = (path: string): Copy => copyPaths([path, path]);

/** One COPY for each folder that holds some of the files. @param to what a folder is called in the image */
export function byFolder(
  files: readonly string[],
  to = (folder: string): string => folder || './',
): Copy[] {
  const folders = new Map<string, string[]>();
  for (const file of new Set(files)) {
    const folder = file.replace(/[^/]*$/, '');
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders].map(([folder, names]) => copyPaths([...names, to(folder)]));
}

/** Every mix.exs, the lock, and files that a mix.exs reads. */
function mixFiles(project: Project): string[] {
  const apps = project.projects.filter((one) => one.dir !== '.').map(({ dir }) => `${dir}/mix.exs`);
  const folders = pathFolders(project);
  return [
    'mix.exs',
    'mix.lock',
    ...apps,
    ...project.reads.mix.filter((file) => !folders.some((folder) => file.startsWith(`${folder}/`))),
  ];
}

/** Dependencies that lie in the repo; without those within others. */
function pathFolders(project: Project): string[] {
  const folders = project.deps.pathSources.flatMap(({ dir }) => dir ?? []);
  return folders.filter((folder) => !folders.some((other) => folder.startsWith(`${other}/`)));
}

/** Files that the image copies one by one. */
export const inputFiles = (project: Project): string[] => [
  ...mixFiles(project),
  ...buildConfig(project),
  runtimeFile(project),
  ...project.reads.runtime,
  ...project.reads.compile,
  ...project.assets.nodePackages.flatMap(({ installFiles }) => installFiles),
];

/** What `mix deps.get` needs. */
export const mixCopies = (project: Project): Copy[] => [
  ...(project.mixSteps.git && !project.mixSteps.gitLater ? [same('.git')] : []),
  ...byFolder(mixFiles(project)),
];

/**
 * What dependencies are compiled from beside their own packages: configuration, without what only the running release reads,
 * and those that lie in the repo.
 */
export const configCopies = (project: Project): Copy[] => [
  ...byFolder(buildConfig(project)),
  ...pathFolders(project).map(same),
];

const buildConfig = (project: Project): string[] => [
  ...project.config.files.filter((file) => !/^config\/(runtime|releases)\.exs$/.test(file)),
  ...project.reads.config,
];

/** Folders of the code that is compiled. */
export const sourceFolders = (project: Project): string[] =>
  (project.umbrella
    ? [project.appsPath ?? 'apps']
    : (project.projects[0]?.sourceFolders ?? ['lib'])
  ).filter((folder) => hasFolder(project, folder));

/** The code, and what it may read while it is compiled. */
export function fileCopies(project: Project): Copy[] {
  const own = [project.umbrella ? '' : 'priv', ...sourceFolders(project)].filter((folder) =>
    hasFolder(project, folder),
  );
  return withoutInner([...own, ...project.reads.compile], pathFolders(project)).map(same);
}

/** The code once more, with its sources this time, and crates of its own. */
const codeCopies = (project: Project): Copy[] =>
  withoutInner(
    [...(hasFolder(project, 'native') ? ['native'] : []), ...sourceFolders(project)],
    pathFolders(project),
  ).map(same);

/** What the builder adds to the dependencies, what changes most at the end. */
export const builderCopies = (project: Project, release: string, { needsNode }: Assets): Copy[] => [
  ...(project.mixSteps.gitLater ? [same('.git')] : []),
  ...runtimeCopies(project),
  ...withoutInner(
    [relFolder(project, release), ...project.mixSteps.copied],
    ['priv', 'lib', 'assets', ...pathFolders(project)],
  ).map((folder) =>
    notExecutable(project, folder).length ? `--chmod=755 ${same(folder)}` : same(folder),
  ),
  ...(needsNode ? ['--from=node /usr/local /usr/local'] : []),
  ...nodeStages(project).flatMap(({ name, modules }) =>
    modules.map((folder) => `--from=${name} ${folder} ${folder}`),
  ),
  ...assetFolders(project).map(same),
  ...bundlerFiles(project),
  ...codeCopies(project),
];

/** Scripts that a release would bring along, and that nobody may run. */
export const notExecutable = (project: Project, folder: string): string[] =>
  [...project.tree.paths].filter(
    (path) =>
      path.startsWith(`${folder}/overlays/bin/`) &&
      project.tree.executable?.(path) === false &&
      project.tree.read(path)?.startsWith('#!'),
  );

/** Where the asset sources lie; an umbrella's come with its apps. */
function assetFolders(project: Project): string[] {
  if (project.umbrella) return [];
  const folders = [
    'assets',
    ...project.assets.nodePackages.map(({ dir }) => dir).filter((dir) => dir !== '.'),
  ];
  return [...new Set(folders)].filter((folder) => hasFolder(project, folder));
}

const BUNDLER =
  /^(package\.json|[\w.-]*config[\w.-]*\.[cm]?[jt]s|tsconfig[\w.-]*\.json|build\.[cm]?js|\.babelrc|\.postcssrc[\w.]*|\.browserslistrc)$/;

/** Settings of bundlers beside a package.json at the top. */
function bundlerFiles(project: Project): Copy[] {
  if (!project.assets.nodePackages.some(({ dir }) => dir === '.')) return [];
  const files = [...project.tree.paths].filter((path) => BUNDLER.test(path));
  return files.length ? [copyPaths([...files, './'])] : [];
}

/** Paths without those that lie in others, or in what is copied already. */
const withoutInner = (paths: readonly string[], before: readonly string[]): string[] => {
  const inside = (path: string, folder: string) => path.startsWith(`${folder}/`);
  return [...new Set(paths)].filter(
    (path) =>
      !before.some((folder) => path === folder || inside(path, folder)) &&
      !paths.some((folder) => inside(path, folder)),
  );
};

/** Read when the release boots: runtime.exs (or releases.exs), and all of config/ when that reads other files. */
function runtimeCopies(project: Project): Copy[] {
  const known = new Set([
    ...project.config.files,
    ...project.reads.config,
    'config/dev.exs',
    'config/test.exs',
    'config/runtime.exs',
  ]);
  const others = [...project.tree.paths].some(
    (path) => path.startsWith('config/') && !known.has(path),
  );
  return [
    others ? 'config config' : copyPaths([runtimeFile(project), 'config/']),
    ...byFolder(project.reads.runtime.filter((file) => !file.startsWith('config/'))),
  ];
}

/** The file a release reads at boot. Elixir reads config/releases.exs as long as there is no runtime.exs (Mix.Tasks.Release, 1.21-dev, 2026). */
export const runtimeFile = (project: Project): string =>
  project.tree.paths.has('config/releases.exs') && !project.tree.paths.has('config/runtime.exs')
    ? 'config/releases.exs'
    : 'config/runtime.exs';
