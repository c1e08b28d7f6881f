import type { Value } from '../elixir/value.ts';
import type { Tree } from '../tree.ts';
import type { NodePackage } from './assets.ts';
import type { BuildNeeds } from './build.ts';
import type { Config, EnvRead, RequiredEnv } from './config.ts';
import type { Locked } from './lock.ts';
import type { MixProject } from './mix-project.ts';
import type { EctoAdapter } from './modules.ts';

export type { EctoAdapter } from './modules.ts';

/** What is known about a Phoenix repo (SPEC of the facts: README, "Facts"). null: it can't be known; `notes` says why. */
export interface Facts {
  appDir: string;
  umbrella: boolean;
  webAppDir: string;
  otpApp: string;
  module: string | null;
  webModule: string | null;
  endpointModule: string;
  repoModules: string[];
  releaseName: string | null;
  phoenixVersion: string | null;
  liveView: boolean;
  liveViewVersion: string | null;
  plugVersion: string | null;
  dbConnectionVersion: string | null;
  ectoAdapter: EctoAdapter;
  httpServer: 'bandit' | 'cowboy';
  /** `elixir:` of the mix.exs that the release is built from: an umbrella's own. */
  elixirRequirement: string | null;
  elixirVersion: string | null;
  otpVersion: string | null;
  versionSource: string | null;
  assetTools: string[];
  packageJsons: string[];
  assetsDeploy: string[] | null;
  nifDeps: string[];
  gitDeps: string[];
  pathDeps: string[];
  privateDeps: string[];
  background: string[];
  clustering: boolean;
  /** The `force_ssl:` value of the endpoint in production, as Elixir text; "false" where it is switched off. */
  forceSsl: string | null;
  /** The app's own health route, e.g. "/health". */
  healthPath: string | null;
  requiredEnv: string[];
  /** Variables that config.exs, prod.exs or a module's body read while the image is built, without a default. */
  buildEnv: string[];
  files: {
    dockerfile: boolean;
    dockerignore: boolean;
    flyToml: boolean;
    envSh: boolean;
    runtimeExs: boolean;
  };
  notes: string[];
}

/** Facts plus what the descriptors need to write files: the tree itself and details behind the facts. */
export interface Project extends Facts, BuildNeeds {
  /** Rooted at `appDir`: paths of generated files are relative to it. */
  tree: Tree;
  endpointFile: string;
  /** `mix` aliases of the web app. */
  aliases: ReadonlySet<string>;
  releases: string[];
  repoApps: ReadonlyMap<string, string>;
  nodePackages: NodePackage[];
  required: RequiredEnv[];
  /** Where `buildEnv` is read. */
  buildReads: EnvRead[];
  /** `elixir:` of every mix.exs, an umbrella's apps included; the image must satisfy all of them. */
  elixirRequirements: string[];
  /** Asset tools that come as hex packages: esbuild, tailwind, dart_sass, bun. */
  hexAssetTools: string[];
  /** The version of a package in mix.lock; null when it isn't there or comes from git without a version tag. */
  lockedVersion(name: string): string | null;
  endpointConfig: Value;
  config: Config;
  rebootAfterConfig: boolean;
  /** The app's mix.exs, and behind it those of an umbrella's apps. */
  projects: MixProject[];
  lock: ReadonlyMap<string, Locked>;
}

const FACTS: Record<keyof Facts, true> = {
  appDir: true,
  umbrella: true,
  webAppDir: true,
  otpApp: true,
  module: true,
  webModule: true,
  endpointModule: true,
  repoModules: true,
  releaseName: true,
  phoenixVersion: true,
  liveView: true,
  liveViewVersion: true,
  plugVersion: true,
  dbConnectionVersion: true,
  ectoAdapter: true,
  httpServer: true,
  elixirRequirement: true,
  elixirVersion: true,
  otpVersion: true,
  versionSource: true,
  assetTools: true,
  packageJsons: true,
  assetsDeploy: true,
  nifDeps: true,
  gitDeps: true,
  pathDeps: true,
  privateDeps: true,
  background: true,
  clustering: true,
  forceSsl: true,
  healthPath: true,
  requiredEnv: true,
  buildEnv: true,
  files: true,
  notes: true,
};

/** The keys of `Facts`, in their order, without what only the descriptors need. */
export const factsOf = (project: Project): Facts =>
  Object.fromEntries(
    Object.keys(FACTS).map((key) => [key, project[key as keyof Facts]]),
  ) as unknown as Facts;
