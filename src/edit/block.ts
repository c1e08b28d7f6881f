import { createHash } from 'node:crypto';
import type { Output } from '../plan/file.ts';
import { VERSION } from '../plan/version.ts';
import { Problem } from '../problem.ts';
import { sameEndings } from './endings.ts';

const BLOCK = /^# >>> phoenix-fly(?: [\w.-]+ \((\w+)\))?.*\r?\n([\s\S]*?)^# <<< phoenix-fly.*$/m;
/** In place of the block: its owner does without it. */
const NONE = /^# phoenix-fly: none[ \t]*\r?$/m;

/**
 * Merges our lines into a file of the user's: in place of the old block, else at the end. Every byte outside the block
 * stays, line endings included. The block's first line holds a checksum, so that edits inside it are seen: they stay
 * unless told to go.
 * @param head the first line of the file where there is none yet, or an empty one
 * @throws Problem when the marks are damaged
 */
export const intoBlock =
  (path: string, head: string): NonNullable<Output['merge']> =>
  (found, rendered, onConflict) => {
    const before = found?.trim() ? found : `${head}\n`;
    const lines = `${rendered.trimEnd()}\n\n`;
    const block = sameEndings(before, `${firstMark(lines)}\n${lines}# <<< phoenix-fly\n`);
    const count = (mark: RegExp) => before.match(mark)?.length ?? 0;
    const [begins, ends] = [count(/^# >>> phoenix-fly/gm), count(/^# <<< phoenix-fly/gm)];
    if (begins !== ends || begins > 1 || (begins === 1 && !BLOCK.test(before)))
      throw new Problem(
        `${path}: the marks of phoenix-fly's block (# >>> and # <<<) are no longer one pair; restore or remove them, then run again`,
      );
    const [old, sum, theirs = ''] = BLOCK.exec(before) ?? [];
    if (old !== undefined) {
      // Before 0.1.0 had checksums, its mark said that a rerun replaces what stands between
      const edited = sum !== undefined && ![sum, checksum(lines)].includes(checksum(theirs));
      const settled = edited ? onConflict !== 'replace' : sum === checksum(lines);
      return settled ? before : before.replace(BLOCK, () => block.trimEnd());
    }
    if (NONE.test(before)) return before;
    const newline = before.includes('\r\n') ? '\r\n' : '\n';
    const gap = /\n\r?\n$/.test(before) ? '' : before.endsWith('\n') ? newline : newline + newline;
    return before + gap + block;
  };

const checksum = (lines: string): string =>
  createHash('sha256').update(lines.replaceAll('\r\n', '\n')).digest('hex').slice(0, 12);

const firstMark = (lines: string): string =>
  `# >>> phoenix-fly ${VERSION} (${checksum(lines)}): a rerun updates this block. Write below it, where yours wins; "# phoenix-fly: none" instead of it keeps it out`;

/** Our block of a text, undefined when it has none. */
export const ourBlock = (text: string): string | undefined => BLOCK.exec(text)?.[2];

/** The text with our block blanked out, line numbers kept: what its owner wrote. */
export const outsideBlock = (text: string): string =>
  text.replace(BLOCK, (block) => block.replaceAll(/[^\n]/g, ''));
