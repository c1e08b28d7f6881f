import { get } from '../elixir/value.ts';
import { detect, type Project } from '../facts/detect.ts';
import type { Tree } from '../tree.ts';

const option = ({ projects: [root] }: Project, release: string, key: string) =>
  get(root?.releaseOptions.get(release), key);

/** Where `mix release` takes env.sh.eex from: rel/, unless mix.exs says otherwise. */
export function relFolder(project: Project, release: string): string {
  const path = String(option(project, release, 'rel_templates_path') ?? 'rel');
  const isInRepo = /^[\w.][\w./-]*$/.test(path) && !path.includes('..');
  return isInRepo ? path.replace(/^\.\/|\/$/g, '') : 'rel';
}

/** The file a release reads at boot: Elixir reads config/releases.exs as long as there is no runtime.exs (Mix.Tasks.Release, 1.21-dev, 2026). */
export const runtimeFile = ({ tree: { paths } }: Project): string =>
  paths.has('config/releases.exs') && !paths.has('config/runtime.exs')
    ? 'config/releases.exs'
    : 'config/runtime.exs';

/** Whether the release brings the Erlang VM along, as it does unless told otherwise. */
export const includesErts = (project: Project, release: string): boolean =>
  option(project, release, 'include_erts') !== false;

/** What an umbrella's release is called that has no name yet. */
export const unnamedRelease = (project: Project): string =>
  project.app.otpApp.replace(/_web$/, '') || project.app.otpApp;

/** Where the release takes its bin/migrate from: `mix phx.gen.release` writes it, else we do. */
export const migrateScript = (project: Project, release: string): string =>
  `${relFolder(project, release)}/overlays/bin/migrate`;

/** The release that the Dockerfile builds, as long as mix.exs still has it. */
export const builtRelease = ({ tree, release }: Project): string | undefined =>
  [...(tree.read('Dockerfile') ?? '').matchAll(/(?:_build\/prod\/rel|\/app\/bin)\/(\w+)/g)]
    .map(([, name = '']) => name)
    .find((name) => release.names.includes(name));

/** The facts of the release that the Dockerfile builds; without one, of the default release. */
export function detectBuilt(tree: Tree): Project {
  const project = detect(tree);
  const release = builtRelease(project);
  const isOnly = project.release.names.length < 2;
  return release === undefined || isOnly ? project : detect(tree, { release });
}
