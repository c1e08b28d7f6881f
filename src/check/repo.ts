import { join } from 'node:path/posix';
import dockerignore from '@balena/dockerignore';
import { runtimeFile } from '../docker/copies.ts';
import { builtRelease, releaseFor, relFolder } from '../docker/release-files.ts';
import type { Value } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';
import { Sources } from '../facts/sources.ts';
import { refuseUnsupported } from '../plan/supported.ts';
import { Problem } from '../problem.ts';
import { type Boot, booter, possible } from './boot.ts';
import {
  type CompiledKey,
  keyAround,
  keysOfCode,
  keysOfPackages,
  type Path,
} from './compiled-keys.ts';
import { type Dockerfile, programs, readDockerfile, startSteps } from './dockerfile-model.ts';
import { type FlyFile, readFlyFile } from './fly-file.ts';
import { assignmentsIn } from './script.ts';

/** A text file of the repo with its parsed form. */
export interface Read<T> {
  path: string;
  text: string;
  file: T;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that the checks look at, each read once and only when asked for. undefined: the file isn't there. */
export class Repo {
  readonly project: Project;
  /** The release that the image starts. */
  readonly release: string;
  /** Where runtime.exs stands, or would; or the releases.exs of old. */
  readonly runtimePath: string;
  readonly envShPath: string;
  private readonly made = new Map<string, unknown>();

  constructor(project: Project) {
    this.project = project;
    this.release = builtRelease(project) ?? project.release.name ?? releaseFor(project);
    this.runtimePath = runtimeFile(project);
    this.envShPath = `${relFolder(project, this.release)}/env.sh.eex`;
  }

  /** Why the generators refuse this repo; undefined: they don't. */
  get refusal(): string | undefined {
    return this.once('refusal', () => {
      try {
        refuseUnsupported(this.project);
        return undefined;
      } catch (error) {
        if (error instanceof Problem) return error.message.replace(' Nothing was written.', '');
        throw error;
      }
    });
  }

  get fly(): FlyFile | undefined {
    return this.once('fly', () => readFlyFile(this.project));
  }

  get dockerfile(): Read<Dockerfile> | undefined {
    return this.once('dockerfile', () =>
      this.read(this.dockerfilePath, (text) =>
        readDockerfile(text, this.buildSetting('build-target')),
      ),
    );
  }

  /** The image or buildpack that [build] names instead of a Dockerfile. */
  get builtElsewhere(): string | undefined {
    return this.buildSetting('image') ?? this.buildSetting('builder');
  }

  /** Tells whether the .dockerignore keeps a path out of the build. */
  get dockerignore(): Read<(path: string) => boolean> | undefined {
    const own = `${this.dockerfilePath}.dockerignore`;
    return this.once('dockerignore', () =>
      this.read(
        this.buildSetting('ignorefile') ??
          (this.project.tree.paths.has(own) ? own : '.dockerignore'),
        matcher,
      ),
    );
  }

  get runtime(): Read<string> | undefined {
    return this.once('runtime', () => this.read(this.runtimePath, (text) => text));
  }

  get envSh(): Read<string> | undefined {
    return this.once('envSh', () => this.read(this.envShPath, (text) => text));
  }

  /** The project's own .ex files. */
  get sources(): Sources {
    const folders = this.project.projects.flatMap(({ dir, sourceFolders }) =>
      sourceFolders.map((folder) => join(dir, folder)),
    );
    return this.once('sources', () => new Sources(this.project.tree, folders));
  }

  /** Settings that are read while compiling: a release whose runtime.exs changes one stops at boot. */
  get compiledKeys(): CompiledKey[] {
    return this.once('compiledKeys', () => [
      ...keysOfCode(this.sources),
      ...keysOfPackages(this.project),
    ]);
  }

  /** The compiled key that a setting belongs to, or is a part of. */
  compiledKey(path: Path): CompiledKey | undefined {
    return keyAround(this.compiledKeys, path);
  }

  /** Settings that are compiled into the image, and `all` with what runtime.exs may set, whichever branch it takes. */
  get settings(): { compiled: ReadonlyMap<string, Value>; all: ReadonlyMap<string, Value> } {
    return this.once('settings', () =>
      possible(
        this.project.tree,
        this.runtimePath,
        this.project.projects.map((one) => one.dir),
      ),
    );
  }

  /** What a machine on Fly gives the release, secrets as placeholders. */
  get machine(): Readonly<Record<string, string>> {
    return this.once('machine', () => machineOf(this));
  }

  /** Variables that a machine has without a secret: Fly, the release, fly.toml, the Dockerfile or env.sh.eex sets them. */
  get provided(): string[] {
    return Object.keys(this.machine).filter((name) => this.machine[name] !== placeholder(name));
  }

  /** Starts runtime.exs in thought with the machine's environment changed like this; undefined takes a variable away. */
  boot(changes: Environment = {}): Boot {
    const start = this.once('booter', () =>
      booter(this.project.tree, this.runtimePath, this.settings.compiled),
    );
    return this.once(`boot ${JSON.stringify(changes, (_, value: unknown) => value ?? null)}`, () =>
      start(
        Object.fromEntries(
          Object.entries({ ...this.machine, ...changes }).filter(
            (pair): pair is [string, string] => pair[1] !== undefined,
          ),
        ),
      ),
    );
  }

  private once<T>(name: string, make: () => T): T {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name) as T;
  }

  private read<T>(path: string, parse: (text: string) => T | undefined): Read<T> | undefined {
    const text = this.project.tree.read(path);
    const file = text === undefined ? undefined : parse(text);
    return text === undefined || file === undefined ? undefined : { path, text, file };
  }

  private get dockerfilePath(): string {
    return this.buildSetting('dockerfile')?.replace(/^\.\//, '') ?? 'Dockerfile';
  }

  private buildSetting(key: string): string | undefined {
    const value = this.fly?.build[key];
    return typeof value === 'string' ? value : undefined;
  }
}

/** Docker's own rules (the last match wins, patterns start at the top), which are not those of .gitignore. */
/** Each pattern becomes a regular expression, whose time grows with the stars in it. */
const LONGEST_PATTERN = 300;
const MOST_STARS = 10;
const MOST_PATTERNS = 500;

export function matcher(patterns: string): (path: string) => boolean {
  const usable = patterns
    .split(/\r?\n/)
    .filter((line) => line.length < LONGEST_PATTERN && line.split('*').length < MOST_STARS)
    .slice(-MOST_PATTERNS);
  const rules = dockerignore.default({ ignorecase: false }).add(usable);
  return (path) => rules.ignores(path);
}

/** What a secret holds in thought. */
export const placeholder = (name: string): string => `the-secret-${name}`;

function machineOf({ project, dockerfile: read, fly, envSh }: Repo): Record<string, string> {
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
