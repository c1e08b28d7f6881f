import { flyTable } from '../src/existing.ts';
import type { Project } from '../src/facts/detect.ts';
import { pageService } from '../src/fly/service.ts';

/** The one port: EXPOSE, PORT and internal_port say the same. One that fly.toml has already stays. */
export function portOf(project: Project): number {
  const port = pageService(flyTable(project))?.data.internal_port;
  return typeof port === 'number' && port > 0 && port < 65_536 ? port : 4000;
}
