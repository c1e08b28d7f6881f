import { catalogue } from '../../generators/catalogue.ts';
import {
  commonFlags,
  type Flags,
  type FlagTexts,
  flagLines,
  oneOf,
  readFlags,
  runFlags,
} from '../answers/flags.ts';
import { type QuestionName, questionNames, questions } from '../answers/questions.ts';
import { VERSION } from '../edit/version.ts';
import { detect } from '../facts/detect.ts';
import { factsOf } from '../facts/facts-json.ts';
import { Problem, printable } from '../problem.ts';
import { openTree } from '../tree.ts';
import { generate } from './generate.ts';
import { Stopped } from './prompt.ts';
import { findRoot } from './root.ts';
import {
  type Invocation,
  print,
  printJson,
  setProgram,
  withProgramName,
  wrapped,
} from './terminal.ts';

interface Command {
  summary: string;
  flags: Flags;
  /** Flags whose names may be left out, in this order. */
  positional?: readonly string[];
  /** @returns the exit code, or what to print */
  run(texts: FlagTexts, invocation: Invocation): Promise<number | string>;
}

interface Generator {
  summary: string;
  asks: readonly QuestionName[];
}

/** A command that writes files. */
function generatorCommand(name: string, { summary, asks }: Generator): Command {
  const questionFlags = Object.fromEntries(asks.map((question) => [question, questions[question]]));
  return {
    summary,
    flags: { ...questionFlags, ...runFlags, ...commonFlags },
    positional: questionNames,
    run: (texts, invocation) => generate(name, asks, texts, invocation),
  };
}

const generators: Record<string, Generator> = {
  fly: { summary: 'everything: the app onto Fly.io', asks: questionNames },
  ...catalogue,
};

/** A command that gets the folder of the app. */
const inApp =
  (run: (root: string, texts: FlagTexts) => ReturnType<Command['run']>): Command['run'] =>
  async (texts, invocation) =>
    run(await findRoot(texts.dest, invocation), texts);

/** Every command by its name. */
export const commands: Readonly<Record<string, Command>> = {
  ...Object.fromEntries(
    Object.entries(generators).map(([name, row]) => [name, generatorCommand(name, row)]),
  ),
  check: {
    summary: 'what the repo lacks to run well on Fly.io; reads only',
    flags: {
      json: { help: 'the same for scripts' },
      skip: {
        example: 'R3.5',
        help: 'leaves a requirement out, with a reason if you like: --skip "R3.5: our own format"; can be repeated',
        multiple: true,
      },
      strict: {
        help: "fails for anything that is not met, also for what can't be told by reading",
        defaultText: 'fails for a must: it would not build, boot or answer, or is unsafe',
      },
      ...commonFlags,
    },
    run: inApp(async (root, texts) => (await import('./check-command.ts')).runCheck(root, texts)),
  },
  prove: {
    summary: 'builds and boots the image here, as Fly would; says whether a deploy will work',
    flags: {
      engine: {
        example: 'podman',
        help: 'docker or podman',
        defaultText: 'the first that answers',
      },
      'env-file': {
        example: 'prod.env',
        help: 'NAME=value lines: secrets that the app or its build needs',
        defaultText: 'placeholders',
      },
      'database-url': {
        example: 'postgres://…',
        help: 'a database of your own',
        defaultText: 'a throwaway Postgres',
      },
      path: { example: '/login', help: 'the page to look at', defaultText: '/' },
      keep: { help: 'leaves the app running and prints its URL' },
      json: { help: 'the same for scripts' },
      ...commonFlags,
    },
    run: inApp(async (root, texts) => (await import('./prove-command.ts')).runProve(root, texts)),
  },
  facts: {
    summary: 'what it knows about the repo, as JSON; reads only',
    flags: { json: { help: 'as it is' }, ...commonFlags },
    run: inApp(async (root) => {
      printJson(factsOf(detect(openTree(root))));
      return 0;
    }),
  },
  init: {
    summary: 'writes a plopfile, with which plop has these commands inside a Phoenix repo',
    flags: commonFlags,
    run: inApp(async (root) => (await import('./init.ts')).init(root)),
  },
  completion: {
    summary: 'completion of commands and flags, for a shell',
    flags: { shell: { example: 'zsh', help: 'bash, zsh or fish' }, ...commonFlags },
    positional: ['shell'],
    run: async ({ shell = '' }) => completion(shell),
  },
  help: {
    summary: 'commands, flags and their defaults',
    flags: { command: { example: 'fly', help: 'what one command takes' } },
    positional: ['command'],
    run: async ({ command }, invocation) => help(command, invocation),
  },
};

/**
 * The command line: runs a command, and prints what it returns or throws.
 * @param words what follows the name of the program
 * @returns the exit code: 0 done or nothing to do, 1 a problem, 130 interrupted
 */
export async function main(invocation: Invocation, words: readonly string[]): Promise<number> {
  setProgram(invocation);
  try {
    const result = await runCommand(invocation, words);
    if (typeof result === 'number') return result;
    print(result);
    return 0;
  } catch (error) {
    if (error instanceof Stopped) {
      console.log('Nothing was written.');
      return 130;
    }
    console.error(printable(withProgramName(errorText(error))));
    return 1;
  }
}

/** Without a name the command is `fly`. */
async function runCommand(invocation: Invocation, words: readonly string[]) {
  const name = words[0]?.startsWith('-') ? undefined : words[0];
  const args = name === undefined ? words : words.slice(1);
  const has = (...flags: string[]) => flags.some((flag) => args.includes(flag));
  const { flags, positional, run } = findCommand(name ?? 'fly');
  if (has('--version', '-v')) return VERSION;
  if (has('--help', '-h')) return help(name, invocation);
  return run(readFlags(args, flags, positional), invocation);
}

function findCommand(name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command) return command;
  throw new Problem(`there is no command ${name}; there are ${Object.keys(commands).join(', ')}`);
}

/** A Problem's message is for people; any other error is a mistake of this program, so its stack is printed. */
function errorText(error: unknown): string {
  if (error instanceof Problem) return `phoenix-fly: ${error.message}`;
  return (error as Error).stack ?? String(error);
}

/** Help on one command, or on all. */
function help(name: string | undefined, { command: program }: Invocation): string {
  const { summary, flags } = findCommand(name ?? 'fly');
  const placeOfFlags = program === 'npx plop' ? '[-- FLAGS]' : '[FLAGS]';
  return [
    `${program} ${name ?? 'COMMAND'} [--dest FOLDER] ${placeOfFlags}`,
    ...(name ? [`${name}: ${summary}`, ''] : commandList()),
    ...flagLines(flags).map((line) => wrapped(line, ' '.repeat(32))),
  ].join('\n');
}

const commandList = (): string[] => [
  '',
  ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`),
  '',
  'Flags of fly (the other commands take those of their file), and what holds without them:',
];

/** A script that completes commands and flags. @throws Problem for another shell */
function completion(shell: string): string {
  const flags = Object.values(commands).flatMap((command) => Object.keys(command.flags));
  const words = [...Object.keys(commands), ...new Set(flags.map((flag) => `--${flag}`))].join(' ');
  const bash = `complete -o default -W "${words}" phoenix-fly plop`;
  const scripts = {
    bash,
    zsh: `autoload -U +X bashcompinit && bashcompinit\n${bash}`,
    fish: `complete -c phoenix-fly -c plop -a "${words}"`,
  };
  return scripts[oneOf(['bash', 'zsh', 'fish'], 'a shell')(shell)];
}
