import type TOML from '@iarna/toml';
import { getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser';
import { ourBlock } from '../edit/block.ts';
import type { Project } from '../facts/detect.ts';
import { isHostName } from '../fly/names.ts';
import { readAttachCommand } from '../fly/postgres.ts';
import { envOf, megabytes, pageMachine, pageService } from '../fly/service.ts';
import { Problem } from '../problem.ts';

/** Whether the file there was written by us. */
export const isOurs = (project: Project, path: string): boolean =>
  /^#.*(Written by phoenix-fly|phoenix-fly: )/m.test(project.tree.read(path) ?? '');

/** fly.toml as data. @throws Problem when it is not TOML */
export function flyTable(project: Project): TOML.JsonMap {
  // A byte-order mark is no TOML (flyctl refuses it too), so a merge takes it away
  const text = (project.tree.read('fly.toml') ?? '').replace(/^\uFEFF/, '');
  try {
    // The parser that edits it; @iarna/toml 3.0 refuses CRLF behind a comment
    return getStaticTOMLValue(parseTOML(text)) as TOML.JsonMap;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new Problem(
      `fly.toml is not valid TOML: line ${error.lineNumber}: ${error.message}; mend or remove it, then run again`,
    );
  }
}

/** A text at the top of the existing fly.toml. */
export function flyToml(project: Project, key: string): string | undefined {
  const value = flyTable(project)[key];
  return typeof value === 'string' && value ? value : undefined;
}

/** The host in fly.toml, as long as it is a host's name and not the fly.dev name of another app. */
export function sameApp(project: Project, app: string | undefined): string | undefined {
  const host = envOf(flyTable(project)).PHX_HOST;
  return typeof host === 'string' &&
    isHostName(host.trim().toLowerCase()) &&
    (flyToml(project, 'app') === app || !host.endsWith('.fly.dev'))
    ? host
    : undefined;
}

/** The memory of the pages' machine in fly.toml, where it is one that Fly has. */
export function vmMemory(project: Project): string | undefined {
  const memory = megabytes(pageMachine(flyTable(project))?.data);
  return memory && memory % 256 === 0 ? `${memory}mb` : undefined;
}

/** Comments that stand in any fly.toml that went through our hands. */
const OUR_COMMENTS =
  /^\s*# (LiveView sockets connect only|Only a machine that answers|Nothing runs in the background|DATABASE_URL is a secret, set by|The database is outside Fly)/m;

/**
 * `yes` or `no` as auto_stop_machines in fly.toml says; Fly's default is off. A `stop` that nobody was asked about
 * (`fly launch` writes it into every file, and no machine that stays) says nothing about an app that works in the background.
 */
export function alwaysOn(project: Project): string | undefined {
  const service = pageService(flyTable(project));
  if (!service) return undefined;
  if ([undefined, 'off', false].includes(service.data.auto_stop_machines as string | undefined))
    return 'yes';
  const launched =
    !service.data.min_machines_running && !OUR_COMMENTS.test(project.tree.read('fly.toml') ?? '');
  return launched ? undefined : 'no';
}

/** The database that earlier runs were told of. */
export function writtenDatabase(project: Project): string | undefined {
  const block = ourBlock(project.tree.read('config/runtime.exs') ?? '');
  return (
    readAttachCommand(project.tree.read('fly.toml') ?? '') ??
    (block && !block.includes('DATABASE_URL') ? 'none' : undefined)
  );
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
