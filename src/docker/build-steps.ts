import type { Project } from '../facts/detect.ts';
import type { Assets } from './asset-steps.ts';

/** Compilers that write below _build alone (their sources, 2026-11). Any other may write into priv, say. */
const IN_BUILD = new Set([
  'app',
  'boundary',
  'elixir',
  'erlang',
  'gettext',
  'leex',
  'phoenix',
  'phoenix_live_view',
  'yecc',
]);

/** Tasks of `mix do` that fetch and compile the dependencies; an umbrella's own apps come later, with their code. */
export const fetchTasks = (project: Project, assets: Assets): string[] => [
  'deps.get --only prod',
  'deps.clean --unused',
  project.umbrella ? 'deps.compile --skip-umbrella-children' : 'deps.loadpaths',
  ...assets.setup,
];

/** Tasks of `mix do` that make the release. */
export const releaseTasks = (project: Project, assets: Assets, release: string): string[] => [
  'compile',
  ...assets.build,
  `release${project.release.names.length > 1 ? ` ${release}` : ''} --overwrite --path /release`,
];

/**
 * Why the app's build can't be taken over from the last one: its compilation writes where no cache is, so that those files
 * would be missing. null: it can.
 */
export function writesBesideBuild(project: Project): string | null {
  if (project.deps.nif.includes('rustler'))
    return "the app's own Rust crates are compiled into priv";
  const compiler = project.projects
    .flatMap(({ compilers }) => compilers)
    .find((name) => !IN_BUILD.has(name));
  if (compiler) return `the compiler ${compiler} may write files beside it`;
  const alias = project.projects.some(({ aliases }) =>
    (aliases.get('compile') ?? []).some((step) => !/^compile\b/.test(step)),
  );
  return alias ? 'the alias compile in mix.exs may write files beside it' : null;
}
