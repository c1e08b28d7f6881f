import { parseArgs } from 'node:util';
import { Problem } from '../problem.ts';
import { oneOf, parseYesNo } from './parse.ts';

/** What every flag has, whether it answers a question or steers the run. */
export interface Flag {
  help: string;
  /** A value, as help shows it; without one the flag takes none. */
  example?: string;
  /** Words for what holds without it. */
  fallback?: string;
  /** Its one letter. */
  short?: string;
  /** It can be given more than once: its text has a line for each. */
  several?: boolean;
}

/**
 * What becomes of a file where what its owner wrote and ours can't both stand: it is left as it is, or merged with the
 * owner's lines winning, or ours replaces theirs.
 */
export const ON_CONFLICT = ['leave', 'merge', 'replace'] as const;
export type OnConflict = (typeof ON_CONFLICT)[number];

/** Flags that steer the run; those that answer a question are in questions.ts. */
export const runFlags = {
  conflict: {
    example: 'merge',
    help: 'where your edits and ours collide: leave the file, merge (yours win) or replace',
    fallback: 'asked, else leave',
  },
  write: {
    example: 'yes',
    help: 'yes: write without asking; no: only show what would change',
    fallback: 'asked',
  },
  yes: { short: 'y', help: 'the same as --write yes' },
  'dry-run': { short: 'n', help: 'the same as --write no' },
  steps: {
    example: 'first',
    help: 'next steps for the first deploy, or for the next one',
    fallback: 'first, unless there was a fly.toml',
  },
} satisfies Record<string, Flag>;

/** Flags of every command. */
export const commonFlags = {
  dest: {
    example: '../shop',
    help: 'folder of the Phoenix app',
    fallback: 'the folder you are in',
  },
  help: { short: 'h', help: 'what a command takes' },
} satisfies Record<string, Flag>;

/** Flags of `check`. */
export const checkFlags = {
  json: { help: 'the same for scripts' },
  skip: {
    example: 'R3.5',
    help: 'leaves a requirement out, with a reason if you like: --skip "R3.5: our own format"; can be repeated',
    several: true,
  },
  strict: {
    help: "fails for anything that is not met, also for what can't be told by reading",
    fallback: 'fails for a must: it would not build, boot or answer, or is unsafe',
  },
} satisfies Record<string, Flag>;

/** Flags of `prove`. */
export const proveFlags = {
  engine: { example: 'podman', help: 'docker or podman', fallback: 'the first that answers' },
  'env-file': {
    example: 'prod.env',
    help: 'NAME=value lines: secrets that the app or its build needs',
    fallback: 'placeholders',
  },
  'database-url': {
    example: 'postgres://…',
    help: 'a database of your own',
    fallback: 'a throwaway Postgres',
  },
  path: { example: '/login', help: 'the page to look at', fallback: '/' },
  keep: { help: 'leaves the app running and prints its URL' },
  json: { help: 'the same for scripts' },
} satisfies Record<string, Flag>;

/** The texts of the flags that were given; a flag without a value is "yes". */
export type Texts = Partial<Record<string, string>>;

/**
 * Reads a command's flags, and answers without a name in the order of `positional`.
 * @throws Problem for a flag that isn't in `flags`, one without its value, or an answer too many
 */
export function readFlags(
  args: readonly string[],
  flags: Readonly<Record<string, Flag>>,
  positional: readonly string[] = [],
): Texts {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { example, short }]) => [
        name,
        { type: example ? 'string' : 'boolean', ...(short && { short }) },
      ]),
    ),
  });
  const texts: Record<string, string> = {};
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const text = textOf(token, flags);
    const before = flags[token.name]?.several ? texts[token.name] : undefined;
    texts[token.name] = before === undefined ? text : `${before}\n${text}`;
  }
  const unnamed = positional.filter((name) => name in flags && texts[name] === undefined);
  for (const token of tokens) {
    if (token.kind !== 'positional') continue;
    const name = unnamed.shift();
    if (!name) throw new Problem(`"${token.value}" is one answer too many`);
    texts[name] = token.value;
  }
  return texts;
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function textOf(
  { name, rawName, value, inlineValue }: OptionToken,
  flags: Readonly<Record<string, Flag>>,
): string {
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (!flag)
    throw new Problem(
      `there is no flag ${rawName} here; there are ${Object.keys(flags)
        .map((known) => `--${known}`)
        .join(', ')}`,
    );
  if (!flag.example) {
    if (value !== undefined) throw new Problem(`${rawName} takes no value`);
    return 'yes';
  }
  if (value === undefined || (!inlineValue && value.startsWith('--')))
    throw new Problem(`${rawName} needs a value, for example ${rawName} ${flag.example}`);
  return value;
}

/** Lines of help on flags. */
export const flagLines = (flags: Readonly<Record<string, Flag>>): string[] =>
  Object.entries(flags).map(([name, { help, fallback, example, short }]) => {
    const label = `${short ? `-${short}, ` : '    '}--${name}${example ? ` ${example}` : ''}`;
    return `  ${label.padEnd(29)} ${help}${fallback ? ` (without it: ${fallback})` : ''}`;
  });

/** What steers a run; undefined: not said. */
export interface RunFlags {
  write: boolean | undefined;
  conflict: OnConflict | undefined;
  steps: 'first' | 'next' | undefined;
}

/** @throws Problem for words that are none, or that contradict each other */
export function readRunFlags(texts: Texts): RunFlags {
  const read = <T>(flag: string, parse: (text: string) => T): T | undefined =>
    texts[flag] === undefined ? undefined : named(flag, () => parse(texts[flag] ?? ''));
  const said = [read('write', parseYesNo), texts.yes && true, texts['dry-run'] ? false : undefined];
  const [write, other] = said.filter((word) => typeof word === 'boolean');
  if (other !== undefined && other !== write)
    throw new Problem('--yes and --dry-run contradict each other: give one of them');
  return {
    write,
    conflict: read('conflict', (text) => oneOf(text, ON_CONFLICT, 'a way out')),
    steps: read('steps', (text) => oneOf(text, ['first', 'next'] as const, 'a list of steps')),
  };
}

/** Runs a parser; what it complains about begins with the flag. @throws Problem */
export function named<T>(flag: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Problem ? new Problem(`--${flag}: ${error.message}`) : error;
  }
}
