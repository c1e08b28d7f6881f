import { join } from 'node:path/posix';
import { dockerMatcher } from '../docker/ignore-lines.ts';
import { filesIn } from '../tree.ts';
import type { Dockerfile, Step } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';

/** Whether a COPY or ADD brings a file of the repo into the build. */
export const copiesPath = ({ sources }: Step, path: string): boolean =>
  sources.some(
    (source) =>
      source === '.' ||
      `${path}/`.startsWith(`${source}/`) ||
      (/[*?[]/.test(source) && dockerMatcher(source)(path)),
  );

/** The index of the build step that copies a file first; -1: none does. */
export const copyOrder = ({ build }: Dockerfile, path: string): number =>
  build.steps.findIndex((step) => copiesPath(step, path));

/** Files and folders of the repo that a COPY or ADD names, patterns too. */
export const copiedPaths = ({ steps }: Dockerfile): { path: string; line: number }[] =>
  steps
    .flatMap(({ sources, line }) => sources.map((path) => ({ path, line })))
    .filter(({ path }) => path !== '.' && !/[$<]|^https?:|^git@/.test(path));

/** The first task of the build that reads a file. */
type Reader = 'depsGet' | 'compile' | 'assetsBuild' | 'release';

export type RequiredFile = ReturnType<typeof requiredFiles>[number];

/** Files that the build can't do without, which task reads them first, and why; one file stands for a folder. */
export function requiredFiles({ project, runtimePath, envShPath }: Repo) {
  const { tree, inputs, assets, config, deps, endpoint, projects } = project;
  const fileIn = (folder: string) =>
    filesIn(tree, folder).find((path) => !/\/\.|\.(pem|key)$/.test(path)) ?? '';
  const assetFile = assets.deploy ? fileIn(join(assets.appDir ?? '.', 'assets')) : '';
  const readByCode = inputs.compile.map((path) => (tree.paths.has(path) ? path : fileIn(path)));
  const needs: [reader: Reader, why: string, paths: string[]][] = [
    ['depsGet', 'it names the dependencies', projects.map(({ dir }) => join(dir, 'mix.exs'))],
    ['depsGet', 'it holds the versions you tested', ['mix.lock']],
    ['depsGet', 'mix.exs reads it', inputs.requiredByMix],
    ['depsGet', 'a dependency lies there', deps.pathSources.map(({ dir }) => `${dir}/mix.exs`)],
    ['compile', 'it is compiled in', config.files.filter((path) => path !== runtimePath)],
    ['compile', 'the configuration reads it', inputs.config],
    ['compile', 'the code reads it while it is compiled', readByCode],
    ['compile', 'it is the code', [endpoint.file]],
    ['compile', 'translations, migrations and files to serve lie in priv', [fileIn('priv')]],
    ['assetsBuild', 'assets are made from it', [assetFile]],
    ['release', 'the release reads it when it boots', [runtimePath, envShPath]],
  ];
  return needs.flatMap(([reader, why, paths]) =>
    paths.filter((path) => tree.paths.has(path)).map((path) => ({ path, reader, why })),
  );
}
