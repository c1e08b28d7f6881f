import {
  type Dockerfile,
  history,
  isContextCopy,
  mixTasks,
  type Stage,
  type Step,
  sourceStage,
  sourcesOf,
} from './dockerfile-model.ts';
import { matcher, type Repo } from './repo.ts';

/** A mix task of the build; `order` is the index of its step, `index` its own among the tasks. */
export interface Task {
  text: string;
  order: number;
  index: number;
  step: Step;
}

const KINDS = {
  get: /^deps\.get\b/,
  depsCompile: /^deps\.(compile|loadpaths)\b/,
  compile: /^compile\b(?!\.)/,
  setup: /^(assets\.setup|(esbuild|tailwind|sass|bun)\.install)\b/,
  assets: /^(assets\.(deploy|build)|phx\.digest)\b/,
  release: /^(distillery\.)?release\b(?!\.)/,
};

/** The build as it runs: steps in order, whatever stage they stand in, and the first task of each kind. */
export interface Build extends Partial<Record<keyof typeof KINDS, Task>> {
  stage: Stage;
  steps: Step[];
  tasks: Task[];
}

const builds = new WeakMap<Dockerfile, Build>();

/** The build of the stage that makes the release, followed through the stages it copies from. */
export function buildOf(file: Dockerfile): Build {
  const known = builds.get(file) ?? readBuild(file);
  builds.set(file, known);
  return known;
}

function readBuild(file: Dockerfile): Build {
  const makes = (stage: Stage) =>
    stage.steps
      .flatMap(mixTasks)
      .some((task) => KINDS.release.test(task) || KINDS.compile.test(task));
  const sources = file.final.steps.flatMap((step) => sourceStage(file, step) ?? []);
  const stage = sources.find(makes) ?? file.stages.findLast(makes) ?? file.final;
  const steps = history(file, stage);
  const tasks = steps
    .flatMap((step, order) => mixTasks(step).map((text) => ({ text, order, step })))
    .map((task, index) => ({ ...task, index }));
  const first = Object.entries(KINDS).map(([kind, pattern]) => [
    kind,
    tasks.find(({ text }) => pattern.test(text)),
  ]);
  return { stage, steps, tasks, ...Object.fromEntries(first) };
}

/** Whether a COPY or ADD from the build context brings a file in. */
export const brings = (step: Step, path: string): boolean =>
  isContextCopy(step) &&
  sourcesOf(step).some(
    (source) =>
      source === '.' ||
      source === path ||
      path.startsWith(`${source}/`) ||
      (/[*?[]/.test(source) && matcher(source)(path)),
  );

/** `find lib -name '*.ex' -delete` */
const deletes = (step: Step, path: string): boolean =>
  step.commands.some(
    (command) =>
      command[0] === 'find' &&
      command.includes('-delete') &&
      command.some((word) => /^\*\.\w+$/.test(word) && path.endsWith(word.slice(1))),
  );

/** The step with which a file comes in to stay; -1: never. */
export const arrival = ({ steps }: Build, path: string): number =>
  steps.findIndex((step, index) => brings(step, path) && !deletes(steps[index + 1] ?? step, path));

/** What changes with the code. */
export const sourceFile = ({ project }: Repo): string => project.endpoint.file;

/** The package managers' installs of a project's packages, of all stages. */
export const installs = (file: Dockerfile): { step: Step; command: string }[] =>
  file.stages
    .flatMap((stage) => stage.own)
    .flatMap((step) =>
      (step.keyword === 'RUN' ? step.commands : [])
        .filter(installsPackages)
        .map((command) => ({ step, command: command.join(' ') })),
    );

/** `npm --prefix assets ci`, `yarn`, `pnpm install --frozen-lockfile`; not `npm install -g pnpm`. */
function installsPackages([manager = '', ...rest]: readonly string[]): boolean {
  if (!/^(npm|yarn|pnpm|bun)$/.test(manager) || rest.some((word) => /^(-g|--global)$/.test(word)))
    return false;
  const takesValue = (word = '') => /^(--prefix|--cwd|--dir|-C)$/.test(word);
  const verb = rest.find((word, index) => !word.startsWith('-') && !takesValue(rest[index - 1]));
  return verb === undefined ? manager === 'yarn' : /^(ci|i|install|clean-install)$/.test(verb);
}
