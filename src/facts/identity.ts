import { atomName, get, moduleName, pairs, Unknown, type Value } from '../elixir/value.ts';
import { Problem } from '../problem.ts';
import type { Code, EndpointModule } from './code.ts';
import type { Config } from './config.ts';
import type { Dep, MixProject } from './mix-project.ts';
import type { Sources } from './sources.ts';

export type EctoAdapter = 'postgres' | 'mysql' | 'sqlite' | 'none';

/**
 * The endpoint that serves the app. Among several: one that is in the release, that production
 * configures, that renders pages; across umbrella apps the one that most others build on.
 */
export function pickEndpoint(
  code: Code,
  config: Config,
  projects: readonly MixProject[],
  sources: Sources,
  notes: string[],
): EndpointModule & { otpApp: string } {
  const released = releasedApps(projects);
  const rank = ({ module, otpApp }: EndpointModule): number => {
    const settings = get(config.apps.get(otpApp ?? ''), module);
    const siblings = code.endpoints.some((one) => one.module !== module && one.otpApp === otpApp);
    const project = projects.find((one) => one.app === otpApp);
    const base = project && baseOf(project);
    const dependents = projects.filter((one) => one.deps.some((dep) => dep.name === otpApp)).length;
    const size = sources.files.filter((file) => file.startsWith(`${project?.dir ?? ''}/`)).length;
    return (
      (released && otpApp && !released.has(otpApp) ? -20 : 0) +
      (settings ? 4 : 0) +
      (siblings && module.endsWith('Web.Endpoint') ? 2 : 0) +
      (base && module.startsWith(base) ? 2 : 0) +
      (otpApp && released?.get(otpApp) ? 3 : 0) +
      (get(settings, 'live_view') || get(settings, 'render_errors') ? 1 : 0) +
      (dependents / (projects.length + 1)) * 4 +
      size / 100_000 -
      (siblings ? module.split('.').length / 10 : 0)
    );
  };
  const known = code.endpoints.filter(
    (one) => one.otpApp === null || projects.some((project) => project.app === one.otpApp),
  );
  const [best, second] = [...known].sort((left, right) => rank(right) - rank(left));
  if (!best)
    throw new Problem(
      'no endpoint found: no module under lib/ says `use Phoenix.Endpoint`; is this the app that serves the web pages?',
    );
  if (second)
    notes.push(
      `Several endpoints (${known.map((one) => one.module).join(', ')}); ${best.module} was taken as the one that serves.`,
    );
  return {
    ...best,
    otpApp: best.otpApp ?? projects.map((project) => project.app).find(Boolean) ?? '',
  };
}

/** Umbrella apps that the default release holds; true: its list names them, false: they come as dependencies. Undefined when there is no such list. */
function releasedApps(projects: readonly MixProject[]): Map<string, boolean> | undefined {
  const [root] = projects;
  const release = root?.defaultRelease ?? root?.releases[0];
  const listed = pairs(
    get(release === undefined ? undefined : root?.releaseOptions.get(release), 'applications'),
  ).filter(([, mode]) => atomName(mode) !== 'none');
  if (listed.length === 0 || root?.appsPath === null) return undefined;
  const apps = new Map(listed.map(([app]) => [app, true]));
  for (const [app] of apps)
    for (const dep of projects.find((project) => project.app === app)?.deps ?? [])
      if (!apps.has(dep.name)) apps.set(dep.name, false);
  return apps;
}

const DRIVERS = /^(postgrex|myxql|mariaex|ecto_sqlite3|sqlite_ecto2)$/;

/** The projects that end up in the default release: of an umbrella perhaps not every app. */
export function inRelease(projects: readonly MixProject[]): MixProject[] {
  const released = releasedApps(projects);
  return projects.filter(({ app }) => app === null || !released || released.has(app));
}

