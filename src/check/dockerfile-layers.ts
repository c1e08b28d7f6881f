import semver from 'semver';
import { arrival, buildOf, installs, sourceFile } from './dockerfile-build.ts';
import type { Dockerfile } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight, when } from './rule.ts';

const r11 = rulesFor(DOCKERFILE, 'R1.1');

/** Where the code comes in before the dependencies are there. */
function codeFirst(file: Dockerfile, repo: Repo) {
  const { get, depsCompile, compile, release, steps } = buildOf(file);
  const unread = new Doubt("no mix task is in it: what builds the release can't be told from it");
  if (!get && !compile && !release) return [unread];
  const code = arrival(buildOf(file), sourceFile(repo));
  const late = !depsCompile || (code >= 0 && code < depsCompile.order);
  return when(late, { line: (steps[code] ?? (compile ?? release)?.step)?.line });
}

/** Bundlers stop where the hooks that they import are not written yet; LiveView has them since 1.1. */
function assetsFirst(file: Dockerfile, { project }: Repo) {
  const { assets, compile, release } = buildOf(file);
  const compiled = compile ?? release;
  const first = project.assets.deploy?.includes('compile');
  const hooks = semver.gte(project.phoenix.liveViewVersion ?? '0.0.0', '1.1.0');
  if (!assets || !compiled || assets.index > compiled.index || first || !hooks) return [];
  const imports = [...project.tree.paths].some(
    (path) =>
      /(^|\/)assets\/js\/[^/]+\.[jt]s$/.test(path) &&
      /^\s*(import|export|const)\b.*["']phoenix-colocated\//m.test(project.tree.read(path) ?? ''),
  );
  const weight: Weight = imports ? 'must' : 'advice';
  return [{ line: assets.step.line, weight, task: compiled.text, below: compiled.step.line }];
}

/** Steps that download packages and keep none. */
function uncached(file: Dockerfile) {
  const { get } = buildOf(file);
  const downloads = [
    ...(get ? [{ step: get.step, command: 'mix deps.get' }] : []),
    ...installs(file),
  ];
  return downloads
    .filter(({ step }) => !step.flags.some((flag) => flag.includes('type=cache')))
    .map(({ step, command }) => ({ line: step.line, command }));
}

/** Asset tools come after the code. */
function toolsLate(file: Dockerfile, repo: Repo) {
  const { assets, setup } = buildOf(file);
  const code = arrival(buildOf(file), sourceFile(repo));
  const steps = repo.project.projects.flatMap(({ aliases }) => aliases.get('assets.setup') ?? []);
  const downloads = steps.some((step) => /^(esbuild|tailwind|sass)\.install/.test(step));
  const late = !setup || (code >= 0 && setup.order > code);
  return when(assets && downloads && late, { line: (setup ?? assets)?.step.line });
}

function repeated(file: Dockerfile) {
  const { tasks } = buildOf(file);
  const again = tasks.find(({ text, step }, index) =>
    tasks.slice(0, index).some((task) => task.text === text && task.step !== step),
  );
  const found = again && !again.text.startsWith('local.');
  return found ? [{ line: again.step.line, task: again.text }] : [];
}

/** R1.1: what rarely changes comes first, and nothing is fetched or done twice. */
export const layerRules: readonly Rule[] = [
  r11.should(
    codeFirst,
    'each change of the code fetches or compiles the dependencies again',
    `put these lines before it, and copy lib, priv and assets after them, one by one:
COPY mix.exs mix.lock ./
RUN mix deps.get --only prod
COPY config/config.exs config/prod.exs config/
RUN mix deps.compile`,
  ),
  r11.should(
    (file) => {
      const { get } = buildOf(file);
      return get && !/--only|--no-archives-check/.test(get.text) && { line: get?.step.line };
    },
    'it fetches the dependencies for test and dev too',
    'write: mix deps.get --only prod',
  ),
  r11.advice(
    uncached,
    ({ command }) => `${command} downloads every package again`,
    'write: RUN --mount=type=cache,target=… with the folder where it keeps packages',
  ),
  r11.advice(
    assetsFirst,
    'assets are built before the compiler writes colocated LiveView hooks',
    ({ task, below }) => `move this line below \`mix ${task}\` (line ${below})`,
  ),
  r11.advice(
    toolsLate,
    'esbuild and Tailwind are downloaded again with each change of the code',
    'after `mix deps.compile`, before the code is copied, add: RUN mix assets.setup',
  ),
  r11.should(repeated, ({ task }) => `mix ${task} runs twice`, 'remove this one'),
];
