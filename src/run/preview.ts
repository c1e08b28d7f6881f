import { spawnSync } from 'node:child_process';
import { styleText } from 'node:util';
import { createTwoFilesPatch } from 'diff';
import { trustedPath } from '../fly/flyctl.ts';
import { type Change, kindOf } from '../plan/file.ts';
import { printable } from '../problem.ts';
import { ask, type Prompt } from './prompt.ts';

/** The hashes in the last line of a Dockerfile say nothing to a reader. */
const PRINTS = /^(.# phoenix-fly[\w ]*: [\w.-]{6})[\w.-]+/;

const COLORS = [
  [/^(---|\+\+\+) /, 'bold'],
  [/^@@/, 'cyan'],
  [/^\+/, 'green'],
  [/^-/, 'red'],
] as const;

function patchOf({ path, before, after }: Change): string {
  const from = before === undefined ? '/dev/null' : path;
  const patch = createTwoFilesPatch(from, path, before ?? '', after, '', '', { context: 3 });
  return patch.replace(/^(Index: .*\n)?=+\n/, '');
}

/** One unified diff of all changes. */
export function diffOf(changes: readonly Change[]): string {
  const paint = (text: string): string => {
    const line = printable(text).replace(PRINTS, '$1…');
    const [, color] = COLORS.find(([pattern]) => pattern.test(line)) ?? [];
    return color ? styleText(color, line) : line;
  };
  return changes.map(patchOf).join('').trimEnd().split('\n').map(paint).join('\n');
}

/** What files with conflicts keep (-), and what ours would be in its place (+). */
export const lostIn = (conflicts: readonly Change[]): string =>
  `--conflict replace would change:\n\n${diffOf(
    conflicts.map(({ path, after, ours }) => ({ path, before: after, after: ours ?? after })),
  )}\n`;

/** A line for each file: what becomes of it, and how many lines are added and removed. */
export function summaryOf(changes: readonly Change[]): string {
  const width = Math.max(...changes.map(({ path }) => path.length));
  return changes
    .map((change) => {
      const lines = patchOf(change).split('\n').slice(2);
      const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
      const removed = count('-') ? ` -${count('-')}` : '';
      return `  ${kindOf(change)}  ${change.path.padEnd(width)}  +${count('+')}${removed}`;
    })
    .join('\n');
}

/** Whether a text is longer than the screen. */
export const fillsScreen = (text: string): boolean =>
  text.split('\n').length > (process.stdout.rows ?? 24) - 2;

/** Asks until the answer is another one than to see a text. @throws Stopped */
export async function askShowing(prompt: Prompt, text: string): Promise<string> {
  for (;;) {
    const answer = await ask(prompt);
    if (!/^(d|diff|show)$/i.test(answer.trim())) return answer;
    if (fillsScreen(text)) page(text);
    else console.log(text);
  }
}

/** Shows a text in the person's pager, or prints it where that can't be. */
function page(text: string): void {
  const ignore = () => {};
  process.on('SIGINT', ignore);
  const { error, status } = spawnSync(process.env.PAGER?.trim() || 'less', {
    shell: true,
    input: `${text}\n`,
    stdio: ['pipe', 'inherit', 'ignore'],
    env: { ...process.env, PATH: trustedPath('.'), LESS: process.env.LESS ?? '-R -F -X' },
  });
  process.off('SIGINT', ignore);
  if (error || status === 127) console.log(text);
}
