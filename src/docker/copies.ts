import { basename, dirname } from 'node:path/posix';
import type { Project } from '../facts/detect.ts';
import { copyPaths } from '../quote.ts';
import { exists, filesIn } from '../tree.ts';
import { copyByFolder } from './copy-lines.ts';
import { nodeStages } from './node-stages.ts';
import { relFolder, runtimeFile } from './release-files.ts';

const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

const copyToSamePath = (path: string): string => copyPaths([path, path]);

/** Paths without those that lie in others, or in what is copied already. */
function outermost(paths: readonly string[], copied: readonly string[] = []): string[] {
  const folders = [...paths, ...copied];
  const isCovered = (path: string) => folders.some((folder) => isBelow(path, folder));
  return [...new Set(paths)].filter((path) => !copied.includes(path) && !isCovered(path));
}

const pathDepFolders = ({ deps }: Project): string[] =>
  outermost(deps.pathSources.flatMap(({ dir }) => dir ?? []));

/** Every mix.exs, the lock, and files that a mix.exs reads. */
function mixFiles(project: Project): string[] {
  const apps = project.projects.filter(({ dir }) => dir !== '.').map(({ dir }) => `${dir}/mix.exs`);
  const copied = pathDepFolders(project);
  const read = project.inputs.mix.filter((file) => !copied.some((folder) => isBelow(file, folder)));
  return ['mix.exs', 'mix.lock', ...apps, ...read];
}

/** Configuration that the code is compiled with. */
const buildConfig = ({ config, inputs }: Project): string[] => [
  ...config.files.filter((file) => !/^config\/(runtime|releases)\.exs$/.test(file)),
  ...inputs.config,
];

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
export function sourceFolders({ appsPath, projects: [root], tree, umbrella }: Project): string[] {
  const folders = umbrella ? [appsPath ?? 'apps'] : (root?.sourceFolders ?? ['lib']);
  return folders.filter((folder) => exists(tree, folder));
}

/** Files beside the code: a macro may read them, and Mix doesn't notice when they change. */
export function filesInCode(project: Project): string[] {
  const folders = sourceFolders(project);
  return [...project.tree.paths]
    .filter((path) => folders.some((folder) => isBelow(path, folder)))
    .filter((path) => !/\.(ex|heex)$/.test(path))
    .filter((path) => !(project.umbrella && /\/(assets|test)\//.test(path)));
}

/** What each stage copies, as operands of COPY. */
export function copies(project: Project, release: string, needsNode: boolean) {
  const { inputs, mixSteps, tree, umbrella } = project;
  const existing = (path: string) => (exists(tree, path) ? [path] : []);
  const code = sourceFolders(project);
  // LiveView Native's apps for phones
  const hasNative = filesIn(tree, 'native').some((path) => !/\/(swiftui|jetpack)\//.test(path));
  const pathDeps = pathDepFolders(project);
  const git = mixSteps.git ? [copyToSamePath('.git')] : [];
  const codeHasFiles = filesInCode(project).length > 0;
  const read = [
    ...(umbrella ? [] : existing('priv')),
    ...(codeHasFiles ? code : []),
    ...inputs.compile,
  ];
  return {
    codeHasFiles,
    /** What dependencies are compiled with: configuration, and those that lie in the repo. */
    configCopies: [...copyByFolder(buildConfig(project)), ...pathDeps.map(copyToSamePath)],
    /** What `mix deps.get` needs. */
    mixCopies: [...(mixSteps.gitLater ? [] : git), ...copyByFolder(mixFiles(project))],
    /** What the code may read while it is compiled: all of its folder, where such files lie in it. */
    fileCopies: outermost(read, pathDeps).map(copyToSamePath),
    /** What the builder adds to the dependencies; what changes most comes last. */
    builderCopies: [
      ...(mixSteps.gitLater ? git : []),
      ...runtimeCopies(project),
      ...releaseCopies(project, release),
      ...(needsNode ? ['--from=node /usr/local /usr/local'] : []),
      ...nodeStages(project).flatMap(({ name, modules }) =>
        modules.map((folder) => `--from=${name} ${copyToSamePath(folder)}`),
      ),
      ...assetCopies(project),
      ...outermost([...(hasNative ? ['native'] : []), ...code], pathDeps).map(copyToSamePath),
    ],
  };
}

/** Scripts that git holds without the executable bit. */
const notExecutable = ({ tree }: Project, folder: string): string[] =>
  filesIn(tree, folder)
    .filter((path) => tree.executable?.(path) === false)
    .filter((path) => tree.read(path)?.startsWith('#!'));

/** rel/ and what else mix.exs puts into the release; overlays become executable. */
function releaseCopies(project: Project, release: string): string[] {
  const paths = [relFolder(project, release), ...project.mixSteps.copied];
  const copied = ['priv', 'assets', ...sourceFolders(project), ...pathDepFolders(project)];
  return outermost(paths, copied).map((path) => {
    const chmod = notExecutable(project, `${path}/overlays`).length > 0 ? '--chmod=755 ' : '';
    return chmod + copyToSamePath(path);
  });
}

const BUNDLER_SETTINGS =
  /^(package\.json|[\w.-]*config[\w.-]*\.[cm]?[jt]s|tsconfig[\w.-]*\.json|build\.[cm]?js|\.babelrc|\.postcssrc[\w.]*|\.browserslistrc)$/;

/** The asset sources, and the settings of bundlers at the top; an umbrella's come with its apps. */
function assetCopies(project: Project): string[] {
  const { assets, tree, umbrella } = project;
  const packageDirs = [
    ...assets.nodePackages.map(({ dir }) => dir),
    ...nodeStages(project).flatMap(({ members }) => members),
  ];
  const candidates = umbrella ? [] : [...new Set(['assets', ...packageDirs])];
  const folders = candidates.filter((folder) => exists(tree, folder));
  const settingsInFolders = [...tree.paths].filter(
    (path) => folders.includes(dirname(path)) && BUNDLER_SETTINGS.test(basename(path)),
  );
  // Such as "extends": "../tsconfig.json"
  const texts = settingsInFolders.map((path) => tree.read(path)).join('\n');
  const settings = [...tree.paths].filter((path) => BUNDLER_SETTINGS.test(path));
  const copied = settings.filter(
    (path) => packageDirs.includes('.') || texts.includes(`../${path}`),
  );
  return [...folders.map(copyToSamePath), ...copyByFolder(copied)];
}

/** What is read when the release boots: runtime.exs (or releases.exs), and all of config/ where other files may be. */
function runtimeCopies(project: Project): string[] {
  const { config, inputs, tree } = project;
  const known = [...config.files, ...inputs.config];
  const hasOtherFiles = filesIn(tree, 'config').some(
    (path) => !known.includes(path) && !/^config\/(dev|test|runtime)\.exs$/.test(path),
  );
  return [
    hasOtherFiles ? 'config config' : copyPaths([runtimeFile(project), 'config/']),
    ...copyByFolder(inputs.runtime.filter((file) => !isBelow(file, 'config'))),
  ];
}
