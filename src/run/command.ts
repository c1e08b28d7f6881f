import { generators } from '../../generators/index.ts';
import {
  checkFlags,
  commonFlags,
  type Flag,
  flagLines,
  proveFlags,
  readFlags,
  runFlags,
} from '../answers/flags.ts';
import { questions } from '../answers/questions.ts';
import { detect, factsOf } from '../facts/detect.ts';
import { asksOf, type Generator } from '../plan/file.ts';
import { VERSION } from '../plan/version.ts';
import { Problem, printable } from '../problem.ts';
import { openTree } from '../tree.ts';
import { SHELLS } from './completion.ts';
import { run } from './generate.ts';
import { Stopped } from './prompt.ts';
import { findRoot } from './root.ts';
import { inOurName, say, speakAs, wrapped } from './terminal.ts';
import { usageOf, type Way } from './way.ts';

interface Command {
  summary: string;
  flags: Readonly<Record<string, Flag>>;
  /** Flags whose names may be left out, in this order. */
  positional?: readonly string[];
  /** @returns the exit code */
  run(args: string[], way: Way): Promise<number>;
}

const ofGenerator = (generator: Generator): Command => {
  const asks = asksOf(generator);
  const flags = {
    ...Object.fromEntries(asks.map((name): [string, Flag] => [name, questions[name]])),
    ...runFlags,
    ...commonFlags,
  };
  return {
    summary: generator.summary,
    flags,
    positional: asks,
    run: (args, way) => run(generator, readFlags(args, flags, asks), way),
  };
};

/** Everything that can be run, by name. */
export const commands: Readonly<Record<string, Command>> = {
  ...Object.fromEntries(generators.map((one) => [one.name, ofGenerator(one)])),
  check: {
    summary: 'what the repo lacks to run well on Fly.io; reads only',
    flags: { ...checkFlags, ...commonFlags },
    run: async (args, way) => {
      const texts = readFlags(args, commands.check?.flags ?? {});
      const { runCheck } = await import('./check-command.ts');
      return runCheck(await findRoot(texts.dest, way), texts);
    },
  },
  prove: {
    summary: 'builds and boots the image here, as Fly would; says whether a deploy will work',
    flags: { ...proveFlags, ...commonFlags },
    run: async (args, way) => {
      const texts = readFlags(args, commands.prove?.flags ?? {});
      const { runProve } = await import('./prove-command.ts');
      return runProve(await findRoot(texts.dest, way), texts);
    },
  },
  facts: {
    summary: 'what it knows about the repo, as JSON; reads only',
    flags: { json: { help: 'as it is' }, ...commonFlags },
    run: async (args, way) => {
      const { dest } = readFlags(args, commands.facts?.flags ?? {});
      const facts = factsOf(detect(openTree(await findRoot(dest, way))));
      return print(JSON.stringify(facts, null, 2));
    },
  },
  completion: {
    summary: `completion of commands and flags for a shell: ${SHELLS.join(', ')}`,
    flags: { shell: { example: 'zsh', help: SHELLS.join(', ') }, ...commonFlags },
    positional: ['shell'],
    run: async (args) => {
      const { completion } = await import('./completion.ts');
      const { shell } = readFlags(args, commands.completion?.flags ?? {}, ['shell']);
      return print(completion(shell ?? '', commands));
    },
  },
  help: {
    summary: 'commands, flags and their defaults',
    flags: {},
    run: async ([name], way) => print(name ? helpOf(name, way) : overview(way)),
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
      return print(name ? helpOf(name, way) : overview(way));
    return await commandOf(name ?? 'fly').run(args, way);
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

function helpOf(name: string, way: Way): string {
  const { summary, flags } = commandOf(name);
  return [usageOf(way, name), `${name}: ${summary}`, '', ...helpLines(flags)].join('\n');
}

const helpLines = (flags: Command['flags']): string[] =>
  flagLines(flags).map((line) => wrapped(line, ' '.repeat(32)));

function overview(way: Way): string {
  const { fly } = commands;
  return [
    usageOf(way, 'COMMAND'),
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`),
    '',
    'Flags of fly (the other commands take those of their file), and what holds without them:',
    ...helpLines(fly?.flags ?? {}),
  ].join('\n');
}

const print = (text: string): number => {
  say(text);
  return 0;
};
