import { Problem } from '../problem.ts';
import { type System, systemOf } from './image-name.ts';

/** An instruction other than FROM, variables filled in as far as the file says what they hold. */
export interface Step {
  /** In capitals. */
  keyword: string;
  /** 1-based. */
  line: number;
  /** "--from=builder --chown=nobody " */
  flags: string;
  text: string;
  /** Words of the exec form, or of the shell form without quotes. */
  words: string[];
  /** What a RUN runs, command by command. */
  commands: string[];
  /** The `mix` tasks among the commands, with their arguments. */
  tasks: string[];
  /** Names and values of ENV and ARG. */
  pairs: [name: string, value: string][];
  /** The stage that a COPY takes from. */
  from: Stage | undefined;
  /** What COPY and ADD take from the build context: "lib", "." for all of it. */
  sources: string[];
}

export interface Stage {
  name: string | undefined;
  line: number;
  /** What the first of its base stages stands on, with the line of the ARG that its tag ends with, else of FROM. */
  baseImage: { image: string; line: number; system: System | undefined };
  /** Its steps after those of its base stage. */
  steps: Step[];
  /** In the order of the build: these, and in front of a copy the steps of the stage that it takes from. */
  history: Set<Step>;
  env: Map<string, string>;
}

export type Dockerfile = NonNullable<ReturnType<typeof readDockerfile>>;

const MOST_TEXT = 100_000;
const MOST_STAGES = 200;
/** Variables that name each other twice would double in length with each line. */
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
  const instructions = instructionsIn(text);
  const firstFrom = instructions.findIndex(({ keyword }) => keyword === 'FROM');
  if (firstFrom < 0) return undefined;
  const globals = readGlobals(instructions.slice(0, firstFrom));
  const stages: Stage[] = [];
  const steps: Step[] = [];
  let variables = globals.values;
  for (const instruction of instructions.slice(firstFrom)) {
    if (instruction.keyword === 'FROM') {
      const argLine = globals.lines.get(lastVariable(instruction.text)) ?? instruction.line;
      const stage = readStage(expand(instruction, globals.values), argLine, stages);
      variables = new Map(stage.env);
      stages.push(stage);
      continue;
    }
    const step = readStep(expand(instruction, variables), stages);
    const stage = stages.at(-1) as Stage;
    for (const [name, value] of step.pairs) {
      variables.set(name, value || globals.values.get(name) || '');
      if (step.keyword === 'ENV') stage.env.set(name, value);
    }
    steps.push(step);
    stage.steps.push(step);
    for (const earlier of step.from?.history ?? []) stage.history.add(earlier);
    stage.history.add(step);
  }
  const last = stages.at(-1) as Stage;
  const final = stages.find(({ name }) => target && name === target.toLowerCase()) ?? last;
  return { stages, steps, final, build: buildOf(stages, final) };
}

type Instruction = Pick<Step, 'keyword' | 'line' | 'flags' | 'text'>;

/** Instructions without comments: in one line where a backslash continues it, here-documents in several. */
function instructionsIn(dockerfile: string): Instruction[] {
  const instructions: { line: number; body: string }[] = [];
  let continues = false;
  let heredocEnd: string | undefined;
  for (const [index, raw] of dockerfile.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(raw)) continue;
    const part = raw.replace(/\\\s*$/, ' ');
    const previous = instructions.at(-1);
    if (previous && heredocEnd) previous.body += `\n${raw}`;
    else if (previous && continues) previous.body += part;
    else instructions.push({ line: index + 1, body: part });
    continues = part !== raw;
    if (heredocEnd) heredocEnd = raw.trim() === heredocEnd ? undefined : heredocEnd;
    else heredocEnd = /^\s*(?:RUN|COPY)\b.*<<-?["']?(\w+)/i.exec(raw)?.[1];
  }
  return instructions.map(({ line, body }) => {
    const [, keyword = '', flags = '', text = ''] =
      /^\s*(\w+)\s*((?:--\S+\s+)*)([\s\S]*)$/.exec(body) ?? [];
    return { keyword: keyword.toUpperCase(), line, flags, text };
  });
}

/** The ARGs above the first FROM: their values, and the lines of the ARGs that these end with. */
function readGlobals(instructions: readonly Instruction[]) {
  const values = new Map<string, string>();
  const lines = new Map<string, number>();
  for (const instruction of instructions) {
    const line = lines.get(lastVariable(instruction.text)) ?? instruction.line;
    for (const [name, value] of readStep(expand(instruction, values), []).pairs) {
      values.set(name, value || values.get(name) || '');
      lines.set(name, line);
    }
  }
  return { values, lines };
}

const lastVariable = (text: string): string => /^[\s\S]*\$\{?(\w+)/.exec(text)?.[1] ?? '';

/** Fills in `$NAME`, `${NAME}` and `${NAME:-default}`. */
function expand(instruction: Instruction, variables: ReadonlyMap<string, string>): Instruction {
  const text = instruction.text.replace(
    /\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)/g,
    (whole, braced?: string, fallback?: string, plain?: string) =>
      variables.get(braced ?? plain ?? '') || fallback || whole,
  );
  return text.length > LONGEST_VALUE ? instruction : { ...instruction, text };
}

