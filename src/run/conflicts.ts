import type { OnConflict } from '../edit/conflict.ts';
import { type Change, type Context, type GeneratedFile, kindOf } from '../plan/file.ts';
import { plan } from '../plan/plan.ts';
import { askWithDiff, replacementDiff } from './preview.ts';
import { atTerminal } from './prompt.ts';
import { print, wrapped } from './terminal.ts';

interface Resolution {
  onConflict: OnConflict;
  /** What will be written; files that stay the same are not among them. */
  changes: Change[];
  /** The files in which lines of their owner stand where ours would, and those of them that stay the same. */
  conflicts: Change[];
  kept: string[];
  /** A sentence for each conflict: what becomes of the file. */
  notes: string[];
}

/**
 * Plans the changes. Where they collide with what an owner wrote, --conflict decides, else a person at a terminal; without
 * both the files are left alone.
 * @throws Stopped
 */
export async function resolveConflicts(
  files: readonly GeneratedFile[],
  context: Context,
  flag: OnConflict | undefined,
): Promise<Resolution> {
  const leavePlan = plan(files, context, 'leave');
  const mergeable = differingPaths(leavePlan, plan(files, context, 'merge'));
  const onConflict = flag ?? (await askOnConflict(conflictsIn(leavePlan), mergeable));
  const planned = onConflict === 'leave' ? leavePlan : plan(files, context, onConflict);
  const conflicts = conflictsIn(planned);
  return {
    onConflict,
    changes: planned.filter((change) => kindOf(change) !== 'same'),
    conflicts,
    kept: conflicts.filter((change) => kindOf(change) === 'same').map(({ path }) => path),
    notes: conflicts.map(
      ({ path }) => `${path} keeps your lines where ours differ; \`check\` says what it lacks.`,
    ),
  };
}

const conflictsIn = (changes: readonly Change[]): Change[] =>
  changes.filter(({ ours }) => ours !== undefined);

/** Files for which merging differs from leaving them: not those that their owner wrote without us. */
const differingPaths = (left: readonly Change[], merged: readonly Change[]): string[] =>
  merged.filter(({ after }, index) => after !== left[index]?.after).map(({ path }) => path);

async function askOnConflict(
  conflicts: readonly Change[],
  mergeable: readonly string[],
): Promise<OnConflict> {
  if (conflicts.length === 0 || !atTerminal()) return 'leave';
  const paths = conflicts.map(({ path }) => path).join(', ');
  print(`\n${wrapped(`In ${paths}, your lines differ from ours.`)}`);
  const mergeName = `merge    ${mergeable.join(', ')}; where both changed, yours stays`;
  const choices = [
    { value: 'leave', name: 'leave    yours stays as it is' },
    { value: 'replace', name: 'replace  yours by ours' },
    ...(mergeable.length ? [{ value: 'merge', name: mergeName }] : []),
    { value: 'show', name: 'show     what replace would change' },
  ];
  const prompt = {
    message: 'What to do there?',
    suggestion: 'leave',
    validate: () => 'pick one of these',
    search: (term: string) => choices.filter(({ value }) => value.startsWith(term)),
  };
  return (await askWithDiff(prompt, replacementDiff(conflicts))) as OnConflict;
}
