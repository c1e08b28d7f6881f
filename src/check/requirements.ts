import { baseImages } from './dockerfile-base.ts';
import { layers, stages } from './dockerfile-build.ts';
import { buildInputs, privateCode } from './dockerfile-inputs.ts';
import { exposedPort, locale, runtimePackages, startCommand, user } from './dockerfile-run.ts';
import { keepsIn, keepsOut } from './dockerignore.ts';
import { envSh } from './env-sh.ts';
import type { FlyFile } from './fly-file.ts';
import {
  alwaysOn,
  connections,
  database,
  https,
  machine,
  publicEnv,
  releaseCommand,
  shutdown,
  valid,
} from './fly-toml.ts';
import { healthCheck } from './health.ts';
import type { Repo } from './repo.ts';
import { backgroundSwitch, hostAndSecrets, logger, pool, releaseMode, tls } from './runtime.ts';
import { type Findings, found } from './verdict.ts';

/** One thing that a repo must have to run well on Fly. R numbers are the project's requirements, B what goes beyond them. */
export interface Requirement {
  id: string;
  name: string;
  /** The file it is about, as in the heading of its group. */
  file: string;
  judge: (repo: Repo) => Findings;
}

/** A file that isn't there lacks everything; its generator writes it. */
function needs<T>(
  file: string,
  pick: (repo: Repo) => T | undefined,
  generator: string,
): (id: string, name: string, judge: (repo: Repo, content: T) => Findings) => Requirement {
  return (id, name, judge) => ({
    id,
    name,
    file,
    judge: (repo) => {
      const content = pick(repo);
      return content === undefined
        ? found([
            {
              what: 'the file is not there',
              edit:
                repo.refusal === undefined
                  ? `npx plop ${generator} writes it (npx plop fly: all of them)`
                  : `write it yourself; phoenix-fly does not, because ${repo.refusal}`,
              file,
              line: undefined,
            },
          ])
        : judge(repo, content);
    },
  });
}

const dockerfileThere = needs('Dockerfile', (repo) => repo.dockerfile, 'dockerfile');
const dockerignore = needs('.dockerignore', (repo) => repo.dockerignore, 'dockerignore');
const envScript = needs('rel/env.sh.eex', (repo) => repo.envSh, 'env-sh');
const runtime = needs('config/runtime.exs', (repo) => repo.runtime, 'runtime-exs');
const flyFile = needs('fly.toml', (repo) => repo.fly, 'fly-toml');

const dockerfile: typeof dockerfileThere = (id, name, judge) => {
  const requirement = dockerfileThere(id, name, judge);
  return {
    ...requirement,
    judge: (repo) =>
      repo.builtElsewhere === undefined
        ? requirement.judge(repo)
        : found([], [`fly.toml builds with ${repo.builtElsewhere}, not with a Dockerfile`]),
  };
};

/** What can't be read can't be judged, but for the one requirement that says so. */
const flyToml = (
  id: string,
  name: string,
  judge: (repo: Repo, fly: FlyFile) => Findings,
): Requirement =>
  flyFile(id, name, (repo, fly) =>
    fly.problem && judge !== valid ? found([], ['fly.toml can not be read']) : judge(repo, fly),
  );

/** Every requirement, in the order in which it is shown. */
export const requirements: readonly Requirement[] = [
  dockerfile('R1.1', 'layers that stay while only the code changes', layers),
  dockerfile('R1.2', 'an image of the release alone', stages),
  dockerfile('R1.3', 'CA certificates and the libraries the release links to', runtimePackages),
  dockerfile('R1.4', 'a user that is not root, no secrets', user),
  dockerfile('R1.5', 'EXPOSE, the one port', exposedPort),
  dockerfile('R1.6', 'starts by itself, hears SIGTERM, serves HTTP', startCommand),
  dockerfile('B1', 'builder and runner on one system that has packages', baseImages),
  dockerfile('B2', 'UTF-8', locale),
  dockerfile('B3', 'everything the build reads, in time', buildInputs),
  dockerfile('B4', 'private code through build secrets', privateCode),
  dockerignore('B5', 'secrets and build output stay out', keepsOut),
  dockerignore('B6', 'what the build reads stays in', keepsIn),
  flyToml('R2.1', 'valid for flyctl', valid),
  flyToml('R2.2', 'a machine with memory enough', machine),
  flyToml('R2.3', 'database: IPv6 and pool size', database),
  flyToml('R2.4', 'HTTPS only', https),
  flyToml('R2.5', 'a health check that passes', healthCheck),
  flyToml('R2.6', 'the right port, room for LiveView sockets', connections),
  flyToml('R2.7', 'no secrets in [env]', publicEnv),
  flyToml('B7', 'background work keeps running, once', alwaysOn),
  flyToml('B8', 'time to shut down', shutdown),
  flyToml('B9', 'release_command that works', releaseCommand),
  envScript('B10', 'node name and IPv6, on Fly only', envSh),
  runtime('R3.1', 'release mode', releaseMode),
  runtime('R3.2', 'connection pool', pool),
  runtime('R3.3', 'host, origins, secrets from the environment', hostAndSecrets),
  runtime('R3.4', 'TLS options for outside connections', tls),
  runtime('R3.5', 'logger', logger),
  runtime('B11', 'workers can be left out', backgroundSwitch),
];
