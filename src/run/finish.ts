import { join } from 'node:path';
import { styleText } from 'node:util';
import { load } from '../../generators/index.ts';
import { mustFaults } from '../check/check.ts';
import type { OnConflict } from '../edit/conflict.ts';
import { detect } from '../facts/detect.ts';
import { validateFlyToml } from '../fly/flyctl.ts';
import { type Change, kindOf } from '../plan/file.ts';
import { plan } from '../plan/plan.ts';
import { Problem, printable } from '../problem.ts';
import { openTree } from '../tree.ts';
import { apply } from '../write/apply.ts';
import type { Run } from './generate.ts';
import { askShowing, diffOf, fillsScreen, lostIn, summaryOf } from './preview.ts';
import { atTerminal } from './prompt.ts';
import { costLines, notesOf, oneShot } from './report.ts';
import { stepLines } from './steps.ts';
import { say, wrapped } from './terminal.ts';

/**
 * What follows the answers: plan, preview, write, report.
 * @returns the exit code
 * @throws Problem, Stopped
 */
export async function finish(run: Run): Promise<number> {
  const { name, context, top, flags } = run;
  const files = await load(name);
  const left = plan(files, context);
  const mergeable = differing(left, plan(files, context, 'merge'));
  const onConflict = flags.conflict ?? (await decideConflicts(conflictsIn(left), mergeable));
  const planned = onConflict === 'leave' ? left : plan(files, context, onConflict);
  const changes = planned.filter((change) => kindOf(change) !== 'same');
  const conflicts = conflictsIn(planned);
  const kept = conflicts.filter((change) => kindOf(change) === 'same').map(({ path }) => path);
  const isMerged = (path: string) => onConflict === 'merge' && mergeable.includes(path);
  const tried = onConflict === 'merge' ? "can't be merged, so it " : '';
  const notes = [
    ...conflicts.map(({ path }) =>
      isMerged(path)
        ? `${path} is merged; where both changed, yours stays.`
        : `${path} ${tried}keeps what you wrote; \`check\` says what it lacks.`,
    ),
    ...notesOf(files, context, kept),
  ];
  const preview = [
    changes.length ? summaryOf(changes) : '',
    name === 'fly' ? costLines(context) : '',
    ...(notes.length ? ['Notes:', ...notes.map((note) => wrapped(`  - ${note}`, '    '))] : []),
    conflicts.length && !atTerminal() ? `\n${lostIn(conflicts)}` : '',
  ];
  say(`\n${preview.filter(Boolean).join('\n')}`);
  const again = `Again without questions: ${oneShot(run, onConflict)}`;
  if (changes.length && !(await decideWriting(changes, flags.write))) {
    say(`Nothing was written.\n\n${again}`);
    return 0;
  }
  const root = join(top, context.project.appDir);
  if (changes.length) {
    apply(root, changes);
    await tellWritten(root, changes);
  } else if (conflicts.length)
    console.log('Nothing else to change. To take ours instead of yours: --conflict replace');
  else console.log('Nothing to change: the files already say this.');
  if (name === 'fly') say(`\n${await nextSteps(run, root)}\n\n${costLines(context)}`);
  say(`\n${again}`);
  return 0;
}

const conflictsIn = (changes: readonly Change[]): Change[] =>
  changes.filter(({ ours }) => ours !== undefined);

/** Files that merging changes more than leaving them does: not those that their owner wrote without us. */
const differing = (left: readonly Change[], merged: readonly Change[]): string[] =>
  merged.filter(({ after }, index) => after !== left[index]?.after).map(({ path }) => path);

/** What becomes of files in which lines of their owner stand where ours would: asked at a terminal, else they are left alone. @throws Stopped */
async function decideConflicts(
  conflicts: readonly Change[],
  mergeable: readonly string[],
): Promise<OnConflict> {
  if (conflicts.length === 0 || !atTerminal()) return 'leave';
  const paths = conflicts.map(({ path }) => path).join(', ');
  say(`\n${wrapped(`In ${paths}, your lines differ from ours.`)}`);
  const merge = `merge    ${mergeable.join(', ')}; where both changed, yours stays`;
  const ways = [
    'leave    yours stays as it is',
    'replace  yours by ours',
    ...(mergeable.length ? [merge] : []),
    'show     what replace would change',
  ].map((name) => ({ value: name.split(' ')[0] ?? '', name }));
  const prompt = {
    message: 'What to do there?',
    offered: 'leave',
    validate: () => 'pick one of these',
    search: (term: string) => ways.filter(({ value }) => value.startsWith(term)),
  };
  return (await askShowing(prompt, lostIn(conflicts))) as OnConflict;
}

/**
 * Shows the diff, and asks whether to write, unless a flag says so.
 * @throws Problem without a terminal, where files that exist would change; Stopped
 */
async function decideWriting(
  changes: readonly Change[],
  write: boolean | undefined,
): Promise<boolean> {
  const diff = `\n${diffOf(changes)}\n`;
  const asks = write === undefined && atTerminal();
  if (!asks || !fillsScreen(diff)) console.log(diff);
  if (write !== undefined) return write;
  const touched = changes.filter((change) => kindOf(change) === 'update').map(({ path }) => path);
  if (!asks && touched.length)
    throw new Problem(
      `${touched.join(', ')} would change: without a terminal, pass --write yes to allow it (or --write no to only see the diff)`,
    );
  if (!asks) return true;
  const prompt = {
    message: `Write ${changes.length} file${changes.length === 1 ? '' : 's'}? (y/N, d shows the diff)`,
    validate: (text: string) => /^(y|yes|n|no|d|diff|)$/i.test(text.trim()) || 'y, n or d',
  };
  return /^y/i.test((await askShowing(prompt, diff)).trim());
}

async function tellWritten(root: string, changes: readonly Change[]): Promise<void> {
  const paths = changes.map(({ path }) => path);
  console.log(styleText('green', wrapped(printable(`Wrote ${paths.join(', ')}.`))));
  const complaints = paths.includes('fly.toml') ? await validateFlyToml(root) : [];
  for (const line of complaints) say(`fly config validate --strict says about fly.toml: ${line}`);
}

async function nextSteps(run: Run, root: string): Promise<string> {
  const { context, present, way, top, flags } = run;
  const [account, secrets] = await Promise.all([run.account, run.secrets]);
  const { release } = context.answers;
  // As it is now: fly.toml and env.sh.eex give some of what the app demands
  const project = detect(openTree(top), { release });
  const silent = { flyctl: 'silent', apps: undefined, organizations: undefined } as const;
  const which = flags.steps;
  return stepLines({
    ...context,
    ...(account ?? silent),
    project,
    present,
    which,
    root,
    way,
    secrets,
    faults: mustFaults(project),
  });
}
