import type { Project } from './detect.ts';

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

/** The facts as `facts --json` prints them: flat, under names that stay (AGENTS.md). */
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
