import { createHash } from 'node:crypto';
import { Problem } from '../problem.ts';
import type { Merge, OnConflict } from './conflict.ts';
import { sameEndings } from './endings.ts';
import { VERSION } from './version.ts';

/** The block from mark to mark; what stands behind the second one in its line is its owner's. */
const BLOCK = /^(# >>> phoenix-fly.*?)\r?\n([\s\S]*?)^# <<< phoenix-fly/m;
const MARKS = /^[ \t]*# (>>>|<<<) phoenix-fly/gm;
const ADVICE =
  'a rerun updates this block. Write below it, where yours wins; "# phoenix-fly: none" instead of it keeps it out';
/** The first mark as we write it, with the checksum of the block. */
const FIRST_MARK = new RegExp(
  `^# >>> phoenix-fly \\d+\\.\\d+\\.\\d+ \\(([0-9a-f]+)\\): ${ADVICE}$`,
);
/** The mark of files without a checksum, which no version knows to be edited: it said that a rerun replaces them. */
const MARK_WITHOUT_CHECKSUM =
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
  (existing, rendered, onConflict) => {
    const before = existing?.trim() ? existing : `${head}\n`;
    const lines = `${rendered.trimEnd()}\n\n`;
    const mark = `# >>> phoenix-fly ${VERSION} (${checksum(lines)}): ${ADVICE}`;
    const block = sameEndings(before, `${mark}\n${lines}# <<< phoenix-fly`);
    const marks = before.match(MARKS)?.length ?? 0;
    const old = BLOCK.exec(before);
    if (marks !== (old ? 2 : 0))
      throw new Problem(
        `${path}: the marks of phoenix-fly's block (# >>> and # <<<) are no longer one pair; restore or remove them, then run again`,
      );
    if (old) return keepsOld(old, lines, onConflict) ? before : before.replace(BLOCK, () => block);
    if (NONE.test(before)) return before;
    const newline = before.includes('\r\n') ? '\r\n' : '\n';
    const ending = before.endsWith('\n') ? '' : newline;
    const gap = /\n\r?\n$/.test(before) ? '' : ending + newline;
    return before + gap + block + newline;
  };

/** Whether the old block stays: it says the same as the new one, or its owner edited it and wins. */
function keepsOld(
  [, mark = '', oldLines = '']: RegExpExecArray,
  newLines: string,
  onConflict: OnConflict,
): boolean {
  const writtenSum = FIRST_MARK.exec(mark)?.[1];
  const oldSum = checksum(oldLines);
  const newSum = checksum(newLines);
  if (writtenSum === newSum && oldSum === newSum) return true;
  if (onConflict === 'replace' || mark === MARK_WITHOUT_CHECKSUM) return false;
  const isMarkEdited = writtenSum === undefined;
  return isMarkEdited || (oldSum !== writtenSum && oldSum !== newSum);
}

const checksum = (lines: string): string =>
  createHash('sha256').update(lines.replaceAll('\r\n', '\n')).digest('hex').slice(0, 12);

/** Our block of a text, undefined when it has none. */
export const ourBlock = (text: string): string | undefined => BLOCK.exec(text)?.[2];

/** The text with our block blanked out, line numbers kept: what its owner wrote. */
export const outsideBlock = (text: string): string =>
  text.replace(BLOCK, (block) => block.replaceAll(/[^\n]/g, ''));