/** The repos that migrations run for, the app each is configured under, and their kind of database. */
export function pickRepos(
  code: Code,
  config: Config,
  projects: readonly MixProject[],
  lock: ReadonlyMap<string, unknown>,
  notes: string[],
): {
  modules: string[];
  apps: Map<string, string>;
  adapter: EctoAdapter;
  adapters: Map<string, EctoAdapter>;
} {
  const apps = new Map<string, string>();
  // A repo reads its settings from its own otp_app, not from the app that lists it; that of a dependency is told by where it is configured
  const owner = (module: string): string | undefined =>
    code.repos.find((repo) => repo.module === module)?.otpApp ??
    config.settings.find(({ key }) => key === module)?.app;
  for (const app of projects.flatMap((project) => project.app ?? [])) {
    const listed = get(config.apps.get(app), 'ecto_repos');
    if (Array.isArray(listed))
      listed
        .flatMap((one) => moduleName(one) ?? [])
        .forEach((module) => apps.set(module, owner(module) ?? app));
    else if (listed instanceof Unknown)
      notes.push(
        `:ecto_repos of :${app} is computed (${listed.why}); the repos found in the code were taken.`,
      );
  }
  if (apps.size === 0)
    for (const repo of code.repos) apps.set(repo.module, repo.otpApp ?? projects[0]?.app ?? '');
  const declared = new Map(
    [...apps].map(([module, app]) => [
      module,
      code.repos.find((repo) => repo.module === module)?.adapter ??
        moduleName(get(get(config.apps.get(app), module), 'adapter')),
    ]),
  );
  const named = projects
    .flatMap((project) => project.deps.filter((dep) => dep.prod).map((dep) => dep.name))
    .filter((name) => DRIVERS.test(name));
  // A repo of a dependency outside the tree: only mix.lock knows its driver
  const evidence =
    [
      [...declared.values()].filter((adapter) => adapter !== undefined),
      named,
      [...lock.keys()].filter((name) => DRIVERS.test(name)),
    ].find((found) => found.length) ?? [];
  const kinds: [EctoAdapter, RegExp][] = [
    ['postgres', /postgres|postgrex/i],
    ['mysql', /myxql|mysql|mariaex/i],
    ['sqlite', /sqlite/i],
  ];
  const kindOf = (names: readonly string[]) =>
    kinds.find(([, pattern]) => names.some((name) => pattern.test(name)))?.[0] ?? 'none';
  const adapter = apps.size ? kindOf(evidence) : 'none';
  const adapters = new Map(
    [...declared].map(([module, name]) => [module, name === undefined ? adapter : kindOf([name])]),
  );
  return { modules: [...apps.keys()], apps, adapter, adapters };
}

/** What an app's modules begin with, e.g. "Shop". */
const baseOf = (project: MixProject): string | null =>
  project.applicationModule?.replace(/\.(Application|App)$/, '') ??
  project.projectModule?.replace(/\.(MixProject|Mixfile)$/, '') ??
  null;

/** Names that can't be derived from each other: OTP app, base module, web module. */
export function identity(
  root: MixProject,
  web: MixProject,
  endpoint: string,
  code: Code,
  sources: Sources,
): { otpApp: string; module: string | null; webModule: string | null } {
  const base = baseOf(web);
  const parent = endpoint.split('.').slice(0, -1).join('.');
  const declared = code.webModules.filter(
    (name) => web.dir === '.' || sources.fileOf(name)?.startsWith(`${web.dir}/`),
  );
  const module = base && parent.startsWith(base) ? base : (base ?? parent);
  return {
    otpApp: web.app ?? root.app ?? '',
    module,
    webModule: declared.includes(parent)
      ? parent
      : (declared.find((name) => name.startsWith(`${parent}.`)) ??
        (parent.endsWith('Web') ? parent : (declared[0] ?? null))),
  };
}

/** What `mix release` builds when it is given no name; null when it refuses to choose. */
export function releaseName(root: MixProject, umbrella: boolean, notes: string[]): string | null {
  const wanted = root.defaultRelease;
  if (wanted && (root.releases.length === 0 || root.releases.includes(wanted))) return wanted;
  if (wanted)
    notes.push(
      `default_release in mix.exs names ${wanted}, which is not among its releases (${root.releases.join(', ')}).`,
    );
  if (root.releases.length === 1) return root.releases[0] ?? null;
  if (root.releases.length > 1) {
    notes.push(
      `mix.exs has several releases (${root.releases.join(', ')}) and no default_release, so one has to be named.`,
    );
    return null;
  }
  if (umbrella)
    notes.push('The umbrella has no `releases:` in its mix.exs, and `mix release` asks for one.');
  return umbrella ? null : root.app;
}

/** The endpoint's adapter, else what its default amounts to. */
export function httpServer(endpointConfig: Value, deps: readonly Dep[]): 'bandit' | 'cowboy' {
  const adapter = moduleName(get(endpointConfig, 'adapter'));
  const has = (name: string) => deps.some((dep) => dep.name === name && dep.prod);
  return adapter
    ? /Bandit/.test(adapter)
      ? 'bandit'
      : 'cowboy'
    : has('bandit') && !has('plug_cowboy')
      ? 'bandit'
      : 'cowboy';
}
