import semver from 'semver';
import type { Project } from '../facts/detect.ts';
import { shellWord } from '../quote.ts';
import { buildConfig, codeFolders, mixFiles, pathFolders } from './copies.ts';
import { buildVariables } from './secrets.ts';

/** What Mix knows to compile anew by itself; everything else that lies beside it could be read by a macro without Mix's knowing. */
const SOURCES = ['*.ex', '*.exs', '*.*eex', '*.[ehxy]rl'];

/** What Mix writes for an umbrella as a whole: protocols, and what they were made of. */
const UMBRELLA = ['_build/prod/consolidated', '_build/prod/.mix'];

/** How a build takes over the last one, as parts of shell commands. */
export interface Reuse {
  /** Prints what another build of the dependencies follows from, besides their versions. */
  madeWith: string;
  /** What is kept of the project's own apps and the dependencies in the repo. */
  own: string;
  /** `find` conditions: files that Mix does not track. */
  untracked: string;
  /** `find` patterns of the files that a build may write. */
  expected: string[];
  mixFiles: string;
  /** Where their contents lie as the last build saw them: a release takes no such file. */
  seen: string;
  code: string;
}

/**
 * How a build reuses the last one. Mix (1.13 to 1.20, Mix.Compilers.Elixir) looks into each source that is newer than the last build,
 * and goes by content then. Dependencies it compiles by their version alone; what uses them, and protocols, when `mix will_recompile` was
 * run since, as Mix does after each dependency that it compiles (hidden, the same from 1.11 to 1.20). So another configuration, system,
 * Elixir or code of dependencies in the repo starts anew, and so does the app when a file changes that Mix does not track.
 */
export function reuse(project: Project): Reuse {
  const apps = (
    project.umbrella
      ? project.projects.filter(({ dir }) => dir !== '.')
      : project.projects.slice(0, 1)
  ).flatMap(({ app }) => app ?? []);
  // Hooks and styles that LiveView 1.1 and later takes out of components while they compile
  const colocated = semver.gte(semver.coerce(project.phoenix.liveViewVersion) ?? '0.0.0', '1.1.0')
    ? apps.map((app) => `_build/prod/phoenix-colocated/${app}`)
    : [];
  // Mix looks anew at dependencies in the repo each time: their build goes with the app's
  const own = [
    ...[...apps, ...inRepoApps(project)].map((app) => `_build/prod/lib/${app}`),
    ...colocated,
    ...(project.umbrella ? UMBRELLA : []),
  ];
  const inRepo = pathFolders(project);
  const variables = buildVariables(project)
    .map(({ id }) => `"$${id}"`)
    .join(' ');
  return {
    madeWith: [
      'uname -m',
      'elixir --version',
      `cat ${words(['/etc/os-release', ...buildConfig(project)])}`,
      ...(inRepo.length ? [`find ${words(inRepo)} -type f -exec sha256sum {} + | sort`] : []),
      ...(variables ? [`printf '%s\\n' ${variables} | sha256sum`] : []),
    ].join('; '),
    own: words(own),
    untracked: [...SOURCES.map((name) => `! -name '${name}'`), "! -path '*/priv/static/*'"].join(
      ' ',
    ),
    expected: [
      ...own.map((path) => `./${path}/*`),
      './_build/prod/rel/*',
      '*/priv/static/*',
      '*/node_modules/*',
    ].map(shellWord),
    mixFiles: words(mixFiles(project)),
    seen: shellWord(`${own[0] ?? '_build'}/mix-files`),
    code: words(codeFolders(project)),
  };
}

const inRepoApps = (project: Project): string[] =>
  project.deps.pathSources.flatMap(({ name, dir }) => (dir === null ? [] : name));

const words = (paths: readonly string[]): string => paths.map(shellWord).join(' ');
