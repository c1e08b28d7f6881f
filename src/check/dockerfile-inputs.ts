import { dirname, join } from 'node:path/posix';
import { copied, inputs } from './build-inputs.ts';
import { arrival, buildOf, installs } from './dockerfile-build.ts';
import { type Dockerfile, packages, rootStage } from './dockerfile-model.ts';
import { systemOf } from './image-name.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, when } from './rule.ts';

const b3 = rulesFor(DOCKERFILE, 'B3');
const b4 = rulesFor(DOCKERFILE, 'B4');

/** What the build reads and what no COPY brings before the task that reads it. */
function lateInputs(file: Dockerfile, repo: Repo) {
  const build = buildOf(file);
  const compile = build.compile ?? build.release;
  if (!compile) return [new Doubt("no mix task is in it: what it needs can't be told from it")];
  const tasks = { ...build, compile };
  return inputs(repo).flatMap(({ path, before, why }) => {
    const task = tasks[before];
    const order = arrival(build, path);
    if (!task || (order >= 0 && order <= task.order)) return [];
    const late = order >= 0 && before !== 'get' ? build.steps[order]?.line : undefined;
    return [{ line: late ?? task.step.line, path, why, above: late && task.step.line }];
  });
}

/** Sources of a COPY that the repo doesn't have; patterns and what git ignores can't be judged. */
function missingSources(file: Dockerfile, { project: { tree } }: Repo) {
  const ignored = /^(deps|_build|node_modules|cover|doc)(\/|$)|(^|\/)\.git(\/|$)|[*?[]/;
  return copied(file).filter(
    ({ path }) =>
      !ignored.test(path) &&
      !tree.paths.has(path) &&
      ![...tree.paths].some((one) => one.startsWith(`${path}/`)),
  );
}

/** Packages whose tasks begin with a name of their own. */
const TASKS = {
  esbuild: 'esbuild',
  tailwind: 'tailwind',
  sass: 'dart_sass',
  bun: 'bun',
  ecto: 'ecto_sql',
  sentry: 'sentry',
};

/** Tasks that the build runs, and that neither an alias, a package in production nor the repo's own code has. */
function unknownTasks(file: Dockerfile, { project }: Repo) {
  const own = [...project.tree.paths].some((path) => /(^|\/)mix\/tasks\//.test(path));
  return buildOf(file).tasks.flatMap(({ text, step }) => {
    const [, name = '', prefix = ''] = /^(([^.\s]*)\S*)/.exec(text) ?? [];
    const from = new Map(Object.entries(TASKS)).get(prefix);
    const there = from ? project.deps.prod.includes(from) : prefix !== 'assets' || own;
    const alias = project.projects.some(({ aliases }) => aliases.has(name));
    return there || alias
      ? []
      : [{ line: step.line, name, lacks: from ? `${from} in production` : 'an alias' }];
  });
}

/** Whether a task of the build, or what its alias stands for, installs packages of Node. */
function installsByTask(file: Dockerfile, { project }: Repo): boolean {
  const meant = (task: string, seen: readonly string[] = []): string[] => {
    const [name = ''] = task.split(' ');
    const steps = project.projects.flatMap(({ aliases }) => aliases.get(name) ?? []);
    const inner = seen.includes(name) ? [] : steps;
    return [task, ...inner.flatMap((step) => meant(step, [...seen, name]))];
  };
  const steps = buildOf(file).tasks.flatMap(({ text }) => meant(text));
  return steps.some((step) => /\b(npm|pnpm|yarn|bun)\b( .*)?( install| ci| i|$)/.test(step));
}

/** Packages of Node that nothing installs; node_modules of this computer come along where nothing keeps them out. */
function missingPackages(file: Dockerfile, repo: Repo) {
  const { packageJsons } = repo.project.assets;
  const keptOut = (path: string) =>
    repo.dockerignore?.file(join(dirname(path), 'node_modules/x/index.js')) ?? false;
  const { assets } = buildOf(file);
  const installed = installs(file).length > 0 || installsByTask(file, repo);
  if (!assets || installed || !packageJsons.length || !packageJsons.every(keptOut)) return [];
  return [{ line: assets.step.line, packageJsons }];
}

/** `npm run x` for a script that the only package.json of the repo lacks. */
function unknownScripts(file: Dockerfile, { project: { tree } }: Repo) {
  const found = [...tree.paths].filter((path) => /(^|\/)package\.json$/.test(path));
  const [packageJson = ''] = found;
  const text = tree.read(packageJson) ?? '';
  if (found.length !== 1) return [];
  return buildOf(file).steps.flatMap(({ keyword, line, commands }) =>
    (keyword === 'RUN' ? commands : []).flatMap((command) => {
      const [, name] = /\b(?:npm|pnpm|yarn)\b.*? run ([\w:.-]+)/.exec(command.join(' ')) ?? [];
      return name && !text.includes(`"${name}"`) ? [{ line, name, packageJson }] : [];
    }),
  );
}

/** Names that the build gives a value: ARG, ENV, secrets, `NAME=value` in a command. */
function given(file: Dockerfile): Set<string> {
  const { steps, stage } = buildOf(file);
  const names = steps.flatMap(({ pairs, flags, text }) => [
    ...pairs.map(([name]) => name),
    ...flags.flatMap((flag) => /(?:id|env)=(\w+)/.exec(flag)?.[1] ?? []),
    ...[...text.matchAll(/\b([A-Z][A-Z0-9_]+)=/g)].map(([, name = '']) => name),
  ]);
  return new Set([...stage.env.keys(), ...names]);
}

/** B3: every file that the build reads is in the image in time, and nothing is asked for that isn't there. */
const inputRules: readonly Rule[] = [
  b3.must(
    lateInputs,
    ({ path, why, above }) => `${path} ${above ? 'comes too late' : 'is not there yet'}: ${why}`,
    ({ path, above }) =>
      above
        ? `move this line above line ${above}`
        : `before this line, add: COPY ${path} ${path.includes('/') ? path.replace(/[^/]*$/, '') : './'}`,
  ),
  b3.must(
    missingSources,
    ({ path }) => `${path} is copied, but the repo has none, so the build stops here`,
    ({ path }) =>
      `remove it from this line, or commit it${/(^|\/)rel$/.test(path) ? ' (`npx plop env-sh` writes rel/env.sh.eex)' : ''}`,
  ),
  b3.must(
    unknownTasks,
    ({ name, lacks }) =>
      `there is no task ${name}, as mix.exs lacks ${lacks}: the build stops here`,
    ({ name }) => `remove \`mix ${name}\`, or add what it needs to mix.exs`,
  ),
  b3.must(
    unknownScripts,
    ({ name, packageJson }) => `${packageJson} has no script ${name}: the build stops here`,
    ({ name }) => `add the script ${name}, or remove this command`,
  ),
  b3.must(
    missingPackages,
    ({ packageJsons }) => `the packages of ${packageJsons.join(', ')} are never installed`,
    'install them before this line (npm ci); `npx plop dockerfile` writes a stage for it',
  ),
  b3.must(
    (file, { project, release }) => {
      const { name, names } = project.release;
      const none = project.umbrella && name === null && names.length === 0;
      const found = { file: 'mix.exs', line: 1, release, app: project.app.otpApp };
      return buildOf(file).release && none && found;
    },
    'an umbrella has no release by default, and `mix release` refuses',
    ({ release, app }) =>
      `in project/0, add: releases: [${release}: [applications: [${app}: :permanent]]]`,
  ),
  b3.must(
    (file, { project }) =>
      project.env.required.filter(({ compileTime, name }) => compileTime && !given(file).has(name)),
    ({ name }) => `${name} is read while the image is built, where Fly's secrets are not there`,
    ({ name }) =>
      `read it in config/runtime.exs; or RUN --mount=type=secret,id=${name} and fly deploy --build-secret ${name}=…`,
  ),
  b3.advice(
    (file, { project, runtime }) => {
      const later = (name: string) => given(file).has(name) || runtime?.text.includes(`"${name}"`);
      const reads = project.env.buildReads.filter(({ name }) => !later(name));
      return reads.slice(0, 1).map((first) => ({ ...first, reads }));
    },
    ({ reads }) =>
      `read while the image is built, without Fly's secrets, so the release keeps nil: ${reads.map(({ name }) => name).join(', ')}`,
    ({ reads }) =>
      `read in config/runtime.exs:\n${reads.map(({ name, file, line }) => `${name}: ${file}:${line}`).join('\n')}`,
  ),
];

/** What a build lacks to fetch private code: the names of that code, where no mount or task brings a key. */
function keyless(file: Dockerfile, { project: { deps } }: Repo) {
  const { get, steps, tasks } = buildOf(file);
  const mounts = steps.flatMap(({ flags }) => flags);
  const authorizes = tasks.some(({ text }) => /^hex\.(repo add|organization auth)/.test(text));
  const hex = authorizes || mounts.some((flag) => /type=secret/.test(flag));
  const ssh = mounts.some((flag) => /type=(secret|ssh)/.test(flag));
  const names = [
    ...(hex ? [] : [...deps.hexOrganizations, ...deps.hexRepos]),
    ...(ssh ? [] : deps.gitSources.filter((source) => source.ssh).map(({ name }) => name)),
  ];
  return when(get && names.length, { line: get?.step.line, names });
}

function gitless(file: Dockerfile, { project }: Repo) {
  const { get, stage, steps } = buildOf(file);
  const { image } = rootStage(stage);
  const brought =
    systemOf(image) === undefined || (/elixir:/.test(image) && !/alpine|slim/.test(image));
  const git = brought || packages([...steps, ...stage.steps]).some((name) => /^git/.test(name));
  const names = project.deps.gitSources.slice(0, 3).map(({ name }) => name);
  return when(get && names.length && !git, { line: get?.step.line, names });
}

/** B4: private packages and repositories are fetched with build secrets, git dependencies with git. */
const privateRules: readonly Rule[] = [
  b4.must(
    keyless,
    ({ names }) => `${names.join(', ')}: private, and the build has no key`,
    `mount one, and pass it with fly deploy --build-secret NAME=…; one of:
RUN --mount=type=secret,id=HEX_KEY mix hex.organization auth NAME --key "$(cat /run/secrets/HEX_KEY)" && mix deps.get --only prod
RUN --mount=type=secret,id=GITHUB_TOKEN git config --global url."https://x-access-token:$(cat /run/secrets/GITHUB_TOKEN)@github.com/".insteadOf git@github.com: && mix deps.get --only prod`,
  ),
  b4.must(
    gitless,
    ({ names }) => `${names.join(', ')} come from git, and the builder has no git`,
    'before this line, install git',
  ),
];

export const buildRules: readonly Rule[] = [...inputRules, ...privateRules];
