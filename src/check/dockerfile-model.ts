import {
  type Copy,
  DockerfileParser,
  type Instruction,
  type PropertyInstruction,
} from 'dockerfile-ast';
import { Problem } from '../problem.ts';

/** One instruction of a stage, variables written out as far as the file says what they hold. */
export interface Step {
  keyword: string;
  line: number;
  text: string;
  flags: string[];
  /** RUN: its commands by word. Other instructions: one command, their words. */
  commands: string[][];
  /** Names and values of ENV and ARG. */
  pairs: [name: string, value: string][];
}

export interface Stage {
  name: string | undefined;
  /** What FROM names, e.g. "alpine:3.22"; unknown variables stay as `${X}`. */
  image: string;
  /** FROM as written. */
  rawImage: string;
  line: number;
  /** The stage that it goes on from. */
  base: Stage | undefined;
  own: Step[];
  /** Its own steps after those of the stages that it goes on from. */
  steps: Step[];
  env: Map<string, string>;
}

export interface Dockerfile {
  stages: Stage[];
  /** The stage that becomes the image. */
  final: Stage;
  /** ARGs in front of the first FROM: their values, also as written, with other ARGs in them. */
  args: ReadonlyMap<string, { value: string; raw: string; line: number }>;
}

const MOST_STAGES = 200;
const MOST_TEXT = 100_000;
/** Variables that hold each other twice double with each line; one above this length stays as it is written. */
const LONGEST = 5000;

/**
 * Reads a Dockerfile; undefined when it has no stage.
 * @param target `build-target` of fly.toml
 * @throws Problem for one that is larger or has more stages than anybody writes: each stage repeats the steps of those below it
 */
