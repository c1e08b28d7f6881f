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
  if (defaultRelease !== null && (releases.length === 0 || releases.includes(defaultRelease)))
    return defaultRelease;
  const listed = releases.join(', ');
  if (defaultRelease !== null)
    notes.push(
      `default_release in mix.exs names ${defaultRelease}, which is not among its releases (${listed}).`,
    );
  if (releases.length > 1)
    notes.push(
      `mix.exs has several releases (${listed}) and no default_release, so one has to be named.`,
    );
  else if (appsPath !== null && releases.length === 0)
    notes.push('The umbrella has no `releases:` in its mix.exs, and `mix release` asks for one.');
  if (releases.length) return releases.length === 1 ? (releases[0] ?? null) : null;
  return appsPath === null ? app : null;
}
