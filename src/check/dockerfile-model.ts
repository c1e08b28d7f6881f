import { DockerfileParser, type Instruction } from 'dockerfile-ast';

/** One instruction of a stage, variables written out as far as the file says what they hold. */
export interface Step {
  keyword: string;
  line: number;
  text: string;
  flags: string[];
  /** RUN: its commands by word. Other instructions: one command, their words. */
  commands: string[][];
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
  steps: Step[];
}

export interface Dockerfile {
  stages: Stage[];
  /** The stage that becomes the image. */
  final: Stage;
  /** ARGs in front of the first FROM. */
  args: ReadonlyMap<string, { value: string; line: number }>;
}

/** Reads a Dockerfile; undefined when it has no stage. @param target `build-target` of fly.toml */
export function readDockerfile(text: string, target?: string): Dockerfile | undefined {
  const args = new Map<string, { value: string; line: number }>();
  const stages: Stage[] = [];
  let variables = new Map<string, string>();
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    const line = (instruction.getRange()?.start.line ?? 0) + 1;
    const raw = instruction.getArgumentsContent() ?? '';
    const stage = stages.at(-1);
    if (keyword === 'FROM') {
      const [rawImage = '', as, name] = words(raw);
      const image = expand(rawImage, new Map([...args].map(([key, { value }]) => [key, value])));
      const base = stages.findLast((one) => one.name === image.toLowerCase());
      variables = new Map(base ? env(base) : []);
      stages.push({
        name: /^as$/i.test(as ?? '') ? name?.toLowerCase() : undefined,
        image,
        rawImage,
        line,
        base,
        steps: [],
      });
      continue;
    }
    const step = readStep(instruction, keyword, line, expand(raw, variables));
    if (!stage) {
      if (keyword === 'ARG')
        for (const [name, value] of assignments(step.text))
          args.set(name, {
            value: expand(value, new Map([...args].map(([key, one]) => [key, one.value]))),
            line,
          });
      continue;
    }
    stage.steps.push(step);
    if (keyword === 'ENV')
      for (const [name, value] of assignments(step.text)) variables.set(name, value);
    if (keyword === 'ARG')
      for (const [name, value] of assignments(step.text))
        variables.set(name, value || (args.get(name)?.value ?? ''));
  }
  const final =
    stages.find((stage) => target && stage.name === target.toLowerCase()) ?? stages.at(-1);
  return final && { stages, final, args };
}

