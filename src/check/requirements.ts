import type { Dockerfile } from './dockerfile-model.ts';
import type { FlyFile } from './repo.ts';
import type { Subject } from './rule.ts';

export const DOCKERFILE: Subject<Dockerfile> = {
  title: 'Dockerfile',
  generator: 'dockerfile',
  absence: 'must',
  read: (repo) => repo.dockerfile,
  doubt: (repo) =>
    repo.builtElsewhere && `not built by this: fly.toml builds with ${repo.builtElsewhere}`,
};

export const DOCKERIGNORE: Subject<(path: string) => boolean> = {
  title: '.dockerignore',
  generator: 'dockerignore',
  absence: 'should',
  read: (repo) => repo.dockerignore,
};

export const FLY_TOML: Subject<FlyFile> = {
  title: 'fly.toml',
  generator: 'fly-toml',
  absence: 'must',
  read: (repo) => repo.fly && { path: 'fly.toml', text: repo.fly.source.text, file: repo.fly },
  doubt: (repo) => repo.fly?.problem && 'fly.toml can not be read',
  except: 'R2.1',
};

export const ENV_SH: Subject<string> = {
  title: 'rel/env.sh.eex',
  generator: 'env-sh',
  absence: 'should',
  read: (repo) => repo.envSh,
};

export const RUNTIME_EXS: Subject<string> = {
  title: 'config/runtime.exs',
  generator: 'runtime-exs',
  absence: 'must',
  read: (repo) => repo.runtime,
};

/** One thing that a repo must have to run well on Fly. R numbers are the project's requirements, B what goes beyond them. */
export interface Requirement {
  id: string;
  name: string;
  subject: Subject<unknown>;
}

const of =
  <File>(subject: Subject<File>) =>
  (id: string, name: string): Requirement => ({ id, name, subject: subject as Subject<unknown> });

const dockerfile = of(DOCKERFILE);
const dockerignore = of(DOCKERIGNORE);
const flyToml = of(FLY_TOML);
const envSh = of(ENV_SH);
const runtimeExs = of(RUNTIME_EXS);

/** Every requirement, in the order in which it is shown. */
export const requirements: readonly Requirement[] = [
  dockerfile('R1.1', 'layers that stay while only the code changes'),
  dockerfile('R1.2', 'an image of the release alone'),
  dockerfile('R1.3', 'CA certificates and the libraries the release links to'),
  dockerfile('R1.4', 'a user that is not root, no secrets'),
  dockerfile('R1.5', 'EXPOSE, the one port'),
  dockerfile('R1.6', 'starts by itself, hears SIGTERM, serves HTTP'),
  dockerfile('B1', 'builder and runner on one system that has packages'),
  dockerfile('B2', 'UTF-8'),
  dockerfile('B3', 'everything the build reads, in time'),
  dockerfile('B4', 'private code through build secrets'),
  dockerignore('B5', 'secrets and build output stay out'),
  dockerignore('B6', 'what the build reads stays in'),
  flyToml('R2.1', 'valid for flyctl'),
  flyToml('B12', 'builds the Dockerfile beside it'),
  flyToml('R2.2', 'a machine with memory enough'),
  flyToml('R2.3', 'database: IPv6 and pool size'),
  flyToml('R2.4', 'HTTPS only'),
  flyToml('R2.5', 'a health check that passes'),
  flyToml('R2.6', 'the right port, room for LiveView sockets'),
  flyToml('R2.7', 'no secrets in [env]'),
  flyToml('B7', 'background work keeps running, once'),
  flyToml('B8', 'time to shut down'),
  flyToml('B9', 'release_command that works'),
  envSh('B10', 'node name and IPv6, on Fly only'),
  runtimeExs('R3.1', 'release mode'),
  runtimeExs('R3.2', 'connection pool'),
  runtimeExs('R3.3', 'host, origins, secrets from the environment'),
  runtimeExs('R3.4', 'TLS options for outside connections'),
  runtimeExs('R3.5', 'logger'),
  runtimeExs('B11', 'workers can be left out'),
  runtimeExs('B13', 'nothing is written below the release'),
];
