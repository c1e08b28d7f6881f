import { printable } from '../problem.ts';
import type { Way } from './way.ts';

let calledPlop = true;

/** Told once, by the command line: texts name the way in that the person took. */
export const speakAs = ({ command }: Way): void => {
  calledPlop = command === 'npx plop';
};

/** Texts speak of `npx plop NAME -- FLAGS`. */
export const inOurName = (text: string): string =>
  calledPlop ? text : text.replaceAll(/npx plop ([a-z-]+)( --(?= ))?/g, 'npx phoenix-fly $1');

/** Prints lines that may hold text from outside. What is coloured is made printable before it gets its colour. */
export const say = (text: string): void => console.log(printable(inOurName(text)));

/** Prose in lines that end between words, where there is a terminal to fit into. */
export function wrapped(text: string, indent = ''): string {
  const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length < width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(line === undefined ? word : `${indent}${word}`);
  }
  return lines.join('\n');
}
