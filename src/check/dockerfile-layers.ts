import semver from 'semver';
import { arrival, buildOf, installs, sourceFile } from './dockerfile-build.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, when } from './rule.ts';

const rule = rulesFor(DOCKERFILE);

/** Colocated hooks came with LiveView 1.1. */
const mayHaveHooks = ({ project }: Repo): boolean =>
  semver.gte(project.phoenix.liveViewVersion ?? '0.0.0', '1.1.0');

/** Without them the bundler stops. */
const importsHooks = ({ project: { tree } }: Repo): boolean =>
  [...tree.paths].some(
    (path) =>
      /(^|\/)assets\/js\/[^/]+\.[jt]s$/.test(path) &&
      /^\s*(import|export|const)\b.*["']phoenix-colocated\//m.test(tree.read(path) ?? ''),
  );

/** R1.1: what rarely changes comes first, and nothing is fetched or done twice. */
export const layerRules: readonly Rule[] = [
  rule({
    id: 'R1.1',
    weight: 'should',
    find: (file, repo) => {
      const { get, compile, release, steps } = buildOf(file);
      if (!get && !compile && !release)
        return [new Doubt("no mix task is in it: what builds the release can't be told from it")];
      const code = arrival(buildOf(file), sourceFile(repo));
      return when(get && code >= 0 && code < get.order, { line: steps[code]?.line });
    },
    say: () =>
      'the code is copied before the dependencies are fetched, so each change of it fetches and compiles them all again',
    mend: () =>
      'put these lines before it, and copy lib, priv and assets one by one after them, never `COPY . .`:\nCOPY mix.exs mix.lock ./\nRUN mix deps.get --only prod\nCOPY config/config.exs config/prod.exs config/\nRUN mix deps.compile',
  }),
  rule({
    id: 'R1.1',
    weight: 'should',
    find: (file, repo) => {
      const { get, depsCompile, compile, steps } = buildOf(file);
      const code = arrival(buildOf(file), sourceFile(repo));
      if (!get || (code >= 0 && code < get.order)) return [];
      const late = !depsCompile || (code >= 0 && depsCompile.order > code);
      return when(late, { line: steps[code]?.line ?? compile?.step.line });
    },
    say: () => 'dependencies are compiled together with the code',
    mend: () => 'before the code is copied, add: RUN mix deps.compile',
  }),
  rule({
    id: 'R1.1',
    weight: 'should',
    find: (file) => {
      const { get } = buildOf(file);
      return when(get && !/--only|--no-archives-check/.test(get.text), { line: get?.step.line });
    },
    say: () => 'it fetches the dependencies for test and dev too',
    mend: () => 'write: mix deps.get --only prod',
  }),
  rule({
    id: 'R1.1',
    weight: 'advice',
    find: (file) => {
      const { get } = buildOf(file);
      return when(get && !get.step.flags.some((one) => /type=cache/.test(one)), {
        line: get?.step.line,
      });
    },
    say: () => 'packages are downloaded again whenever this layer is built',
    mend: () =>
      'write: RUN --mount=type=cache,target=/root/.hex --mount=type=cache,target=/root/.cache mix deps.get --only prod',
  }),
  ...(['must', 'advice'] as const).map((weight) =>
    rule({
      id: 'R1.1',
      weight,
      find: (file, repo) => {
        const { assets, compile, release } = buildOf(file);
        const compiled = compile ?? release;
        const first = repo.project.assets.deploy?.includes('compile');
        const hooks = weight === (importsHooks(repo) ? 'must' : 'advice') && mayHaveHooks(repo);
        if (!assets || !compiled || assets.index > compiled.index || first || !hooks) return [];
        return [{ line: assets.step.line, task: compiled.text, below: compiled.step.line }];
      },
      say: () =>
        'assets are built before the code is compiled, and colocated LiveView hooks come out of the compiler',
      mend: ({ task, below }) => `move this line below \`mix ${task}\` (line ${below})`,
    }),
  ),
  rule({
    id: 'R1.1',
    weight: 'advice',
    find: (file, repo) => {
      const { assets, setup } = buildOf(file);
      const code = arrival(buildOf(file), sourceFile(repo));
      const downloads = repo.project.projects.some(({ aliases }) =>
        aliases.get('assets.setup')?.some((one) => /^(esbuild|tailwind|sass)\.install/.test(one)),
      );
      const late = !setup || (code >= 0 && setup.order > code);
      return when(assets && downloads && late, { line: (setup ?? assets)?.step.line });
    },
    say: () => 'esbuild and Tailwind are downloaded again with each change of the code',
    mend: () => 'after `mix deps.compile` and before the code is copied, add: RUN mix assets.setup',
  }),
  rule({
    id: 'R1.1',
    weight: 'advice',
    find: (file) =>
      installs(file)
        .filter(({ step }) => !step.flags.some((one) => /type=cache/.test(one)))
        .map(({ step, command }) => ({ line: step.line, command })),
    say: ({ command }) => `${command} downloads every package again`,
    mend: () =>
      'write: RUN --mount=type=cache,target=/root/.npm … (the cache folder of your package manager)',
  }),
  rule({
    id: 'R1.1',
    weight: 'should',
    find: (file) => {
      const { tasks } = buildOf(file);
      const repeated = tasks.find(
        ({ text, step }, index) =>
          !/^local\./.test(text) &&
          tasks.slice(0, index).some((one) => one.text === text && one.step !== step),
      );
      return repeated ? [{ line: repeated.step.line, task: repeated.text }] : [];
    },
    say: ({ task }) => `mix ${task} runs twice`,
    mend: () => 'remove this one',
  }),
];
