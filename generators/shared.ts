import { Repo } from '../src/check/repo.ts';
import { endpointOf } from '../src/check/runtime-settings.ts';
import { intoBlock } from '../src/edit/block.ts';
import type { Merge } from '../src/edit/conflict.ts';
import type { Project } from '../src/facts/detect.ts';
import { flyConfig } from '../src/fly/fly-config.ts';

/** The one port: EXPOSE, PORT and internal_port say the same. One that fly.toml has already stays, or that the app listens on whatever PORT says. */
export function portOf(project: Project): number {
  const { service, env } = flyConfig(project.tree);
  const port = service?.internalPort ?? Number(env.PORT);
  return isPort(port) ? port : (fixedPort(project) ?? 4000);
}

function fixedPort(project: Project): number | undefined {
  const repo = new Repo(project);
  const { value, variable } = endpointOf(repo);
  const [port, other] = ['4321', '4322'].map((PORT) => Number(value('http.port', { PORT })));
  const isFixed =
    repo.runtime !== undefined && port === other && variable('http.port') === undefined;
  return isFixed && port && isPort(port) ? port : undefined;
}

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536;

/** Puts lines into our block of an owner's file; no lines make no block where there was none. @param first line of a new file */
export const intoOurs =
  (path: string, first: string): Merge =>
  (before, lines, onConflict) => {
    if (before && !lines && !/^# (>>>|<<<) phoenix-fly/m.test(before)) return before;
    const left = lines || '# All of it is set outside this block\n';
    return intoBlock(path, first)(before, left, onConflict);
  };
