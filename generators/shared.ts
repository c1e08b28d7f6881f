import { flyTable } from '../src/answers/existing.ts';
import type { Project } from '../src/facts/detect.ts';
import { pageService } from '../src/fly/service.ts';

/** The one port: EXPOSE, PORT and internal_port say the same. One that fly.toml has already stays. */
export function portOf(project: Project): number {
  // Text in some files of 2020
  const port = Number(pageService(flyTable(project))?.data.internal_port);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 4000;
}
