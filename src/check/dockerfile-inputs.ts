import { isNpmInstall } from '../docker/asset-steps.ts';
import { filesInCode } from '../docker/copies.ts';
import { relFolder } from '../docker/release-files.ts';
import { exists, filesIn } from '../tree.ts';
import {
  copiedPaths,
  copiesPath,
  copyOrder,
  type RequiredFile,
  requiredFiles,
} from './build-inputs.ts';
import { type Dockerfile, installedPackages } from './dockerfile-model.ts';
import { startedScripts } from './dockerfile-start.ts';
import type { Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor, type Weight } from './rule.ts';

const inputs = rulesFor<Dockerfile>('B3');
const privateCode = rulesFor<Dockerfile>('B4');

/** What the build reads and no COPY brings before the task that reads it. */
function lateInputs(file: Dockerfile, repo: Repo) {
  const { build } = file;
  if (!build.compile) return new Doubt("no mix task is in it: what it needs can't be told from it");
  const rel = relFolder(repo.project, repo.release);
  const started = startedScripts(file, repo).map((script) => script.file);
  const overlays = filesIn(repo.project.tree, `${rel}/overlays`).map((path) => {
    const weight: Weight = started.includes(path) ? 'must' : 'should';
    return { path, reader: 'release', why: 'the release holds it', weight } as const;
  });
  const late = (weight: Weight, { path, reader, why }: RequiredFile) => {
    const task = build[reader];
    const order = copyOrder(file, path);
    if (!task || (order >= 0 && order <= task.order)) return undefined;
    // A line that copies mix.exs too late may copy the code as well
    const lateCopy = reader === 'depsGet' ? undefined : build.steps[order];
    if (lateCopy) {
      const edit = `move this line above line ${task.line}`;
      return { weight, line: lateCopy.line, path, why, state: 'comes too late', edit };
    }
    const operands = path.startsWith(`${rel}/`)
      ? `${rel} ${rel}`
      : `${path} ${path.replace(/[^/]*$/, '') || './'}`;
    const edit = `before this line, add: COPY ${operands}`;
    return { weight, line: task.line, path, why, state: 'is not there yet', edit };
  };
  const lateOverlays = overlays.map((file) => late(file.weight, file)).filter((fault) => !!fault);
  return [
    ...requiredFiles(repo).map((file) => late('must', file)),
    lateOverlays.find(({ weight }) => weight === 'must') ?? lateOverlays[0],
  ];
}

/** A file beside the code that the cache of _build doesn't start with: Mix doesn't notice its changes. */
function inputsOutsideCache({ build: { compile }, stages }: Dockerfile, { project }: Repo) {
  const [, from] = /target=[^\s,]*_build,from=([^\s,]+)/.exec(compile?.step.flags ?? '') ?? [];
  const stage = stages.find(({ name }) => name !== undefined && name === from);
  if (!stage) return undefined;
  const isCopied = (path: string) => [...stage.history].some((step) => copiesPath(step, path));
  const path = filesInCode(project).find((file) => !isCopied(file));
  return path && { line: compile?.line, path, from };
}

