import { createHash } from 'node:crypto';
import { diff3Merge } from 'node-diff3';
import type { OnConflict } from './conflict.ts';
import { sameEndings } from './endings.ts';

const STAMP_WORDS = 'keeps your edits by this print of its lines';
/** "# phoenix-fly keeps your edits by this print of its lines: Xy2.aB3…"; without the words in files of 0.1.0. */
const STAMP = new RegExp(
  `^# phoenix-fly(?: (${STAMP_WORDS}))?: ([\\w.-]+)[ \\t]*\\r?(?:\\n|$)`,
  'gm',
);
const HASH_LENGTH = 3;
const EMPTY_LINE = '.';
const FINGERPRINT = /\.|[^.]{3}/g;

/**
 * Joins a file that we wrote, and its owner may have edited, with what we would write now: a three-way merge.
 * Its base is neither guessed nor fetched (from git, from old templates): the file's last line, its stamp, holds a
 * fingerprint of each line that was written, and a merge needs no more of a base than to know which lines are still the
 * same. Three characters tell 262,144 lines apart.
 * A file without a stamp, with two, or with an edited one is its owner's as a whole: there is nothing to merge, only to
 * leave or to replace.
 */
export function mergeLines(
  before: string | undefined,
  rendered: string,
  onConflict: OnConflict,
): string {
  if (before === undefined) return rendered + stampOf(rendered);
  const ours = sameEndings(before, rendered);
  const stamp = sameEndings(before, stampOf(ours));
  const [written, ...otherStamps] = before.matchAll(STAMP);
  const fingerprints = written && readStamp(written);
  if (!fingerprints || otherStamps.length) return onConflict === 'replace' ? ours + stamp : before;
  const ourLines = linesOf(ours);
  if (fingerprints.join() === ourLines.map(fingerprint).join()) return before;
  const ourFirstLine = FIRST_LINE.exec(ours)?.[0];
  const theirs = before.replace(STAMP, '').replace(FIRST_LINE, (line) => ourFirstLine ?? line);
  const theirLines = linesOf(theirs);
  const lines = new Map([...ourLines, ...theirLines].map((line) => [fingerprint(line), line]));
  const base = fingerprints.map((print) => lines.get(print) ?? print);
  const regions = diff3Merge(theirLines, base, ourLines);
  if (onConflict === 'leave' && regions.some(({ conflict }) => conflict)) return before;
  const winner = onConflict === 'replace' ? 'b' : 'a';
  const merged = regions.flatMap(({ ok, conflict }) => ok ?? conflict?.[winner] ?? []);
  const newline = before.includes('\r\n') ? '\r\n' : '\n';
  const text = merged.map((line) => (line.endsWith('\n') ? line : line + newline)).join('');
  return text + (before.endsWith('\n') ? stamp : stamp.trimEnd());
}

/** Names the version, so it is hashed as 0.1.0 wrote it: else each release would look like an edit. */
const FIRST_LINE = /^# Written by phoenix-fly \d.*/m;
const HASHED_FIRST_LINE =
  '# Written by phoenix-fly . Edit what you like: a rerun (npx plop dockerfile) keeps it, the last line tells yours from ours.';

/** Keeps the line endings with their lines. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

const hash = (text: string): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, HASH_LENGTH);

function fingerprint(line: string): string {
  const text = line.replace(/\r?\n$/, '');
  return text ? hash(text.replace(FIRST_LINE, HASHED_FIRST_LINE)) : EMPTY_LINE;
}

function stampOf(text: string): string {
  const fingerprints = linesOf(text).map(fingerprint).join('');
  return `# phoenix-fly ${STAMP_WORDS}: ${fingerprints}${hash(fingerprints)}\n`;
}

/** @returns the fingerprints; undefined where somebody edited the stamp. 0.1.0 wrote no hash at the end, and hashed empty lines */
function readStamp([, words, text = '']: string[]): string[] | undefined {
  if (!words) return text.match(FINGERPRINT)?.map((print) => print.replace(hash(''), EMPTY_LINE));
  const fingerprints = text.slice(0, -HASH_LENGTH);
  const isEdited = hash(fingerprints) !== text.slice(-HASH_LENGTH);
  return isEdited ? undefined : (fingerprints.match(FINGERPRINT) ?? undefined);
}
