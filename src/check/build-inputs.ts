import { sourceFile } from './dockerfile-build.ts';
import type { Dockerfile } from './dockerfile-model.ts';
import { sourcesOf } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';

/** The steps of a build, as what they read must be there before them. */
export type Phase = 'get' | 'compile' | 'assets' | 'release';

/** A file that the build can't do without: from which step on, and why. */
export interface Input {
  path: string;
  before: Phase;
  why: string;
}

/** What the build reads from the repo; of a folder, one file stands for all. */
export function inputs(repo: Repo): Input[] {
  const { project } = repo;
  const { paths } = project.tree;
  const under = (folder: string) =>
    [...paths].find((path) => path.startsWith(`${folder}/`) && !/\/\.|\.(pem|key)$/.test(path));
  const input = (before: Phase, why: string, candidates: readonly (string | undefined)[]) =>
    candidates.flatMap((path) => (path && paths.has(path) ? [{ path, before, why }] : []));
  const children = project.projects.filter(({ dir }) => dir !== '.');
  const { appDir, deploy } = project.assets;
  const assets = appDir && appDir !== '.' ? `${appDir}/assets` : 'assets';
  const configs = project.config.files.filter((path) => path !== repo.runtimePath);
  const vendored = project.deps.pathSources.map(({ dir }) => `${dir}/mix.exs`);
  const read = project.reads.compile.map((path) => (paths.has(path) ? path : under(path)));
  return [
    ...input('get', 'mix.exs names the dependencies', ['mix.exs']),
    ...input('get', 'mix.lock holds the versions you tested', ['mix.lock']),
    ...input(
      'get',
      'each app of the umbrella names its own dependencies',
      children.map(({ dir }) => `${dir}/mix.exs`),
    ),
    ...input('get', 'mix.exs reads it', project.reads.mixDemands),
    ...input('get', 'a dependency lies there', vendored),
    ...input('compile', 'the configuration is compiled in', configs),
    ...input('compile', 'the configuration reads it', project.reads.config),
    ...input('compile', 'the code reads it while it is compiled', read),
    ...input('compile', 'it is the code', [sourceFile(repo)]),
    ...input('compile', 'translations, migrations and files to serve lie in priv', [under('priv')]),
    ...(deploy ? input('assets', 'assets are made from it', [under(assets)]) : []),
    ...input('release', 'the release reads it when it boots', [repo.runtimePath]),
    ...input('release', 'the release runs it when it boots', [repo.envSh?.path]),
  ];
}

/** Files of the build context that a COPY or ADD names; patterns stay as they are. */
export const copied = (file: Dockerfile): { path: string; line: number }[] =>
  file.stages
    .flatMap((stage) => stage.own)
    .filter(
      ({ keyword, flags }) =>
        /^(COPY|ADD)$/.test(keyword) && !flags.some((one) => one.startsWith('--from=')),
    )
    .flatMap((step) => sourcesOf(step).map((path) => ({ path, line: step.line })))
    .filter(({ path }) => path !== '.' && !/[$<]|^https?:|^git@/.test(path));
