import dockerignore from '@balena/dockerignore';
import { runtimeFile } from '../docker/copies.ts';
import { builtRelease, releaseFor, relFolder } from '../docker/release-files.ts';
import { Run } from '../elixir/run.ts';
import type { Value } from '../elixir/value.ts';
import { configFile, READERS } from '../facts/config.ts';
import type { Project } from '../facts/detect.ts';
import { type FlyConfig, flyConfig } from '../fly/fly-config.ts';
import { problemOf } from '../problem.ts';
import { treeOf } from '../tree.ts';
import { machineOf, placeholder } from './boot.ts';
import { type CompiledKey, keysOfCode, keysOfPackages, type Path } from './compiled-keys.ts';
import { type Dockerfile, readDockerfile } from './dockerfile-model.ts';
import { readScript, type Script } from './script.ts';

/** A text file of the repo with its parsed form. */
export interface Read<T> {
  path: string;
  text: string;
  file: T;
}

/** A fly.toml as a model; where it can't be read, all of it is empty. */
export type FlyFile = FlyConfig & { problem: string | undefined };

type Settings = ReadonlyMap<string, Value>;

/** The configuration that a release would start with. */
export interface Boot {
  /** Settings by OTP app, compiled ones included. */
  apps: Settings;
  /** What it stopped with, in the order met (a real start ends at the first); '' where only the running release knows. */
  stops: string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What was read of a project: generators and check ask for the same. */
const madeFor = new WeakMap<Project, Map<string, unknown>>();

/** Rules ask hundreds of times for the same environment of hundreds of variables: half the time of Blockscout's check. */
const keys = new WeakMap<Environment, string>();
function keyOf(changes: Environment): string {
  const key = keys.get(changes) ?? JSON.stringify(Object.entries(changes));
  keys.set(changes, key);
  return key;
}

/** Everything that the checks look at, each read once and only when asked for. undefined: the file isn't there. */
export class Repo {
  readonly project: Project;
  /** The release that the image starts. */
  readonly release: string;
  /** Where runtime.exs stands, or would; or the releases.exs of old. */
  readonly runtimePath: string;
  readonly envShPath: string;
  private readonly made: Map<string, unknown>;

  constructor(project: Project) {
    this.project = project;
    this.made = madeFor.get(project) ?? new Map();
    madeFor.set(project, this.made);
    this.release = builtRelease(project) ?? project.release.name ?? releaseFor(project);
    this.runtimePath = runtimeFile(project);
    this.envShPath = `${relFolder(project, this.release)}/env.sh.eex`;
  }

  get fly(): FlyFile | undefined {
    return this.once('fly', () => {
      const { tree } = this.project;
      const problem = problemOf(() => flyConfig(tree));
      const there = tree.paths.has('fly.toml');
      return there ? { ...flyConfig(problem ? treeOf({}) : tree), problem } : undefined;
    });
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

  get envSh(): Read<Script> | undefined {
    return this.once('envSh', () => this.read(this.envShPath, readScript));
  }

  /** Settings that are read while compiling: a release whose runtime.exs changes one stops at boot. */
  get compiledKeys(): CompiledKey[] {
    return this.once('compiledKeys', () => [
      ...keysOfCode(this.project.sources),
      ...keysOfPackages(this.project),
    ]);
  }

  /** The compiled key that a setting belongs to, or is a part of. */
  compiledKey(path: Path): CompiledKey | undefined {
    return this.compiledKeys.find((key) =>
      key.path.every((name, index) => name === (path[index] ?? name)),
    );
  }

  /** Settings that are compiled into the image, and `all` with what runtime.exs may set, whichever branch it takes. */
  get settings(): { compiled: Settings; all: Settings } {
    return this.once('settings', () => {
      const build = new Run(this.project.tree, { environment: {} });
      for (const { dir } of this.project.projects) build.runFile(configFile(dir));
      return { compiled: build.apps, all: this.start('any', build.apps).apps };
    });
  }

  /** What a machine on Fly gives the release, secrets as placeholders. */
  get machine(): Readonly<Record<string, string>> {
    return this.once('machine', () => machineOf(this));
  }

  /** Variables that a machine has without a secret: Fly, the release, fly.toml, the Dockerfile or env.sh.eex sets them. */
  get provided(): string[] {
    return Object.keys(this.machine).filter((name) => this.machine[name] !== placeholder(name));
  }

  /**
   * Runs runtime.exs in thought, on top of what config.exs compiled in, with the machine's environment changed like this;
   * undefined takes a variable away. So a setting is judged by what it does, however it is written.
   */
  boot(changes: Environment = {}, everyBranch?: true): Boot {
    return this.once(`boot ${everyBranch} ${keyOf(changes)}`, () => {
      const environment = Object.entries({ ...this.machine, ...changes }).filter(
        (pair): pair is [string, string] => pair[1] !== undefined,
      );
      return this.start(Object.fromEntries(environment), this.settings.compiled, everyBranch);
    });
  }

  private start(
    environment: Record<string, string> | 'any',
    settings: Settings,
    everyBranch?: true,
  ): Boot {
    const run = new Run(this.project.tree, {
      environment,
      settings,
      everyBranch,
      readers: READERS,
    });
    run.runFile(this.runtimePath);
    return { apps: run.apps, stops: run.stops };
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

/** Each pattern becomes a regular expression, whose time grows with the stars in it. */
const LONGEST_PATTERN = 300;
const MOST_STARS = 10;
const MOST_PATTERNS = 500;

/** Docker's own rules (the last match wins, patterns start at the top), which are not those of .gitignore. */
export function matcher(patterns: string): (path: string) => boolean {
  const usable = patterns
    .split(/\r?\n/)
    .filter((line) => line.length < LONGEST_PATTERN && line.split('*').length < MOST_STARS)
    .slice(-MOST_PATTERNS);
  const rules = dockerignore.default({ ignorecase: false }).add(usable);
  return (path) => rules.ignores(path);
}
