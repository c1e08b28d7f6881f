import { createHash } from 'node:crypto';
import { Problem } from '../problem.ts';
import type { Merge } from './conflict.ts';
import { sameEndings } from './endings.ts';
import { VERSION } from './version.ts';

/** The block from mark to mark; what stands behind the second one in its line is its owner's. */
const BLOCK = /^(# >>> phoenix-fly.*?)\r?\n([\s\S]*?)^# <<< phoenix-fly/m;
const MARKS = /^[ \t]*# (>>>|<<<) phoenix-fly/gm;
const ADVICE =
  'a rerun updates this block. Write below it, where yours wins; "# phoenix-fly: none" instead of it keeps it out';
/** The first mark as we write it, with the checksum of the block. */
const FIRST = new RegExp(`^# >>> phoenix-fly \\d+\\.\\d+\\.\\d+ \\(([0-9a-f]+)\\): ${ADVICE}$`);
/** The mark of files without a checksum, which no version knows to be edited: it said that a rerun replaces them. */
const UNSUMMED =
  '# >>> phoenix-fly: a rerun replaces what stands between these marks; the rest of the file is yours';
/** In place of the block: its owner does without it. */
const NONE = /^# phoenix-fly: none[ \t]*\r?$/m;

/**
 * Merges our lines into a file of the user's: in place of the old block, else at the end. Every byte outside the block
 * stays, line endings included. The block's first line holds a checksum, so that edits inside it are seen: they stay
 * unless told to go, as does a block whose first line was edited.
 * @param head the first line of the file where there is none yet, or an empty one
 * @throws Problem when the marks are damaged
 */
export const intoBlock =
  (path: string, head: string): Merge =>
  (found, rendered, onConflict) => {
    const before = found?.trim() ? found : `${head}\n`;
    const lines = `${rendered.trimEnd()}\n\n`;
    const first = `# >>> phoenix-fly ${VERSION} (${checksum(lines)}): ${ADVICE}`;
    const block = sameEndings(before, `${first}\n${lines}# <<< phoenix-fly`);
    const marks = before.match(MARKS)?.length ?? 0;
    const old = BLOCK.exec(before);
    if (marks !== (old ? 2 : 0))
      throw new Problem(
        `${path}: the marks of phoenix-fly's block (# >>> and # <<<) are no longer one pair; restore or remove them, then run again`,
      );
    if (old) {
      const [, mark = '', theirs = ''] = old;
      const [sum, there, ours] = [FIRST.exec(mark)?.[1], checksum(theirs), checksum(lines)];
      const isCurrent = sum === ours && there === ours;
      const isEdited =
        mark !== UNSUMMED && (sum === undefined || (there !== sum && there !== ours));
      const stays = isCurrent || (isEdited && onConflict !== 'replace');
      return stays ? before : before.replace(BLOCK, () => block);
    }
    if (NONE.test(before)) return before;
    const newline = before.includes('\r\n') ? '\r\n' : '\n';
    const ending = before.endsWith('\n') ? '' : newline;
    const gap = /\n\r?\n$/.test(before) ? '' : ending + newline;
    return before + gap + block + newline;
  };

const checksum = (lines: string): string =>
  createHash('sha256').update(lines.replaceAll('\r\n', '\n')).digest('hex').slice(0, 12);

/** Our block of a text, undefined when it has none. */
export const ourBlock = (text: string): string | undefined => BLOCK.exec(text)?.[2];

/** The text with our block blanked out, line numbers kept: what its owner wrote. */
export const outsideBlock = (text: string): string =>
  text.replace(BLOCK, (block) => block.replaceAll(/[^\n]/g, ''));
