import { parseArgs } from 'node:util';
import { ON_CONFLICT } from '../edit/conflict.ts';
import { Problem } from '../problem.ts';

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
  multiple?: boolean;
}
export type Flags = Readonly<Record<string, Flag>>;

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
  'dry-run': { short: 'n', help: 'the same as --write no, whatever else is said' },
  steps: {
    example: 'first',
    help: 'next steps for the first deploy, or for the next one',
    fallback: 'first, unless there was a fly.toml',
  },
} satisfies Flags;

/** Flags of every command. */
export const commonFlags = {
  dest: {
    example: '../shop',
    help: 'folder of the Phoenix app',
    fallback: 'the folder you are in',
  },
  help: { short: 'h', help: 'what a command takes' },
} satisfies Flags;

/** The texts of the flags that were given; a flag without a value is "yes". */
export type Texts = Partial<Record<string, string>>;

/**
 * Reads a command's flags, and answers without a name in the order of `positional`.
 * @throws Problem for a flag that isn't in `flags`, one without its value, or an answer too many
 */
export function readFlags(
  args: readonly string[],
  flags: Flags,
  positional: readonly string[] = [],
): Texts {
  const options = Object.entries(flags).map(([name, { example, short, multiple = false }]) => [
    name,
    { type: example ? 'string' : 'boolean', multiple, ...(short && { short }) },
  ]);
  const { values, positionals } = parsed(args, Object.fromEntries(options));
  const texts: Texts = {};
  for (const [name, value] of Object.entries(values))
    texts[name] = value === true ? 'yes' : [value].flat().join('\n');
  const unnamed = positional.filter((name) => name in flags && texts[name] === undefined);
  for (const text of positionals) {
    const name = unnamed.shift();
    if (!name) throw new Problem(`"${text}" is one answer too many`);
    texts[name] = text;
  }
  return texts;
}

function parsed(args: readonly string[], options: Record<string, { type: 'string' | 'boolean' }>) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    const [complaint = ''] = String((error as Error).message).split(/\.?\s*To specify/);
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new Problem(`${complaint.replace('\n', ' ')} (flags: ${known.join(', ')})`);
  }
}

/** Lines of help on flags. */
export const flagLines = (flags: Flags): string[] =>
  Object.entries(flags).map(([name, { help, fallback, example, short }]) => {
    const label = `${short ? `-${short}, ` : '    '}--${name}${example ? ` ${example}` : ''}`;
    return `  ${label.padEnd(29)} ${help}${fallback ? ` (without it: ${fallback})` : ''}`;
  });

/** What steers a run; undefined: not said. @throws Problem for words that are none */
export const readRunFlags = ({ write, yes, 'dry-run': dry, conflict, steps }: Texts) => ({
  write: named('write', dry ? 'no' : (yes ?? write), parseYesNo),
  conflict: named('conflict', conflict, oneOf(ON_CONFLICT, 'a way out')),
  steps: named('steps', steps, oneOf(['first', 'next'], 'a list of steps')),
});

/** Reads the text of a flag, if it was given; a complaint begins with the flag. @throws Problem */
export function named<T>(
  flag: string,
  text: string | undefined,
  parse: (text: string) => T,
): T | undefined {
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof Problem ? new Problem(`--${flag}: ${error.message}`) : error;
  }
}

/** Reads one of a few words. */
export const oneOf =
  <const T extends string>(allowed: readonly T[], what: string) =>
  (text: string): T => {
    const found = allowed.find((word) => word === text.trim().toLowerCase());
    if (found) return found;
    throw new Problem(
      `"${text}" is not ${what}: give ${allowed.join(', ').replace(/, (?=[^,]*$)/, ' or ')}`,
    );
  };

/** @throws Problem for anything that is neither */
export function parseYesNo(text: string): boolean {
  if (/^(y|yes|true)$/i.test(text.trim())) return true;
  if (/^(n|no|false)$/i.test(text.trim())) return false;
  throw new Problem(`"${text}" is neither yes nor no`);
}
