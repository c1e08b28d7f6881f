import { dirname, join } from 'node:path/posix';
import { copied, inputs } from './build-inputs.ts';
import { arrival, buildOf, installs } from './dockerfile-build.ts';
import { type Dockerfile, packages, rootStage } from './dockerfile-model.ts';
import { systemOf } from './image-name.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, when } from './rule.ts';

const rule = rulesFor(DOCKERFILE);

/** Tasks of packages, by how their names begin: without the package (or in another environment) there is no such task. */
const TASKS: Readonly<Record<string, string>> = {
  esbuild: 'esbuild',
  tailwind: 'tailwind',
  sass: 'dart_sass',
  bun: 'bun',
  ecto: 'ecto_sql',
  sentry: 'sentry',
};

/** Tasks that the build runs, and that neither an alias, a package nor the repo's own code has. */
function unknownTasks(file: Dockerfile, { project }: Repo) {
  const own = [...project.tree.paths].some((path) => /(^|\/)mix\/tasks\//.test(path));
  const aliases = new Set(project.projects.flatMap((one) => [...one.aliases.keys()]));
  return buildOf(file).tasks.flatMap(({ text, step }) => {
    const [name = ''] = text.split(' ');
    const [prefix = ''] = name.split('.');
    const from = TASKS[prefix];
    const there =
      from === undefined ? prefix !== 'assets' || own : project.deps.prod.includes(from);
    return there || aliases.has(name) ? [] : [{ line: step.line, name, from }];
  });
}

/** Whether a task of the build, or what its alias stands for, installs packages of Node. */
function installsByTask(file: Dockerfile, { project }: Repo): boolean {
  const steps = (task: string, seen: readonly string[] = []): string[] => {
    const [name = ''] = task.split(' ');
    const meant = project.projects.flatMap(({ aliases }) => aliases.get(name) ?? []);
    const inner = seen.includes(name) ? [] : meant;
    return [task, ...inner.flatMap((one) => steps(one, [...seen, name]))];
  };
  return buildOf(file).tasks.some(({ text }) =>
    steps(text).some((step) => /\b(npm|pnpm|yarn|bun)\b( .*)?( install| ci| i|$)/.test(step)),
  );
}

/** Whether node_modules of this computer stay out; otherwise those that were installed here come along. */
const ignoresModules = ({ dockerignore }: Repo, folder: string): boolean =>
  dockerignore?.file(join(folder, 'node_modules/x/index.js')) ?? false;

/** Sources of a COPY that the repo doesn't have; patterns and what git ignores can't be judged. */
function gone(file: Dockerfile, { project: { tree } }: Repo) {
  const ignored = /^(deps|_build|node_modules|cover|doc)(\/|$)|(^|\/)\.git(\/|$)|\*|\?|\[/;
  return copied(file).filter(
    ({ path }) =>
      !ignored.test(path) &&
      !tree.paths.has(path) &&
      ![...tree.paths].some((one) => one.startsWith(`${path}/`)),
  );
}

/** What the build reads and what no COPY brings before the task that reads it. */
function lateInputs(file: Dockerfile, repo: Repo) {
  const build = buildOf(file);
  const { get, assets, release } = build;
  const tasks = { get, compile: build.compile ?? release, assets, release };
  return inputs(repo).flatMap(({ path, before, why }) => {
    const task = tasks[before];
    const order = arrival(build, path);
    if (!task || (order >= 0 && order <= task.order)) return [];
    const late = order >= 0 && before !== 'get' ? build.steps[order]?.line : undefined;
    return [{ line: late ?? task.step.line, path, why, above: late && task.step.line }];
  });
}

/** Names that the build gives a value: ARG, ENV, secrets, `NAME=value` in a command. */
function given(file: Dockerfile): Set<string> {
  const { steps, stage } = buildOf(file);
  return new Set([
    ...stage.env.keys(),
    ...steps.flatMap(({ pairs }) => pairs.map(([name]) => name)),
    ...steps.flatMap(({ flags }) =>
      flags.flatMap((one) => /(?:id|env)=(\w+)/.exec(one)?.[1] ?? []),
    ),
    ...steps.flatMap(({ text }) =>
      [...text.matchAll(/\b([A-Z][A-Z0-9_]+)=/g)].map(([, name = '']) => name),
    ),
  ]);
}

/** B3: every file that the build reads is in the image in time, and nothing is asked for that isn't there. */
export const inputRules: readonly Rule[] = [
  rule({
    id: 'B3',
    weight: 'must',
    find: (file, repo) => {
      const { compile, release } = buildOf(file);
      const unread = new Doubt("no mix task is in it: what it needs can't be told from it");
      return [...when(!compile && !release, unread), ...lateInputs(file, repo)];
    },
    say: ({ path, why, above }) =>
      `${path} ${above ? 'comes too late' : 'is not there yet'}: ${why}`,
    mend: ({ path, above }) =>
      above
        ? `move this line above line ${above}`
        : `before this line, add: COPY ${path} ${path.includes('/') ? path.replace(/[^/]*$/, '') : './'}`,
  }),
  rule({
    id: 'B3',
    weight: 'must',
    find: gone,
    say: ({ path }) => `${path} is copied, but the repo has none, so the build stops here`,
    mend: ({ path }) =>
      /(^|\/)rel$/.test(path)
        ? '`npx plop env-sh` makes rel/env.sh.eex; or remove this line'
        : 'remove it from this line, or commit the file',
  }),
  rule({
    id: 'B3',
    weight: 'must',
    find: unknownTasks,
    say: ({ name, from }) =>
      from
        ? `there is no task ${name} in production, as ${from} is no dependency there, so the build stops here`
        : `mix.exs has no alias ${name}, so the build stops here`,
    mend: ({ name }) => `remove \`mix ${name}\`, or add what it needs to mix.exs`,
  }),
  rule({
    id: 'B3',
    weight: 'must',
    find: (file, repo) => {
      const { assets } = buildOf(file);
      const { packageJsons } = repo.project.assets;
      const local = packageJsons.some((path) => !ignoresModules(repo, dirname(path)));
      const installed = installs(file).length || local || installsByTask(file, repo);
      return when(assets && packageJsons.length && !installed, {
        line: assets?.step.line,
        packageJsons,
      });
    },
    say: ({ packageJsons }) => `the packages of ${packageJsons.join(', ')} are never installed`,
    mend: () =>
      'install them in a stage FROM node:VERSION (npm ci), and copy node_modules from it before this line; `npx plop dockerfile` writes that',
  }),
  rule({
    id: 'B3',
    weight: 'must',
    find: (file, { project, release }) => {
      const { name, names } = project.release;
      const none = project.umbrella && name === null && names.length === 0;
      const found = { file: 'mix.exs', line: 1, release, app: project.app.otpApp };
      return when(buildOf(file).release && none, found);
    },
    say: () => 'an umbrella has no release by default, and `mix release` refuses',
    mend: ({ release, app }) =>
      `in project/0, add: releases: [${release}: [applications: [${app}: :permanent]]]`,
  }),
  rule({
    id: 'B3',
    weight: 'must',
    find: (file, { project }) =>
      project.env.required
        .filter(({ compileTime, name }) => compileTime && !given(file).has(name))
        .map(({ name, file: path, line }) => ({ file: path, line, name })),
    say: ({ name }) =>
      `${name} is read while the image is built, where Fly's secrets are not there`,
    mend: ({ name }) =>
      `read it in config/runtime.exs instead; or give it to the build: RUN --mount=type=secret,id=${name} in the Dockerfile, and fly deploy --build-secret ${name}=…`,
  }),
  rule({
    id: 'B3',
    weight: 'advice',
    find: (file, { project, runtime }) => {
      const known = given(file);
      const reads = project.env.buildReads.filter(
        ({ name }) => !known.has(name) && !runtime?.text.includes(`"${name}"`),
      );
      return when(reads.length, { file: reads[0]?.file, line: reads[0]?.line, reads });
    },
    say: ({ reads }) =>
      `read while the image is built, where Fly's secrets are not there, and nil for good: ${reads.map(({ name }) => name).join(', ')}`,
    mend: ({ reads }) =>
      [
        'read them in config/runtime.exs:',
        ...reads.map(({ name, file, line }) => `${name}: ${file}:${line}`),
      ].join('\n'),
  }),
];

const getLine = (file: Dockerfile): number | undefined => buildOf(file).get?.step.line;
const mounts = (file: Dockerfile, kind: RegExp): boolean =>
  buildOf(file).steps.some(({ flags }) => flags.some((one) => kind.test(one)));

/** Hex gets a key in some other way, such as a build argument. */
const authorizes = (file: Dockerfile): boolean =>
  buildOf(file).tasks.some(({ text }) => /^hex\.(repo add|organization auth)/.test(text));

function hasGit(file: Dockerfile): boolean {
  const { stage, steps } = buildOf(file);
  const { image } = rootStage(stage);
  const installed = packages([...steps, ...stage.steps]);
  const brought = /elixir:/.test(image) && !/alpine|slim/.test(image);
  return systemOf(image) === undefined || brought || installed.some((name) => /^git/.test(name));
}

/** B4: private packages and repositories are fetched with build secrets, git dependencies with git. */
export const privateRules: readonly Rule[] = [
  rule({
    id: 'B4',
    weight: 'must',
    find: (file, { project: { deps } }) => {
      const names = [...deps.hexOrganizations, ...deps.hexRepos];
      const line = getLine(file);
      const key = mounts(file, /type=secret/) || authorizes(file);
      return when(line && names.length && !key, { line, names });
    },
    say: ({ names }) => `${names.join(', ')} on hex is private, and the build has no key for it`,
    mend: () =>
      'write: RUN --mount=type=secret,id=HEX_KEY mix hex.organization auth NAME --key "$(cat /run/secrets/HEX_KEY)" && mix deps.get --only prod; then fly deploy --build-secret HEX_KEY=…',
  }),
  rule({
    id: 'B4',
    weight: 'must',
    find: (file, { project }) => {
      const names = project.deps.gitSources.filter(({ ssh }) => ssh).map(({ name }) => name);
      const line = getLine(file);
      return when(line && names.length && !mounts(file, /type=(secret|ssh)/), { line, names });
    },
    say: ({ names }) => `${names.join(', ')} comes over ssh, and the build has no key`,
    mend: () =>
      'write: RUN --mount=type=secret,id=GITHUB_TOKEN git config --global url."https://x-access-token:$(cat /run/secrets/GITHUB_TOKEN)@github.com/".insteadOf git@github.com: && mix deps.get --only prod',
  }),
  rule({
    id: 'B4',
    weight: 'must',
    find: (file, { project }) => {
      const names = project.deps.gitSources.slice(0, 3).map(({ name }) => name);
      const line = getLine(file);
      return when(line && names.length && !hasGit(file), { line, names });
    },
    say: ({ names }) => `${names.join(', ')} come from git, and the builder has no git`,
    mend: () => 'before this line, install git',
  }),
];
