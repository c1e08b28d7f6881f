import { styleText } from 'node:util';
import { printable } from '../problem.ts';

/** How this program was started, and so what it calls itself. */
export interface Way {
  command: 'npx plop' | 'npx phoenix-fly';
  /** The folder the command was started in. */
  from: string;
}

let calledPlop = true;

/** Told once, by the command line: texts name the way in that the person took. */
export const speakAs = ({ command }: Way): void => {
  calledPlop = command === 'npx plop';
};

/** Texts speak of `npx plop NAME -- FLAGS`. */
export const inOurName = (text: string): string =>
  calledPlop ? text : text.replaceAll(/npx plop ([a-z-]+)( --(?= ))?/g, 'npx phoenix-fly $1');

/** Prints lines that may hold text from outside; made printable before they get their colour. */
export const say = (text: string, paint: (line: string) => string = String): void =>
  console.log(printable(inOurName(text)).split('\n').map(paint).join('\n'));

const COLORS = new Map([
  ['met', 'green'],
  ['must', 'red'],
  ['failed', 'red'],
  ['should', 'yellow'],
  ['skipped', 'yellow'],
  ['unknown', 'yellow'],
  ['advice', 'cyan'],
] as const);

/** The verdict in front of a line in its colour, headings in bold. */
export function paintVerdict(line: string): string {
  const [, before = '', word = ''] = /^( {2})([a-z]+)(?= {2})/.exec(line) ?? [];
  const color = COLORS.get(word as 'met');
  if (color) return before + styleText(color, word) + line.slice(before.length + word.length);
  return /^\S+$/.test(line) ? styleText('bold', line) : line;
}

/** Prose in lines that end between words, where there is a terminal to fit into. @param column where it begins */
export function wrapped(text: string, indent = '', column = 0): string {
  // Some pseudo-terminals say that they have 0 columns
  const room = (process.stdout.isTTY && process.stdout.columns) || Number.POSITIVE_INFINITY;
  const width = room - column;
  const lines: string[] = [];
  // Named first: the name of a command may be where a line ends
  for (const word of inOurName(text).split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length < width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(line === undefined ? word : `${indent}${word}`);
  }
  return lines.join('\n');
}
