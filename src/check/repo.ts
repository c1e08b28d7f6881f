import dockerignore from '@balena/dockerignore';
import type { Value } from '../elixir/value.ts';
import { runtimeFile } from '../docker/copies.ts';
import { releaseFor, relFolder } from '../docker/release.ts';
import { builtRelease } from '../existing.ts';
import type { Project } from '../facts/detect.ts';
import { booter, possible, type Boot } from './boot.ts';
import { chain, env, programs, readDockerfile, type Dockerfile } from './dockerfile-model.ts';
import { exportsIn } from './shell.ts';
import { readFlyFile, section, type FlyFile } from './fly-file.ts';

/** A text file of the repo with its parsed form. */
export interface Read<T> {
  path: string;
  text: string;
  file: T;
}

/** Everything that the checks look at, read once. undefined: the file isn't there. */
export interface Repo {
  project: Project;
  dockerfile: Read<Dockerfile> | undefined;
  /** Tells whether the .dockerignore keeps a path out of the build. */
  dockerignore: Read<(path: string) => boolean> | undefined;
  fly: FlyFile | undefined;
  /** The release that the image starts. */
  release: string;
  /** runtime.exs, or the releases.exs of old. */
  runtime: Read<string> | undefined;
  /** Where it stands, or would. */
  runtimePath: string;
  envShPath: string;
  envSh: Read<string> | undefined;
  /** Settings that are compiled into the image. */
  compiled: ReadonlyMap<string, Value>;
  /** The same with all that runtime.exs may set, whichever branch it takes. */
  all: ReadonlyMap<string, Value>;
  /** What a machine on Fly gives the release, secrets as placeholders. */
  machine: Readonly<Record<string, string>>;
  /** Starts runtime.exs in thought with the machine's environment changed like this; undefined takes a variable away. */
  boot(changes?: Readonly<Record<string, string | undefined>>): Boot;
}

export function openRepo(project: Project): Repo {
  const { tree } = project;
  const fly = readFlyFile(project);
  const build = fly ? section(fly, 'build') : {};
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const read = <T>(path: string, parse: (text: string) => T | undefined): Read<T> | undefined => {
    const content = tree.read(path);
    const file = content === undefined ? undefined : parse(content);
    return content === undefined || file === undefined ? undefined : { path, text: content, file };
  };
  const dockerfilePath = text(build.dockerfile)?.replace(/^\.\//, '') ?? 'Dockerfile';
  const dockerfile = read(dockerfilePath, (content) => readDockerfile(content, text(build['build-target'])));
  const ignorePath = text(build.ignorefile) ?? (tree.paths.has(`${dockerfilePath}.dockerignore`) ? `${dockerfilePath}.dockerignore` : '.dockerignore');
  const runtimePath = runtimeFile(project);
  const { compiled, all } = possible(tree, runtimePath, project.projects.map((one) => one.dir));
  const release = builtRelease(project) ?? project.releaseName ?? releaseFor(project);
  const envShPath = `${relFolder(project, release)}/env.sh.eex`;
  const envSh = read(envShPath, (content) => content);
  const machine = machineOf(project, dockerfile?.file, fly, envSh?.text);
  const started = new Map<string, Boot>();
  const boot = booter(tree, runtimePath, compiled);
  const start = (changes: Readonly<Record<string, string | undefined>>): Boot =>
    boot(Object.fromEntries(Object.entries({ ...machine, ...changes }).filter((pair): pair is [string, string] => pair[1] !== undefined)));
  return {
    project,
    dockerfile,
    dockerignore: read(ignorePath, matcher),
    fly,
    release,
    runtime: read(runtimePath, (content) => content),
    runtimePath,
    envShPath,
    envSh,
    compiled,
    all,
    machine,
    boot(changes = {}) {
      const key = JSON.stringify(changes, (_, value: unknown) => value ?? null);
      const known = started.get(key) ?? start(changes);
      started.set(key, known);
      return known;
    },
  };
}

/** Docker's own rules (the last match wins, patterns start at the top), which are not those of .gitignore. */
export function matcher(patterns: string): (path: string) => boolean {
  const rules = dockerignore.default({ ignorecase: false }).add(patterns);
  return (path) => rules.ignores(path);
}

/** What a secret holds in thought. */
export const placeholder = (name: string): string => `the-secret-${name}`;

function machineOf(project: Project, dockerfile: Dockerfile | undefined, fly: FlyFile | undefined, envSh: string | undefined): Record<string, string> {
  const app = typeof fly?.table.app === 'string' ? fly.table.app : 'app';
  const secrets = ['SECRET_KEY_BASE', ...(project.repoModules.length ? ['DATABASE_URL'] : []), ...project.required.filter((one) => !one.compileTime && !['PORT', 'PHX_HOST', 'PHX_SERVER'].includes(one.name)).map((one) => one.name)];
  const given: Record<string, string> = {
    ...Object.fromEntries(secrets.map((name) => [name, placeholder(name)])),
    FLY_APP_NAME: app,
    FLY_REGION: 'lhr',
    FLY_PRIVATE_IP: 'fdaa:0:1::2',
    FLY_MACHINE_ID: '1781973f03de89',
    FLY_IMAGE_REF: `registry.fly.io/${app}:deployment-01JABC@sha256:0123`,
    RELEASE_COMMAND: 'start',
    RELEASE_NAME: project.releaseName ?? project.otpApp,
    RELEASE_VSN: '0.1.0',
    RELEASE_ROOT: '/app',
    ...(dockerfile ? Object.fromEntries(env(dockerfile.final)) : {}),
    ...(dockerfile && startsServer(project, dockerfile) ? { PHX_SERVER: 'true' } : {}),
    ...fly?.env,
  };
  return { ...given, ...exportsIn(envSh ?? '', given) };
}

/** The start command is a script of the repo's, such as phx.gen.release's bin/server, that sets PHX_SERVER. */
function startsServer(project: Project, dockerfile: Dockerfile): boolean {
  const names = chain(dockerfile.final).filter((step) => /^(CMD|ENTRYPOINT)$/.test(step.keyword)).flatMap(programs);
  return [...project.tree.paths].some((path) => names.includes(path.split('/').at(-1) ?? '') && path.includes('/') && /PHX_SERVER=["']?(true|1)/.test(project.tree.read(path) ?? ''));
}
