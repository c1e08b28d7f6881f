import type { Project } from '../facts/detect.ts';
import { copyPaths } from '../quote.ts';

/** The operands of a COPY, quoted. */
export type Copy = string;

/** Whether the repo has files in a folder. */
export const hasFolder = (project: Project, folder: string): boolean =>
  [...project.tree.paths].some((path) => path.startsWith(`${folder}/`));

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
export function mixFiles(project: Project): string[] {
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
export function pathFolders(project: Project): string[] {
  const folders = project.deps.pathSources.flatMap(({ dir }) => dir ?? []);
  return folders.filter((folder) => !folders.some((other) => folder.startsWith(`${other}/`)));
}

/** What `mix deps.get` needs. */
export const mixCopies = (project: Project): Copy[] => [
  ...byFolder(mixFiles(project)),
  ...pathFolders(project).map(same),
];

/** Configuration that is read while building; without what only the running release reads. */
export const configCopies = (project: Project): Copy[] => byFolder(buildConfig(project));

/** The files of it. */
export const buildConfig = (project: Project): string[] => [
  ...new Set([
    ...project.config.files.filter((file) => !/^config\/(runtime|releases)\.exs$/.test(file)),
    ...project.reads.config,
  ]),
];

/** Folders and files of the code that is compiled, and what it reads meanwhile. */
export function codeFolders(project: Project): string[] {
  const before = project.deps.pathSources.flatMap(({ dir }) => dir ?? []);
  const own = project.umbrella
    ? [project.appsPath ?? 'apps']
    : ['priv', ...(project.projects[0]?.sourceFolders ?? ['lib']), 'native'];
  const folders = [
    ...new Set([...own.filter((folder) => hasFolder(project, folder)), ...project.reads.compile]),
  ];
  return folders.filter(
    (folder) =>
      ![...before, ...folders].some(
        (other) => folder.startsWith(`${other}/`) || before.includes(folder),
      ),
  );
}

export const codeCopies = (project: Project): Copy[] => codeFolders(project).map(same);

/** Read when the release boots: runtime.exs (or releases.exs), and all of config/ when that reads other files. */
export function runtimeCopies(project: Project): Copy[] {
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
