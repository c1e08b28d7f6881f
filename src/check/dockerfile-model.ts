import { Problem } from '../problem.ts';
import { type System, systemOf } from './image-name.ts';

export type Step = ReturnType<typeof readStep>;

export interface Stage {
  name: string | undefined;
  line: number;
  /** The image that it stands on in the end, with the line of the ARG that its tag ends with, else of FROM. */
  root: { image: string; line: number; system: System | undefined };
  /** Its steps after those of the stage that it goes on from. */
  steps: Step[];
  /** These, and in front of a copy the steps of the stage that it comes from. */
  history: Set<Step>;
  env: Map<string, string>;
}

export type Dockerfile = NonNullable<ReturnType<typeof readDockerfile>>;

const MOST_TEXT = 100_000;
const MOST_STAGES = 200;
/** Variables that hold each other twice double with each line. */
const LONGEST_VALUE = 5000;

/**
 * Reads a Dockerfile; undefined when it has no stage.
 * @param target `build-target` of fly.toml
 * @throws Problem for one that is larger or has more stages than anybody writes: each repeats the steps of those below it
 */
export function readDockerfile(text: string, target?: string) {
  if (text.length > MOST_TEXT || text.split(/^[ \t]*FROM\s/im).length > MOST_STAGES)
    throw new Problem(
      `a Dockerfile of more than ${MOST_TEXT / 1000} KB or ${MOST_STAGES} stages is not read; move what it writes into files`,
    );
  const stages: Stage[] = [];
  const steps: Step[] = [];
  const globals = new Map<string, string>();
  const argLines = new Map<string, number>();
  let variables = globals;
  for (const { line, body } of instructionsIn(text)) {
    const [, keyword = '', flags = '', raw = ''] =
      /^\s*(\w+)\s*((?:--\S+\s+)*)([\s\S]*)$/.exec(body) ?? [];
    const [, lastVariable = ''] = /^[\s\S]*\$\{?(\w+)/.exec(raw) ?? [];
    const argLine = argLines.get(lastVariable) ?? line;
    if (/^from$/i.test(keyword)) {
      const stage = readStage(words(expand(raw, globals)), line, argLine, stages);
      variables = new Map(stage.env);
      stages.push(stage);
      continue;
    }
    const step = readStep(keyword.toUpperCase(), line, flags, expand(raw, variables), stages);
    const stage = stages.at(-1);
    for (const [name, value] of step.pairs) {
      variables.set(name, value || globals.get(name) || '');
      if (!stage) argLines.set(name, argLine);
      else if (step.keyword === 'ENV') stage.env.set(name, value);
    }
    if (!stage) continue;
    steps.push(step);
    stage.steps.push(step);
    for (const one of [...(step.from?.history ?? []), step]) stage.history.add(one);
  }
  const final = stages.find(({ name }) => target && name === target.toLowerCase()) ?? stages.at(-1);
  return final && { stages, steps, final, build: buildOf(stages, final) };
}

/** Instructions: without comments, in one line where a backslash goes on, here-documents in several. */
function instructionsIn(text: string): { line: number; body: string }[] {
  const found: { line: number; body: string }[] = [];
  let goesOn = false;
  let end: string | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(raw)) continue;
    const part = raw.replace(/\\\s*$/, ' ');
    const last = found.at(-1);
    if (last && (goesOn || end)) last.body += end ? `\n${raw}` : part;
    else found.push({ line: index + 1, body: part });
    goesOn = part !== raw;
    if (end) end = raw.trim() === end ? undefined : end;
    else end = /^\s*(?:RUN|COPY)\b.*<<-?["']?(\w+)/i.exec(raw)?.[1];
  }
  return found;
}

function readStage(from: string[], line: number, argLine: number, stages: Stage[]): Stage {
  const [image = '', , name] = from;
  const base = stages.findLast((stage) => stage.name === image.toLowerCase());
  return {
    name: name?.toLowerCase(),
    line,
    root: base?.root ?? { image, line: argLine, system: systemOf(image) },
    steps: [...(base?.steps ?? [])],
    history: new Set(base?.history),
    env: new Map(base?.env),
  };
}

