import { printAnswer } from '../answers/questions.ts';
import type { OnConflict } from '../edit/conflict.ts';
import { budgetNotes } from '../elixir/budget.ts';
import { monthlyCost, PRICES_AS_OF } from '../fly/cost.ts';
import { flyConfig } from '../fly/fly-config.ts';
import { sizeOf } from '../fly/machine.ts';
import type { Context, GeneratedFile } from '../plan/file.ts';
import { shellWord } from '../quote.ts';
import type { Run } from './generate.ts';
import { wrapped } from './terminal.ts';

/**
 * Sentences to read before writing, each with its file where it is about one.
 * @param kept files that stay their owner's: what we would write in them is no matter then
 */
export const notesOf = (
  files: readonly GeneratedFile[],
  context: Context,
  kept: readonly string[],
): string[] => [
  // The facts behind a file that asks nothing are in the file
  ...(files.some(({ asks }) => asks.includes('release')) ? context.project.notes : []),
  ...files.flatMap((file) => {
    const path = file.outputs(context)[0]?.path ?? file.name;
    const notes = kept.includes(path) ? [] : (file.notes?.(context) ?? []);
    return notes.map((note) =>
      note.startsWith(path) || /^[\w./-]*\.\w+(:\d+)?: /.test(note) ? note : `${path}: ${note}`,
    );
  }),
  ...budgetNotes().filter((note) => !context.project.notes.includes(note)),
];

/** The command that repeats a run. */
export function oneShot({ name, asks, way, dest, context }: Run, onConflict: OnConflict): string {
  const words = [way.command, name];
  if (dest !== undefined) words.push('--dest', shellWord(dest));
  if (way.command === 'npx plop') words.push('--');
  for (const each of asks)
    words.push(`--${each}`, shellWord(printAnswer(each, context.answers[each])));
  if (onConflict !== 'leave') words.push('--conflict', onConflict);
  return [...words, '--write yes'].join(' ');
}

/** The monthly cost, and what would bring it under the budget. */
export function costLines({ project, answers }: Context): string {
  const { memory, postgres, background } = answers;
  const { machine } = flyConfig(project.tree);
  const size = machine ? sizeOf(machine.data) : 'shared-cpu-1x';
  if (size !== 'shared-cpu-1x')
    return wrapped(
      `What ${size} costs is not in the table of ${PRICES_AS_OF}; see fly.io/docs/about/pricing.`,
    );
  const { total, parts, remarks, warning } = monthlyCost(memory, postgres, background);
  const sum = `About $${total.toFixed(2)} a month (prices of ${PRICES_AS_OF})`;
  return [`${sum}: ${parts.join(' + ')}; ${remarks.join('; ')}.`, warning ?? '']
    .filter(Boolean)
    .map((line) => wrapped(line))
    .join('\n');
}