function readStage({ line, text }: Instruction, argLine: number, stages: Stage[]): Stage {
  const [image = '', , name] = wordsOf(text);
  const base = stages.findLast((stage) => stage.name === image.toLowerCase());
  return {
    name: name?.toLowerCase(),
    line,
    baseImage: base?.baseImage ?? { image, line: argLine, system: systemOf(image) },
    steps: [...(base?.steps ?? [])],
    history: new Set(base?.history),
    env: new Map(base?.env),
  };
}

function readStep(instruction: Instruction, stages: Stage[]): Step {
  const { keyword, flags, text } = instruction;
  const words = wordsOf(text);
  const [, from] = /--from=(\S+)/.exec(flags.toLowerCase()) ?? [];
  const takesContext = /^(COPY|ADD)$/.test(keyword) && from === undefined;
  const sources = takesContext ? words.slice(0, -1) : [];
  // Where the shell ends a command, in quotes too
  const commands = keyword === 'RUN' ? text.replace(/["'()]/g, '').split(/&&|\|\|?|;|\n/) : [];
  return {
    ...instruction,
    words,
    commands,
    tasks: commands.flatMap(tasksIn),
    pairs: /^(ENV|ARG)$/.test(keyword) ? pairsIn(text) : [],
    from: stages.find(({ name }, index) => from && [name, `${index}`].includes(from)),
    sources: sources.map((path) => path.replace(/^\.?\/+|\/$/g, '') || '.'),
  };
}

/** `mix do a + b` and `mix do a, b` are two. */
function tasksIn(command: string): string[] {
  const [, mixArguments = ''] = /(?:^|[\s/])mix\s+(\S.*)/.exec(command) ?? [];
  const [, doList] = /^do\s+(?:--app \S+ )*(.*)/.exec(mixArguments) ?? [];
  const tasks = doList?.split(/,\s*|\s\+\s/) ?? [mixArguments];
  return tasks.map((task) => task.trim()).filter(Boolean);
}

/** A word of a shell, which may have parts in quotes: `NAME="a b"`. */
const WORD = /(?:[^\s"'\\]|\\[\s\S]|"(?:\\[\s\S]|[^"\\])*"|'[^']*'|["'])+/g;
const unquoted = (word: string): string => word.replace(/^(["'])([\s\S]*)\1$/, '$2');

/** Words of the exec form `["a", "b"]` or the shell form `a b`. */
function wordsOf(text: string): string[] {
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

/** The build as it runs, from the first stage to the release: its steps and `mix` tasks in order, and the first task of each kind. */
function buildOf(stages: readonly Stage[], final: Stage) {
  const compiles = /^((distillery\.)?release|compile)\b(?!\.)/;
  const isBuilder = ({ steps }: Stage) =>
    steps.some(({ tasks }) => tasks.some((task) => compiles.test(task)));
  const copiedStages = final.steps.flatMap(({ from }) => from ?? []);
  const stage = copiedStages.find(isBuilder) ?? stages.findLast(isBuilder) ?? final;
  const steps = [...stage.history];
  const tasks = steps.flatMap((step, order) =>
    step.tasks.map((text) => ({ text, order, step, line: step.line })),
  );
  const first = (kind: RegExp) => tasks.find(({ text }) => kind.test(text));
  return {
    stage,
    steps,
    tasks,
    depsGet: first(/^deps\.get\b/),
    depsCompile: first(/^deps\.(compile|loadpaths)\b/),
    compile: first(/^compile\b(?!\.)/) ?? first(compiles),
    assetsSetup: first(/^(assets\.setup|(esbuild|tailwind|sass|bun)\.install)\b/),
    assetsBuild: first(/^(assets\.(deploy|build)|phx\.digest)\b/),
    release: first(/^(distillery\.)?release\b(?!\.)/),
  };
}

/** The last instruction of a kind, which is the one that counts. */
export const lastStep = (stage: Stage, keyword: string): Step | undefined =>
  stage.steps.findLast((step) => step.keyword === keyword);

/** ENTRYPOINT and CMD. */
export const startSteps = (stage: Stage): Step[] =>
  ['ENTRYPOINT', 'CMD'].flatMap((keyword) => lastStep(stage, keyword) ?? []);

/** The line that starts the image, or where its last stage begins. */
export const startLine = ({ final }: Dockerfile): number =>
  startSteps(final).at(-1)?.line ?? final.line;

/** Paths of the programs that a step starts: `["tini", "--", "/app/bin/server"]` starts two. */
export const startedPaths = ({ words }: Step): string[] =>
  words.filter((word, index) => index === 0 || /[/.]/.test(word));

/** `apt-get install -y git curl > /dev/null`: the words after install, up to a redirection. */
const INSTALL = /\b(?:apk|apt|apt-get)\s+(?:\S+\s+){0,8}?(?:add|install)\s+(.*?)(?:\s\d?>|$)/;

/** Packages of the system that steps install, without versions. */
export function installedPackages(steps: readonly Step[]): string[] {
  const commands = steps.flatMap((step) => step.commands);
  const words = commands.flatMap((command) => INSTALL.exec(command)?.[1]?.split(/\s+/) ?? []);
  const names = words.map((word) => word.replace(/[=~<>].*/, ''));
  return names.filter((name) => name !== '' && !name.startsWith('-'));
}