function readStep(instruction: Instruction, keyword: string, line: number, text: string): Step {
  const flags =
    /^(--\S+\s+)*/.test(text) && 'getFlags' in instruction
      ? (instruction as unknown as { getFlags(): { toString(): string }[] }).getFlags().map(String)
      : [];
  const body = text.replace(/^<<-?\s*["']?\w+["']?.*\n/, '');
  return {
    keyword,
    line,
    text,
    flags,
    commands: keyword === 'RUN' && !text.startsWith('[') ? shellCommands(body) : [words(text)],
  };
}

/** Words of an exec or shell form. */
function words(text: string): string[] {
  if (text.startsWith('[')) {
    try {
      return (JSON.parse(text) as unknown[]).map(String);
    } catch {
      return text.split(/\s+/).filter(Boolean);
    }
  }
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => word.replace(/^(["'])(.*)\1$/, '$2'));
}

/** Commands of a shell line, without assignments and brackets in front. */
function shellCommands(text: string): string[][] {
  return text.split(/&&|\|\||[;|\n]/).flatMap((command) => {
    const parts = words(command.trim().replace(/^[({]\s*|\s*[)}]$/g, ''));
    const start = parts.findIndex(
      (word) => !/^([A-Za-z_]\w*=.*|env|exec|set|then|do|else|if|!)$/.test(word),
    );
    return start < 0 ? [] : [parts.slice(start)];
  });
}

/** `A=1 B="x y"`, or the old `A 1`. */
export function assignments(text: string): [name: string, value: string][] {
  if (/^\w+\s+[^=\s]/.test(text) || /^\w+$/.test(text)) {
    const [, name = '', value = ''] = /^(\w+)\s*([\s\S]*)$/.exec(text) ?? [];
    return [[name, unquote(value)]];
  }
  return [...text.matchAll(/([A-Za-z_]\w*)(?:=("(?:\\.|[^"])*"|'[^']*'|\S*))?/g)].map(
    ([, name = '', value = '']) => [name, unquote(value)],
  );
}

const unquote = (text: string): string => text.trim().replace(/^(["'])([\s\S]*)\1$/, '$2');

function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(
    /\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)/g,
    (whole, braced: string | undefined, fallback: string | undefined, bare: string | undefined) => {
      const value = variables.get(braced ?? bare ?? '');
      return value || fallback || whole;
    },
  );
}

/** A stage's steps after those of the stages it goes on from. */
export const chain = (stage: Stage): Step[] => [
  ...(stage.base ? chain(stage.base) : []),
  ...stage.steps,
];

/** The image that a stage stands on in the end. */
export const rootStage = (stage: Stage): Stage => (stage.base ? rootStage(stage.base) : stage);

/** ENV of a stage, inherited ones included. */
export const env = (stage: Stage): Map<string, string> =>
  new Map(chain(stage).flatMap((step) => (step.keyword === 'ENV' ? assignments(step.text) : [])));

/** The last instruction of a kind that counts for a stage. */
export const last = (stage: Stage, keyword: string): Step | undefined =>
  chain(stage).findLast((step) => step.keyword === keyword);

export const flag = (step: Step, name: string): string | undefined =>
  step.flags.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);

/** The stage that a COPY takes from; undefined: the build context, or an image. */
export function sourceStage(file: Dockerfile, step: Step): Stage | undefined {
  const from = flag(step, 'from');
  return from === undefined
    ? undefined
    : (file.stages.find((stage) => stage.name === from.toLowerCase()) ??
        (/^\d+$/.test(from) ? file.stages[Number(from)] : undefined));
}

/** All steps that lead to a stage, in the order in which they count: those of a stage it copies from come before the copy. */
export function history(file: Dockerfile, stage: Stage, seen = new Set<Stage>()): Step[] {
  seen.add(stage);
  const before = stage.base && !seen.has(stage.base) ? history(file, stage.base, seen) : [];
  return [
    ...before,
    ...stage.steps.flatMap((step) => {
      const source = step.keyword === 'COPY' ? sourceStage(file, step) : undefined;
      return source && !seen.has(source) ? [...history(file, source, seen), step] : [step];
    }),
  ];
}

/** `mix` tasks with their arguments, `mix do a + b` as two. */
export const mixTasks = (step: Step): string[] =>
  step.keyword !== 'RUN'
    ? []
    : step.commands.flatMap((command) => {
        const at = command.findIndex((word) => /(^|\/)mix$/.test(word));
        if (at < 0) return [];
        const [first, ...rest] = command.slice(at + 1);
        if (first !== 'do') return [[first, ...rest].join(' ')];
        return rest
          .join(' ')
          .replace(/^(--app \S+ )+/, '')
          .split(/,\s*|\s\+\s/);
      });

/** Packages that `apk add` and `apt-get install` name. */
export const packages = (steps: readonly Step[]): Set<string> =>
  new Set(
    steps
      .flatMap((step) => (step.keyword === 'RUN' ? step.commands : []))
      .flatMap((command) => {
        const at = command.findIndex(
          (word, index) =>
            (word === 'add' && command.slice(0, index).includes('apk')) ||
            (word === 'install' &&
              command.slice(0, index).some((one) => one === 'apt' || one === 'apt-get')),
        );
        return at < 0
          ? []
          : command
              .slice(at + 1)
              .filter((word) => !word.startsWith('-'))
              .map((word) => word.replace(/[=~<>].*$/, ''));
      }),
  );

/** File names of what a command runs: `["tini", "--", "/app/bin/server"]` runs two. */
export const programs = (step: Step): string[] =>
  (step.commands[0] ?? [])
    .filter((word, index) => index === 0 || /[/.]/.test(word))
    .map((word) => word.split('/').at(-1) ?? '');
