import { join } from 'node:path';
import { styleText } from 'node:util';
import { load } from '../../generators/index.ts';
import { mustFaults } from '../check/check.ts';
import { detect } from '../facts/detect.ts';
import { validateFlyToml } from '../fly/flyctl.ts';
import { type Change, type Context, type GeneratedFile, kindOf } from '../plan/file.ts';
import { plan } from '../plan/plan.ts';
import { printable } from '../problem.ts';
import { openTree } from '../tree.ts';
import { apply } from '../write/apply.ts';
import { decideConflicts, decideWriting } from './decide.ts';
import type { Run } from './generate.ts';
import { conflictsIn, lostIn, summaryOf } from './preview.ts';
import { atTerminal } from './prompt.ts';
import { costLines, notesOf, oneShot, stepLines } from './report.ts';
import { say, wrapped } from './terminal.ts';

/**
 * What follows the answers: plan, preview, write, report.
 * @returns the exit code
 * @throws Problem, Stopped
 */
export async function finish(run: Run): Promise<number> {
  const { name, context, top, flags } = run;
  const files = await load(name);
  const first = plan(files, context, flags.conflict);
  const onConflict = flags.conflict ?? (await decideConflicts(files, context, first));
  const planned = flags.conflict ? first : plan(files, context, onConflict);
  const changes = planned.filter((change) => kindOf(change) !== 'same');
  say(`\n${previewOf(files, context, planned)}`);
  const again = `Again without questions: ${oneShot(run, onConflict)}`;
  if (changes.length && !(await decideWriting(changes, flags.write))) {
    say(`Nothing was written.\n\n${again}`);
    return 0;
  }
  const root = join(top, context.project.appDir);
  if (changes.length) apply(root, changes);
  console.log(changes.length ? await wrote(root, changes) : nothingToDo(planned));
  if (run.account) {
    const [account, secrets] = await Promise.all([run.account, run.secrets]);
    const { present, way } = run;
    const { release } = context.answers;
    const faults = mustFaults(detect(openTree(top), { release }));
    const steps = { ...context, ...account, present, root, way, secrets, faults };
    say(`\n${stepLines({ ...steps, which: flags.steps })}`);
    say(`\n${costLines(context).join('\n')}`);
  }
  say(`\n${again}`);
  return 0;
}

/** What will be written, what it costs, and what should be known before. */
function previewOf(
  files: readonly GeneratedFile[],
  context: Context,
  planned: readonly Change[],
): string {
  const changes = planned.filter((change) => kindOf(change) !== 'same');
  const conflicts = conflictsIn(planned);
  const kept = conflicts.filter((change) => kindOf(change) === 'same').map(({ path }) => path);
  const notes = [
    ...conflicts.map(({ path }) => `${path} keeps what you wrote; \`check\` says what it lacks.`),
    ...notesOf(files, context, kept),
  ];
  return [
    ...(changes.length ? [summaryOf(changes)] : []),
    ...(files.length > 1 ? costLines(context) : []),
    ...(notes.length ? ['Notes:', ...notes.map((note) => wrapped(`  - ${note}`, '    '))] : []),
    ...(conflicts.length && !atTerminal() ? [`\n${lostIn(conflicts)}`] : []),
  ].join('\n');
}

async function wrote(root: string, changes: readonly Change[]): Promise<string> {
  const isChanged = changes.some(({ path }) => path === 'fly.toml');
  const complaints = isChanged ? await validateFlyToml(root) : [];
  return [
    styleText('green', wrapped(printable(`Wrote ${changes.map(({ path }) => path).join(', ')}.`))),
    ...complaints.map(
      (line) => `fly config validate --strict says about fly.toml: ${printable(line)}`,
    ),
  ].join('\n');
}

const nothingToDo = (planned: readonly Change[]): string =>
  conflictsIn(planned).length
    ? 'Nothing else to change. To take ours instead of yours: --conflict replace'
    : 'Nothing to change: the files already say this.';
