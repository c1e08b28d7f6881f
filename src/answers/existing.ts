import type { Project } from '../facts/detect.ts';
import { flyConfig } from '../fly/fly-config.ts';
import { staysOn } from '../fly/fly-merge.ts';
import { memoryOf, UNSET_MEMORY } from '../fly/machine.ts';
import { isHostName } from '../fly/names.ts';
import { readAttachCommand } from '../fly/postgres.ts';

/** Whether the file there was written by us. */
export const isOurs = (project: Project, path: string): boolean =>
  /^#.*(Written by phoenix-fly|phoenix-fly: )/m.test(project.tree.read(path) ?? '');

/** The host in fly.toml, without a scheme; not the fly.dev name of another app. */
export function sameApp(project: Project, app: string | undefined): string | undefined {
  const fly = flyConfig(project.tree);
  const host = fly.env.PHX_HOST?.trim()
    .toLowerCase()
    .replace(/^https?:\/\/|\/$/g, '');
  if (!host || !isHostName(host)) return undefined;
  return fly.app === app || !host.endsWith('.fly.dev') ? host : undefined;
}

/** The memory of the pages' machine in fly.toml, where it is one that Fly has; without [[vm]] it stays what Fly gives it. */
export function vmMemory(project: Project): string | undefined {
  const { machine, blank } = flyConfig(project.tree);
  if (!machine) return blank ? undefined : `${UNSET_MEMORY}mb`;
  const memory = memoryOf(machine.data);
  return memory && memory % 256 === 0 ? `${memory}mb` : undefined;
}

/** Comments that stand in any fly.toml that went through our hands. */
const OUR_COMMENTS =
  /^\s*# (LiveView sockets connect only|Only a machine that answers|Nothing runs in the background|DATABASE_URL is a secret, set by|The database is outside Fly)/m;

/**
 * `yes` or `no` as fly.toml says. A machine that stops when nobody was asked about it (`fly launch` writes so into every
 * file) says nothing about an app that works in the background.
 */
export function alwaysOn(project: Project): string | undefined {
  const { service } = flyConfig(project.tree);
  if (!service) return undefined;
  if (staysOn(service)) return 'yes';
  return OUR_COMMENTS.test(project.tree.read('fly.toml') ?? '') ? 'no' : undefined;
}

/** The database that fly.toml tells of: what earlier runs were told, or that it is reached without IPv6. */
export function writtenDatabase(project: Project): string | undefined {
  const told = readAttachCommand(project.tree.read('fly.toml') ?? '');
  if (told) return told;
  return /^(false|0)$/.test(flyConfig(project.tree).env.ECTO_IPV6 ?? '') ? 'external' : undefined;
}

/** The base image of the Dockerfile that we wrote. */
export function writtenBase(project: Project): 'alpine' | 'debian' | undefined {
  if (!isOurs(project, 'Dockerfile')) return undefined;
  return /^ARG DEBIAN_VERSION=/m.test(project.tree.read('Dockerfile') ?? '') ? 'debian' : 'alpine';
}

/** Whether the Dockerfile that we wrote puts psql into its last stage. */
export function writtenPsql(project: Project): boolean | undefined {
  if (!isOurs(project, 'Dockerfile')) return undefined;
  const [runner = ''] = (project.tree.read('Dockerfile') ?? '').split(/^FROM /m).slice(-1);
  return /^[^#\n]*(postgresql-client|--from=psql )/m.test(runner);
}

/** The release that the Dockerfile builds, as long as mix.exs still has it. */
export function builtRelease(project: Project): string | undefined {
  const [, name] = /_build\/prod\/rel\/(\w+)/.exec(project.tree.read('Dockerfile') ?? '') ?? [];
  return project.release.names.find((one) => one === name);
}