/** One instruction, variables written out as far as the file says what they hold. */
function readStep(keyword: string, line: number, flags: string, text: string, stages: Stage[]) {
  const [, from] = /--from=(\S+)/.exec(flags.toLowerCase()) ?? [];
  const takes = /^(COPY|ADD)$/.test(keyword) && from === undefined;
  const paths = takes ? words(text).slice(0, -1) : [];
  // Where the shell ends a command, in quotes too
  const commands = keyword === 'RUN' ? text.replace(/["'()]/g, '').split(/&&|\|\|?|;|\n/) : [];
  return {
    keyword,
    line,
    flags,
    text,
    /** Words of the exec form, or of the shell form without quotes. */
    words: words(text),
    /** What a RUN runs, one by one, and its `mix` tasks with their arguments. */
    commands,
    tasks: commands.flatMap(tasksIn),
    /** Names and values of ENV and ARG. */
    pairs: /^(ENV|ARG)$/.test(keyword) ? pairsIn(text) : [],
    /** The stage that a COPY takes from, else what comes from the build context: "lib", "." for all of it. */
    from: stages.find(({ name }, index) => from && [name, `${index}`].includes(from)),
    sources: paths.map((path) => path.replace(/^\.?\/+|\/$/g, '') || '.'),
  };
}

/** `mix do a + b` and `mix do a, b` are two. */
function tasksIn(command: string): string[] {
  const [, all = ''] = /(?:^|[\s/])mix\s+(\S.*)/.exec(command) ?? [];
  const [, list] = /^do\s+(?:--app \S+ )*(.*)/.exec(all) ?? [];
  return (list?.split(/,\s*|\s\+\s/) ?? [all]).map((task) => task.trim()).filter(Boolean);
}

const WORD = /(?:[^\s"'\\]|\\[\s\S]|"(?:\\[\s\S]|[^"\\])*"|'[^']*'|["'])+/g;
const unquoted = (word: string): string => word.replace(/^(["'])([\s\S]*)\1$/, '$2');

/** Words of an exec or shell form. */
function words(text: string): string[] {
  try {
    if (text.startsWith('[')) return (JSON.parse(text) as unknown[]).map(String);
  } catch {
    // The shell form of a command that begins with [
  }
  return (text.match(WORD) ?? []).map(unquoted);
}

/** `A=1 B="2 3"`, `A`, and the old form `A 1`. */
function pairsIn(text: string): [name: string, value: string][] {
  const [, name, value = ''] = /^(\w+)\s+([^=\s][\s\S]*)$/.exec(text) ?? [];
  if (name) return [[name, unquoted(value.trim())]];
  const assignments = (text.match(WORD) ?? []).map((word) => word.split(/=([\s\S]*)/));
  return assignments.map(([key = '', quoted = '']) => [key, unquoted(quoted)]);
}

function expand(text: string, variables: ReadonlyMap<string, string>): string {
  const expanded = text.replace(
    /\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)/g,
    (whole, braced?: string, fallback?: string, plain?: string) =>
      variables.get(braced ?? plain ?? '') || fallback || whole,
  );
  return expanded.length > LONGEST_VALUE ? text : expanded;
}

/** The build as it runs: steps in order, whatever stage they stand in, and the first task of each kind. */
function buildOf(stages: readonly Stage[], final: Stage) {
  const makes = /^((distillery\.)?release|compile)\b(?!\.)/;
  const isBuilder = ({ steps }: Stage) =>
    steps.some(({ tasks }) => tasks.some((task) => makes.test(task)));
  const sources = final.steps.flatMap(({ from }) => from ?? []);
  const stage = sources.find(isBuilder) ?? stages.findLast(isBuilder) ?? final;
  const steps = [...stage.history];
  const tasks = steps.flatMap((step, order) =>
    step.tasks.map((text) => ({ text, order, step, line: step.line })),
  );
  const first = (kind: RegExp) => tasks.find(({ text }) => kind.test(text));
  return {
    stage,
    steps,
    tasks,
    get: first(/^deps\.get\b/),
    depsCompile: first(/^deps\.(compile|loadpaths)\b/),
    compile: first(/^compile\b(?!\.)/) ?? first(makes),
    setup: first(/^(assets\.setup|(esbuild|tailwind|sass|bun)\.install)\b/),
    assets: first(/^(assets\.(deploy|build)|phx\.digest)\b/),
    release: first(/^(distillery\.)?release\b(?!\.)/),
  };
}

/** The last instruction of a kind that counts for a stage. */
export const last = (stage: Stage, keyword: string): Step | undefined =>
  stage.steps.findLast((step) => step.keyword === keyword);

/** The steps that start the image, and the line after which nothing of that kind follows. */
export const startSteps = (stage: Stage): Step[] =>
  ['ENTRYPOINT', 'CMD'].flatMap((keyword) => last(stage, keyword) ?? []);
export const startLine = ({ final }: Dockerfile): number =>
  startSteps(final).at(-1)?.line ?? final.line;

/** Paths of what a command runs: `["tini", "--", "/app/bin/server"]` runs two. */
export const programs = ({ words }: Step): string[] =>
  words.filter((word, index) => index === 0 || /[/.]/.test(word));

/** Packages that `apk add` and `apt-get install` name. */
export const packages = (steps: readonly Step[]): string[] =>
  steps
    .flatMap(({ commands }) => commands)
    .flatMap((command) => {
      const [, names = ''] =
        /\b(?:apk|apt|apt-get)\s+(?:\S+\s+){0,8}?(?:add|install)\s+(.*?)(?:\s\d?>|$)/.exec(
          command,
        ) ?? [];
      return [...names.matchAll(/(?<!\S)([^-\s=~<>][^\s=~<>]*)/g)].map(([name]) => name);
    });
