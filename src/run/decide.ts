import type { OnConflict } from '../answers/flags.ts';
import { type Change, type Context, type Descriptor, kindOf } from '../plan/file.ts';
import { plan } from '../plan/plan.ts';
import { Problem } from '../problem.ts';
import { conflictsIn, diffOf, fillsScreen, lostIn, page } from './preview.ts';
import { ask, atTerminal } from './prompt.ts';
import { say } from './terminal.ts';

const show = (text: string): void => (fillsScreen(text) ? page(text) : console.log(text));

/**
 * What becomes of files in which lines of their owner stand where ours would: asked at a terminal, else they are left alone.
 * @throws Stopped
 */
export async function decideConflicts(
  files: readonly Descriptor[],
  context: Context,
  planned: readonly Change[],
): Promise<OnConflict> {
  const found = conflictsIn(planned);
  if (found.length === 0 || !atTerminal()) return 'leave';
  const merged = plan(files, context, 'merge');
  const mergeHelps = found.some(
    ({ path, after }) => merged.find((change) => change.path === path)?.after !== after,
  );
  const choices = [
    { value: 'leave', name: 'leave    yours stays as it is' },
    { value: 'merge', name: 'merge    what can be merged; where both changed, yours stays' },
    { value: 'replace', name: 'replace  yours by ours' },
    { value: 'show', name: 'show     what replace would change' },
  ].filter(({ value }) => mergeHelps || value !== 'merge');
  say(`\nIn ${found.map(({ path }) => path).join(', ')}, your lines differ from ours.`);
  for (;;) {
    const choice = await ask({
      message: 'What to do there?',
      offered: 'leave',
      validate: (text) => choices.some(({ value }) => value === text) || 'pick one of these',
      search: (term) => choices.filter(({ value }) => value.startsWith(term)),
    });
    if (choice !== 'show') return choice as OnConflict;
    show(lostIn(found));
  }
}

/**
 * Shows the diff, and asks whether to write, unless a flag says so.
 * @throws Problem without a terminal, where files that exist would change; Stopped
 */
export async function decideWriting(
  changes: readonly Change[],
  write: boolean | undefined,
): Promise<boolean> {
  const diff = `\n${diffOf(changes)}\n`;
  const asks = write === undefined && atTerminal();
  if (!asks || !fillsScreen(diff)) console.log(diff);
  if (write !== undefined) return write;
  if (!asks) return decideAlone(changes);
  const files = `${changes.length} file${changes.length === 1 ? '' : 's'}`;
  for (;;) {
    const answer = await ask({
      message: `Write ${files}? (y/N, d shows the diff)`,
      validate: (text) => /^(y|yes|n|no|d|diff|)$/i.test(text.trim()) || 'y, n or d',
    });
    if (!/^d/i.test(answer.trim())) return /^y/i.test(answer.trim());
    show(diff);
  }
}

function decideAlone(changes: readonly Change[]): boolean {
  const touched = changes.filter((change) => kindOf(change) === 'update').map(({ path }) => path);
  if (touched.length === 0) return true;
  throw new Problem(
    `${touched.join(', ')} would change: without a terminal, pass --write yes to allow it (or --write no to only see the diff)`,
  );
}
