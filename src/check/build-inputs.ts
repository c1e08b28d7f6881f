import { join } from 'node:path/posix';
import type { Dockerfile, Step } from './dockerfile-model.ts';
import { matcher, type Repo } from './repo.ts';

/** Whether a COPY or ADD from the build context brings a file in. */
export const brings = ({ sources }: Step, path: string): boolean =>
  sources.some(
    (source) =>
      source === '.' ||
      `${path}/`.startsWith(`${source}/`) ||
      (/[*?[]/.test(source) && matcher(source)(path)),
  );

/** The step with which a file comes in; -1: never. */
export const arrival = ({ build }: Dockerfile, path: string): number =>
  build.steps.findIndex((step) => brings(step, path));

/** Files of the build context that a COPY or ADD names; patterns stay as they are. */
export const copied = ({ steps }: Dockerfile): { path: string; line: number }[] =>
  steps
    .flatMap(({ sources, line }) => sources.map((path) => ({ path, line })))
    .filter(({ path }) => path !== '.' && !/[$<]|^https?:|^git@/.test(path));

/** Whether a command installs a project's packages: `npm --prefix assets ci`, `yarn`; not `npm install -g pnpm`. */
export const installs = (command: string): boolean =>
  /\byarn\s*$|\b(npm|yarn|pnpm|bun)\s+(\S+\s+){0,4}?(ci|i|install|clean-install)(\s|$)/.test(
    command,
  ) && !/\s(-g|--global)\b/.test(command);

type Before = 'get' | 'compile' | 'assets' | 'release';

/** What the build can't do without, from which task on, and why; of a folder, one file stands for all. */
export function inputs({ project, runtimePath, envShPath }: Repo) {
  const { tree, inputs, assets, config, deps, endpoint, projects } = project;
  const under = (folder: string) =>
    [...tree.paths].find(
      (path) => path.startsWith(`${folder}/`) && !/\/\.|\.(pem|key)$/.test(path),
    ) ?? '';
  const assetFolder = assets.deploy ? under(join(assets.appDir ?? '.', 'assets')) : '';
  const compiled = inputs.compile.flatMap((path) => [path, under(path)]);
  const lists: [before: Before, why: string, paths: string[]][] = [
    ['get', 'it names the dependencies', projects.map(({ dir }) => join(dir, 'mix.exs'))],
    ['get', 'it holds the versions you tested', ['mix.lock']],
    ['get', 'mix.exs reads it', inputs.requiredByMix],
    ['get', 'a dependency lies there', deps.pathSources.map(({ dir }) => `${dir}/mix.exs`)],
    ['compile', 'it is compiled in', config.files.filter((path) => path !== runtimePath)],
    ['compile', 'the configuration reads it', inputs.config],
    ['compile', 'the code reads it while it is compiled', compiled],
    ['compile', 'it is the code', [endpoint.file]],
    ['compile', 'translations, migrations and files to serve lie in priv', [under('priv')]],
    ['assets', 'assets are made from it', [assetFolder]],
    ['release', 'the release reads it when it boots', [runtimePath, envShPath]],
  ];
  return lists.flatMap(([before, why, paths]) =>
    paths.filter((path) => tree.paths.has(path)).map((path) => ({ path, before, why })),
  );
}
