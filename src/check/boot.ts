import { get, type Value } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';
import { type Dockerfile, programs, startSteps } from './dockerfile-model.ts';
import type { Boot, Repo } from './repo.ts';
import { assignmentsIn } from './script.ts';

/** `get_in(config, [app, key, name, …])`; undefined when nobody sets it. */
export const setting = (boot: Boot, app: string, ...keys: string[]): Value | undefined =>
  keys.reduce<Value | undefined>((value, key) => get(value, key), boot.apps.get(app));

/** What a secret holds in thought. */
export const placeholder = (name: string): string => `the-secret-${name}`;

/** What a machine on Fly gives the release, secrets as placeholders. */
export function machineOf({ project, dockerfile: read, fly, envSh }: Repo): Record<string, string> {
  const dockerfile = read?.file;
  const app = typeof fly?.table.app === 'string' ? fly.table.app : 'app';
  const secrets = [
    'SECRET_KEY_BASE',
    ...(project.database.repos.length ? ['DATABASE_URL'] : []),
    ...project.env.required
      .filter((one) => !one.compileTime && !['PORT', 'PHX_HOST', 'PHX_SERVER'].includes(one.name))
      .map((one) => one.name),
  ];
  const given: Record<string, string> = {
    ...Object.fromEntries(secrets.map((name) => [name, placeholder(name)])),
    FLY_APP_NAME: app,
    FLY_REGION: 'lhr',
    FLY_PRIVATE_IP: 'fdaa:0:1::2',
    FLY_MACHINE_ID: '1781973f03de89',
    FLY_IMAGE_REF: `registry.fly.io/${app}:deployment-01JABC@sha256:0123`,
    RELEASE_COMMAND: 'start',
    RELEASE_NAME: project.release.name ?? project.app.otpApp,
    RELEASE_VSN: '0.1.0',
    RELEASE_ROOT: '/app',
    ...(dockerfile ? Object.fromEntries(dockerfile.final.env) : {}),
    ...(dockerfile && startsServer(project, dockerfile) ? { PHX_SERVER: 'true' } : {}),
    ...fly?.env,
  };
  return { ...given, ...exported(envSh?.text ?? '', given) };
}

/** What env.sh.eex sets, variables of the machine filled in; what only a command would tell is left out. */
const exported = (script: string, given: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    assignmentsIn(script)
      .filter(({ value }) => !/\$\(|`/.test(value))
      .map(({ name, value }) => [
        name,
        value.replace(/\$\{?(\w+)[^}\s]*\}?/g, (_, inner: string) => given[inner] ?? ''),
      ]),
  );

/** The start command is a script of the repo's, such as phx.gen.release's bin/server, that sets PHX_SERVER. */
function startsServer(project: Project, dockerfile: Dockerfile): boolean {
  const names = startSteps(dockerfile.final)
    .flatMap(programs)
    .map((program) => program.split('/').at(-1) ?? '');
  return [...project.tree.paths].some(
    (path) =>
      names.includes(path.split('/').at(-1) ?? '') &&
      /PHX_SERVER=["']?(true|1)/.test(project.tree.read(path) ?? ''),
  );
}
