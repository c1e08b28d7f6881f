import { parseArgs } from 'node:util';
import { ON_CONFLICT } from '../edit/conflict.ts';
import { Problem } from '../problem.ts';

/** What every flag has, whether it answers a question or steers the run. */
export interface Flag {
  help: string;
  /** A value, as help shows it; without one the flag takes none. */
  example?: string;
  /** Words for what holds without it. */
  defaultText?: string;
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
    defaultText: 'asked, else leave',
  },
  write: {
    example: 'yes',
    help: 'yes: write without asking; no: only show what would change',
    defaultText: 'asked',
  },
  yes: { short: 'y', help: 'the same as --write yes' },
  'dry-run': { short: 'n', help: 'the same as --write no, whatever else is said' },
  steps: {
    example: 'first',
    help: 'next steps for the first deploy, or for the next one',
    defaultText: 'first, unless there was a fly.toml',
  },
} satisfies Flags;

/** Flags of every command. */
export const commonFlags = {
  dest: {
    example: '../shop',
    help: 'folder of the Phoenix app',
    defaultText: 'the folder you are in',
  },
  help: { short: 'h', help: 'what a command takes' },
} satisfies Flags;

/** The values of the flags that were given, by name, not yet parsed; that of a flag without a value is "yes". */
export type FlagTexts = Partial<Record<string, string>>;

/**
 * Reads a command's arguments.
 * @param positional flags whose names may be left out, in this order
 * @throws Problem for a flag that isn't in `flags`, a flag without its value, or an answer too many
 */
export function readFlags(
  args: readonly string[],
  flags: Flags,
  positional: readonly string[] = [],
): FlagTexts {
  const options = Object.entries(flags).map(([name, { example, short, multiple = false }]) => [
    name,
    { type: example ? 'string' : 'boolean', multiple, ...(short && { short }) },
  ]);
  const { values, positionals } = parseArguments(args, Object.fromEntries(options));
  const texts: FlagTexts = {};
  for (const [name, value] of Object.entries(values))
    texts[name] = value === true ? 'yes' : [value].flat().join('\n');
  const unanswered = positional.filter((name) => name in flags && texts[name] === undefined);
  for (const text of positionals) {
    const name = unanswered.shift();
    if (!name) throw new Problem(`"${text}" is one answer too many`);
    texts[name] = text;
  }
  return texts;
}

function parseArguments(
  args: readonly string[],
  options: Record<string, { type: 'string' | 'boolean' }>,
) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    // Node goes on with how to pass a positional argument, which is no help here
    const [complaint = ''] = (error as Error).message.split(/\.?\s*To specify/);
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new Problem(`${complaint.replace('\n', ' ')} (flags: ${known.join(', ')})`);
  }
}

/** Help on flags, a line for each. */
export const flagLines = (flags: Flags): string[] =>
  Object.entries(flags).map(([name, { help, defaultText, example, short }]) => {
    const label = `${short ? `-${short}, ` : '    '}--${name}${example ? ` ${example}` : ''}`;
    return `  ${label.padEnd(29)} ${help}${defaultText ? ` (without it: ${defaultText})` : ''}`;
  });

/** Parses the flags that steer a run; undefined where one was not given. @throws Problem for a bad value */
export const parseRunFlags = ({ write, yes, 'dry-run': dryRun, conflict, steps }: FlagTexts) => ({
  write: parseFlag('write', dryRun ? 'no' : (yes ?? write), parseYesNo),
  conflict: parseFlag('conflict', conflict, oneOf(ON_CONFLICT, 'a way out')),
  steps: parseFlag('steps', steps, oneOf(['first', 'next'], 'a list of steps')),
});

/** Parses the value of a flag, if it was given. @throws Problem that begins with the flag's name */
export function parseFlag<T>(
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

/** A parser that takes one of a few words. @param what names it in the complaint: `"foo" is not a shell` */
export const oneOf =
  <const T extends string>(words: readonly T[], what: string) =>
  (text: string): T => {
    const word = words.find((known) => known === text.trim().toLowerCase());
    if (word) return word;
    const choices = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
    throw new Problem(`"${text}" is not ${what}: give ${choices}`);
  };

/** @throws Problem for anything that is neither */
export function parseYesNo(text: string): boolean {
  if (/^(y|yes|true)$/i.test(text.trim())) return true;
  if (/^(n|no|false)$/i.test(text.trim())) return false;
  throw new Problem(`"${text}" is neither yes nor no`);
}
