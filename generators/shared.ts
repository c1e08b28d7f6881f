import { Repo } from '../src/check/repo.ts';
import { endpointOf } from '../src/check/runtime-settings.ts';
import { intoBlock } from '../src/edit/block.ts';
import type { Merge } from '../src/edit/conflict.ts';
import type { Project } from '../src/facts/detect.ts';
import { flyConfig, isPort } from '../src/fly/fly-config.ts';

/** The port of EXPOSE, PORT and internal_port: fly.toml's, or the one that the app listens on whatever PORT says, else 4000. */
export function portOf(project: Project): number {
  const { service, env } = flyConfig(project.tree);
  const port = service?.internalPort ?? Number(env.PORT);
  return isPort(port) ? port : (fixedPort(project) ?? 4000);
}

/** The port that the app listens on under two values of PORT. */
function fixedPort(project: Project): number | undefined {
  const repo = new Repo(project);
  const { value, variable } = endpointOf(repo);
  const [port, otherPort] = [value('http.port'), value('http.port', { PORT: '4322' })].map(Number);
  const isFixed = repo.runtime && port === otherPort && variable('http.port') === undefined;
  return isFixed && port && isPort(port) ? port : undefined;
}

/** Puts lines into our block of an owner's file; without lines no new block is made. @param head first line of a new file */
export const intoOurs =
  (path: string, head: string): Merge =>
  (before, lines, onConflict) => {
    const hasBlock = /^# (>>>|<<<) phoenix-fly/m.test(before ?? '');
    if (before && !lines && !hasBlock) return before;
    const text = lines || '# All of it is set outside this block\n';
    return intoBlock(path, head)(before, text, onConflict);
  };
