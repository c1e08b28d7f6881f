import { posix } from 'node:path';
import { migrateCommand } from '../docker/release-files.ts';
import type { Project } from '../facts/detect.ts';
import { type FlyConfig, seconds, type Table, tablesAt } from '../fly/fly-config.ts';
import { memoryOf, UNSET_MEMORY } from '../fly/machine.ts';
import { Problem } from '../problem.ts';
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
  const dockerfile = posix.normalize(text(build.dockerfile) ?? 'Dockerfile');
  if (project.tree.read(dockerfile) === undefined)
    throw new Problem(`there is no ${dockerfile} to build: \`npx plop dockerfile\` writes one`);
  const ignoreFile = text(build.ignorefile);
  if (ignoreFile && project.tree.read(posix.normalize(ignoreFile)) === undefined)
    throw new Problem(`there is no ${ignoreFile} in the repo, which fly.toml takes as ignore file`);
  const app = fly.app ?? project.app.otpApp.replaceAll('_', '-');
  const release = project.release.name ?? project.app.otpApp;
  return {
    app,
    release,
    /** The name that browsers use. */
    host: env.PHX_HOST ?? `${app}.fly.dev`,
    region: fly.region ?? 'iad',
    dockerfile,
    ignoreFile,
    target: text(build['build-target']),
    buildArgs: strings(build, 'args'),
    env,
    /** Takes the place of the image's CMD. */
    command: group && text(tablesAt(table, 'processes')[0]?.data[group]),
    port: service.internalPort ?? 8080,
    check: service.checks[0] && healthCheck(service.checks[0].data),
    memory: (fly.machine && memoryOf(fly.machine.data)) ?? UNSET_MEMORY,
    /** Where the volume is mounted. */
    volume: tablesAt(table, 'mounts')
      .filter(({ data }) => !(group && data.processes) || [data.processes].flat().includes(group))
      .map(({ data }) => text(data.destination))
      .find((path) => path && /^\/[\w./-]+$/.test(path)),
    killSignal: text(table.kill_signal) ?? 'SIGINT',
    killTimeout: (fly.killTimeout ?? 5) * 1000,
    /** Runs in a machine of its own before the new version starts. */
    releaseCommand: text(fly.deploy.release_command),
    /** What migrates where no release_command does; undefined without a database. */
    migrate: project.database.repos.length ? migrateCommand(project, release) : undefined,
  };
}

/** The request that Fly repeats. */
const healthCheck = (check: Table) => ({
  method: (text(check.method) ?? 'GET').toUpperCase(),
  path: text(check.path) ?? '/',
  headers: strings(check, 'headers'),
  timeout: (seconds(check.timeout) ?? 2) * 1000,
  grace: (seconds(check.grace_period) ?? 1) * 1000,
});

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const strings = (table: Table, key: string): Variables => {
  const entries = Object.entries(tablesAt(table, key)[0]?.data ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
};
