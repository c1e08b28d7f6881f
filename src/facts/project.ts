import type { Value } from '../elixir/value.ts';
import type { Tree } from '../tree.ts';
import type { Config, RequiredEnv, VariableRead } from './config.ts';
import type { Database } from './database.ts';
import type { Dependencies } from './deps.ts';
import type { Locked } from './lock.ts';
import type { MixProject } from './mix-project.ts';
import type { MixSteps } from './mix-steps.ts';
import type { NodePackage } from './node-packages.ts';
import type { StartedProgram } from './programs.ts';
import type { BuildReads } from './reads.ts';
import type { Sources } from './sources.ts';

export type { EctoAdapter } from './database.ts';

/** What is known about a Phoenix repo, by subject. null: it can't be known; `notes` says why. */
export interface Project {
  /** Rooted at `appDir`: paths of generated files are relative to it. */
  tree: Tree;
  appDir: string;
  umbrella: boolean;
  /** Folder of an umbrella's apps; null: no umbrella. */
  appsPath: string | null;
  /** The app's mix.exs, and behind it those of an umbrella's apps. */
  projects: MixProject[];
  app: { otpApp: string; module: string | null; webModule: string | null; webDir: string };
  endpoint: {
    module: string;
    file: string;
    config: Value;
    httpServer: 'bandit' | 'cowboy';
    /** The `force_ssl:` value in production, as Elixir text; "false" where it is switched off. */
    forceSsl: string | null;
    /** The app's own health route, e.g. "/health". */
    healthPath: string | null;
  };
  phoenix: {
    version: string | null;
    liveView: boolean;
    liveViewVersion: string | null;
    plugVersion: string | null;
  };
  elixir: {
    /** `elixir:` of the mix.exs that the release is built from: an umbrella's own. */
    requirement: string | null;
    /** `elixir:` of every mix.exs, an umbrella's apps included; the image must satisfy all of them. */
    requirements: string[];
    version: string | null;
    otp: string | null;
    /** The file that pins them. */
    source: string | null;
  };
  database: Database & { dbConnectionVersion: string | null };
  release: { name: string | null; names: string[]; rebootAfterConfig: boolean };
  assets: {
    tools: string[];
    /** Asset tools that come as hex packages: esbuild, tailwind, dart_sass, bun. */
    hexTools: string[];
    packageJsons: string[];
    nodePackages: NodePackage[];
    /** The steps of the `assets.deploy` alias. */
    deploy: string[] | null;
    /** Folder of the mix.exs that has it. */
    appDir: string | null;
    /** `mix` aliases of the web app. */
    aliases: ReadonlySet<string>;
  };
  deps: Dependencies;
  reads: BuildReads;
  mixSteps: MixSteps;
  env: {
    /** Variables that the app demands: without them it does not build or boot. */
    required: RequiredEnv[];
    /** Variables that config.exs, prod.exs or a module's body read while the image is built, without a default. */
    buildReads: VariableRead[];
  };
  /** Programs of the system that the code starts, by literal names. */
  programs: StartedProgram[];
  /** A child or a call of NodeJS.Supervisor, or of what stands on it. */
  startsNode: boolean;
  /** Names of what works in the background. */
  background: string[];
  clustering: boolean;
  config: Config;
  sources: Sources;
  lock: ReadonlyMap<string, Locked>;
  /** The version of a package in mix.lock; null when it isn't there or comes from git without a version tag. */
  lockedVersion(name: string): string | null;
  files: {
    dockerfile: boolean;
    dockerignore: boolean;
    flyToml: boolean;
    envSh: boolean;
    runtimeExs: boolean;
  };
  notes: string[];
}

/** The repos on the app's own database server, which Fly's settings are for; those on another kind are left alone. */
export const serverRepos = ({ database }: Project): string[] =>
  database.repos.filter(
    (module) =>
      /postgres|mysql/.test(database.adapter) &&
      database.repoAdapters.get(module) === database.adapter,
  );

/** Those that migrations run for: not replicas. */
export const migratedRepos = (project: Project): string[] =>
  serverRepos(project).filter((module) => !project.database.readOnlyRepos.includes(module));

/** The facts as `facts --json` prints them: flat, under names that stay (README, "Facts"). */
export const factsOf = (project: Project) => ({
  appDir: project.appDir,
  umbrella: project.umbrella,
  webAppDir: project.app.webDir,
  otpApp: project.app.otpApp,
  module: project.app.module,
  webModule: project.app.webModule,
  endpointModule: project.endpoint.module,
  repoModules: project.database.repos,
  releaseName: project.release.name,
  phoenixVersion: project.phoenix.version,
  liveView: project.phoenix.liveView,
  liveViewVersion: project.phoenix.liveViewVersion,
  plugVersion: project.phoenix.plugVersion,
  dbConnectionVersion: project.database.dbConnectionVersion,
  ectoAdapter: project.database.adapter,
  httpServer: project.endpoint.httpServer,
  elixirRequirement: project.elixir.requirement,
  elixirVersion: project.elixir.version,
  otpVersion: project.elixir.otp,
  versionSource: project.elixir.source,
  assetTools: project.assets.tools,
  packageJsons: project.assets.packageJsons,
  assetsDeploy: project.assets.deploy,
  nifDeps: project.deps.nif,
  gitDeps: project.deps.git,
  pathDeps: project.deps.path,
  privateDeps: project.deps.private,
  background: project.background,
  clustering: project.clustering,
  forceSsl: project.endpoint.forceSsl,
  healthPath: project.endpoint.healthPath,
  requiredEnv: project.env.required.map(({ name }) => name),
  buildEnv: project.env.buildReads.map(({ name }) => name),
  files: project.files,
  notes: project.notes,
});

export type Facts = ReturnType<typeof factsOf>;
