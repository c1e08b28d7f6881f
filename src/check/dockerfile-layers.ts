import semver from 'semver';
import { isNpmInstall } from '../docker/asset-steps.ts';
import { copyOrder } from './build-inputs.ts';
import type { Dockerfile } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';

const layers = rulesFor<Dockerfile>('R1.1');

/** The step that copies the code, when dependencies are compiled after it. */
function codeBeforeDeps(file: Dockerfile, { project }: Repo) {
  const { depsGet, depsCompile, compile, steps } = file.build;
  if (!depsGet && !compile)
    return new Doubt("no mix task is in it: what builds the release can't be told from it");
  const code = copyOrder(file, project.endpoint.file);
  const isFirst = !depsCompile || (code >= 0 && code < depsCompile.order);
  return isFirst && (steps[code] ?? compile ?? depsGet);
}

/** LiveView has colocated hooks since 1.1: the compiler writes them, and a bundler that imports them stops without. */
function assetsBeforeCompile({ build }: Dockerfile, { project }: Repo) {
  const { tasks, assetsBuild, compile } = build;
  const { assets, phoenix, tree } = project;
  const hasHooks = semver.gte(phoenix.liveViewVersion ?? '0.0.0', '1.1.0');
  if (!assetsBuild || !compile || !hasHooks) return undefined;
  if (assets.deploy?.includes('compile')) return undefined;
  if (tasks.indexOf(assetsBuild) > tasks.indexOf(compile)) return undefined;
  const scripts = [...tree.paths].filter((path) => /(^|\/)assets\/js\/[^/]+\.[jt]s$/.test(path));
  const imports = scripts.some((path) =>
    /^\s*(import|export|const)\b.*["']phoenix-colocated\//m.test(tree.read(path) ?? ''),
  );
  const weight = imports ? 'must' : 'advice';
  return { line: assetsBuild.line, weight, compile: compile.text, compileLine: compile.line };
}

function toolsAfterCode(file: Dockerfile, { project }: Repo) {
  const { assetsBuild, assetsSetup } = file.build;
  const setup = project.projects.flatMap(({ aliases }) => aliases.get('assets.setup') ?? []);
  if (!assetsBuild || !/\b(esbuild|tailwind|sass)\.install/.test(setup.join())) return undefined;
  const code = copyOrder(file, project.endpoint.file);
  const isLate = !assetsSetup || (code >= 0 && assetsSetup.order > code);
  return isLate && (assetsSetup ?? assetsBuild);
}

/** `local.hex` and `local.rebar` may run twice. */
const repeatedTask = ({ build: { tasks } }: Dockerfile) =>
  tasks.find(({ text, step }, index) => {
    const earlier = tasks.slice(0, index).filter((task) => task.step !== step);
    return !text.startsWith('local.') && earlier.some((task) => task.text === text);
  });

/** The order of a build, so that layers stay cached while only the code changes. */
export const layerRules: readonly Rule[] = [
  layers.should({
    find: codeBeforeDeps,
    what: 'each change of the code fetches or compiles the dependencies again',
    edit: [
      'put these lines before it, and copy lib, priv and assets after them, one by one:',
      'COPY mix.exs mix.lock ./',
      'RUN mix deps.get --only prod',
      'COPY config/config.exs config/prod.exs config/',
      'RUN mix deps.compile',
    ],
  }),
  layers.should({
    find: ({ build: { depsGet } }) => !depsGet?.text.includes('--only') && depsGet,
    what: 'it fetches the dependencies for test and dev too',
    edit: 'write: mix deps.get --only prod',
  }),
  layers.advice({
    find: ({ build: { depsGet }, steps }) =>
      steps
        .filter((step) => step === depsGet?.step || step.commands.some(isNpmInstall))
        .filter(({ flags }) => !flags.includes('type=cache')),
    what: 'it downloads every package again',
    edit: 'write: RUN --mount=type=cache,target=… with the folder where it keeps packages',
  }),
  layers.advice({
    find: assetsBeforeCompile,
    what: 'assets are built before the compiler writes colocated LiveView hooks',
    edit: ({ compile, compileLine }) =>
      `move this line below \`mix ${compile}\` (line ${compileLine})`,
  }),
  layers.advice({
    find: toolsAfterCode,
    what: 'esbuild and Tailwind are downloaded again with each change of the code',
    edit: 'after `mix deps.compile`, before the code is copied, add: RUN mix assets.setup',
  }),
  layers.should({
    find: repeatedTask,
    what: ({ text }) => `mix ${text} runs twice`,
    edit: 'remove this one',
  }),
];
