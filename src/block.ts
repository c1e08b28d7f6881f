import { sameEndings } from './plan.ts';

const BEGIN = '# >>> phoenix-fly';
const END = '# <<< phoenix-fly';

const BLOCK = /^# >>> phoenix-fly.*\r?\n[\s\S]*?^# <<< phoenix-fly.*$/m;

/** Wraps lines in the marks by which a rerun finds them; `mix format` wants an empty line before the last one. */
export const marked = (lines: string): string => `${BEGIN}: a rerun replaces what stands between these marks; the rest of the file is yours\n${lines.trimEnd()}\n\n${END}\n`;

/**
 * Puts our marked block into a file of the user's: in place of the old block, else at the end. Every byte outside
 * the block stays, line endings included.
 */
export function putBlock(before: string | undefined, block: string): string {
  if (before === undefined) return block;
  const fitting = sameEndings(before, block);
  if (BLOCK.test(before)) return before.replace(BLOCK, () => fitting.trimEnd());
  const newline = before.includes('\r\n') ? '\r\n' : '\n';
  const gap = before === '' ? '' : before.endsWith('\n') ? newline : newline + newline;
  return before + gap + fitting;
}

/** The text with our block blanked out, line numbers kept: what its owner wrote. */
export const outsideBlock = (text: string): string => text.replace(BLOCK, (block) => block.replaceAll(/[^\n]/g, ''));
