import { join } from 'node:path';
import { styleText } from 'node:util';
import { files } from '../../generators/index.ts';
import { readConflict, readSteps, readWrite, type Texts } from '../answers/flags.ts';
import { complete, parseAnswer, questionOf } from '../answers/questions.ts';
import { mustFaults } from '../check/check.ts';
import { detect } from '../facts/detect.ts';
import { validateFlyToml } from '../fly/flyctl.ts';
import { askAccount, type Live } from '../fly/live.ts';
import { asksOf, type Change, type Context, type Generator, kindOf } from '../plan/file.ts';
import { plan, presentIn } from '../plan/plan.ts';
import { refuseAnswers, refuseUnsupported } from '../plan/supported.ts';
import { printable } from '../problem.ts';
import { openTree } from '../tree.ts';
import { apply } from '../write/apply.ts';
import { readAccount, readSecrets } from './account.ts';
import { askAll } from './ask.ts';
import { decideConflicts, decideWriting } from './decide.ts';
import { foundLine } from './found.ts';
import { conflictsIn, lostIn, summaryOf } from './preview.ts';
import { atTerminal, loadPrompts } from './prompt.ts';
import { costLines, notesOf, oneShot, stepLines } from './report.ts';
import { findRoot } from './root.ts';
import { say, wrapped } from './terminal.ts';
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
  const which = readSteps(texts);
  for (const name of asks) if (texts[name] !== undefined) parseAnswer(name, texts[name] ?? '');
  const top = await findRoot(texts.dest, way);
  const account = generator.name === 'fly' ? readAccount(top) : undefined;
  const open = asks.filter((name) => texts[name] === undefined);
  const live =
    atTerminal() && open.some((name) => questionOf(name).live) ? askAccount(top) : undefined;
  if (atTerminal()) void loadPrompts();

  const project = detect(openTree(top));
  say(wrapped(foundLine(project)));
  refuseUnsupported(project);
  const present = presentIn(files, project);
  const said: Live = atTerminal()
    ? await askAll(asks, generator.files.length === 1, project, present, texts, live)
    : {};
  const answers = complete(texts, project, present, asks, said);
  refuseAnswers(project, answers, said.regions);
  const context: Context = { project, answers, command: way.command };
  const secrets = account && readSecrets(top, answers.app, account);

  const first = plan(generator.files, context, conflict);
  const onConflict = conflict ?? (await decideConflicts(generator, context, first));
  const planned = conflict ? first : plan(generator.files, context, onConflict);
  const changes = planned.filter((change) => kindOf(change) !== 'same');
  say(`\n${previewOf(generator, context, planned)}`);
  const again = `Again without questions: ${oneShot(generator, answers, way, texts.dest, onConflict)}`;
  if (changes.length && !(await decideWriting(changes, write))) {
    say(`Nothing was written.\n\n${again}`);
    return 0;
  }
  const root = join(top, project.appDir);
  if (changes.length) apply(root, changes);
  console.log(changes.length ? wrote(root, changes) : nothingToDo(planned));
  if (account) {
    const steps = { ...context, present, which, root, way, ...(await account) };
    say(`\n${stepLines({ ...steps, faults: faultsOf(top, planned), secrets: await secrets })}`);
    say(`\n${costLines(context).join('\n')}`);
  }
  say(`\n${again}`);
  return 0;
}

/** What would fail in a Dockerfile of the owner's that stays: read with the new files beside it. */
function faultsOf(top: string, planned: readonly Change[]): string[] {
  const isKept = conflictsIn(planned).some(({ path }) => path === 'Dockerfile');
  return isKept ? mustFaults(detect(openTree(top)), 'Dockerfile') : [];
}

/** What will be written, what it costs, and what should be known before. */
function previewOf(generator: Generator, context: Context, planned: readonly Change[]): string {
  const changes = planned.filter((change) => kindOf(change) !== 'same');
  const notes = [
    ...conflictsIn(planned).map(
      ({ path }) => `${path} keeps what you wrote; \`check\` says what it lacks.`,
    ),
    ...notesOf(generator, context),
  ];
  return [
    ...(changes.length ? [summaryOf(changes)] : []),
    ...(generator.name === 'fly' ? costLines(context) : []),
    ...(notes.length ? ['Notes:', ...notes.map((note) => wrapped(`  - ${note}`, '    '))] : []),
    ...(conflictsIn(planned).length && !atTerminal() ? [`\n${lostIn(conflictsIn(planned))}`] : []),
  ].join('\n');
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
  conflictsIn(planned).length
    ? 'Nothing else to change. To take ours where yours stands: --conflict replace'
    : 'Nothing to change: the files already say this.';
