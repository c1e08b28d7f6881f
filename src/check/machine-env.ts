import { basename, join, resolve } from 'node:path/posix';
import type { Project } from '../facts/detect.ts';
import { startedPaths, startSteps } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import type { Script } from './script.ts';

/** The value that a secret is taken to have. */
export const placeholder = (name: string): string => `the-secret-${name}`;

/** Variables that a release needs, but that are not secrets. */
const SETTINGS = new Set(['PORT', 'PHX_HOST', 'PHX_SERVER']);

/** The folder of the release in the image: where a COPY puts it, else the last WORKDIR. */
export function releaseFolder({ dockerfile, release }: Repo): string {
  if (!dockerfile) return '/app';
  let folder = '/';
  for (const { keyword, from, words } of dockerfile.content.final.steps) {
    const [source = '', target = ''] = [words[0], words.at(-1)];
    if (keyword === 'WORKDIR') folder = resolve(folder, source);
    // _build/prod/rel/shop, a folder around it, /release
    const path = ['_build', 'prod', 'rel', release];
    const known = path.indexOf(basename(source));
    if (from && /(^|\/)(_build|rel|release)(\/|$)/.test(source))
      return resolve(folder, target, ...path.slice(known < 0 ? path.length : known + 1));
  }
  return folder;
}

/** What migrates the database in a running image. */
export const migrateCommand = (repo: Repo): string => join(releaseFolder(repo), 'bin/migrate');

/** The environment that a release has on a machine of Fly's, secrets as placeholders. */
export function machineEnvironment(repo: Repo): Record<string, string> {
  const { project, fly, envSh } = repo;
  const dockerfile = repo.dockerfile?.content;
  const app = typeof fly?.table.app === 'string' ? fly.table.app : 'app';
  // Such as phx.gen.release's bin/server
  const started = dockerfile ? startSteps(dockerfile.final).flatMap(startedPaths) : [];
  const startsServer = scriptsNamed(project, started).some(({ text }) =>
    /PHX_SERVER=["']?(true|1)/.test(text),
  );
  const needed = project.env.required.filter(({ compileTime }) => !compileTime);
  const secrets = [
    'SECRET_KEY_BASE',
    ...(project.database.repos.length ? ['DATABASE_URL'] : []),
    ...needed.map(({ name }) => name).filter((name) => !SETTINGS.has(name)),
  ];
  const environment: Record<string, string> = {
    ...Object.fromEntries(secrets.map((name) => [name, placeholder(name)])),
    FLY_APP_NAME: app,
    FLY_REGION: 'lhr',
    FLY_PRIVATE_IP: 'fdaa:0:1::2',
    FLY_MACHINE_ID: '1781973f03de89',
    FLY_IMAGE_REF: `registry.fly.io/${app}:deployment-01JABC@sha256:0123`,
    RELEASE_COMMAND: 'start',
    RELEASE_MODE: 'embedded',
    RELEASE_NAME: project.release.name ?? project.app.otpApp,
    RELEASE_VSN: '0.1.0',
    RELEASE_ROOT: releaseFolder(repo),
    ...(dockerfile ? Object.fromEntries(dockerfile.final.env) : {}),
    ...(startsServer ? { PHX_SERVER: 'true' } : {}),
    ...fly?.env,
  };
  return { ...environment, ...exported(envSh?.content, environment) };
}

/** What env.sh.eex sets, with its variables filled in; without what only a command would tell. */
function exported(script: Script | undefined, environment: Readonly<Record<string, string>>) {
  const assignments = (script?.assignments ?? []).filter(({ value }) => !/\$\(|`/.test(value));
  // $NAME, ${NAME}, ${NAME:-a default}
  const fill = (value: string) =>
    value.replace(/\$\{?(\w+)[^}\s]*\}?/g, (_, name: string) => environment[name] ?? '');
  return Object.fromEntries(assignments.map(({ name, value }) => [name, fill(value)]));
}

/** Scripts of the repo that have the file name of one of these paths. */
export function scriptsNamed({ tree }: Project, paths: readonly string[]) {
  const names = new Set(paths.map((path) => path.split('/').at(-1)));
  return [...tree.paths].flatMap((file) => {
    const text = names.has(file.split('/').at(-1)) ? tree.read(file) : undefined;
    return text?.startsWith('#!') ? { file, text } : [];
  });
}
