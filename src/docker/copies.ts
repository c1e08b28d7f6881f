import type { Project } from '../facts/detect.ts';
import { copyPaths } from '../quote.ts';
import { exists } from '../tree.ts';
import { nodeStages } from './node-stages.ts';
import { relFolder } from './release-files.ts';

const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

/** A folder of the repo as it is called in the image. */
export const inImage = (dir: string): string => (dir === '.' ? '/app' : `/app/${dir}`);

const same = (path: string): string => copyPaths([path, path]);

/** One COPY for each folder that holds some of the files. @param to what a folder is called in the image */
export function byFolder(
  files: readonly string[],
  to = (folder: string): string => folder || './',
): string[] {
  const folderOf = (file: string) => file.replace(/[^/]*$/, '');
  const folders = new Set(files.map(folderOf));
  return [...folders].map((folder) => {
    const inside = files.filter((file) => folderOf(file) === folder);
    return copyPaths([...new Set(inside), to(folder)]);
  });
}

/** Dependencies that lie in the repo. */
const pathFolders = (project: Project): string[] =>
  outermost(project.deps.pathSources.flatMap(({ dir }) => dir ?? []));

/** Paths without those that lie in others, or in what is copied already. */
function outermost(paths: readonly string[], copied: readonly string[] = []): string[] {
  return [...new Set(paths)].filter(
    (path) =>
      !copied.includes(path) && ![...paths, ...copied].some((folder) => isBelow(path, folder)),
  );
}

/** Every mix.exs, the lock, and files that a mix.exs reads. */
function mixFiles(project: Project): string[] {
  const apps = project.projects.filter(({ dir }) => dir !== '.').map(({ dir }) => `${dir}/mix.exs`);
  const vendored = pathFolders(project);
  const read = project.inputs.mix.filter(
    (file) => !vendored.some((folder) => isBelow(file, folder)),
  );
  return ['mix.exs', 'mix.lock', ...apps, ...read];
}

/** Configuration that the code is compiled with. */
const buildConfig = ({ config, inputs }: Project): string[] => [
  ...config.files.filter((file) => !/^config\/(runtime|releases)\.exs$/.test(file)),
  ...inputs.config,
];

/** The file a release reads at boot. Elixir reads config/releases.exs as long as there is no runtime.exs (Mix.Tasks.Release, 1.21-dev, 2026). */
export const runtimeFile = ({ tree: { paths } }: Project): string =>
  paths.has('config/releases.exs') && !paths.has('config/runtime.exs')
    ? 'config/releases.exs'
    : 'config/runtime.exs';

/** Files that the image copies one by one. */
export const inputFiles = (project: Project): string[] => [
  ...mixFiles(project),
  ...buildConfig(project),
  runtimeFile(project),
  ...project.inputs.runtime,
  ...project.inputs.compile,
  ...project.assets.nodePackages.flatMap(({ installFiles }) => installFiles),
];

/** Folders of the code that is compiled. */
export function sourceFolders(project: Project): string[] {
  const folders = project.projects[0]?.sourceFolders ?? ['lib'];
  const all = project.umbrella ? [project.appsPath ?? 'apps'] : folders;
  return all.filter((folder) => exists(project.tree, folder));
}

