import type { OnConflict } from '../edit/conflict.ts';
import type { Change } from '../plan/file.ts';
import { askWithDiff, replacementDiff } from './preview.ts';
import { atTerminal } from './prompt.ts';
import { print, wrapped } from './terminal.ts';

/** The files in which lines of their owner stand where ours would. */
export const conflictsIn = (changes: readonly Change[]): Change[] =>
  changes.filter(({ ours }) => ours !== undefined);

/** Asked at a terminal; without one the files are left alone. @throws Stopped */
export async function decideConflicts(
  conflicts: readonly Change[],
  mergeable: readonly string[],
): Promise<OnConflict> {
  if (conflicts.length === 0 || !atTerminal()) return 'leave';
  const paths = conflicts.map(({ path }) => path).join(', ');
  print(`\n${wrapped(`In ${paths}, your lines differ from ours.`)}`);
  const merge = `merge    ${mergeable.join(', ')}; where both changed, yours stays`;
  const choices = [
    'leave    yours stays as it is',
    'replace  yours by ours',
    ...(mergeable.length ? [merge] : []),
    'show     what replace would change',
  ].map((name) => ({ value: name.split(' ')[0] ?? '', name }));
  const prompt = {
    message: 'What to do there?',
    suggestion: 'leave',
    validate: () => 'pick one of these',
    search: (term: string) => choices.filter(({ value }) => value.startsWith(term)),
  };
  return (await askWithDiff(prompt, replacementDiff(conflicts))) as OnConflict;
}

/** A sentence for each file with a conflict: what becomes of it. */
export function conflictNotes(
  conflicts: readonly Change[],
  onConflict: OnConflict,
  mergeable: readonly string[],
): string[] {
  const merge = onConflict === 'merge';
  return conflicts.map(({ path }) => {
    if (merge && mergeable.includes(path))
      return `${path} is merged; where both changed, yours stays.`;
    const reason = merge ? "can't be merged, so it " : '';
    return `${path} ${reason}keeps what you wrote; \`check\` says what it lacks.`;
  });
}
