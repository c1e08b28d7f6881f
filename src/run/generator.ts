import {
  CONFLICT_HELP,
  type QuestionName,
  questionNames,
  questions,
  WRITE_HELP,
} from '../answers/questions.ts';
import type { GeneratedFile } from '../plan/file.ts';

/** What one command writes: every file (`fly`), or one. */
export interface Generator {
  name: string;
  files: readonly GeneratedFile[];
}

/** The questions of a generator in table order. */
export const asksOf = ({ files }: Generator): QuestionName[] =>
  questionNames.filter((name) => files.some((file) => file.asks.includes(name)));

/** Help of a generator's flags, from the table of questions. */
export function helpOf(generator: Generator): string {
  const rows: [string, string][] = [
    ...asksOf(generator).map((name): [string, string] => [name, questions[name].help]),
    ['conflict', CONFLICT_HELP],
    ['write', WRITE_HELP],
  ];
  return rows.map(([name, help]) => `  --${name.padEnd(12)}${help}`).join('\n');
}

/** Takes `--dest FOLDER` or `--dest=FOLDER` out of the arguments. */
export function takeDest(args: string[]): string | undefined {
  const at = args.findIndex((arg) => arg === '--dest' || arg.startsWith('--dest='));
  if (at < 0) return undefined;
  const [flag = '', next] = args.slice(at, at + 2);
  args.splice(at, flag.includes('=') ? 1 : 2);
  return flag.includes('=') ? flag.slice('--dest='.length) : next;
}
