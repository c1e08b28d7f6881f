import { get, moduleName, Unknown } from '../elixir/value.ts';
import type { Project } from './detect.ts';
import type { MixProject } from './mix-project.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';

/** The kind of database behind an Ecto repo; `none`: there is none, or another kind. */
type EctoAdapter = 'postgres' | 'mysql' | 'sqlite' | 'none';

/** Packages that talk to a database. */
const DRIVERS = /^(postgrex|myxql|mariaex|ecto_sqlite3|sqlite_ecto2)$/;
/** By the names of drivers and of Ecto's adapter modules. */
const ADAPTERS: [EctoAdapter, RegExp][] = [
  ['postgres', /postgres|postgrex/i],
  ['mysql', /myxql|mysql|mariaex/i],
  ['sqlite', /sqlite/i],
];

const adapterOf = (names: readonly string[]): EctoAdapter =>
  ADAPTERS.find(([, pattern]) => names.some((name) => pattern.test(name)))?.[0] ?? 'none';

/** The repos that migrations run for, the app each is configured under, and their kind of database. */
export function pickRepos(repo: PhoenixRepo) {
  const { code, config, projects, released, lock } = repo;
  const declared = new Map(code.repos.map((use) => [use.module, use]));
  const apps = (mixFiles: readonly MixProject[]) => mixFiles.flatMap(({ app }) => app ?? []);
  const repoApps = listedRepos(repo, apps(released));
  if (repoApps.size === 0)
    for (const { module, otpApp } of declared.values())
      repoApps.set(module, otpApp ?? released[0]?.app ?? '');
  // A repo of a dependency
  const others = [...config.apps.keys()].filter((app) => !apps(projects).includes(app));
  if (repoApps.size === 0)
    for (const [module, app] of listedRepos(repo, others)) repoApps.set(module, app);
  const adapterModules = [...repoApps].map(([module, app]) => {
    const settings = get(config.apps.get(app), module);
    return [module, declared.get(module)?.adapter ?? moduleName(get(settings, 'adapter'))] as const;
  });
  const deps = released.flatMap((project) => project.deps.filter((dep) => dep.prod));
  // A repo of a dependency outside the tree: only mix.lock knows its driver
  const evidence = [
    adapterModules.flatMap(([, adapter]) => adapter ?? []),
    deps.map(({ name }) => name).filter((name) => DRIVERS.test(name)),
    [...lock.keys()].filter((name) => DRIVERS.test(name)),
  ].find((names) => names.length);
  const adapter = repoApps.size ? adapterOf(evidence ?? []) : 'none';
  const replicas = [...declared.values()].filter(({ readOnly }) => readOnly);
  return {
    adapter,
    repos: [...repoApps.keys()],
    /** The OTP app that each repo is configured under. */
    repoApps,
    /** The kind of database of each repo; `none`: one that is not in the list (ClickHouse, SQL Server). */
    repoAdapters: new Map(
      adapterModules.map(([module, name]) => [module, name ? adapterOf([name]) : adapter]),
    ),
    /** Repos that nothing migrates, such as one of Oban's own, with the app that each is configured under. */
    unlistedRepos: [...declared.values()].filter(({ module }) => !repoApps.has(module)),
    readOnlyRepos: replicas.map(({ module }) => module),
  };
}

/**
 * What `:ecto_repos` lists, with the app whose configuration each repo reads: its own otp_app, not the app that lists it.
 * For a repo of a dependency it is the app that it is configured under.
 */
function listedRepos(
  { code, config, notes }: PhoenixRepo,
  apps: readonly string[],
): Map<string, string> {
  const owner = (module: string): string | undefined =>
    code.repos.find((repo) => repo.module === module)?.otpApp ??
    config.settings.find(({ key }) => key === module)?.app;
  const repoApps = new Map<string, string>();
  for (const app of apps) {
    const list = get(config.apps.get(app), 'ecto_repos');
    const modules = (Array.isArray(list) ? list : []).flatMap((repo) => moduleName(repo) ?? []);
    for (const module of modules) repoApps.set(module, owner(module) ?? app);
    if (list instanceof Unknown)
      notes.push(
        `:ecto_repos of :${app} is computed (${list.why}); the repos found in the code were taken.`,
      );
  }
  return repoApps;
}

/** The repos on the app's own database server, which Fly's settings are for; those on another kind are left alone. */
export const serverRepos = ({ database }: Project): string[] =>
  database.repos.filter(
    (module) =>
      /postgres|mysql/.test(database.adapter) &&
      database.repoAdapters.get(module) === database.adapter,
  );

/** Those that migrations run for: not replicas. */
export const migratedRepos = (project: Project): string[] =>
  serverRepos(project).filter((module) => !project.database.readOnlyRepos.includes(module));
