import type { Dockerfile } from './dockerfile-model.ts';
import type { FlyFile } from './repo.ts';
import type { Subject } from './rule.ts';
import type { Script } from './script.ts';

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
  read: (repo) => repo.fly && { path: 'fly.toml', text: repo.fly.source.text, content: repo.fly },
  doubt: (repo) => repo.fly?.problem && 'fly.toml can not be read',
  judgedAnyway: 'R2.1',
};

export const ENV_SH: Subject<Script> = {
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

const requirementsFor = <Content>(
  subject: Subject<Content>,
  names: Record<string, string>,
): Requirement[] =>
  Object.entries(names).map(([id, name]) => ({ id, name, subject: subject as Subject<unknown> }));

/** Every requirement, in the order in which it is shown. */
export const requirements: readonly Requirement[] = [
  ...requirementsFor(DOCKERFILE, {
    'R1.1': 'layers that stay while only the code changes',
    'R1.2': 'an image of the release alone',
    'R1.3': 'CA certificates and the libraries the release links to',
    'R1.4': 'a user that is not root, no secrets',
    'R1.5': 'EXPOSE, the one port',
    'R1.6': 'starts by itself, hears SIGTERM, serves HTTP',
    B1: 'builder and runner on one system that has packages',
    B2: 'UTF-8',
    B3: 'everything the build reads, in time',
    B4: 'private code through build secrets',
  }),
  ...requirementsFor(DOCKERIGNORE, {
    B5: 'secrets and build output stay out',
    B6: 'what the build reads stays in',
  }),
  ...requirementsFor(FLY_TOML, {
    'R2.1': 'valid for flyctl',
    B12: 'builds the Dockerfile beside it',
    'R2.2': 'a machine with memory enough',
    'R2.3': 'database: IPv6 and pool size',
    'R2.4': 'HTTPS only',
    'R2.5': 'a health check that passes',
    'R2.6': 'the right port, room for LiveView sockets',
    'R2.7': 'no secrets in [env]',
    B7: 'background work keeps running, once',
    B8: 'time to shut down',
    B9: 'release_command that works',
  }),
  ...requirementsFor(ENV_SH, {
    B10: 'node name and IPv6, on Fly only',
  }),
  ...requirementsFor(RUNTIME_EXS, {
    'R3.1': 'release mode',
    'R3.2': 'connection pool',
    'R3.3': 'host, origins, secrets from the environment',
    'R3.4': 'TLS options for outside connections',
    'R3.5': 'logger',
    B11: 'workers can be left out',
    B13: 'nothing is written below the release',
  }),
];
