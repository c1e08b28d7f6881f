import { styleText } from 'node:util';
import { printable, printableJson } from '../problem.ts';

/** How this program was started. */
export interface Invocation {
  command: 'npx plop' | 'npx phoenix-fly';
  /** The folder it was started in. */
  cwd: string;
}

let program: Invocation['command'] = 'npx plop';

/** Called once by the command line, so that messages name the command that the person typed. */
export const setProgram = ({ command }: Invocation): void => {
  program = command;
};

/** Messages are written for `npx plop NAME -- FLAGS`; this puts the command that was typed in its place. */
export const withProgramName = (text: string): string =>
  program === 'npx plop'
    ? text
    : text.replaceAll(/npx plop ([a-z-]+)( --(?= ))?/g, 'npx phoenix-fly $1');

/** Prints lines that may hold text from outside: they are made printable before `paint` adds colours. */
export const print = (text: string, paint: (line: string) => string = String): void =>
  console.log(printable(withProgramName(text)).split('\n').map(paint).join('\n'));

/** Prints a value as JSON. */
export const printJson = (value: unknown): void =>
  console.log(withProgramName(printableJson(value)));

const VERDICT_COLORS = new Map<string, 'green' | 'red' | 'yellow' | 'cyan'>([
  ['met', 'green'],
  ['must', 'red'],
  ['failed', 'red'],
  ['should', 'yellow'],
  ['skipped', 'yellow'],
  ['unknown', 'yellow'],
  ['advice', 'cyan'],
]);

/** Colours the verdict at the start of a line such as `  must  R1.1 …`; a line of one word is a heading, in bold. */
export function paintVerdict(line: string): string {
  const [, verdict = ''] = /^ {2}([a-z]+) {2}/.exec(line) ?? [];
  const color = VERDICT_COLORS.get(verdict);
  if (color) return line.replace(verdict, styleText(color, verdict));
  return /^\S+$/.test(line) ? styleText('bold', line) : line;
}

/**
 * Prose with line breaks between words where a terminal would break it within one; as it is where there is no terminal.
 * @param indent stands before each line but the first
 */
export function wrapped(text: string, indent = ''): string {
  // Some pseudo-terminals report 0 columns
  const width = (process.stdout.isTTY && process.stdout.columns) || Number.POSITIVE_INFINITY;
  // The program's name may change the length of a line
  const [first = '', ...words] = withProgramName(text).split(' ');
  const lines: string[] = [];
  let line = first;
  for (const word of words) {
    if (line.length + 1 + word.length < width) {
      line += ` ${word}`;
    } else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line].join('\n');
}

/**
 * Words, and below them lines that can be pasted together into bash, zsh, fish and dash. So only the last line may read
 * from the terminal, and none has a comment, whose words zsh takes for arguments.
 */
export const step = (title: string, ...lines: string[]): string =>
  [wrapped(title), ...lines.map((line) => `  ${line}`)].join('\n');
