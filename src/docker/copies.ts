import { get, type Value } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';
import type { Dep, MixProject } from '../facts/mix-project.ts';
import { normalize } from '../facts/paths.ts';
import { Problem } from '../problem.ts';
import { copyPaths } from '../quote.ts';
import { compileReads } from './reads.ts';

/** A COPY of a Dockerfile: its operands, quoted. */
export type Copy = string;

const inside = (dir: string, path: string): string => (dir === '.' ? path : `${dir}/${path}`);

/** Whether the repo has files in a folder. */
export const hasFolder = (project: Project, folder: string): boolean => [...project.tree.paths].some((path) => path.startsWith(`${folder}/`));

/** What `mix deps.get` needs: every mix.exs, the lock, files that a mix.exs reads, and dependencies that lie in the repo. */
export function mixCopies(project: Project): Copy[] {
  const children = project.projects.filter((one) => one.dir !== '.');
  return [
    'mix.exs mix.lock ./',
    ...children.map(({ dir }) => copyPaths([`${dir}/mix.exs`, `${dir}/`])),
    ...project.mixReads.map((file) => copyPaths([file, file])),
    ...pathDependencies(project).map((folder) => copyPaths([folder, folder])),
  ];
}

/** Folders of path dependencies, relative to the app. @throws Problem for one outside of it: the image can't see it */
export function pathDependencies(project: Project): string[] {
  return [...new Set(project.projects.flatMap((one) => one.deps.filter((dep) => dep.prod).flatMap((dep) => folderOf(one, dep))))];
}

function folderOf(project: MixProject, dep: Dep): string[] {
  const path: Value | undefined = get(dep.options, 'path');
  if (typeof path !== 'string' || get(dep.options, 'in_umbrella') === true) return [];
  const folder = normalize(inside(project.dir, path));
  if (folder.startsWith('..') || folder.startsWith('/')) throw new Problem(`the dependency ${dep.name} lies outside the app (${path} in ${inside(project.dir, 'mix.exs')}), where a Docker build can't see it; move it into the repo or make it a git dependency`);
  return folder.startsWith('deps/') ? [] : [folder];
}

/** Configuration that is read while building, in folders; without what only the running release reads. */
export function configCopies(project: Project): Copy[] {
  const folders = new Map<string, string[]>();
  for (const file of project.config.files.filter((one) => !isRuntime(one))) {
    const folder = file.replace(/[^/]*$/, '') || './';
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders].map(([folder, files]) => copyPaths([...files, folder]));
}

/** Read when the release boots: runtime.exs (or releases.exs), and with them what else is in config/, which they may read. */
export function runtimeCopy(project: Project): Copy {
  const known = new Set([...project.config.files, 'config/dev.exs', 'config/test.exs', 'config/runtime.exs']);
  const others = [...project.tree.paths].some((path) => path.startsWith('config/') && /\.exs?$/.test(path) && !known.has(path));
  return others ? 'config config' : copyPaths([runtimeFile(project), 'config/']);
}

const isRuntime = (file: string): boolean => /^config\/(runtime|releases)\.exs$/.test(file);

/** The file a release reads at boot. Elixir reads config/releases.exs as long as there is no runtime.exs (Mix.Tasks.Release, 1.21-dev, 2026). */
export const runtimeFile = (project: Project): string =>
  project.tree.paths.has('config/releases.exs') && !project.tree.paths.has('config/runtime.exs') ? 'config/releases.exs' : 'config/runtime.exs';

const appsFolder = (project: Project): string => project.projects[0]?.appsPath ?? 'apps';

/** The code that is compiled, and what it reads meanwhile. */
export function codeCopies(project: Project): Copy[] {
  const extra = compileReads(project).map((path) => copyPaths([path, path]));
  if (project.umbrella) return [copyPaths([appsFolder(project), appsFolder(project)]), ...extra];
  const folders = ['priv', ...(project.projects[0]?.sourceFolders ?? ['lib']), 'native', ...compileReads(project)];
  const deps = pathDependencies(project);
  return [...new Set(folders)].filter((folder) => (hasFolder(project, folder) || project.tree.paths.has(folder)) && !deps.some((dep) => folder === dep || folder.startsWith(`${dep}/`))).map((folder) => copyPaths([folder, folder]));
}
