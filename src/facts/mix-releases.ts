import { get, pairs } from '../elixir/value.ts';
import type { MixProject } from './mix-project.ts';

/**
 * Umbrella apps in a release: true for those that its `applications:` lists, false for their dependencies.
 * @returns undefined without an umbrella, or without that list
 */
export function releasedApps(
  [root, ...children]: readonly MixProject[],
  release: string | null,
): Map<string, boolean> | undefined {
  if (!root || root.appsPath === null) return undefined;
  const name = release ?? root.defaultRelease ?? root.releases[0] ?? '';
  const applications = pairs(get(root.releaseOptions.get(name), 'applications'));
  if (applications.length === 0) return undefined;
  const apps = new Map(applications.map(([app]) => [app, true]));
  // The map grows while it is walked: dependencies have dependencies
  for (const [app] of apps)
    for (const { name } of children.find((project) => project.app === app)?.deps ?? [])
      if (!apps.has(name)) apps.set(name, false);
  return apps;
}

/** What `mix release` builds when it is given the wanted name, or none; null when it refuses to choose. */
export function releaseName(
  { app, appsPath, defaultRelease, releases }: MixProject,
  wanted: string | null,
  notes: string[],
): string | null {
  if (wanted !== null) return wanted;
  const [first, second] = releases;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined && appsPath === null) return app;
  if (defaultRelease !== null && releases.includes(defaultRelease)) return defaultRelease;
  notes.push(
    releases.length
      ? `mix.exs has several releases (${releases.join(', ')}) and no default_release among them, so one has to be named.`
      : 'The umbrella has no `releases:` in its mix.exs, and `mix release` asks for one.',
  );
  return null;
}