/** Sources of a COPY that are no fault when the repo lacks them: git may ignore them, or they are patterns. */
const NOT_JUDGED = /^(deps|_build|node_modules|cover|doc)(\/|$)|(^|\/)\.git(\/|$)|[*?[]/;

function missingSources(file: Dockerfile, { project: { tree } }: Repo) {
  const judged = copiedPaths(file).filter(({ path }) => !NOT_JUDGED.test(path));
  return judged.filter(({ path }) => !exists(tree, path));
}

/** Packages whose tasks begin with their names. */
const TASK_PACKAGES = new Set(['esbuild', 'tailwind', 'dart_sass', 'bun', 'sentry']);

/** Tasks of the build that neither an alias, a package in production nor the repo's own code has. */
function unknownTasks({ build }: Dockerfile, { project }: Repo) {
  const hasOwnTasks = [...project.tree.paths].some((path) => /(^|\/)mix\/tasks\//.test(path));
  return build.tasks.map(({ text, line }) => {
    const [, name = '', prefix = ''] = /^(([^.\s]*)\S*)/.exec(text) ?? [];
    if (project.projects.some(({ aliases }) => aliases.has(name))) return undefined;
    const dep = prefix === 'sass' ? 'dart_sass' : prefix;
    if (TASK_PACKAGES.has(dep))
      return !project.deps.prod.includes(dep) && { line, name, lacks: `${dep} in production` };
    return prefix === 'assets' && !hasOwnTasks && { line, name, lacks: 'an alias' };
  });
}

/** `npm run x` for a script that no package.json of the repo has. */
function unknownScripts({ steps }: Dockerfile, { project: { tree } }: Repo) {
  const files = [...tree.paths].filter((path) => /(^|\/)package\.json$/.test(path));
  const packageJsons = files.map((path) => tree.read(path)).join();
  if (!packageJsons) return undefined;
  return steps.flatMap(({ line, commands }) =>
    commands.map((command) => {
      const [, rest = ''] = /\b(?:npm|pnpm|yarn)\s+(?:\S+\s+){0,4}?run\s+(.*)/.exec(command) ?? [];
      // Options and their values may come before the name
      const names = rest.split(/\s+/).filter((word) => /^\w/.test(word));
      const isKnown = names.some((name) => packageJsons.includes(`"${name}"`));
      return names[0] && !isKnown && { line, name: names[0] };
    }),
  );
}

/** Packages of Node that nothing installs, unless the node_modules of the owner's computer are copied. */
function packagesNotInstalled({ build, steps }: Dockerfile, { project, dockerignore }: Repo) {
  const { packageJsons } = project.assets;
  if (!build.assetsBuild || packageJsons.length === 0) return undefined;
  const areModulesCopied = packageJsons.some(
    (path) => !dockerignore?.content(path.replace('package.json', 'node_modules/x/index.js')),
  );
  const aliases = new Map(project.projects.flatMap((owner) => [...owner.aliases]));
  const commands = new Set(steps.flatMap((step) => [...step.tasks, ...step.commands]));
  // The loop visits what it adds, so aliases of aliases too
  for (const command of commands)
    for (const step of aliases.get(command.split(' ')[0] ?? '') ?? []) commands.add(step);
  const areInstalled = [...commands].some(isNpmInstall);
  const isMissing = !areModulesCopied && !areInstalled;
  return isMissing && { line: build.assetsBuild.line, names: packageJsons.join(', ') };
}

/** Whether the build names a variable: ARG, ENV, a secret, `NAME=value` in a command. */
const namesVariable = ({ build }: Dockerfile, name: string): boolean =>
  build.steps.some(({ flags, text }) => `${flags} ${text}`.split(/\W+/).includes(name));

function depsWithoutKey({ build }: Dockerfile, { project: { deps } }: Repo) {
  const flags = build.steps.map((step) => step.flags).join();
  const hasHexKey =
    /type=secret/.test(flags) ||
    build.tasks.some(({ text }) => /^hex\.(repo add|organization auth)/.test(text));
  const hasGitKey = /type=(secret|ssh)/.test(flags);
  const names = [
    ...(hasHexKey ? [] : [...deps.hexOrganizations, ...deps.hexRepos]),
    ...(hasGitKey ? [] : deps.gitSources.filter(({ ssh }) => ssh).map(({ name }) => name)),
  ].join(', ');
  return build.depsGet && names && { line: build.depsGet.line, names };
}

function depsWithoutGit({ build }: Dockerfile, { project }: Repo) {
  const { image, system } = build.stage.baseImage;
  const mayHaveGit = !system || (/elixir:/.test(image) && !/alpine|slim/.test(image));
  const isInstalled = installedPackages(build.steps).some((name) => name.startsWith('git'));
  if (!build.depsGet || mayHaveGit || isInstalled) return undefined;
  const names = project.deps.gitSources.slice(0, 3).map(({ name }) => name);
  return names.length > 0 && { line: build.depsGet.line, names: names.join(', ') };
}

/** Variables that are read while the image is built and that neither the Dockerfile nor runtime.exs names. */
function unsetBuildReads(file: Dockerfile, { project, runtime }: Repo) {
  const reads = project.env.buildReads.filter(
    ({ name }) => !namesVariable(file, name) && !runtime?.text.includes(`"${name}"`),
  );
  const names = reads.map(({ name }) => name).join(', ');
  const places = reads.map(({ name, file, line }) => `${name}: ${file}:${line}`).join('\n');
  const weight: Weight = reads.some(({ hasDefault }) => hasDefault) ? 'should' : 'advice';
  return reads[0] && { ...reads[0], weight, names, places };
}

/** Each file, package and key is there before a command needs it. */
export const inputRules: readonly Rule[] = [
  inputs.must({
    find: lateInputs,
    what: ({ path, state, why }) => `${path} ${state}: ${why}`,
    edit: ({ edit }) => `${edit}`,
  }),
  inputs.should({
    find: inputsOutsideCache,
    what: ({ path }) =>
      `${path} may be read while the code compiles, and the build's cache outlives it`,
    edit: ({ from }) =>
      `copy such files into the stage ${from} (\`npx plop dockerfile\` does), where the cache starts`,
  }),
  inputs.must({
    find: missingSources,
    what: ({ path }) => `${path} is copied, but the repo has none, so the build stops here`,
    edit: 'remove it from this line, or commit it',
  }),
  inputs.must({
    find: unknownTasks,
    what: ({ name, lacks }) =>
      `there is no task ${name}, as mix.exs lacks ${lacks}: the build stops here`,
    edit: ({ name }) => `remove \`mix ${name}\`, or add what it needs to mix.exs`,
  }),
  inputs.must({
    find: unknownScripts,
    what: ({ name }) => `package.json has no script ${name}: the build stops here`,
    edit: ({ name }) => `add the script ${name}, or remove this command`,
  }),
  inputs.must({
    find: packagesNotInstalled,
    what: ({ names }) => `the packages of ${names} are never installed`,
    edit: 'install them before this line (npm ci); `npx plop dockerfile` writes a stage for it',
  }),
  inputs.must({
    find: ({ build }, { project: { umbrella, release } }) => {
      const hasRelease = !umbrella || release.name !== null || release.names.length > 0;
      return build.release && !hasRelease && { file: 'mix.exs', line: 1 };
    },
    what: 'an umbrella has no release by default, and `mix release` refuses',
    edit: (_, { release, project }) =>
      `in project/0, add: releases: [${release}: [applications: [${project.app.otpApp}: :permanent]]]`,
  }),
  inputs.must({
    find: (file, { project }) =>
      project.env.required.filter(
        ({ compileTime, name }) => compileTime && !namesVariable(file, name),
      ),
    what: ({ name }) =>
      `${name} is read while the image is built, where Fly's secrets are not there`,
    edit: ({ name }) =>
      `read it in config/runtime.exs; or RUN --mount=type=secret,id=${name} and fly deploy --build-secret ${name}=…`,
  }),
  inputs.advice({
    find: unsetBuildReads,
    what: ({ names }) =>
      `read while the image is built, without Fly's secrets, so where config/runtime.exs doesn't set the same, the release keeps nil, or the default in the code: ${names}`,
    edit: ({ places }) => ['read in config/runtime.exs:', `${places}`],
  }),

  privateCode.must({
    find: depsWithoutKey,
    what: ({ names }) => `${names}: private, and the build has no key`,
    edit: [
      'mount one, and pass it with fly deploy --build-secret NAME=…; one of:',
      'RUN --mount=type=secret,id=HEX_KEY mix hex.organization auth NAME --key "$(cat /run/secrets/HEX_KEY)" && mix deps.get --only prod',
      'RUN --mount=type=secret,id=GITHUB_TOKEN git config --global url."https://x-access-token:$(cat /run/secrets/GITHUB_TOKEN)@github.com/".insteadOf git@github.com: && mix deps.get --only prod',
    ],
  }),
  privateCode.must({
    find: depsWithoutGit,
    what: ({ names }) => `${names} come from git, and the builder has no git`,
    edit: 'before this line, install git',
  }),
];
