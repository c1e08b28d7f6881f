// From the old files to the new ones, and back. Plain JavaScript, because the guard (guard.js) runs it too, and has to
// start at once and without a compiler.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What is going to happen. New contents wait in the staging folder as 0.new, 1.new…, what they replace is kept as 0.old.
 * @typedef {{ path: string, before: string | null, after: string }} Swap path, and checksums of the old and the new content
 * @typedef {{ root: string, folders: string[], files: Swap[] }} Journal folders: those to make, outer ones first
 */

const JOURNAL = 'journal';
/** The journal's name once something went wrong: a rename needs no room on a full disk. */
const UNDO = 'undo';

/** @param {string | Buffer} content */
export const checksum = (content) => createHash('sha256').update(content).digest('hex');

/**
 * Agrees to the change: from here on a killed run is completed, not undone.
 * @param {string} staging
 * @param {Journal} journal
 */
export function agree(staging, journal) {
  writeFileSync(join(staging, 'draft'), JSON.stringify(journal), { flush: true });
  renameSync(join(staging, 'draft'), join(staging, JOURNAL));
}

/** @param {string} staging */
export const agreed = (staging) => existsSync(join(staging, JOURNAL));

/**
 * Puts the new files in place of the old ones and removes the staging folder. Throws when it can't; then none is in place.
 * @param {string} staging
 */
export function swap(staging) {
  const journal = read(join(staging, JOURNAL));
  if (journal) forward(staging, journal, true);
  rmSync(staging, { recursive: true, force: true });
}

/**
 * Ends what a killed run began: all of it if it had come to the renames, else nothing of it. A file that was edited since stays.
 * @param {string} staging
 * @returns {'completed' | 'undone' | 'cleared'} cleared: the tree had not been touched
 */
export function settle(staging) {
  const [journal, undo] = [read(join(staging, JOURNAL)), read(join(staging, UNDO))];
  let outcome = /** @type {'completed' | 'undone' | 'cleared'} */ (undo ? 'undone' : journal ? 'completed' : 'cleared');
  if (undo) back(staging, undo);
  else if (journal) {
    try {
      forward(staging, journal, false);
    } catch {
      outcome = 'undone';
    }
  }
  rmSync(staging, { recursive: true, force: true });
  return outcome;
}

/** @param {string} path @returns {Journal | undefined} */
const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined);

/**
 * All the checks before the renames, so that little time is between the first and the last one.
 * @param {string} staging @param {Journal} journal
 * @param {boolean} strict a file that was edited meanwhile stops it all
 */
function forward(staging, journal, strict) {
  const { root, folders, files } = journal;
  try {
    const waiting = files.map(({ path, before }, index) => ({ content: join(staging, `${index}.new`), target: join(root, path), before })).filter(({ content }) => existsSync(content));
    const moves = waiting.filter(({ target, before }) => sumOf(target) === before);
    if (strict && moves.length < waiting.length) throw Object.assign(new Error('a file changed meanwhile'), { code: 'ESTALE' });
    // Not recursive: Node then hides why it failed
    for (const folder of folders.filter((one) => !existsSync(join(root, one)))) mkdirSync(join(root, folder));
    for (const { content, target } of moves) move(content, target);
  } catch (error) {
    renameSync(join(staging, JOURNAL), join(staging, UNDO));
    back(staging, journal);
    throw error;
  }
}

/** The guard and a new run may meet here: what is no longer there, the other one has moved. */
function move(/** @type {string} */ content, /** @type {string} */ target) {
  try {
    renameSync(content, target);
  } catch (error) {
    if (existsSync(content)) throw error;
  }
}

/** @param {string} staging @param {Journal} journal */
function back(staging, { root, folders, files }) {
  files.forEach(({ path, before, after }, index) => {
    const target = join(root, path);
    if (existsSync(join(staging, `${index}.new`)) || sumOf(target) !== after) return;
    if (before === null) rmSync(target);
    else renameSync(join(staging, `${index}.old`), target);
  });
  for (const folder of [...folders].reverse()) {
    try {
      rmdirSync(join(root, folder));
    } catch {
      // Not made, or somebody put something there: not ours to remove
    }
  }
}

/** @param {string} path @returns {string | null} null: there is nothing; what is no file has no checksum */
function sumOf(path) {
  if (!lstatSync(path, { throwIfNoEntry: false })) return null;
  try {
    return checksum(readFileSync(path));
  } catch {
    return '';
  }
}
