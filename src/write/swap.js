// From the old files to the new ones, and back. Plain JavaScript, because the guard (guard.js) runs it too, and has to
// start at once and without a compiler.
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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
 * Agrees to the change: from here on the renames may begin.
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
 * @param {() => boolean} wanted asked right before the first rename
 */
export function swap(staging, wanted = () => true) {
  const journal = read(join(staging, JOURNAL));
  if (!journal) return;
  try {
    forward(staging, journal, true, wanted);
  } catch (error) {
    back(staging, journal);
    throw error;
  }
  rmSync(staging, { recursive: true, force: true });
}

/**
 * Ends what a run began whose guard is dead or slow: all of it if it was amid the renames, else nothing of it. A file that
 * was edited since stays.
 * @param {string} staging
 * @param {boolean} begin make all the renames, where there was none as well; an edited file stops them then
 * @returns {'completed' | 'undone' | 'cleared'} cleared: the tree had not been touched
 */
export function settle(staging, begin = false) {
  // Under another name, nobody else makes a rename from it: the guard may be slow and not dead
  const mine = `${staging}~`;
  if (!unless(isGone, staging, () => renameSync(staging, mine))) return 'cleared';
  const [journal, undo] = [read(join(mine, JOURNAL)), read(join(mine, UNDO))];
  const begun = begin || journal?.files.some((_, index) => isGone(join(mine, `${index}.new`)));
  let outcome = /** @type {'completed' | 'undone' | 'cleared'} */ (
    undo ? 'undone' : journal && begun ? 'completed' : 'cleared'
  );
  try {
    if (journal && begun) forward(mine, journal, begin);
  } catch {
    outcome = 'undone';
  }
  if (outcome !== 'completed') back(mine, undo ?? journal);
  rmSync(mine, { recursive: true, force: true });
  return outcome;
}

/** @param {string} path @returns {Journal | undefined} */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * All the checks before the renames, so that little time is between the first and the last one.
 * @param {string} staging @param {Journal} journal
 * @param {boolean} strict a file that was edited meanwhile stops it all
 */
function forward(staging, journal, strict, wanted = () => true) {
  const { root, folders, files } = journal;
  try {
    const moves = files
      .map(({ path, before }, index) => ({
        content: join(staging, `${index}.new`),
        target: join(root, path),
        before,
      }))
      .filter(({ content }) => existsSync(content));
    const stale = new Set(
      moves.filter(
        ({ content, target, before }) => sumOf(target) !== before && existsSync(content),
      ),
    );
    if (strict && stale.size)
      throw Object.assign(new Error('a file changed meanwhile'), { code: 'ESTALE' });
    if (moves.length === files.length && !wanted())
      throw Object.assign(new Error('the run was killed'), { code: 'ECANCELED' });
    // Not recursive: Node then hides why it failed
    for (const folder of folders)
      unless(existsSync, join(root, folder), () => mkdirSync(join(root, folder)));
    for (const { content, target } of moves.filter((move) => !stale.has(move)))
      unless(isGone, content, () => renameSync(content, target));
  } catch (error) {
    renameSync(join(staging, JOURNAL), join(staging, UNDO));
    throw error;
  }
}

const isGone = (/** @type {string} */ path) => !existsSync(path);

/**
 * Takes a step that somebody else may take at the same time. @returns whether it was taken here
 * @param {(path: string) => boolean} done @param {string} path @param {() => void} step
 */
function unless(done, path, step) {
  try {
    if (done(path)) return false;
    step();
    return true;
  } catch (error) {
    if (!done(path)) throw error;
    return false;
  }
}

/** @param {string} staging @param {Journal | undefined} journal undefined: it had not come to that */
function back(staging, { root, folders, files } = { root: '', folders: [], files: [] }) {
  files.forEach(({ path, before, after }, index) => {
    const [target, old] = [join(root, path), join(staging, `${index}.old`)];
    if (existsSync(join(staging, `${index}.new`)) || sumOf(target) !== after) return;
    if (before === null) rmSync(target, { force: true });
    else unless(isGone, old, () => renameSync(old, target));
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