/** Files among the code that are none: a macro may read them, and Mix doesn't notice when they change. */
export function filesInCode(project: Project): string[] {
  const folders = sourceFolders(project);
  return [...project.tree.paths].filter(
    (path) =>
      folders.some((folder) => isBelow(path, folder)) &&
      !/\.(ex|heex)$/.test(path) &&
      !(project.umbrella && /\/(assets|test)\//.test(path)),
  );
}

/** What each stage copies, as operands of COPY. @param node whether the builder calls Node */
export function copies(project: Project, release: string, node: boolean) {
  const { mixSteps, inputs, umbrella } = project;
  const git = mixSteps.git ? [same('.git')] : [];
  const vendored = pathFolders(project);
  const code = sourceFolders(project);
  const codeHasFiles = filesInCode(project).length > 0;
  const [priv, crates] = ['priv', 'native'].map((path) =>
    exists(project.tree, path) ? [path] : [],
  );
  const read = [...((!umbrella && priv) || []), ...(codeHasFiles ? code : []), ...inputs.compile];
  const forRelease = outermost(
    [relFolder(project, release), ...mixSteps.copied],
    ['priv', 'assets', ...code, ...vendored],
  );
  return {
    codeHasFiles,
    /** What dependencies are compiled from beside their own packages: configuration, and those that lie in the repo. */
    configCopies: [...byFolder(buildConfig(project)), ...vendored.map(same)],
    /** What `mix deps.get` needs. */
    mixCopies: [...(mixSteps.gitLater ? [] : git), ...byFolder(mixFiles(project))],
    /** What the code may read while it is compiled, the code itself where such files lie in it. */
    fileCopies: outermost(read, vendored).map(same),
    /** What the builder adds to the dependencies, what changes most at the end. */
    builderCopies: [
      ...(mixSteps.gitLater ? git : []),
      ...runtimeCopies(project),
      ...forRelease.map((folder) =>
        notExecutable(project, `${folder}/overlays`).length
          ? `--chmod=755 ${same(folder)}`
          : same(folder),
      ),
      ...(node ? ['--from=node /usr/local /usr/local'] : []),
      ...nodeStages(project).flatMap(({ name, modules }) =>
        modules.map((folder) => `--from=${name} ${same(folder)}`),
      ),
      ...assetCopies(project),
      ...outermost([...(crates ?? []), ...code], vendored).map(same),
    ],
  };
}

/** Scripts that nobody may run. */
export const notExecutable = ({ tree }: Project, folder: string): string[] =>
  [...tree.paths].filter(
    (path) =>
      isBelow(path, folder) &&
      tree.executable?.(path) === false &&
      tree.read(path)?.startsWith('#!'),
  );

const BUNDLER =
  /^(package\.json|[\w.-]*config[\w.-]*\.[cm]?[jt]s|tsconfig[\w.-]*\.json|build\.[cm]?js|\.babelrc|\.postcssrc[\w.]*|\.browserslistrc)$/;

const fileName = (path: string): string => path.replace(/^.*\//, '');

/** The asset sources, and the settings of bundlers at the top; an umbrella's come with its apps. */
function assetCopies(project: Project): string[] {
  const { assets, tree, umbrella } = project;
  const paths = [...tree.paths];
  const dirs = [
    ...assets.nodePackages.map(({ dir }) => dir),
    ...nodeStages(project).flatMap(({ members }) => members),
  ];
  const folders = umbrella ? [] : new Set(['assets', ...dirs]);
  const there = [...folders].filter((folder) => exists(tree, folder));
  // `"extends": "../tsconfig.json"`
  const settings = paths
    .filter((path) => there.includes(path.replace(/\/[^/]*$/, '')) && BUNDLER.test(fileName(path)))
    .map((path) => tree.read(path))
    .join('\n');
  return [
    ...there.map(same),
    ...byFolder(
      paths.filter(
        (path) => BUNDLER.test(path) && (dirs.includes('.') || settings.includes(`../${path}`)),
      ),
    ),
  ];
}

/** Read when the release boots: runtime.exs (or releases.exs), and all of config/ when that reads other files. */
function runtimeCopies(project: Project): string[] {
  const { config, inputs, tree } = project;
  const known = [...config.files, ...inputs.config];
  const others = [...tree.paths].some(
    (path) =>
      isBelow(path, 'config') &&
      !known.includes(path) &&
      !/^config\/(dev|test|runtime)\.exs$/.test(path),
  );
  return [
    others ? 'config config' : copyPaths([runtimeFile(project), 'config/']),
    ...byFolder(inputs.runtime.filter((file) => !isBelow(file, 'config'))),
  ];
}
