import { atomName, get, pairs } from '../elixir/value.ts';
import type { Code } from './code.ts';
import type { MixProject } from './mix-project.ts';

/** Umbrella apps that a release holds; true: its list names them, false: they come as dependencies. Undefined when there is no such list. */
export function releasedApps(
  [root, ...children]: readonly MixProject[],
  release: string | null,
): Map<string, boolean> | undefined {
  if (!root || root.appsPath === null) return undefined;
  const name = release ?? root.defaultRelease ?? root.releases[0] ?? '';
  const listed = pairs(get(root.releaseOptions.get(name), 'applications')).filter(
    ([, mode]) => atomName(mode) !== 'none',
  );
  if (listed.length === 0) return undefined;
  const apps = new Map(listed.map(([app]) => [app, true]));
  // Grows while it is read: dependencies have dependencies
  for (const [app] of apps)
    for (const { name } of children.find((project) => project.app === app)?.deps ?? [])
      if (!apps.has(name)) apps.set(name, false);
  return apps;
}

/** The projects that end up in a release: of an umbrella perhaps not every app. */
export function inRelease(projects: readonly MixProject[], release: string | null): MixProject[] {
  const released = releasedApps(projects, release);
  return projects.filter(({ app }) => app === null || !released || released.has(app));
}

/** The code that a release holds; all of it, when none of the rest serves pages. */
export function releasedCode(
  code: Code,
  projects: readonly MixProject[],
  released: readonly MixProject[],
): Code {
  const left = projects
    .filter((project) => !released.includes(project))
    .map(({ dir }) => `${dir}/`);
  const holds = <Found extends { file: string }>(found: readonly Found[]): Found[] =>
    found.filter(({ file }) => !left.some((folder) => file.startsWith(folder)));
  const endpoints = holds(code.endpoints);
  if (endpoints.length === 0) return code;
  return {
    ...code,
    endpoints,
    repos: holds(code.repos),
    routers: holds(code.routers),
    plugs: holds(code.plugs),
    fetchEnv: holds(code.fetchEnv),
  };
}

/** What `mix release` builds when it is given `wanted`, or no name; null when it refuses to choose. */
export function releaseName(
  { app, appsPath, defaultRelease, releases }: MixProject,
  wanted: string | null,
  notes: string[],
): string | null {
  if (wanted !== null) return wanted;
  if (defaultRelease !== null && (releases.length === 0 || releases.includes(defaultRelease)))
    return defaultRelease;
  if (defaultRelease !== null)
    notes.push(
      `default_release in mix.exs names ${defaultRelease}, which is not among its releases (${releases.join(', ')}).`,
    );
  if (releases.length === 1) return releases[0] ?? null;
  if (releases.length > 1) {
    notes.push(
      `mix.exs has several releases (${releases.join(', ')}) and no default_release, so one has to be named.`,
    );
    return null;
  }
  if (appsPath === null) return app;
  notes.push('The umbrella has no `releases:` in its mix.exs, and `mix release` asks for one.');
  return null;
}
