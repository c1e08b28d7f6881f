import { atomName, get, pairs } from '../elixir/value.ts';
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

/** What `mix release` builds when it is given `wanted`, or no name; null when it refuses to choose. */
export function releaseName(
  { app, appsPath, defaultRelease, releases }: MixProject,
  wanted: string | null,
  notes: string[],
): string | null {
  if (wanted !== null) return wanted;
  if (defaultRelease !== null && (!releases.length || releases.includes(defaultRelease)))
    return defaultRelease;
  const [only] = releases;
  if (only !== undefined && releases.length === 1) {
    if (defaultRelease !== null)
      notes.push(
        `default_release in mix.exs names ${defaultRelease}, but ${only} is its only one.`,
      );
    return only;
  }
  if (!releases.length && appsPath === null) return app;
  notes.push(
    releases.length
      ? `mix.exs has several releases (${releases.join(', ')}) and no default_release among them, so one has to be named.`
      : 'The umbrella has no `releases:` in its mix.exs, and `mix release` asks for one.',
  );
  return null;
}
