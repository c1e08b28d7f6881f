import { spawnSync } from 'node:child_process';
import { styleText } from 'node:util';
import { createTwoFilesPatch } from 'diff';
import { trustedPath } from '../fly/flyctl.ts';
import { type Change, kindOf } from '../plan/file.ts';
import { printable } from '../problem.ts';
import { ask, type Prompt } from './prompt.ts';

/** The hashes in the last line of a Dockerfile say nothing to a reader: `# phoenix-fly 0.2.0: AbC123…`. */
const LONG_HASHES = /^(.# phoenix-fly[\w ]*: [\w.-]{6})[\w.-]+/;

const DIFF_COLORS = [
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

function paintDiffLine(text: string): string {
  const line = printable(text).replace(LONG_HASHES, '$1…');
  const [, color] = DIFF_COLORS.find(([pattern]) => pattern.test(line)) ?? [];
  return color ? styleText(color, line) : line;
}

/** One unified diff of all changes, in colour. */
export function diffOf(changes: readonly Change[]): string {
  const lines = changes.map(patchOf).join('').trimEnd().split('\n');
  return lines.map(paintDiffLine).join('\n');
}

/** What `--conflict replace` would remove from the files with conflicts (-), and what it would write instead (+). */
export function replacementDiff(conflicts: readonly Change[]): string {
  const replacements = conflicts.map(({ path, after, ours = after }) => ({
    path,
    before: after,
    after: ours,
  }));
  return `--conflict replace would change:\n\n${diffOf(replacements)}\n`;
}

/** A line for each file: what becomes of it, and how many lines are added and removed. */
export function summaryOf(changes: readonly Change[]): string {
  const width = Math.max(...changes.map(({ path }) => path.length));
  const lines = changes.map((change) => {
    const patch = patchOf(change).split('\n').slice(2);
    const added = patch.filter((line) => line.startsWith('+')).length;
    const removed = patch.filter((line) => line.startsWith('-')).length;
    const counts = `+${added}${removed ? ` -${removed}` : ''}`;
    return `  ${kindOf(change)}  ${change.path.padEnd(width)}  ${counts}`;
  });
  return lines.join('\n');
}

/** Whether a text is longer than the screen. */
export const fillsScreen = (text: string): boolean =>
  text.split('\n').length > (process.stdout.rows ?? 24) - 2;

/** Asks again after each answer that wants to see the diff first (d, diff, show). @throws Stopped */
export async function askWithDiff(prompt: Prompt, diff: string): Promise<string> {
  for (;;) {
    const answer = await ask(prompt);
    if (!/^(d|diff|show)$/i.test(answer.trim())) return answer;
    if (fillsScreen(diff)) showInPager(diff);
    else console.log(diff);
  }
}

/** Shows a text in the person's pager, or prints it where there is none. */
function showInPager(text: string): void {
  // Ctrl-C is for the pager
  const ignore = () => {};
  process.on('SIGINT', ignore);
  const { error, status } = spawnSync(process.env.PAGER?.trim() || 'less', {
    shell: true,
    input: `${text}\n`,
    stdio: ['pipe', 'inherit', 'ignore'],
    env: { ...process.env, PATH: trustedPath('.'), LESS: process.env.LESS ?? '-R -F -X' },
  });
  process.off('SIGINT', ignore);
  const isMissing = error !== undefined || status === 127;
  if (isMissing) console.log(text);
}
