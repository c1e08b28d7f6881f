import { systemOf } from './dockerfile-base.ts';
import { arrival, type Build, buildOf, installs, sourceFile } from './dockerfile-build.ts';
import { chain, type Dockerfile, env, packages, rootStage } from './dockerfile-model.ts';
import type { Read, Repo } from './repo.ts';
import { type Findings, found, type Missing, unless } from './verdict.ts';

type File = Read<Dockerfile>;

/** A file that the build can't do without: from which step on, and why. */
export interface Input {
  path: string;
  before: 'deps' | 'compile' | 'assets' | 'release';
  why: string;
}

/** What the build reads from the repo. */
export function inputs(repo: Repo): Input[] {
  const { project, runtimePath, envSh } = repo;
  const { paths } = project.tree;
  const under = (folder: string) =>
    [...paths].find((path) => path.startsWith(`${folder}/`) && !/\/\.|\.(pem|key)$/.test(path));
  const one = (path: string | undefined, before: Input['before'], why: string): Input[] =>
    path !== undefined && paths.has(path) ? [{ path, before, why }] : [];
  const children = project.projects.filter(({ dir }) => dir !== '.');
  return [
    ...one('mix.exs', 'deps', 'mix.exs names the dependencies'),
    ...one('mix.lock', 'deps', 'mix.lock holds the versions you tested'),
    ...children.flatMap(({ dir }) =>
      one(`${dir}/mix.exs`, 'deps', 'each app of the umbrella names its own dependencies'),
    ),
    ...project.reads.mix.flatMap((path) => one(path, 'deps', 'mix.exs reads it')),
    ...project.deps.pathSources.flatMap(({ dir, name }) =>
      one(dir === null ? undefined : `${dir}/mix.exs`, 'deps', `the dependency ${name} lies there`),
    ),
    ...project.config.files
      .filter((path) => path !== runtimePath)
      .flatMap((path) => one(path, 'compile', 'the configuration is compiled in')),
    ...project.reads.config.flatMap((path) => one(path, 'compile', 'the configuration reads it')),
    ...project.reads.compile.flatMap((path) =>
      one(
        paths.has(path) ? path : under(path),
        'compile',
        'the code reads it while it is compiled',
      ),
    ),
    ...one(sourceFile(repo), 'compile', 'it is the code'),
    ...one(under('priv'), 'compile', 'translations, migrations and files to serve lie in priv'),
    ...(project.assets.deploy
      ? one(
          under(
            project.assets.appDir && project.assets.appDir !== '.'
              ? `${project.assets.appDir}/assets`
              : 'assets',
          ),
          'assets',
          'assets are made from it',
        )
      : []),
    ...one(runtimePath, 'release', 'the release reads it when it boots'),
    ...one(envSh?.path, 'release', 'the release runs it when it boots'),
  ];
}

/** Every file that the build reads is in the image in time, and nothing is copied that isn't there. */
export function buildInputs(repo: Repo, file: File): Findings {
  const { project, release } = repo;
  const build = buildOf(file.file);
  const at = (line: number | undefined, what: string, edit: string): Missing => ({
    what,
    edit,
    file: file.path,
    line,
  });
  const task = (pattern: RegExp) => build.tasks.find(({ text }) => pattern.test(text));
  const releaseTask = task(/^(distillery\.)?release\b/);
  const compile = task(/^compile\b/) ?? releaseTask;
  const needed = {
    deps: task(/^deps\.get\b/),
    compile,
    assets: task(/^(assets\.(deploy|build)|phx\.digest)\b/),
    release: releaseTask,
  };
  if (!compile)
    return found([], [`no mix task is in ${file.path}: what it needs can't be told from it`]);
  const missing: Missing[] = [];
  for (const { path, before, why } of inputs(repo)) {
    const step = needed[before];
    const when = arrival(build, path);
    if (step && (when < 0 || (when > step.at && before === 'deps')))
      missing.push(
        at(
          step.step.line,
          `${path} is not there yet: ${why}`,
          `before this line, add: COPY ${path} ${path.includes('/') ? path.replace(/[^/]*$/, '') : './'}`,
        ),
      );
    else if (step && when > step.at)
      missing.push(
        at(
          build.steps[when]?.line,
          `${path} comes too late: ${why}`,
          `move this line above line ${step.step.line}`,
        ),
      );
  }
  for (const step of build.steps)
    for (const source of gone(repo, step))
      missing.push(
        at(
          step.line,
          `${source} is copied, but the repo has none, so the build stops here`,
          source.endsWith('rel')
            ? '`npx plop env-sh` makes rel/env.sh.eex; or remove this line'
            : 'remove it from this line, or commit the file',
        ),
      );
  const wanted = project.assets.packageJsons;
  if (
    wanted.length &&
    needed.assets &&
    installs(file.file).length === 0 &&
    !(project.assets.deploy ?? []).some((one) => /npm|yarn|pnpm|bun /.test(one))
  )
    missing.push(
      at(
        needed.assets.step.line,
        `the packages of ${wanted.join(', ')} are never installed`,
        'install them in a stage FROM node:VERSION (npm ci), and copy node_modules from it before this line; `npx plop dockerfile` writes that',
      ),
    );
  if (
    project.umbrella &&
    releaseTask &&
    project.release.name === null &&
    project.release.names.length === 0
  )
    missing.push({
      what: 'an umbrella has no release by default, and `mix release` refuses',
      edit: `in project/0, add: releases: [${release}: [applications: [${project.app.otpApp}: :permanent]]]`,
      file: 'mix.exs',
      line: 1,
    });
  return found([...missing, ...readWhileBuilding(repo, file, build)]);
}

