import {
  type Dockerfile,
  flag,
  history,
  mixTasks,
  type Stage,
  type Step,
  sourceStage,
  sourcesOf,
} from './dockerfile-model.ts';
import { matcher, type Repo } from './repo.ts';

/** A mix task of the build. */
export interface Task {
  text: string;
  /** The index of its step, and its own among the tasks. */
  order: number;
  index: number;
  step: Step;
}

/** The build as it runs: steps in order, whatever stage they stand in. */
export interface Build {
  stage: Stage;
  steps: Step[];
  tasks: Task[];
  /** The first task of a kind. */
  get?: Task | undefined;
  depsCompile?: Task | undefined;
  compile?: Task | undefined;
  setup?: Task | undefined;
  assets?: Task | undefined;
  release?: Task | undefined;
}

const builds = new WeakMap<Dockerfile, Build>();

/** The build of the stage that makes the release, followed through the stages it copies from. */
export function buildOf(file: Dockerfile): Build {
  const known = builds.get(file);
  if (known) return known;
  const makes = (stage: Stage) =>
    stage.steps.some((step) =>
      mixTasks(step).some((task) => /^((distillery\.)?release|compile)\b(?!\.)/.test(task)),
    );
  const sources = file.final.steps.flatMap((step) =>
    step.keyword === 'COPY' ? (sourceStage(file, step) ?? []) : [],
  );
  const stage = sources.find(makes) ?? file.stages.findLast(makes) ?? file.final;
  const steps = history(file, stage);
  const tasks = steps
    .flatMap((step, order) => mixTasks(step).map((text) => ({ text, order, step })))
    .map((task, index) => ({ ...task, index }));
  const first = (pattern: RegExp) => tasks.find(({ text }) => pattern.test(text));
  const build: Build = {
    stage,
    steps,
    tasks,
    get: first(/^deps\.get\b/),
    depsCompile: first(/^deps\.(compile|loadpaths)\b/),
    compile: first(/^compile\b(?!\.)/),
    setup: first(/^(assets\.setup|(esbuild|tailwind|sass|bun)\.install)\b/),
    assets: first(/^(assets\.(deploy|build)|phx\.digest)\b/),
    release: first(/^(distillery\.)?release\b(?!\.)/),
  };
  builds.set(file, build);
  return build;
}

/** Whether a COPY or ADD from the build context brings a file in. */
export function brings(step: Step, path: string): boolean {
  if (!/^(COPY|ADD)$/.test(step.keyword) || flag(step, 'from') !== undefined) return false;
  const excluded = step.flags.flatMap((one) => /^--exclude=(.*)/.exec(one)?.[1] ?? []);
  if (excluded.length && matcher(excluded.join('\n'))(path)) return false;
  return sourcesOf(step).some(
    (source) =>
      source === '.' ||
      source === path ||
      path.startsWith(`${source}/`) ||
      (/[*?[]/.test(source) && matcher(source)(path)),
  );
}

/** The step with which a file first comes in; -1: never. */
export const arrival = (build: Build, path: string): number =>
  build.steps.findIndex((step) => brings(step, path));

/** What changes with the code. */
export const sourceFile = ({ project }: Repo): string => project.endpoint.file;

/** The package managers' installs of a project's packages, of all stages. */
export const installs = (file: Dockerfile): { step: Step; command: string }[] =>
  file.stages
    .flatMap((stage) => stage.own)
    .filter((step) => step.keyword === 'RUN')
    .flatMap((step) =>
      step.commands
        .filter(installsPackages)
        .map((command) => ({ step, command: command.join(' ') })),
    );

/** `npm --prefix assets ci`, `yarn`, `pnpm install --frozen-lockfile`; not `npm install -g pnpm`. */
function installsPackages([manager = '', ...rest]: readonly string[]): boolean {
  const global = rest.some((word) => word === '-g' || word === '--global');
  if (!/^(npm|yarn|pnpm|bun)$/.test(manager) || global) return false;
  const verb = rest.find(
    (word, index) =>
      !word.startsWith('-') && !/^(--prefix|--cwd|--dir|-C)$/.test(rest[index - 1] ?? ''),
  );
  return verb === undefined ? manager === 'yarn' : /^(ci|i|install|clean-install)$/.test(verb);
}
