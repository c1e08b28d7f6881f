import {
  chain,
  type Dockerfile,
  flag,
  history,
  last,
  mixTasks,
  packages,
  rootStage,
  type Stage,
  type Step,
  sourceStage,
} from './dockerfile-model.ts';
import { matcher, type Read, type Repo } from './repo.ts';
import { type Findings, found, type Missing, unless } from './verdict.ts';

/** A mix task of the build and where in its order it runs. */
interface Task {
  text: string;
  at: number;
  step: Step;
}

/** The build as it runs: steps in order, whatever stage they stand in. */
export interface Build {
  stage: Stage;
  steps: Step[];
  tasks: Task[];
}

/** The stage that makes the release, followed through the stages it copies from. */
export function buildOf(file: Dockerfile): Build {
  const makes = (stage: Stage) =>
    chain(stage).some((step) =>
      mixTasks(step).some((task) => /^((distillery\.)?release|compile)\b/.test(task)),
    );
  const sources = chain(file.final).flatMap((step) =>
    step.keyword === 'COPY' ? (sourceStage(file, step) ?? []) : [],
  );
  const stage = sources.find(makes) ?? file.stages.findLast(makes) ?? file.final;
  const steps = history(file, stage);
  return {
    stage,
    steps,
    tasks: steps.flatMap((step, at) => mixTasks(step).map((text) => ({ text, at, step }))),
  };
}

