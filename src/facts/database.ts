import { get, moduleName, Unknown } from '../elixir/value.ts';
import type { Code } from './code.ts';
import type { Config } from './config.ts';
import type { MixProject } from './mix-project.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';

export type EctoAdapter = 'postgres' | 'mysql' | 'sqlite' | 'none';

const DRIVERS = /^(postgrex|myxql|mariaex|ecto_sqlite3|sqlite_ecto2)$/;
const KINDS: [EctoAdapter, RegExp][] = [
  ['postgres', /postgres|postgrex/i],
  ['mysql', /myxql|mysql|mariaex/i],
  ['sqlite', /sqlite/i],
];

const kindOf = (names: readonly string[]): EctoAdapter =>
  KINDS.find(([, pattern]) => names.some((name) => pattern.test(name)))?.[0] ?? 'none';

/** The repos that migrations run for, the app each is configured under, and their kind of database. */
export function pickRepos({ code, config, released, lock, notes }: PhoenixRepo) {
  const own = new Map(code.repos.map((repo) => [repo.module, repo]));
  const apps = listedRepos(code, config, released, notes);
  if (apps.size === 0)
    for (const { module, otpApp } of own.values())
      apps.set(module, otpApp ?? released[0]?.app ?? '');
  const adapterOf = ([module, app]: [string, string]): string | undefined =>
    own.get(module)?.adapter ?? moduleName(get(get(config.apps.get(app), module), 'adapter'));
  const declared = new Map([...apps].map((repo) => [repo[0], adapterOf(repo)]));
  const deps = released.flatMap((project) => project.deps.filter((dep) => dep.prod));
  // A repo of a dependency outside the tree: only mix.lock knows its driver
  const evidence = [
    [...declared.values()].filter((adapter) => adapter !== undefined),
    deps.map(({ name }) => name).filter((name) => DRIVERS.test(name)),
    [...lock.keys()].filter((name) => DRIVERS.test(name)),
  ].find((found) => found.length);
  const adapter = apps.size ? kindOf(evidence ?? []) : 'none';
  const adapters = [...declared].map(([module, name]): [string, EctoAdapter] => [
    module,
    name === undefined ? adapter : kindOf([name]),
  ]);
  return {
    adapter,
    repos: [...apps.keys()],
    /** The OTP app that each repo is configured under. */
    repoApps: apps,
    /** The kind of database of each repo; `none`: one that is not in the list (ClickHouse, SQL Server). */
    repoAdapters: new Map(adapters),
    readOnlyRepos: [...own.values()].filter(({ readOnly }) => readOnly).map(({ module }) => module),
  };
}

/** What `:ecto_repos` lists. A repo reads its settings from its own otp_app, not from the app that lists it; that of a dependency is told by where it is configured. */
function listedRepos(
  code: Code,
  config: Config,
  projects: readonly MixProject[],
  notes: string[],
): Map<string, string> {
  const owner = (module: string): string | undefined =>
    code.repos.find((repo) => repo.module === module)?.otpApp ??
    config.settings.find(({ key }) => key === module)?.app;
  const apps = new Map<string, string>();
  for (const app of projects.flatMap((project) => project.app ?? [])) {
    const listed = get(config.apps.get(app), 'ecto_repos');
    const modules = (Array.isArray(listed) ? listed : []).flatMap((repo) => moduleName(repo) ?? []);
    for (const module of modules) apps.set(module, owner(module) ?? app);
    if (listed instanceof Unknown)
      notes.push(
        `:ecto_repos of :${app} is computed (${listed.why}); the repos found in the code were taken.`,
      );
  }
  return apps;
}
