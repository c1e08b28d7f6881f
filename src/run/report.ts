import { printAnswer } from '../answers/questions.ts';
import type { OnConflict } from '../edit/conflict.ts';
import { budgetNotes } from '../elixir/budget.ts';
import { monthlyCost, PRICES_AS_OF } from '../fly/cost.ts';
import { flyConfig } from '../fly/fly-config.ts';
import { sizeOf } from '../fly/machine.ts';
import type { Context, GeneratedFile } from '../plan/file.ts';
import { shellWord } from '../quote.ts';
import type { GeneratorRun } from './generate.ts';
import { wrapped } from './terminal.ts';

/**
 * Sentences to read before writing.
 * @param kept paths of the files that stay as their owner wrote them: notes on what we would write there are left out
 */
export function notesOf(
  files: readonly GeneratedFile[],
  context: Context,
  kept: readonly string[],
): string[] {
  const { notes } = context.project;
  // Files that don't depend on the release, such as .dockerignore, don't depend on what these notes are about either
  const isAboutRelease = files.some(({ asks }) => asks.includes('release'));
  return [
    ...(isAboutRelease ? notes : []),
    ...files.flatMap((file) => fileNotes(file, context, kept)),
    ...budgetNotes().filter((note) => !notes.includes(note)),
  ];
}

/** `config/runtime.exs:12: …` */
const STARTS_WITH_FILE = /^[\w./-]*\.\w+(:\d+)?: /;

/** The notes of one file, each with the path in front. */
function fileNotes(file: GeneratedFile, context: Context, kept: readonly string[]): string[] {
  const path = file.outputs(context)[0]?.path ?? file.name;
  if (kept.includes(path)) return [];
  const notes = file.notes?.(context) ?? [];
  return notes.map((note) =>
    note.startsWith(path) || STARTS_WITH_FILE.test(note) ? note : `${path}: ${note}`,
  );
}

/** The command that repeats a run without questions. */
export function repeatCommand(run: GeneratorRun, onConflict: OnConflict): string {
  const { name, asks, invocation, dest, context } = run;
  const words = [invocation.command, name];
  if (dest !== undefined) words.push('--dest', shellWord(dest));
  if (invocation.command === 'npx plop') words.push('--');
  for (const question of asks)
    words.push(`--${question}`, shellWord(printAnswer(question, context.answers[question])));
  if (onConflict !== 'leave') words.push('--conflict', onConflict);
  return [...words, '--write yes'].join(' ');
}

/** The monthly cost, and what would bring it under the budget. */
export function costLines({ project, answers }: Context): string {
  const { memory, postgres, background } = answers;
  const { machine, service, workers } = flyConfig(project.tree);
  const size = machine ? sizeOf(machine.data) : 'shared-cpu-1x';
  if (size !== 'shared-cpu-1x')
    return wrapped(
      `What ${size} costs is not in the table of ${PRICES_AS_OF}; see fly.io/docs/about/pricing.`,
    );
  const { total, parts, remarks, warning } = monthlyCost(
    memory,
    postgres,
    background,
    background ? Math.max(1, Number(service?.data.min_machines_running ?? 1)) : 1,
  );
  const sum = `About $${total.toFixed(2)} a month (prices of ${PRICES_AS_OF})`;
  if (workers.length) remarks.unshift(`machines of ${workers.join(', ')} come on top`);
  const cost = wrapped(`${sum}: ${parts.join(' + ')}; ${remarks.join('; ')}.`);
  return warning ? `${cost}\n${wrapped(warning)}` : cost;
}
