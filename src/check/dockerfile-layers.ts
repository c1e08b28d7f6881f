import semver from 'semver';
import { arrival, installs } from './build-inputs.ts';
import type { Dockerfile } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';

const r11 = rulesFor(DOCKERFILE, 'R1.1');

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
  const weight = imports ? 'must' : 'advice';
  return tasks.indexOf(task) < tasks.indexOf(compile) && { line: task.line, weight, compile };
}

/** Asset tools that are downloaded after the code comes in. */
function toolsLate(file: Dockerfile, { project }: Repo) {
  const { assets, setup } = file.build;
  const code = arrival(file, project.endpoint.file);
  const steps = project.projects.flatMap(({ aliases }) => aliases.get('assets.setup') ?? []);
  const downloads = /\b(esbuild|tailwind|sass)\.install/.test(steps.join());
  return assets && downloads && (!setup || (code >= 0 && setup.order > code)) && (setup ?? assets);
}

/** R1.1: layers that stay while only the code changes, each task once and in its place. */
export const layerRules: readonly Rule[] = [
  r11.should(codeFirst)`each change of the code fetches or compiles the dependencies again
    => put these lines before it, and copy lib, priv and assets after them, one by one:
      COPY mix.exs mix.lock ./
      RUN mix deps.get --only prod
      COPY config/config.exs config/prod.exs config/
      RUN mix deps.compile`,
  r11.should(
    ({ build: { get } }) => get && !get.text.includes('--only') && get,
  )`it fetches the dependencies for test and dev too
    => write: mix deps.get --only prod`,
  r11.advice(({ build: { get }, steps }) =>
    steps
      .filter((step) => step === get?.step || step.commands.some(installs))
      .filter(({ flags }) => !flags.includes('type=cache')),
  )`it downloads every package again
    => write: RUN --mount=type=cache,target=… with the folder where it keeps packages`,
  r11.advice(assetsFirst)`assets are built before the compiler writes colocated LiveView hooks
    => move this line below \`mix ${({ compile }) => compile.text}\` (line ${({ compile }) => compile.line})`,
  r11.advice(toolsLate)`esbuild and Tailwind are downloaded again with each change of the code
    => after \`mix deps.compile\`, before the code is copied, add: RUN mix assets.setup`,
  r11.should(({ build: { tasks } }) =>
    tasks.find(({ text, step }, index) => {
      const before = tasks.slice(0, index).filter((task) => task.step !== step);
      return !text.startsWith('local.') && before.some((task) => task.text === text);
    }),
  )`mix ${'text'} runs twice
    => remove this one`,
];
