import { join } from 'node:path';
import { styleText } from 'node:util';
import { load } from '../../generators/catalogue.ts';
import { mustFaults } from '../check/check.ts';
import { Repo } from '../check/repo.ts';
import { missingSwitch } from '../check/runtime-app.ts';
import { detect } from '../facts/detect.ts';
import { validateFlyToml } from '../fly/flyctl.ts';
import { type Change, kindOf } from '../plan/file.ts';
import { Problem, printable } from '../problem.ts';
import { openTree } from '../tree.ts';
import { refuseUnsafe, writeChanges } from '../write/write-changes.ts';
import { resolveConflicts } from './conflicts.ts';
import type { GeneratorRun } from './generate.ts';
import { askWithDiff, diffOf, fillsScreen, replacementDiff, summaryOf } from './preview.ts';
import { atTerminal } from './prompt.ts';
import { costLines, notesOf, repeatCommand } from './report.ts';
import { nextSteps } from './steps.ts';
import { print, wrapped } from './terminal.ts';

/**
 * What follows the questions of a run: plan, preview, write, report.
 * @returns the exit code
 * @throws Problem, Stopped
 */
export async function finish(run: GeneratorRun): Promise<number> {
  const { name, context, flags } = run;
  const files = await load(name);
  const resolution = await resolveConflicts(files, context, flags.conflict);
  const { changes, conflicts } = resolution;
  const notes = [...resolution.notes, ...notesOf(files, context, resolution.kept)];
  const appFolder = join(run.folder, context.project.appDir);
  for (const change of changes) refuseUnsafe(appFolder, change);
  printPreview(run, changes, conflicts, notes);
  const repeat = `Again without questions: ${repeatCommand(run, resolution.onConflict)}`;
  if (changes.length && !(await confirmWriting(changes, flags.write))) {
    print(`Nothing was written.\n\n${repeat}`);
    return 0;
  }
  if (changes.length) await write(appFolder, changes);
  else console.log('Nothing to change.');
  if (name === 'fly') print(`\n${await nextStepsOf(run, appFolder)}\n\n${costLines(context)}`);
  print(`\n${repeat}`);
  return 0;
}

function printPreview(
  { name, context }: GeneratorRun,
  changes: readonly Change[],
  conflicts: readonly Change[],
  notes: readonly string[],
): void {
  const parts = [
    changes.length ? summaryOf(changes) : '',
    name === 'fly' ? costLines(context) : '',
    ...(notes.length ? ['Notes:', ...notes.map((note) => wrapped(`  - ${note}`, '    '))] : []),
    conflicts.length && !atTerminal() ? `\n${replacementDiff(conflicts)}` : '',
  ];
  print(`\n${parts.filter(Boolean).join('\n')}`);
}

/**
 * Shows the diff, and asks whether to write it, unless a flag answers that.
 * @throws Problem where files that exist would change and nobody can be asked; Stopped
 */
async function confirmWriting(changes: readonly Change[], flag?: boolean): Promise<boolean> {
  const diff = `\n${diffOf(changes)}\n`;
  const asks = flag === undefined && atTerminal();
  if (!asks || !fillsScreen(diff)) console.log(diff);
  if (flag !== undefined) return flag;
  if (asks) return askToWrite(changes.length, diff);
  const updates = changes.filter((change) => kindOf(change) === 'update').map(({ path }) => path);
  if (updates.length === 0) return true;
  throw new Problem(
    `${updates.join(', ')} would change: without a terminal, pass --write yes to allow it (or --write no to only see the diff)`,
  );
}

async function askToWrite(count: number, diff: string): Promise<boolean> {
  const prompt = {
    message: `Write ${count} file${count === 1 ? '' : 's'}? (y/N, d shows the diff)`,
    validate: (answer: string) => /^(y|yes|n|no|d|diff|)$/i.test(answer.trim()) || 'y, n or d',
  };
  const answer = await askWithDiff(prompt, diff);
  return /^y/i.test(answer.trim());
}

async function write(appFolder: string, changes: readonly Change[]): Promise<void> {
  writeChanges(appFolder, changes);
  const paths = changes.map(({ path }) => path);
  console.log(styleText('green', wrapped(printable(`Wrote ${paths.join(', ')}.`))));
  const complaints = paths.includes('fly.toml') ? await validateFlyToml(appFolder) : [];
  for (const line of complaints) print(`fly config validate --strict says about fly.toml: ${line}`);
}

async function nextStepsOf(run: GeneratorRun, appFolder: string): Promise<string> {
  const { context, present, invocation, flags } = run;
  const [account, secrets] = await Promise.all([run.account, run.secrets]);
  // Detected again: fly.toml and env.sh.eex, now written, set some of the variables that the app requires
  const project = detect(openTree(run.folder), { release: context.answers.release });
  return nextSteps({
    ...context,
    ...account,
    project,
    present,
    steps: flags.steps,
    appFolder,
    invocation,
    hadSwitch: !missingSwitch(new Repo(context.project)),
    secrets,
    faults: mustFaults(project),
  });
}