/** Sources of a COPY that the repo doesn't have; patterns and what git ignores can't be judged. */
function gone({ project: { tree } }: Repo, step: Build['steps'][number]): string[] {
  if (step.keyword !== 'COPY' || step.flags.some((one) => one.startsWith('--from='))) return [];
  const sources = (step.commands[0] ?? [])
    .slice(0, -1)
    .map((source) => source.replace(/^\.?\//, '').replace(/\/$/, ''));
  return sources.filter(
    (source) =>
      source &&
      source !== '.' &&
      !/[*?[$<]/.test(source) &&
      !/^(deps|_build|node_modules|cover|doc)(\/|$)|\.git(\/|$)/.test(source) &&
      !tree.paths.has(source) &&
      ![...tree.paths].some((path) => path.startsWith(`${source}/`)),
  );
}

/** Variables that the build insists on: Fly gives it none. */
function readWhileBuilding({ project }: Repo, file: File, build: Build): Missing[] {
  const known = new Set([
    ...env(build.stage).keys(),
    ...build.steps.flatMap((step) =>
      step.keyword === 'ARG'
        ? step.text.split(/[\s=]/)
        : step.flags.flatMap((one) => /id=(\w+)/.exec(one)?.[1] ?? []),
    ),
    ...build.steps.flatMap((step) =>
      [...step.text.matchAll(/\b([A-Z][A-Z0-9_]+)=/g)].map(([, name = '']) => name),
    ),
  ]);
  return project.env.required
    .filter((one) => one.compileTime && !known.has(one.name))
    .map((one) => ({
      what: `${one.name} is read while the image is built, where Fly's secrets are not there`,
      edit: `read it in config/runtime.exs instead; or give it to the build: RUN --mount=type=secret,id=${one.name} in ${file.path}, and fly deploy --build-secret ${one.name}=…`,
      file: one.file,
      line: one.line,
    }));
}

/** Private packages and repositories are fetched with build secrets, git dependencies with git. */
export function privateCode({ project }: Repo, file: File): Findings {
  const build = buildOf(file.file);
  const get = build.tasks.find(({ text }) => /^deps\.get\b/.test(text));
  if (!get) return found();
  const at = (what: string, edit: string): Missing => ({
    what,
    edit,
    file: file.path,
    line: get.step.line,
  });
  const mounts = build.steps
    .flatMap((step) => step.flags)
    .filter((one) => /type=(secret|ssh)/.test(one));
  const hex = [...project.deps.hexOrganizations, ...project.deps.hexRepos];
  const ssh = project.deps.gitSources.filter((one) => one.ssh).map((one) => one.name);
  const image = rootStage(build.stage).image;
  const hasGit =
    systemOf(image) === undefined ||
    packages(build.steps).has('git') ||
    packages(chain(build.stage)).has('git-core') ||
    (/elixir:/.test(image) && !/alpine|slim/.test(image));
  return found([
    ...unless(
      hex.length === 0 || mounts.some((one) => /secret/.test(one)),
      at(
        `${hex.join(', ')} on hex is private, and the build has no key for it`,
        'write: RUN --mount=type=secret,id=HEX_KEY mix hex.organization auth NAME --key "$(cat /run/secrets/HEX_KEY)" && mix deps.get --only prod; then fly deploy --build-secret HEX_KEY=…',
      ),
    ),
    ...unless(
      ssh.length === 0 || mounts.length > 0,
      at(
        `${ssh.join(', ')} comes over ssh, and the build has no key`,
        'write: RUN --mount=type=secret,id=GITHUB_TOKEN git config --global url."https://x-access-token:$(cat /run/secrets/GITHUB_TOKEN)@github.com/".insteadOf git@github.com: && mix deps.get --only prod',
      ),
    ),
    ...unless(
      project.deps.gitSources.length === 0 || hasGit,
      at(
        `${project.deps.gitSources
          .map((one) => one.name)
          .slice(0, 3)
          .join(', ')} come from git, and the builder has no git`,
        'before this line, install git',
      ),
    ),
  ]);
}