/** Whether a COPY or ADD from the build context brings a file in. */
function brings(step: Step, path: string): boolean {
  if (!/^(COPY|ADD)$/.test(step.keyword) || flag(step, 'from') !== undefined) return false;
  const sources = (step.commands[0] ?? [])
    .slice(0, -1)
    .map((source) => source.replace(/^\.?\//, '').replace(/\/$/, ''));
  return sources.some(
    (source) =>
      source === '' ||
      source === '.' ||
      source === path ||
      path.startsWith(`${source}/`) ||
      (/[*?[]/.test(source) && matcher(source)(path)),
  );
}

/** Where a file first comes in; -1: never. */
export const arrival = (build: Build, path: string): number =>
  build.steps.findIndex((step) => brings(step, path));

/** The source files that change most often: the first one under lib/ of the web app. */
export const sourceFile = ({ project }: Repo): string =>
  [...project.tree.paths].find((path) => path === project.endpoint.file) ?? project.endpoint.file;

/** R1.1: what rarely changes comes first, and nothing is fetched or done twice. */
export function layers(repo: Repo, { path, file }: Read<Dockerfile>): Findings {
  const { project } = repo;
  const build = buildOf(file);
  const { tasks, steps } = build;
  const first = (pattern: RegExp) => tasks.find(({ text }) => pattern.test(text));
  const get = first(/^deps\.get\b/);
  const [depsCompile, compile, release] = [
    first(/^deps\.(compile|loadpaths)\b/),
    first(/^compile\b/),
    first(/^(distillery\.)?release\b/),
  ];
  const [assets, setup] = [
    first(/^(assets\.(deploy|build)|phx\.digest)\b/),
    first(/^(assets\.setup|(esbuild|tailwind|sass)\.install)\b/),
  ];
  if (!get && !compile && !release)
    return found([], [`no mix task is in ${path}: what builds the release can't be told from it`]);
  const code = arrival(build, sourceFile(repo));
  const at = (line: number | undefined, what: string, edit: string): Missing => ({
    what,
    edit,
    file: path,
    line,
  });
  const missing: Missing[] = [];
  if (get && code >= 0 && code < get.at)
    missing.push(
      at(
        steps[code]?.line,
        'the code is copied before the dependencies are fetched, so each change of it fetches and compiles them all again',
        `put these lines before it, and copy lib, priv and assets one by one after them, never \`COPY . .\`:\nCOPY mix.exs mix.lock ./\nRUN mix deps.get --only prod\nCOPY config/config.exs config/prod.exs config/\nRUN mix deps.compile`,
      ),
    );
  else if (!depsCompile || (code >= 0 && depsCompile.at > code))
    missing.push(
      at(
        steps[code]?.line ?? compile?.step.line,
        'dependencies are compiled together with the code',
        'before the code is copied, add: RUN mix deps.compile',
      ),
    );
  if (get && !/--only|--no-archives-check/.test(get.text))
    missing.push(
      at(
        get.step.line,
        'it fetches the dependencies for test and dev too',
        'write: mix deps.get --only prod',
      ),
    );
  if (get && !get.step.flags.some((one) => /type=cache/.test(one)))
    missing.push(
      at(
        get.step.line,
        'packages are downloaded again whenever this layer is built',
        'write: RUN --mount=type=cache,target=/root/.hex --mount=type=cache,target=/root/.cache mix deps.get --only prod',
      ),
    );
  const compiled = compile ?? release;
  if (assets && compiled && tasks.indexOf(assets) < tasks.indexOf(compiled))
    missing.push(
      at(
        assets.step.line,
        'assets are built before the code is compiled, and colocated LiveView hooks come out of the compiler',
        `move this line below \`mix ${compiled.text}\` (line ${compiled.step.line})`,
      ),
    );
  const downloads = project.projects.some(({ aliases }) =>
    aliases.get('assets.setup')?.some((one) => /^(esbuild|tailwind|sass)\.install/.test(one)),
  );
  if (assets && downloads && (!setup || (code >= 0 && setup.at > code)))
    missing.push(
      at(
        setup?.step.line ?? assets.step.line,
        'esbuild and Tailwind are downloaded again with each change of the code',
        'after `mix deps.compile` and before the code is copied, add: RUN mix assets.setup',
      ),
    );
  for (const { step, command } of installs(file))
    if (!step.flags.some((one) => /type=cache/.test(one)))
      missing.push(
        at(
          step.line,
          `${command} downloads every package again`,
          'write: RUN --mount=type=cache,target=/root/.npm … (the cache folder of your package manager)',
        ),
      );
  const repeated = tasks.find(
    (task, index) =>
      !/^(local\.|do )/.test(task.text) &&
      tasks.slice(0, index).some((one) => one.text === task.text && one.step !== task.step),
  );
  if (repeated)
    missing.push(at(repeated.step.line, `mix ${repeated.text} runs twice`, 'remove this one'));
  return found(missing);
}

/** The package managers' installs of a project's packages, of all stages. */
export const installs = (file: Dockerfile): { step: Step; command: string }[] =>
  file.stages
    .flatMap((stage) => stage.steps)
    .flatMap((step) =>
      step.keyword === 'RUN'
        ? step.commands
            .filter(installsPackages)
            .map((command) => ({ step, command: command.join(' ') }))
        : [],
    );

/** `npm --prefix assets ci`, `yarn`, `pnpm install --frozen-lockfile`; not `npm install -g pnpm`. */
function installsPackages([manager = '', ...rest]: readonly string[]): boolean {
  if (
    !/^(npm|yarn|pnpm|bun)$/.test(manager) ||
    rest.some((word) => word === '-g' || word === '--global')
  )
    return false;
  const verb = rest.find(
    (word, index) =>
      !word.startsWith('-') && !/^(--prefix|--cwd|--dir|-C)$/.test(rest[index - 1] ?? ''),
  );
  return verb === undefined ? manager === 'yarn' : /^(ci|i|install|clean-install)$/.test(verb);
}

const COMPILERS =
  /^(build-base|build-essential|gcc|g\+\+|clang|make|cmake|git|git-core|nodejs|npm|yarn|elixir|cargo|rustc|musl-dev|.*-dev)$/;

/** R1.2: the image holds the release, and no compiler, source, Mix, Hex or cache. */
export function stages(repo: Repo, { path, file }: Read<Dockerfile>): Findings {
  const { project, release } = repo;
  const { final } = file;
  const build = buildOf(file);
  const at = (line: number | undefined, what: string, edit: string): Missing => ({
    what,
    edit,
    file: path,
    line,
  });
  const copy = `COPY --from=builder /app/_build/prod/rel/${release} ./`;
  if (build.stage === final)
    return found([
      at(
        final.line,
        'one stage: the image holds the compiler, Mix, Hex and the sources',
        `name it \`… AS builder\`, and end the file with a stage of its own:\nFROM the builder's operating system\n${copy}`,
      ),
    ]);
  const root = rootStage(final);
  const missing: Missing[] = [];
  if (/(^|\/)(elixir|erlang|hexpm\/(elixir|erlang))(:|$)/.test(root.image))
    missing.push(
      at(
        root.line,
        `the image stands on ${root.image}, which brings Elixir, Mix and a compiler`,
        'take the plain operating system of the builder: FROM alpine:VERSION or debian:NAME-slim',
      ),
    );
  for (const step of chain(final)) {
    const [task] = mixTasks(step);
    if (task)
      missing.push(
        at(
          step.line,
          `mix ${task} runs in the final stage, so Mix is in the image`,
          'move it to the builder stage',
        ),
      );
    if (brings(step, sourceFile(repo)))
      missing.push(
        at(
          step.line,
          'the sources are copied into the image',
          `remove it; the release comes with: ${copy}`,
        ),
      );
    const from = step.keyword === 'COPY' ? sourceStage(file, step) : undefined;
    const sources = (step.commands[0] ?? []).slice(0, -1);
    const elsewhere = build.tasks.flatMap(({ text }) => /--path[ =](\S+)/.exec(text)?.[1] ?? [])[0];
    const home = from && last(from, 'WORKDIR')?.commands[0]?.[0];
    for (const source of from ? sources : [])
      if (
        /\/(deps|node_modules)\/?$/.test(source) ||
        source.replace(/\/$/, '') === home?.replace(/\/$/, '')
      )
        if (from === build.stage && source !== elsewhere)
          missing.push(at(step.line, `${source} holds more than the release`, `write: ${copy}`));
  }
  const tools = [...packages(chain(final))].filter((name) => COMPILERS.test(name));
  if (tools.length)
    missing.push(
      at(
        chain(final).find((step) => tools.some((tool) => packages([step]).has(tool)))?.line,
        `the image holds what only a build needs: ${tools.join(', ')}`,
        'remove these packages from the final stage',
      ),
    );
  const node = file.stages.find((stage) => /(^|\/)(node|oven\/bun)(:|$)/.test(stage.image));
  return found([
    ...missing,
    ...unless(
      !node || project.assets.packageJsons.length,
      at(
        node?.line,
        'a Node stage, but no package.json asks for one',
        'remove the stage and what copies from it',
      ),
    ),
  ]);
}