export function readDockerfile(text: string, target?: string): Dockerfile | undefined {
  const args = new Map<string, { value: string; raw: string; line: number }>();
  const globals = new Map<string, string>();
  const stages: Stage[] = [];
  let variables = globals;
  // The parser takes the square of the time for a long comment in front (dockerfile-ast 0.7.1, getParserDirectives)
  if (text.length > MOST_TEXT)
    throw new Problem(
      `a Dockerfile of ${Math.ceil(text.length / 1000)} KB is not read: ${MOST_TEXT / 1000} are the most; move what it writes into files`,
    );
  if ((text.match(/^[ \t]*FROM\s/gim)?.length ?? 0) > MOST_STAGES)
    throw new Problem(`a Dockerfile of more than ${MOST_STAGES} stages is not read; split it`);
  const short = text.replaceAll(/^([ \t]*#.{200}).*$/gm, '$1');
  for (const instruction of DockerfileParser.parse(short).getInstructions()) {
    const step = readStep(instruction, variables);
    const stage = stages.at(-1);
    if (step.keyword === 'FROM') {
      const next = readStage(instruction, globals, stages);
      variables = new Map(next.env);
      stages.push(next);
    } else if (stage) {
      stage.own.push(step);
      stage.steps.push(step);
      for (const [name, value] of step.pairs) {
        variables.set(name, value || (step.keyword === 'ARG' && globals.get(name)) || '');
        if (step.keyword === 'ENV') stage.env.set(name, value);
      }
    } else {
      const [raw = ''] = readStep(instruction, new Map()).pairs.map(([, written]) => written);
      for (const [name, value] of step.pairs) {
        globals.set(name, value);
        args.set(name, { value, raw, line: step.line });
      }
    }
  }
  const wanted = stages.find((stage) => target && stage.name === target.toLowerCase());
  const final = wanted ?? stages.at(-1);
  return final && { stages, final, args };
}

const lineOf = (instruction: Instruction): number => (instruction.getRange()?.start.line ?? 0) + 1;

function readStage(
  from: Instruction,
  globals: ReadonlyMap<string, string>,
  stages: readonly Stage[],
): Stage {
  const [rawImage = '', as = '', name] = words(from.getArgumentsContent() ?? '');
  const image = expand(rawImage, globals);
  const base = stages.findLast((stage) => stage.name === image.toLowerCase());
  return {
    name: /^as$/i.test(as) ? name?.toLowerCase() : undefined,
    image,
    rawImage,
    line: lineOf(from),
    base,
    own: [],
    steps: [...(base?.steps ?? [])],
    env: new Map(base?.env),
  };
}

function readStep(instruction: Instruction, variables: ReadonlyMap<string, string>): Step {
  const keyword = instruction.getKeyword();
  const text = expand(instruction.getArgumentsContent() ?? '', variables);
  const properties = /^(ENV|ARG)$/.test(keyword)
    ? (instruction as PropertyInstruction).getProperties()
    : [];
  return {
    keyword,
    line: lineOf(instruction),
    text,
    flags: 'getFlags' in instruction ? (instruction as Copy).getFlags().map(String) : [],
    commands: keyword === 'RUN' && !text.startsWith('[') ? commandsIn(text) : [words(text)],
    pairs: properties.map((pair) => [pair.getName(), expand(pair.getValue() ?? '', variables)]),
  };
}

const WORD = /(?:[^\s"'\\]|\\[\s\S]|"(?:\\[\s\S]|[^"\\])*"|'[^']*'|["'])+/g;

/** Words of an exec or shell form. */
function words(text: string): string[] {
  try {
    if (text.startsWith('[')) return (JSON.parse(text) as unknown[]).map(String);
  } catch {
    // The shell form of a command that begins with [
  }
  return (text.match(WORD) ?? []).map((word) => word.replace(/^(["'])([\s\S]*)\1$/, '$2'));
}

/** What may stand in front of a command: assignments, brackets, words of the shell. */
const PREFIX = /^([A-Za-z_]\w*=.*|[({!]|env|exec|set|then|do|else|if)$/;

/** The commands of a RUN by word: split where the shell ends one. Nothing is expanded, nothing run. */
function commandsIn(text: string): string[][] {
  const body = text.replace(/^<<-?\s*["']?\w+["']?.*\n/, '').replace(/(^|\s)#.*$/gm, '');
  const ends = /"(?:\\[\s\S]|[^"\\])*"|'[^']*'|\\[\s\S]|&&|\|\|?|;|\n/g;
  const separated = body.replace(ends, (match) => (/^["'\\]/.test(match) ? match : '\0'));
  return separated.split('\0').flatMap((command) => {
    const parts = words(command.trim());
    const start = parts.findIndex((word) => !PREFIX.test(word));
    return start < 0 ? [] : [parts.slice(start)];
  });
}

function expand(text: string, variables: ReadonlyMap<string, string>): string {
  const expanded = text.replace(
    /\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)/g,
    (whole, braced?: string, fallback?: string, plain?: string) =>
      variables.get(braced ?? plain ?? '') || fallback || whole,
  );
  return expanded.length > Math.max(LONGEST, text.length) ? text : expanded;
}

/** The image that a stage stands on in the end. */
export const rootStage = (stage: Stage): Stage => (stage.base ? rootStage(stage.base) : stage);

/** The last instruction of a kind that counts for a stage. */
export const last = (stage: Stage, keyword: string): Step | undefined =>
  stage.steps.findLast((step) => step.keyword === keyword);

/** The steps that start the image, and the line after which nothing of that kind follows. */
export const startSteps = (stage: Stage): Step[] =>
  ['ENTRYPOINT', 'CMD'].flatMap((keyword) => last(stage, keyword) ?? []);
export const startLine = ({ final }: Dockerfile): number =>
  startSteps(final).at(-1)?.line ?? final.line;

/** Paths of what a command runs: `["tini", "--", "/app/bin/server"]` runs two. */
export const programs = ({ commands: [line = []] }: Step): string[] =>
  line.filter((word, index) => index === 0 || /[/.]/.test(word));

export const flag = (step: Step, name: string): string | undefined =>
  step.flags.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);

/** Sources of a COPY or ADD, from the top of the build context: "lib", "." for all of it. */
export const sourcesOf = ({ commands: [line = []] }: Step): string[] =>
  line.slice(0, -1).map((source) => source.replace(/^\.?\/+/, '').replace(/\/$/, '') || '.');

/** Whether it copies from the build context. */
export const isContextCopy = (step: Step): boolean =>
  /^(COPY|ADD)$/.test(step.keyword) && flag(step, 'from') === undefined;

/** The stage that a COPY takes from; undefined: the build context, or an image. */
export function sourceStage(file: Dockerfile, step: Step): Stage | undefined {
  const from = step.keyword === 'COPY' ? flag(step, 'from') : undefined;
  if (from === undefined) return undefined;
  const byNumber = /^\d+$/.test(from) ? file.stages[Number(from)] : undefined;
  return file.stages.find((stage) => stage.name === from.toLowerCase()) ?? byNumber;
}

/** All steps that lead to a stage, in the order in which they count: those of a stage it copies from come before the copy. */
export function history(file: Dockerfile, stage: Stage, seen = new Set<Stage>()): Step[] {
  seen.add(stage);
  const before = stage.base && !seen.has(stage.base) ? history(file, stage.base, seen) : [];
  const own = stage.own.flatMap((step) => {
    const source = sourceStage(file, step);
    return source && !seen.has(source) ? [...history(file, source, seen), step] : [step];
  });
  return [...before, ...own];
}

/** Commands of all RUNs. */
const commandsOf = (steps: readonly Step[]): string[][] =>
  steps.flatMap(({ keyword, commands }) => (keyword === 'RUN' ? commands : []));

/** `mix` tasks with their arguments; `mix do a + b` and `mix do a, b` as two. */
export const mixTasks = (step: Step): string[] =>
  commandsOf([step]).flatMap((command) => {
    const mix = command.findIndex((word) => /(^|\/)mix$/.test(word));
    const [first = '', ...rest] = mix < 0 ? [] : command.slice(mix + 1);
    const all = rest.join(' ').replace(/^(--app \S+ )+/, '');
    if (first === 'do') return all.split(/,\s*|\s\+\s/);
    return first ? [`${first} ${all}`.trim()] : [];
  });

/** Packages that `apk add` and `apt-get install` name. */
export const packages = (steps: readonly Step[]): string[] =>
  commandsOf(steps).flatMap((command) => {
    const manager = command.findIndex((word) => /^(apk|apt|apt-get)$/.test(word));
    const verb = command.findIndex(
      (word, index) => index > manager && /^(add|install)$/.test(word),
    );
    const names = manager < 0 || verb < 0 ? [] : command.slice(verb + 1);
    return names.flatMap((name) => (name.startsWith('-') ? [] : name.replace(/[=~<>].*$/, '')));
  });
