import TOML from '@iarna/toml';
import type { Project } from './facts/detect.ts';
import { Problem } from './problem.ts';

/** Whether the file there was written by us. */
export const isOurs = (project: Project, path: string): boolean => /^#.*(Written by phoenix-fly|phoenix-fly: )/m.test(project.tree.read(path) ?? '');

/** fly.toml as data. @throws Problem when it is not TOML */
export function flyTable(project: Project): TOML.JsonMap {
  try {
    return TOML.parse(project.tree.read('fly.toml') ?? '');
  } catch (error) {
    const [line] = error instanceof Error ? error.message.split('\n') : [];
    throw new Problem(`fly.toml is not valid TOML: ${line}; mend or remove it, then run again`);
  }
}

/** A text at the top of the existing fly.toml. */
export function flyToml(project: Project, key: string): string | undefined {
  const value = flyTable(project)[key];
  return typeof value === 'string' && value ? value : undefined;
}

/** The host in fly.toml, as long as it is not the fly.dev name of another app. */
export function sameApp(project: Project, app: string | undefined): string | undefined {
  const host = (flyTable(project).env as TOML.JsonMap | undefined)?.PHX_HOST;
  return typeof host === 'string' && (flyToml(project, 'app') === app || !host.endsWith('.fly.dev')) ? host : undefined;
}

/** The memory of the first machine in fly.toml. */
export function vmMemory(project: Project): string | undefined {
  const vm = flyTable(project).vm;
  const first = (Array.isArray(vm) ? vm[0] : vm) as TOML.JsonMap | undefined;
  const memory = first?.memory ?? first?.memory_mb;
  return memory === undefined ? undefined : String(memory);
}

/** `yes` or `no` as auto_stop_machines in fly.toml says. */
export function alwaysOn(project: Project): string | undefined {
  const service = flyTable(project).http_service as TOML.JsonMap | undefined;
  const stop = service?.auto_stop_machines;
  return stop === undefined ? undefined : stop === 'off' || stop === false ? 'yes' : 'no';
}

/** The base image of the Dockerfile that we wrote. */
export function writtenBase(project: Project): 'alpine' | 'debian' | undefined {
  if (!isOurs(project, 'Dockerfile')) return undefined;
  return /^ARG DEBIAN_VERSION=/m.test(project.tree.read('Dockerfile') ?? '') ? 'debian' : 'alpine';
}

/** The release that the Dockerfile builds, as long as mix.exs still has it. */
export function builtRelease(project: Project): string | undefined {
  const [, name] = /_build\/prod\/rel\/(\w+)/.exec(project.tree.read('Dockerfile') ?? '') ?? [];
  return project.releases.find((one) => one === name);
}
