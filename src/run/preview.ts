import { createTwoFilesPatch } from 'diff';
import pc from 'picocolors';
import { type Change, kindOf } from '../plan/file.ts';

/** Control characters of a file must not reach the terminal. */
// oxlint-disable-next-line no-control-regex
const printable = (text: string): string =>
  text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '');

/** The hashes in the last line of a Dockerfile say nothing to a reader. */
const PRINTS = /^(.# phoenix-fly: [\w-]{6})[\w-]+/;

/** One unified diff of all changes. */
export function diffOf(changes: readonly Change[], color: boolean): string {
  const { green, red, cyan, bold } = pc.createColors(color);
  const patch = changes
    .map(({ path, before, after }) =>
      createTwoFilesPatch(
        before === undefined ? '/dev/null' : path,
        path,
        before ?? '',
        after,
        '',
        '',
        { context: 3 },
      )
        .replace(/^Index: .*\n/, '')
        .replace(/^=+\n/m, ''),
    )
    .join('');
  const paint = (line: string): string => {
    if (PRINTS.test(line)) return paint(line.replace(PRINTS, '$1…'));
    if (/^(---|\+\+\+) /.test(line)) return bold(line);
    if (line.startsWith('@@')) return cyan(line);
    return line.startsWith('+') ? green(line) : line.startsWith('-') ? red(line) : line;
  };
  return patch
    .trimEnd()
    .split('\n')
    .map((line) => paint(printable(line)))
    .join('\n');
}

/** What files with conflicts keep, and what ours would be in its place. */
export function conflictsOf(changes: readonly Change[], color: boolean): string {
  const diff = diffOf(
    changes.map(({ path, after, ours }) => ({ path, before: after, after: ours ?? after })),
    color,
  );
  return `Conflict: in ${changes.map((change) => change.path).join(', ')} your own lines (-) stand where ours (+) would. --conflict replace would change:\n\n${diff}\n`;
}

/** "create  fly.toml" lines. */
export const summaryOf = (changes: readonly Change[]): string =>
  changes.map((change) => `${kindOf(change).padStart(8)}  ${change.path}`).join('\n');
