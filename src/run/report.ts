import { relative } from 'node:path';
import type { OnConflict } from '../answers/flags.ts';
import { questionOf } from '../answers/questions.ts';
import { monthlyCost, PRICES_AS_OF } from '../fly/cost.ts';
import { flyConfig } from '../fly/fly-config.ts';
import { sizeOf } from '../fly/machine.ts';
import type { Context, GeneratedFile } from '../plan/file.ts';
import { shellPath, shellWord } from '../quote.ts';
import type { Run } from './generate.ts';
import { firstSteps, nextSteps, type Section, type StepContext } from './steps.ts';
import { wrapped } from './terminal.ts';
import { invocation } from './way.ts';

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
];

/** The command that repeats a run. */
export function oneShot({ name, asks, way, dest, context }: Run, onConflict: OnConflict): string {
  const answers = asks.map(
    (each) => `--${each} ${shellWord(questionOf(each).print(context.answers[each]))}`,
  );
  const conflict = onConflict === 'leave' ? [] : [`--conflict ${onConflict}`];
  return [invocation(way, name, dest), ...answers, ...conflict, '--write yes'].join(' ');
}

/** The Fly commands that come next. */
export function stepLines(context: StepContext): string {
  const { root, way } = context;
  const [folder = ''] = [relative(way.from, root), root].sort((a, b) => a.length - b.length);
  const cd = folder ? [`cd ${shellPath(folder)}`] : [];
  const isNext = context.which ? context.which === 'next' : wasDeployed(context);
  const sections = isNext ? nextSteps(context, cd) : firstSteps(context, cd);
  const doubt =
    isNext && !context.apps
      ? ['Never deployed it? --steps first prints the steps of a first deploy.']
      : [];
  return ['Next steps', ...sections.map(print), ...doubt].join('\n\n');
}

const print = ({ title, lines }: Section): string =>
  [wrapped(title), ...lines.map((line) => `  ${line}`)].join('\n');

/** What flyctl says; else an app that has its fly.toml is taken for deployed. */
function wasDeployed({ apps, answers, present }: StepContext): boolean {
  if (apps) return apps.some(({ name, deployed }) => name === answers.app && deployed);
  return present.app === answers.app;
}

/** The monthly cost, and what would bring it under the budget. */
export function costLines({ project, answers }: Context): string[] {
  const { memory, postgres, background } = answers;
  const { machine } = flyConfig(project.tree);
  const size = machine ? sizeOf(machine.data) : 'shared-cpu-1x';
  if (size !== 'shared-cpu-1x')
    return [
      `What ${size} costs is not in the table of ${PRICES_AS_OF}; see fly.io/docs/about/pricing.`,
    ];
  const { total, parts, remarks, warning } = monthlyCost(memory, postgres, background);
  return [
    `About $${total.toFixed(2)} a month (prices of ${PRICES_AS_OF}): ${parts.join(' + ')}; ${remarks.join('; ')}.`,
    ...(warning ? [warning] : []),
  ].map((line) => wrapped(line));
}
