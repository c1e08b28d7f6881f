import { posix } from 'node:path';
import { releaseFolder } from '../check/machine-env.ts';
import { Repo } from '../check/repo.ts';
import { migrateScript } from '../docker/release-files.ts';
import { migratedRepos } from '../facts/database.ts';
import type { Project } from '../facts/detect.ts';
import { type FlyConfig, nonEmpty, seconds, type Table, tablesAt } from '../fly/fly-config.ts';
import { memoryOf, UNSET_MEMORY } from '../fly/machine.ts';
import { Problem } from '../problem.ts';
import { elixirAtom, elixirModule, shellWord } from '../quote.ts';
import type { Variables } from './engine.ts';

export type Deploy = ReturnType<typeof deployOf>;

/**
 * What Fly would build and start, as the repo's fly.toml says; durations in milliseconds.
 * @throws Problem where it deploys something else than an image built from a Dockerfile
 */
export function deployOf(project: Project, fly: FlyConfig) {
  const { build, service, table, env, group } = fly;
  const bypass = ['image', 'builder', 'buildpacks'].find((key) => build[key] !== undefined);
  if (bypass)
    throw new Problem(
      `fly.toml deploys what [build] ${bypass} says, not a Dockerfile of this repo: there is nothing here to build`,
    );
  if (!service)
    throw new Problem(
      'fly.toml has no [http_service], so Fly would send no requests: `npx plop fly-toml` writes it',
    );
  const inRepo = (path: string) => {
    const normal = posix.normalize(path);
    if (project.tree.read(normal) !== undefined) return normal;
    throw new Problem(
      `there is no ${path} in the repo; \`npx plop dockerfile\` writes the usual one`,
    );
  };
  const app = fly.app ?? project.app.otpApp.replaceAll('_', '-');
  const release = project.release.name ?? project.app.otpApp;
  const [check] = service.checks;
  const ignoreFile = nonEmpty(build.ignorefile);
  return {
    app,
    release,
    /** The name that browsers use. */
    host: /^[\w.-]+$/.exec(env.PHX_HOST ?? '')?.[0] ?? `${app}.fly.dev`,
    region: fly.region ?? 'iad',
    dockerfile: inRepo(nonEmpty(build.dockerfile) ?? 'Dockerfile'),
    ignoreFile: ignoreFile && inRepo(ignoreFile),
    target: nonEmpty(build['build-target']),
    buildArgs: strings(build, 'args'),
    env,
    /** Takes the place of the image's CMD. */
    command: group && nonEmpty(tablesAt(table, 'processes')[0]?.data[group]),
    port: service.internalPort ?? 8080,
    /** The request that Fly repeats. */
    check: check && {
      method: (nonEmpty(check.data.method) ?? 'GET').toUpperCase(),
      path: nonEmpty(check.data.path) ?? '/',
      headers: strings(check.data, 'headers'),
      timeout: (seconds(check.data.timeout) ?? 2) * 1000,
      grace: (seconds(check.data.grace_period) ?? 1) * 1000,
    },
    memory: (fly.machine && memoryOf(fly.machine.data)) ?? UNSET_MEMORY,
    /** Where the volume is mounted. */
    volume: tablesAt(table, 'mounts')
      .filter(
        ({ data: { processes } }) => !processes || !group || [processes].flat().includes(group),
      )
      .map(({ data }) => nonEmpty(data.destination))
      .find((path) => path && /^\/[\w./-]+$/.test(path)),
    killSignal: nonEmpty(table.kill_signal) ?? 'SIGINT',
    killTimeout: (fly.killTimeout ?? 5) * 1000,
    /** Runs in a machine of its own before the new version starts. */
    releaseCommand: nonEmpty(fly.deploy.release_command),
    /** What migrates where no release_command does; undefined without a database. */
    migrate: project.database.repos.length ? migrateCommand(project, release) : undefined,
  };
}

const strings = (table: Table, key: string): Variables => {
  const entries = Object.entries(tablesAt(table, key)[0]?.data ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
};

/** What migrates the database in the image; without the script Ecto's own migrator (Ecto.Migrator.with_repo/2, ecto_sql 3.13). */
function migrateCommand(project: Project, release: string): string {
  const bin = posix.join(releaseFolder(new Repo(project)), 'bin');
  if (project.tree.paths.has(migrateScript(project, release))) return `${bin}/migrate`;
  const { app, database } = project;
  const repos = migratedRepos(project);
  const apps = new Set(repos.map((repo) => database.repoApps.get(repo) ?? app.otpApp));
  const load = [...apps].map((name) => `Application.load(${elixirAtom(name)})`).join('; ');
  const code = `${load}; for repo <- [${repos.map(elixirModule).join(', ')}], do: {:ok, _, _} = Ecto.Migrator.with_repo(repo, &Ecto.Migrator.run(&1, :up, all: true))`;
  return `${bin}/${release} eval ${shellWord(code)}`;
}
