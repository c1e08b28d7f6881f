import { sourceFile } from './dockerfile-build.ts';
import { type Dockerfile, isContextCopy, sourcesOf } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';

/** A file that the build can't do without: from which step on, and why. */
export interface Input {
  path: string;
  before: 'get' | 'compile' | 'assets' | 'release';
  why: string;
}

/** What the build reads from the repo; of a folder, one file stands for all. */
export function inputs(repo: Repo): Input[] {
  const { project, runtimePath, envSh } = repo;
  const { paths } = project.tree;
  const { reads, assets } = project;
  const under = (folder: string) =>
    [...paths].find((path) => path.startsWith(`${folder}/`) && !/\/\.|\.(pem|key)$/.test(path)) ??
    '';
  const children = project.projects.filter(({ dir }) => dir !== '.');
  const vendored = project.deps.pathSources.map(({ dir }) => `${dir}/mix.exs`);
  const assetFolder =
    !assets.appDir || assets.appDir === '.' ? 'assets' : `${assets.appDir}/assets`;
  const lists: [before: Input['before'], why: string, candidates: readonly string[]][] = [
    [
      'get',
      'it names the dependencies',
      ['mix.exs', ...children.map(({ dir }) => `${dir}/mix.exs`)],
    ],
    ['get', 'it holds the versions you tested', ['mix.lock']],
    ['get', 'mix.exs reads it', reads.mixDemands],
    ['get', 'a dependency lies there', vendored],
    ['compile', 'it is compiled in', project.config.files.filter((path) => path !== runtimePath)],
    ['compile', 'the configuration reads it', reads.config],
    [
      'compile',
      'the code reads it while it is compiled',
      reads.compile.map((path) => (paths.has(path) ? path : under(path))),
    ],
    ['compile', 'it is the code', [sourceFile(repo)]],
    ['compile', 'translations, migrations and files to serve lie in priv', [under('priv')]],
    ['assets', 'assets are made from it', assets.deploy ? [under(assetFolder)] : []],
    ['release', 'the release reads it when it boots', [runtimePath, envSh?.path ?? '']],
  ];
  return lists.flatMap(([before, why, candidates]) =>
    candidates.filter((path) => paths.has(path)).map((path) => ({ path, before, why })),
  );
}

/** Files of the build context that a COPY or ADD names; patterns stay as they are. */
export const copied = (file: Dockerfile): { path: string; line: number }[] =>
  file.stages
    .flatMap(({ own }) => own.filter(isContextCopy))
    .flatMap((step) => sourcesOf(step).map((path) => ({ path, line: step.line })))
    .filter(({ path }) => path !== '.' && !/[$<]|^https?:|^git@/.test(path));
