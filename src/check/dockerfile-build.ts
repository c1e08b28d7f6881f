import semver from 'semver';
import { filesInCode } from '../docker/copies.ts';
import { arrival, brings, copied, inputs, installs } from './build-inputs.ts';
import { type Dockerfile, packages } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';

const r11 = rulesFor(DOCKERFILE, 'R1.1');
const b3 = rulesFor(DOCKERFILE, 'B3');
const b4 = rulesFor(DOCKERFILE, 'B4');

/** Where the code comes in before the dependencies are there. */
function codeFirst(file: Dockerfile, { project }: Repo) {
  const { get, depsCompile, compile, steps } = file.build;
  if (!get && !compile)
    return new Doubt("no mix task is in it: what builds the release can't be told from it");
  const code = arrival(file, project.endpoint.file);
  const late = !depsCompile || (code >= 0 && code < depsCompile.order);
  return late && (steps[code] ?? compile ?? get);
}

/** Bundlers stop where the hooks that they import are not written yet; LiveView has them since 1.1. */
function assetsFirst({ build }: Dockerfile, { project: { assets, phoenix, tree } }: Repo) {
  const { tasks, assets: task, compile } = build;
  const hooks = semver.gte(phoenix.liveViewVersion ?? '0.0.0', '1.1.0');
  if (!task || !compile || !hooks || assets.deploy?.includes('compile')) return undefined;
  const imports = [...tree.paths].some(
    (path) =>
      /(^|\/)assets\/js\/[^/]+\.[jt]s$/.test(path) &&
      /^\s*(import|export|const)\b.*["']phoenix-colocated\//m.test(tree.read(path) ?? ''),
  );
  const found = { line: task.line, weight: imports ? 'must' : 'advice' };
  const isEarly = tasks.indexOf(task) < tasks.indexOf(compile);
  return isEarly && { ...found, compile: compile.text, after: compile.line };
}

/** Asset tools that are downloaded after the code comes in. */
function toolsLate(file: Dockerfile, { project }: Repo) {
  const { assets, setup } = file.build;
  const code = arrival(file, project.endpoint.file);
  const steps = project.projects.flatMap(({ aliases }) => aliases.get('assets.setup') ?? []);
  const downloads = /\b(esbuild|tailwind|sass)\.install/.test(steps.join());
  return assets && downloads && (!setup || (code >= 0 && setup.order > code)) && (setup ?? assets);
}

/** What the build reads and what no COPY brings before the task that reads it. */
function lateInputs(file: Dockerfile, repo: Repo) {
  const { build } = file;
  if (!build.compile) return new Doubt("no mix task is in it: what it needs can't be told from it");
  return inputs(repo).map(({ path, before, why }) => {
    const task = build[before];
    const order = arrival(file, path);
    const late = before === 'get' ? undefined : build.steps[order]?.line;
    if (!task || (order >= 0 && order <= task.order)) return undefined;
    const [state, edit] = late
      ? ['comes too late', `move this line above line ${task.line}`]
      : [
          'is not there yet',
          `before this line, add: COPY ${path} ${path.replace(/[^/]*$/, '') || './'}`,
        ];
    return { line: late ?? task.line, path, why, state, edit };
  });
}

/** A file among the code that a macro may read: the cache of the last build is kept although it changed. */
function keptOver({ build: { compile }, stages }: Dockerfile, { project }: Repo) {
  const [, from] = /target=[^\s,]*_build,from=([^\s,]+)/.exec(compile?.step.flags ?? '') ?? [];
  const start = stages.find(({ name }) => name !== undefined && name === from);
  const isIn = (path: string) => [...(start?.history ?? [])].some((step) => brings(step, path));
  const path = start && filesInCode(project).find((file) => !isIn(file));
  return path && { line: compile?.line, path, from };
}

const HINT = ' (`npx plop env-sh` writes rel/env.sh.eex)';

/** Sources of a COPY that the repo doesn't have; patterns and what git ignores can't be judged. */
function missingSources(file: Dockerfile, { project: { tree } }: Repo) {
  const ignored = /^(deps|_build|node_modules|cover|doc)(\/|$)|(^|\/)\.git(\/|$)|[*?[]/;
  const isThere = (path: string) => [...tree.paths].some((one) => `${one}/`.startsWith(`${path}/`));
  return copied(file)
    .filter(({ path }) => !ignored.test(path) && !isThere(path))
    .map((found) => ({ ...found, hint: /(^|\/)rel$/.test(found.path) ? HINT : '' }));
}

/** Tasks that the build runs, and that neither an alias, a package in production nor the repo's own code has. */
function unknownTasks({ build }: Dockerfile, { project }: Repo) {
  const own = [...project.tree.paths].some((path) => /(^|\/)mix\/tasks\//.test(path));
  return build.tasks.map(({ text, line }) => {
    const [, name = '', prefix = ''] = /^(([^.\s]*)\S*)/.exec(text) ?? [];
    const from = prefix.replace(/^sass$/, 'dart_sass');
    const isPackage = /^(esbuild|tailwind|dart_sass|bun|sentry)$/.test(from);
    const there = isPackage ? project.deps.prod.includes(from) : prefix !== 'assets' || own;
    const isAlias = project.projects.some(({ aliases }) => aliases.has(name));
    const lacks = isPackage ? `${from} in production` : 'an alias';
    return !there && !isAlias && { line, name, lacks };
  });
}

/** `npm run x` for a script that no package.json of the repo has. */
function unknownScripts({ steps }: Dockerfile, { project: { tree } }: Repo) {
  const files = [...tree.paths].filter((path) => /(^|\/)package\.json$/.test(path));
  const scripts = files.map((path) => tree.read(path)).join();
  return steps.flatMap(({ line, commands }) =>
    commands.map((command) => {
      const [, rest = ''] = /\b(?:npm|pnpm|yarn)\s+(?:\S+\s+){0,4}?run\s+(.*)/.exec(command) ?? [];
      // Beside the script there may be options, with their values
      const names = rest.split(/\s+/).filter((word) => /^\w/.test(word));
      const isThere = names.some((name) => scripts.includes(`"${name}"`));
      return scripts && names[0] && !isThere && { line, name: names[0] };
    }),
  );
}

/** Packages of Node that nothing installs; node_modules of this computer come along where nothing keeps them out. */
function missingPackages({ build, steps }: Dockerfile, { project, dockerignore }: Repo) {
  const { packageJsons } = project.assets;
  const keptOut = (path: string) =>
    dockerignore?.file(path.replace('package.json', 'node_modules/x/index.js'));
  const aliases = new Map(project.projects.flatMap((one) => [...one.aliases]));
  // Those that the loop adds are visited too
  const run = new Set(steps.flatMap(({ tasks, commands }) => [...tasks, ...commands]));
  for (const command of run)
    for (const step of aliases.get(command.split(' ')[0] ?? '') ?? []) run.add(step);
  const missing = packageJsons.every(keptOut) && ![...run].some(installs);
  const names = packageJsons.join(', ');
  return build.assets && names && missing && { line: build.assets.line, names };
}

/** Whether the build speaks of a variable: ARG, ENV, a secret, `NAME=value` in a command. */
const isGiven = ({ build }: Dockerfile, name: string): boolean =>
  build.steps.some(({ flags, text }) => `${flags} ${text}`.split(/\W+/).includes(name));

/** The names of private code, where no mount or task brings a key. */
function keyless({ build }: Dockerfile, { project: { deps } }: Repo) {
  const flags = build.steps.map((step) => step.flags).join();
  const hex =
    /type=secret/.test(flags) ||
    build.tasks.some(({ text }) => /^hex\.(repo add|organization auth)/.test(text));
  const ssh = deps.gitSources.filter((one) => one.ssh && !/type=(secret|ssh)/.test(flags));
  const names = [
    ...(hex ? [] : [...deps.hexOrganizations, ...deps.hexRepos]),
    ...ssh.map(({ name }) => name),
  ].join(', ');
  return build.get && names && { line: build.get.line, names };
}

function gitless({ build }: Dockerfile, { project }: Repo) {
  const { image, system } = build.stage.root;
  const brought = !system || (/elixir:/.test(image) && !/alpine|slim/.test(image));
  const installed = packages(build.steps).some((name) => /^git/.test(name));
  const sources = project.deps.gitSources.slice(0, 3);
  const names = sources.map(({ name }) => name).join(', ');
  return build.get && names && !brought && !installed && { line: build.get.line, names };
}

/** The order of a build: layers that stay cached, and each file copied before a command reads it. */
export const buildRules: readonly Rule[] = [
  r11.should(codeFirst)`each change of the code fetches or compiles the dependencies again
    => put these lines before it, and copy lib, priv and assets after them, one by one:
      COPY mix.exs mix.lock ./
      RUN mix deps.get --only prod
      COPY config/config.exs config/prod.exs config/
      RUN mix deps.compile`,
  r11.should(({ build: { get } }) => get && !get.text.includes('--only') && get)`
    it fetches the dependencies for test and dev too
    => write: mix deps.get --only prod`,
  r11.advice(({ build: { get }, steps }) =>
    steps
      .filter((step) => step === get?.step || step.commands.some(installs))
      .filter(({ flags }) => !flags.includes('type=cache')),
  )`it downloads every package again
    => write: RUN --mount=type=cache,target=… with the folder where it keeps packages`,
  r11.advice(assetsFirst)`assets are built before the compiler writes colocated LiveView hooks
    => move this line below \`mix ${'compile'}\` (line ${'after'})`,
  r11.advice(toolsLate)`esbuild and Tailwind are downloaded again with each change of the code
    => after \`mix deps.compile\`, before the code is copied, add: RUN mix assets.setup`,
  r11.should(({ build: { tasks } }) =>
    tasks.find(({ text, step }, index) => {
      const before = tasks.slice(0, index).filter((task) => task.step !== step);
      return !text.startsWith('local.') && before.some((task) => task.text === text);
    }),
  )`mix ${'text'} runs twice
    => remove this one`,

  b3.must(lateInputs)`${'path'} ${'state'}: ${'why'}
    => ${'edit'}`,
  b3.should(keptOver)`
    ${'path'} may be read while the code compiles, and the build's cache outlives it
    => copy such files into the stage ${'from'} (\`npx plop dockerfile\` does), where the cache starts`,
  b3.must(missingSources)`${'path'} is copied, but the repo has none, so the build stops here
    => remove it from this line, or commit it${'hint'}`,
  b3.must(unknownTasks)`
    there is no task ${'name'}, as mix.exs lacks ${'lacks'}: the build stops here
    => remove \`mix ${'name'}\`, or add what it needs to mix.exs`,
  b3.must(unknownScripts)`package.json has no script ${'name'}: the build stops here
    => add the script ${'name'}, or remove this command`,
  b3.must(missingPackages)`the packages of ${'names'} are never installed
    => install them before this line (npm ci); \`npx plop dockerfile\` writes a stage for it`,
  b3.must(({ build }, { project: { umbrella, release } }) => {
    const none = umbrella && release.name === null && release.names.length === 0;
    return build.release && none && { file: 'mix.exs', line: 1 };
  })`an umbrella has no release by default, and \`mix release\` refuses
    => in project/0, add: releases: [${(_, { release }) => release}: [applications: [${(_, { project }) => project.app.otpApp}: :permanent]]]`,
  b3.must((file, { project }) =>
    project.env.required.filter(({ compileTime, name }) => compileTime && !isGiven(file, name)),
  )`${'name'} is read while the image is built, where Fly's secrets are not there
    => read it in config/runtime.exs; or RUN --mount=type=secret,id=${'name'} and fly deploy --build-secret ${'name'}=…`,
  b3.advice((file, { project, runtime }) => {
    const later = (name: string) => isGiven(file, name) || runtime?.text.includes(`"${name}"`);
    const reads = project.env.buildReads.filter(({ name }) => !later(name));
    const names = reads.map(({ name }) => name).join(', ');
    const places = reads.map(({ name, file, line }) => `${name}: ${file}:${line}`).join('\n');
    return reads[0] && { ...reads[0], names, places };
  })`read while the image is built, without Fly's secrets, so the release keeps nil: ${'names'}
    => read in config/runtime.exs:
      ${'places'}`,

  b4.must(keyless)`${'names'}: private, and the build has no key
    => mount one, and pass it with fly deploy --build-secret NAME=…; one of:
      RUN --mount=type=secret,id=HEX_KEY mix hex.organization auth NAME --key "$(cat /run/secrets/HEX_KEY)" && mix deps.get --only prod
      RUN --mount=type=secret,id=GITHUB_TOKEN git config --global url."https://x-access-token:$(cat /run/secrets/GITHUB_TOKEN)@github.com/".insteadOf git@github.com: && mix deps.get --only prod`,
  b4.must(gitless)`${'names'} come from git, and the builder has no git
    => before this line, install git`,
];
