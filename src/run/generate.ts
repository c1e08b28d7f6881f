import { join } from 'node:path';
import { styleText } from 'node:util';
import { files } from '../../generators/index.ts';
import {
  type OnConflict,
  readConflict,
  readSteps,
  readWrite,
  type Texts,
} from '../answers/flags.ts';
import { complete, parseAnswer, questionOf } from '../answers/questions.ts';
import { detect } from '../facts/detect.ts';
import { validateFlyToml } from '../fly/flyctl.ts';
import { askAccount, type Live } from '../fly/live.ts';
import { asksOf, type Change, type Context, type Generator, kindOf } from '../plan/file.ts';
import { plan, presentIn } from '../plan/plan.ts';
import { refuseAnswers, refuseUnsupported } from '../plan/supported.ts';
import { Problem, printable } from '../problem.ts';
import { openTree } from '../tree.ts';
import { apply } from '../write/apply.ts';
import { readAccount, readSecrets } from './account.ts';
import { askAll } from './ask.ts';
import { foundLine } from './found.ts';
import { conflictsOf, diffOf, fillsScreen, page, summaryOf } from './preview.ts';
import { ask, atTerminal, loadPrompts } from './prompt.ts';
import { costLines, notesOf, oneShot, stepLines } from './report.ts';
import { findRoot } from './root.ts';
import { say } from './terminal.ts';
import type { Way } from './way.ts';

/**
 * One run of a generator: facts, questions, plan, preview, write, report.
 * @param texts the flags, as given
 * @returns the exit code
 * @throws Problem for anything the user can mend; Stopped when they end it at a prompt
 */
export async function run(generator: Generator, texts: Texts, way: Way): Promise<number> {
  const asks = asksOf(generator);
  const write = readWrite(texts);
  const conflict = readConflict(texts);
  const steps = readSteps(texts);
  for (const name of asks) if (texts[name] !== undefined) parseAnswer(name, texts[name] ?? '');
  const top = await findRoot(texts.dest, way);
  const account = generator.name === 'fly' ? readAccount(top) : undefined;
  const open = asks.filter((name) => texts[name] === undefined);
  const live =
    atTerminal() && open.some((name) => questionOf(name).live) ? askAccount(top) : undefined;
  if (atTerminal()) void loadPrompts();

  const project = detect(openTree(top));
  say(foundLine(project));
  refuseUnsupported(project);
  const present = presentIn(files, project);
  const said: Live = atTerminal()
    ? await askAll(asks, generator.files.length === 1, project, present, texts, live)
    : {};
  const answers = complete(texts, project, present, asks, said);
  refuseAnswers(project, answers, said.regions);
  const context: Context = { project, answers, command: way.command };
  const secrets = account && readSecrets(top, answers.app, account);

  const planned = plan(generator.files, context, conflict);
  say(`\n${previewOf(generator, context, planned)}`);
  const changes = changed(await settleConflicts(generator, context, planned, conflict));
  const again = `Again without questions: ${oneShot(generator, answers, way, texts.dest)}`;
  if (changes.length && !(await agreed(changes, write))) {
    say(`Nothing was written.\n\n${again}`);
    return 0;
  }
  const root = join(top, project.appDir);
  if (changes.length) apply(root, changes);
  console.log(changes.length ? wrote(root, changes) : nothingToDo(planned));
  if (account)
    say(
      `\n${stepLines({ ...context, present, steps, root, way, ...(await account), secrets: await secrets })}\n\n${costLines(context).join('\n')}`,
    );
  say(`\n${again}`);
  return 0;
}

const changed = (changes: readonly Change[]): Change[] =>
  changes.filter((change) => kindOf(change) !== 'same');
const conflicts = (changes: readonly Change[]): Change[] =>
  changes.filter(({ ours }) => ours !== undefined);

/** What will be written, what it costs, and what should be known before. */
function previewOf(generator: Generator, context: Context, planned: readonly Change[]): string {
  const changes = changed(planned);
  const notes = [
    ...conflicts(planned).map(
      ({ path }) => `${path} keeps what you wrote; \`check\` says what it lacks.`,
    ),
    ...notesOf(generator, context),
  ];
  return [
    ...(changes.length ? [summaryOf(changes)] : []),
    ...(generator.name === 'fly' ? costLines(context) : []),
    ...(notes.length ? ['Notes:', ...notes.map((note) => `  - ${note}`)] : []),
  ].join('\n');
}

/** At a terminal, conflicts are shown and asked about; without an answer, files with conflicts are left alone. */
async function settleConflicts(
  generator: Generator,
  context: Context,
  planned: readonly Change[],
  conflict: OnConflict | undefined,
): Promise<readonly Change[]> {
  const found = conflicts(planned);
  if (found.length === 0) return planned;
  const shown = conflictsOf(found);
  if (conflict || !atTerminal()) {
    console.log(shown);
    return planned;
  }
  show(shown);
  const merged = plan(generator.files, context, 'merge');
  const mergeHelps = found.some(
    ({ path, after }) => merged.find((change) => change.path === path)?.after !== after,
  );
  const choices = [
    { value: 'leave', name: 'leave    the file stays as it is' },
    ...(mergeHelps
      ? [{ value: 'merge', name: 'merge    what can be merged; where both changed, yours stays' }]
      : []),
    { value: 'replace', name: 'replace  yours by ours, as shown' },
  ];
  const choice = await ask({
    message: 'What to do with the conflict?',
    offered: 'leave',
    validate: (text) => choices.some(({ value }) => value === text) || 'pick one of these',
    search: (term) => choices.filter(({ value }) => value.startsWith(term)),
  });
  return choice === 'leave' ? planned : plan(generator.files, context, choice as OnConflict);
}

/** Shows the diff, and asks whether to write, unless a flag says so. */
async function agreed(changes: readonly Change[], write: boolean | undefined): Promise<boolean> {
  const diff = `\n${diffOf(changes)}\n`;
  if (write !== undefined || !atTerminal()) console.log(diff);
  if (write !== undefined) return write;
  if (!atTerminal()) return agreedWithoutTerminal(changes);
  if (!fillsScreen(diff)) console.log(diff);
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

const show = (text: string): void => (fillsScreen(text) ? page(text) : console.log(text));

function agreedWithoutTerminal(changes: readonly Change[]): boolean {
  const touched = changes.filter((change) => kindOf(change) === 'update').map(({ path }) => path);
  if (touched.length === 0) return true;
  throw new Problem(
    `${touched.join(', ')} would change: without a terminal, pass --write yes to allow it (or --write no to only see the diff)`,
  );
}

function wrote(root: string, changes: readonly Change[]): string {
  const complaints = changes.some(({ path }) => path === 'fly.toml') ? validateFlyToml(root) : [];
  return [
    styleText('green', printable(`Wrote ${changes.map(({ path }) => path).join(', ')}.`)),
    ...complaints.map(
      (line) => `fly config validate --strict says about fly.toml: ${printable(line)}`,
    ),
  ].join('\n');
}

const nothingToDo = (planned: readonly Change[]): string =>
  conflicts(planned).length
    ? 'Nothing else to change. To take ours where yours stands: --conflict replace'
    : 'Nothing to change: the files already say this.';
