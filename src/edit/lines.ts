import { createHash } from 'node:crypto';
import { diff3Merge } from 'node-diff3';
import type { OnConflict } from './conflict.ts';
import { sameEndings } from './endings.ts';

/**
 * The last line of a file of ours: a short hash of each line as we wrote it, a dot for an empty one, and a hash of it all.
 * Files of 0.1.0 have no words there and no last hash, but hashes of empty lines as well.
 */
const WORDS = 'keeps your edits by this print of its lines';
const STAMP = new RegExp(`^# phoenix-fly(?: (${WORDS}))?: ([\\w.-]+)[ \\t]*\\r?(?:\\n|$)`, 'gm');
const PRINT_LENGTH = 3;
const PRINT = /\.|[^.]{3}/g;

/**
 * Joins a file that we wrote, and its owner may have edited, with what we would write now: a three-way merge.
 * Its base is neither guessed nor fetched (from git, from old templates): the last line of the file holds a hash of each
 * line that was written, and a merge needs no more of a base than to know which lines are still the same. Three
 * characters tell 262,144 lines apart.
 * A file without that last line, with two, or with an edited one is its owner's as a whole: there is nothing to merge,
 * only to leave or to replace.
 */
export function mergeLines(
  before: string | undefined,
  rendered: string,
  onConflict: OnConflict,
): string {
  if (before === undefined) return rendered + stamp(rendered);
  const ours = sameEndings(before, rendered);
  const [stamped, ...others] = before.matchAll(STAMP);
  const prints = stamped && printsIn(stamped);
  if (!prints || others.length)
    return onConflict === 'replace' ? ours + sameEndings(before, stamp(ours)) : before;
  const ourLines = linesOf(ours);
  if (String(prints) === String(ourLines.map(print))) return before;
  const theirLines = linesOf(
    before.replace(STAMP, '').replace(MARK, (mark) => MARK.exec(ours)?.[0] ?? mark),
  );
  const known = new Map([...ourLines, ...theirLines].map((line) => [print(line), line]));
  const base = prints.map((found) => known.get(found) ?? found);
  const regions = diff3Merge(theirLines, base, ourLines);
  if (onConflict === 'leave' && regions.some(({ conflict }) => conflict)) return before;
  const side = onConflict === 'replace' ? 'b' : 'a';
  const merged = regions.flatMap(({ ok, conflict }) => ok ?? conflict?.[side] ?? []);
  const newline = before.includes('\r\n') ? '\r\n' : '\n';
  const text = merged.map((line) => (line.endsWith('\n') ? line : line + newline)).join('');
  const end = sameEndings(before, stamp(ours));
  return text + (before.endsWith('\n') ? end : end.trimEnd());
}

/** Our first line is the same one whatever it says: what it said at first is what the hashes of old files hold. */
const MARK = /^# Written by phoenix-fly \d.*/m;
const FIRST_MARK =
  '# Written by phoenix-fly . Edit what you like: a rerun (npx plop dockerfile) keeps it, the last line tells yours from ours.';

/** Keeps the line endings with their lines. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

const hash = (line: string): string =>
  createHash('sha256').update(line).digest('base64url').slice(0, PRINT_LENGTH);
const EMPTY = hash('');

function print(line: string): string {
  const text = line.replace(/\r?\n$/, '');
  return text ? hash(text.replace(MARK, FIRST_MARK)) : '.';
}

function stamp(text: string): string {
  const prints = linesOf(text).map(print).join('');
  return `# phoenix-fly ${WORDS}: ${prints}${hash(prints)}\n`;
}

/** @returns undefined where somebody wrote in it */
function printsIn([, words, text = '']: string[]): string[] | undefined {
  const prints = words ? text.slice(0, -PRINT_LENGTH) : text;
  if (words && hash(prints) !== text.slice(-PRINT_LENGTH)) return undefined;
  return prints.match(PRINT)?.map((found) => (found === EMPTY ? '.' : found));
}
