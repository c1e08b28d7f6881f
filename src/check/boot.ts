import type { Project } from '../facts/detect.ts';
import { programs, startSteps } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import type { Script } from './script.ts';

/** What a secret holds in thought. */
export const placeholder = (name: string): string => `the-secret-${name}`;

/** What a machine on Fly gives the release, secrets as placeholders. */
export function machineOf({ project, dockerfile: read, fly, envSh }: Repo): Record<string, string> {
  const dockerfile = read?.file;
  const app = typeof fly?.table.app === 'string' ? fly.table.app : 'app';
  // Such as phx.gen.release's bin/server
  const started = dockerfile ? startSteps(dockerfile.final).flatMap(programs) : [];
  const servers = scriptsOf(project, started).filter(({ text }) =>
    /PHX_SERVER=["']?(true|1)/.test(text),
  );
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
    ...(servers.length ? { PHX_SERVER: 'true' } : {}),
    ...fly?.env,
  };
  return { ...given, ...exported(envSh?.file, given) };
}

/** What env.sh.eex sets, variables of the machine filled in; what only a command would tell is left out. */
const exported = (script: Script | undefined, given: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    (script?.assignments ?? [])
      .filter(({ value }) => !/\$\(|`/.test(value))
      .map(({ name, value }) => [
        name,
        value.replace(/\$\{?(\w+)[^}\s]*\}?/g, (_, inner: string) => given[inner] ?? ''),
      ]),
  );

/** Scripts of the repo's that commands run, by their names. */
export function scriptsOf({ tree }: Project, commands: readonly string[]) {
  const names = new Set(commands.map((command) => command.split('/').at(-1)));
  return [...tree.paths].flatMap((file) => {
    const text = names.has(file.split('/').at(-1)) ? tree.read(file) : undefined;
    return text?.startsWith('#!') ? { file, text } : [];
  });
}
