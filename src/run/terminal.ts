import { printable } from '../problem.ts';

/** Prints lines that may hold text from outside. What is coloured is made printable before it gets its colour. */
export const say = (text: string): void => console.log(printable(text));
