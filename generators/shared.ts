import type { Project } from '../src/facts/detect.ts';
import { flyConfig } from '../src/fly/fly-config.ts';

/** The one port: EXPOSE, PORT and internal_port say the same. One that fly.toml has already stays. */
export function portOf(project: Project): number {
  const { service, env } = flyConfig(project.tree);
  const port = service?.internalPort ?? Number(env.PORT);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 4000;
}
