import { Repo } from '../src/check/repo.ts';
import { type Path, settingAt, variableOf } from '../src/check/runtime-probe.ts';
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
  const path: Path = [project.app.otpApp, project.endpoint.module, 'http', 'port'];
  const [port, other] = ['4321', '4322'].map((PORT) => Number(settingAt(repo, path, { PORT })));
  const isFixed =
    repo.runtime !== undefined && port === other && variableOf(repo, path) === undefined;
  return isFixed && port && isPort(port) ? port : undefined;
}

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536;
