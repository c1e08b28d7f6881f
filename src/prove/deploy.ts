import type TOML from '@iarna/toml';
import { migrateCommand } from '../docker/release-files.ts';
import type { Project } from '../facts/detect.ts';
import { envOf, listAt, megabytes, pageGroup, pageMachine, pageService } from '../fly/service.ts';
import { Problem } from '../problem.ts';

type Table = TOML.JsonMap;

/** What Fly would build and start, as the repo's fly.toml says; durations in milliseconds. */
export interface Deploy {
  app: string;
  /** The name that browsers use. */
  host: string;
  region: string;
  dockerfile: string;
  target: string | undefined;
  buildArgs: Record<string, string>;
  env: Record<string, string>;
  /** Takes the place of the image's CMD, from [processes]. */
  command: string | undefined;
  port: number;
  check: HealthCheck | undefined;
  memory: number;
  killSignal: string;
  killTimeout: number;
  /** Runs in a machine of its own before the new version starts. */
  releaseCommand: string | undefined;
  /** What migrates where no release_command does; undefined without a database. */
  migrate: string | undefined;
}

/** One [[http_service.checks]]: the request that Fly repeats. */
export interface HealthCheck {
  method: string;
  path: string;
  headers: Record<string, string>;
  interval: number;
  timeout: number;
  grace: number;
}

/** Without [[vm]] a first deploy gets shared-cpu-1x with 256 MB (fly.io/docs/reference/configuration, 2026-11). */
const SIZES: Readonly<Record<string, number>> = { shared: 256, performance: 2048 };

/**
 * @param table fly.toml as data
 * @throws Problem where fly.toml deploys something else than an image built from a Dockerfile
 */
export function deployOf(project: Project, table: Table): Deploy {
  const build = listAt(table, 'build')[0] ?? {};
  refuseForeignBuild(build);
  const service = pageService(table);
  if (!service)
    throw new Problem(
      'fly.toml has no [http_service], so Fly would send no requests: `npx plop fly-toml` writes it',
    );
  const app = text(table.app) ?? project.app.otpApp.replaceAll('_', '-');
  const env = strings(envOf(table));
  const release = project.release.name ?? project.app.otpApp;
  return {
    app,
    host: env.PHX_HOST ?? `${app}.fly.dev`,
    region: text(table.primary_region) ?? 'iad',
    dockerfile: text(build.dockerfile) ?? 'Dockerfile',
    target: text(build['build-target']),
    buildArgs: strings(listAt(build, 'args')[0] ?? {}),
    env,
    command: processCommand(table),
    port: Number(service.data.internal_port ?? 8080),
    check: healthCheck(
      listAt(service.data, service.table === 'services' ? 'http_checks' : 'checks')[0],
    ),
    memory: memoryOf(pageMachine(table)?.data),
    killSignal: text(table.kill_signal) ?? 'SIGINT',
    killTimeout: duration(table.kill_timeout, 5000, 1000),
    releaseCommand: text(listAt(table, 'deploy')[0]?.release_command),
    migrate: project.database.repos.length ? migrateCommand(project, release) : undefined,
  };
}

function refuseForeignBuild(build: Table): void {
  const bypass = ['image', 'builder', 'buildpacks'].find((key) => build[key] !== undefined);
  if (bypass)
    throw new Problem(
      `fly.toml deploys what [build] ${bypass} says, not a Dockerfile of this repo: there is nothing here to build`,
    );
}

function processCommand(table: Table): string | undefined {
  const group = pageGroup(table);
  const processes = listAt(table, 'processes')[0];
  return group && !Array.isArray(table.processes) ? text(processes?.[group]) : undefined;
}

function healthCheck(check: Table | undefined): HealthCheck | undefined {
  if (!check) return undefined;
  return {
    method: (text(check.method) ?? 'GET').toUpperCase(),
    path: text(check.path) ?? '/',
    headers: strings(listAt(check, 'headers')[0] ?? {}),
    interval: duration(check.interval, 15_000, 1),
    timeout: duration(check.timeout, 2000, 1),
    grace: duration(check.grace_period, 1000, 1),
  };
}

function memoryOf(machine: Table | undefined): number {
  const said = megabytes(machine);
  if (said !== undefined) return said;
  const [, kind = 'shared', cpus = '1'] =
    /^(shared|performance)(?:-cpu)?-(\d+)x$/.exec(text(machine?.size) ?? '') ?? [];
  return (SIZES[kind] ?? 256) * Number(cpus);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of "30s" or "1m30s". @param unit milliseconds of a bare number (flyctl: seconds for kill_timeout, else milliseconds) */
export function duration(value: unknown, fallback: number, unit: number): number {
  if (typeof value === 'number') return value * unit;
  if (typeof value !== 'string') return fallback;
  if (/^\d+$/.test(value)) return Number(value) * unit;
  const parts = [...value.matchAll(/([\d.]+)(ms|s|m|h)/g)];
  if (parts.length === 0) return fallback;
  return parts.reduce((sum, [, amount, name = '']) => sum + Number(amount) * (UNITS[name] ?? 0), 0);
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const strings = (table: Table): Record<string, string> =>
  Object.fromEntries(Object.entries(table).map(([name, value]) => [name, String(value)]));
