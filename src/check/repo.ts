import { dockerMatcher } from '../docker/ignore-lines.ts';
import { builtRelease, relFolder, runtimeFile, unnamedRelease } from '../docker/release-files.ts';
import { Run } from '../elixir/run.ts';
import type { Value } from '../elixir/value.ts';
import { configFile, READERS } from '../facts/config.ts';
import type { Project } from '../facts/detect.ts';
import { type FlyConfig, flyConfig } from '../fly/fly-config.ts';
import { problemOf } from '../problem.ts';
import { treeOf } from '../tree.ts';
import { type CompiledKey, keysOfCode, keysOfPackages, type Path } from './compiled-keys.ts';
import { type Dockerfile, readDockerfile } from './dockerfile-model.ts';
import { machineEnvironment, placeholder } from './machine-env.ts';
import { readScript, type Script } from './script.ts';

/** A text file of the repo. */
export interface RepoFile<Content> {
  path: string;
  text: string;
  /** The text parsed. */
  content: Content;
}

/** A fly.toml as a model; where it can't be read, all of it is empty. */
export type FlyFile = FlyConfig & { problem: string | undefined };

type Settings = ReadonlyMap<string, Value>;

/** The configuration that a release would start with. */
export interface Boot {
  /** Settings by OTP app, compiled ones included. */
  apps: Settings;
  /** Errors that runtime.exs raises, in order (a real start ends at the first); '' where only the running release knows. */
  stops: string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Of each project, what was parsed and computed: generators and check ask for the same. */
const caches = new WeakMap<Project, Map<string, unknown>>();

/** Everything that the rules look at, computed when it is first asked for. undefined: the file isn't there. */
export class Repo {
  readonly project: Project;
  /** The release that the image starts. */
  readonly release: string;
  /** Where runtime.exs is or would be; an older app has config/releases.exs instead. */
  readonly runtimePath: string;
  readonly envShPath: string;
  private readonly cache: Map<string, unknown>;

  constructor(project: Project) {
    this.project = project;
    this.cache = caches.get(project) ?? new Map();
    caches.set(project, this.cache);
    this.release = builtRelease(project) ?? project.release.name ?? unnamedRelease(project);
    this.runtimePath = runtimeFile(project);
    this.envShPath = `${relFolder(project, this.release)}/env.sh.eex`;
  }

  get fly(): FlyFile | undefined {
    return this.cached('fly', () => {
      const { tree } = this.project;
      if (!tree.paths.has('fly.toml')) return undefined;
      const problem = problemOf(() => flyConfig(tree));
      return { ...flyConfig(problem ? treeOf({}) : tree), problem };
    });
  }

  get dockerfile(): RepoFile<Dockerfile> | undefined {
    const target = this.buildSetting('build-target');
    return this.cached('dockerfile', () =>
      this.read(this.dockerfilePath, (text) => readDockerfile(text, target)),
    );
  }

  /** The image or buildpack that [build] names instead of a Dockerfile. */
  get builtElsewhere(): string | undefined {
    return this.buildSetting('image') ?? this.buildSetting('builder');
  }

  /** Its content tells whether a path is kept out of the build. */
  get dockerignore(): RepoFile<(path: string) => boolean> | undefined {
    const besideDockerfile = `${this.dockerfilePath}.dockerignore`;
    const hasOwn = this.project.tree.paths.has(besideDockerfile);
    const usual = hasOwn ? besideDockerfile : '.dockerignore';
    const path = this.buildSetting('ignorefile') ?? usual;
    return this.cached('dockerignore', () => this.read(path, dockerMatcher));
  }

  get runtime(): RepoFile<string> | undefined {
    return this.cached('runtime', () => this.read(this.runtimePath, (text) => text));
  }

  get envSh(): RepoFile<Script> | undefined {
    return this.cached('envSh', () => this.read(this.envShPath, readScript));
  }

  /** Settings that are read while compiling: a release whose runtime.exs changes one stops at boot. */
  get compiledKeys(): CompiledKey[] {
    return this.cached('compiledKeys', () => [
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

  /** Settings that are compiled into the image, and `all`: with those that any branch of runtime.exs sets. */
  get settings(): { compiled: Settings; all: Settings } {
    return this.cached('settings', () => {
      const build = new Run(this.project.tree, { environment: {} });
      for (const { dir } of this.project.projects) build.runFile(configFile(dir));
      return { compiled: build.apps, all: this.start('any', build.apps).apps };
    });
  }

  /** What a machine on Fly gives the release, secrets as placeholders. */
  get machine(): Readonly<Record<string, string>> {
    return this.cached('machine', () => machineEnvironment(this));
  }

  /** Variables that a machine has without a secret: from Fly, the release, fly.toml, the Dockerfile or env.sh.eex. */
  get provided(): string[] {
    return Object.keys(this.machine).filter((name) => this.machine[name] !== placeholder(name));
  }

  /**
   * Evaluates runtime.exs on top of the compiled settings: so a setting is judged by what it does, however it is written.
   * @param changes to the machine's environment; undefined takes a variable away
   */
  boot(changes: Environment = {}, everyBranch?: true): Boot {
    return this.cached(`boot ${everyBranch} ${JSON.stringify(Object.entries(changes))}`, () => {
      const changed = Object.entries({ ...this.machine, ...changes });
      const environment = changed.filter(([, value]) => value !== undefined) as [string, string][];
      return this.start(Object.fromEntries(environment), this.settings.compiled, everyBranch);
    });
  }

  private start(
    environment: Record<string, string> | 'any',
    settings: Settings,
    everyBranch?: true,
  ): Boot {
    const options = { environment, settings, everyBranch, readers: READERS };
    const run = new Run(this.project.tree, options);
    run.runFile(this.runtimePath);
    return { apps: run.apps, stops: run.stops };
  }

  /** What is computed once for each project. */
  cached<T>(key: string, compute: () => T): T {
    if (!this.cache.has(key)) this.cache.set(key, compute());
    return this.cache.get(key) as T;
  }

  private read<Content>(
    path: string,
    parse: (text: string) => Content | undefined,
  ): RepoFile<Content> | undefined {
    const text = this.project.tree.read(path);
    if (text === undefined) return undefined;
    const content = parse(text);
    return content === undefined ? undefined : { path, text, content };
  }

  private get dockerfilePath(): string {
    return this.buildSetting('dockerfile')?.replace(/^\.\//, '') ?? 'Dockerfile';
  }

  private buildSetting(key: string): string | undefined {
    const value = this.fly?.build[key];
    return typeof value === 'string' ? value : undefined;
  }
}
