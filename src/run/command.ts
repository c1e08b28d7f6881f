import { load, summaries } from '../../generators/index.ts';
import {
  checkFlags,
  commonFlags,
  type Flag,
  flagLines,
  proveFlags,
  readFlags,
  runFlags,
  type Texts,
} from '../answers/flags.ts';
import { type QuestionName, questionNames, questions } from '../answers/questions.ts';
import { detect, factsOf } from '../facts/detect.ts';
import { asksOf } from '../plan/file.ts';
import { VERSION } from '../plan/version.ts';
import { Problem, printable } from '../problem.ts';
import { openTree } from '../tree.ts';
import { SHELLS } from './completion.ts';
import { generate } from './generate.ts';
import { Stopped } from './prompt.ts';
import { findRoot } from './root.ts';
import { inOurName, say, speakAs, wrapped } from './terminal.ts';
import { usageOf, type Way } from './way.ts';

export interface Command {
  summary: string;
  flags(): Promise<Flags>;
  /** Flags whose names may be left out, in this order. */
  positional?: readonly string[];
  /** @returns the exit code */
  run(texts: Texts, way: Way): Promise<number> | number;
}

type Flags = Readonly<Record<string, Flag>>;

const asksOfCommand = async (name: string): Promise<readonly QuestionName[]> =>
  name === 'fly' ? questionNames : asksOf(await load(name));

const ofGenerator = (name: string, summary: string): Command => ({
  summary,
  flags: async () => ({
    ...Object.fromEntries(
      (await asksOfCommand(name)).map((each): [string, Flag] => [each, questions[each]]),
    ),
    ...runFlags,
    ...commonFlags,
  }),
  positional: questionNames,
  run: async (texts, way) => generate(name, await asksOfCommand(name), texts, way),
});

/** Everything that can be run, by name. */
export const commands: Readonly<Record<string, Command>> = {
  fly: ofGenerator('fly', 'everything: the app onto Fly.io'),
  ...Object.fromEntries(
    Object.entries(summaries).map(([name, summary]) => [name, ofGenerator(name, summary)]),
  ),
  check: {
    summary: 'what the repo lacks to run well on Fly.io; reads only',
    flags: async () => ({ ...checkFlags, ...commonFlags }),
    run: async (texts, way) => {
      const { runCheck } = await import('./check-command.ts');
      return runCheck(await findRoot(texts.dest, way), texts);
    },
  },
  prove: {
    summary: 'builds and boots the image here, as Fly would; says whether a deploy will work',
    flags: async () => ({ ...proveFlags, ...commonFlags }),
    run: async (texts, way) => {
      const { runProve } = await import('./prove-command.ts');
      return runProve(await findRoot(texts.dest, way), texts);
    },
  },
  facts: {
    summary: 'what it knows about the repo, as JSON; reads only',
    flags: async () => ({ json: { help: 'as it is' }, ...commonFlags }),
    run: async ({ dest }, way) => {
      const facts = factsOf(detect(openTree(await findRoot(dest, way))));
      return print(JSON.stringify(facts, null, 2));
    },
  },
  init: {
    summary: 'writes the plopfile with which `npx plop fly` runs inside a Phoenix repo',
    flags: async () => commonFlags,
    run: async ({ dest }, way) => {
      const { init } = await import('./init.ts');
      return print(init(await findRoot(dest, way)));
    },
  },
  completion: {
    summary: `completion of commands and flags for a shell: ${SHELLS.join(', ')}`,
    flags: async () => ({ shell: { example: 'zsh', help: SHELLS.join(', ') }, ...commonFlags }),
    positional: ['shell'],
    run: async ({ shell }) => {
      const { completion } = await import('./completion.ts');
      return print(await completion(shell ?? '', commands));
    },
  },
  help: {
    summary: 'commands, flags and their defaults',
    flags: async () => ({ command: { example: 'fly', help: 'what one command takes' } }),
    positional: ['command'],
    run: async ({ command }, way) => print(await (command ? helpOf(command, way) : overview(way))),
  },
};

/**
 * The command line behind the name of the program.
 * @returns the exit code: 0 done or nothing to do, 1 a problem, 130 interrupted
 */
export async function main(way: Way, argv: readonly string[]): Promise<number> {
  speakAs(way);
  const args = [...argv];
  const name = args[0]?.startsWith('-') ? undefined : args.shift();
  try {
    if (args.includes('--version') || args.includes('-v')) return print(VERSION);
    if (args.includes('--help') || args.includes('-h'))
      return print(await (name ? helpOf(name, way) : overview(way)));
    const { flags, positional, run } = commandOf(name ?? 'fly');
    return await run(readFlags(args, await flags(), positional), way);
  } catch (error) {
    if (error instanceof Stopped) {
      console.log('Nothing was written.');
      return 130;
    }
    console.error(printable(inOurName(messageOf(error))));
    return 1;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof Problem) return `phoenix-fly: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function commandOf(name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command) return command;
  throw new Problem(`there is no command ${name}; there are ${Object.keys(commands).join(', ')}`);
}

async function helpOf(name: string, way: Way): Promise<string> {
  const { summary, flags } = commandOf(name);
  return [usageOf(way, name), `${name}: ${summary}`, '', ...helpLines(await flags())].join('\n');
}

const helpLines = (flags: Flags): string[] =>
  flagLines(flags).map((line) => wrapped(line, ' '.repeat(32)));

async function overview(way: Way): Promise<string> {
  return [
    usageOf(way, 'COMMAND'),
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`),
    '',
    'Flags of fly (the other commands take those of their file), and what holds without them:',
    ...helpLines(await commandOf('fly').flags()),
  ].join('\n');
}

const print = (text: string): number => {
  say(text);
  return 0;
};
