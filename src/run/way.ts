import { shellWord } from '../quote.ts';

/** How this program was started, and so what it calls itself. */
export interface Way {
  command: 'npx plop' | 'npx phoenix-fly';
  /** Stands between plop's own flags and ours. */
  dashes: boolean;
  /** The folder the command was started in. */
  from: string;
}

/** A command to run again: `npx plop fly --dest ../shop --`. */
export const invocation = ({ command, dashes }: Way, name: string, dest?: string): string =>
  [
    command,
    name,
    ...(dest === undefined ? [] : ['--dest', shellWord(dest)]),
    ...(dashes ? ['--'] : []),
  ].join(' ');

export const usageOf = ({ command, dashes }: Way, name: string): string =>
  `${command} ${name} [--dest FOLDER] ${dashes ? '[-- FLAGS]' : '[FLAGS]'}`;
