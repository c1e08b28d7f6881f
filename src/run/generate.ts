import { load } from '../../generators/catalogue.ts';
import { type FlagTexts, parseRunFlags } from '../answers/flags.ts';
import {
  complete,
  type Present,
  parseAnswer,
  type QuestionName,
  suggestedAnswer,
} from '../answers/questions.ts';
import { refuseAnswers, refuseUnsupported } from '../answers/refusals.ts';
import { detect, type Project } from '../facts/detect.ts';
import { type Account, askAccount, askSecrets } from '../fly/live.ts';
import type { Context } from '../plan/file.ts';
import { openTree, type Tree } from '../tree.ts';
import { askAll } from './ask.ts';
import { atTerminal, loadPrompts } from './prompt.ts';
import { findRoot } from './root.ts';
import { type Invocation, print, wrapped } from './terminal.ts';

/** A run whose questions are answered. */
export interface GeneratorRun {
  /** The command: `fly`, or the name of one file. */
  name: string;
  asks: readonly QuestionName[];
  flags: ReturnType<typeof parseRunFlags>;
  invocation: Invocation;
  /** --dest, as it was given. */
  dest: string | undefined;
  /** The folder that was opened; the app may be in a folder below it. */
  folder: string;
  context: Context;
  /** What the files answered before this run. */
  present: Present;
  account: Promise<Account> | undefined;
  /** Names of the app's secrets; undefined where they can't be known. */
  secrets: Promise<string[] | undefined> | undefined;
}

/**
 * One run of a generator: facts and questions here, then plan, preview, write and report in finish.ts, which is loaded
 * after the questions.
 * @param texts the flags
 * @returns the exit code
 * @throws Problem for anything that the person can mend; Stopped when they end the run at a prompt
 */
export async function generate(
  name: string,
  asks: readonly QuestionName[],
  texts: FlagTexts,
  invocation: Invocation,
): Promise<number> {
  const flags = parseRunFlags(texts);
  for (const question of asks) parseAnswer(question, texts[question]);
  const { dest } = texts;
  const folder = await findRoot(dest, invocation);
  const account = askAccountEarly(name, asks, texts, folder);

  const project = await detectRelease(openTree(folder), texts);
  print(wrapped(projectLine(project)));
  refuseUnsupported(project);
  const present = await presentAnswers(project);
  const live = atTerminal() ? await askAll(asks, project, present, texts, account) : {};
  const answers = complete(texts, project, present, asks, live);
  refuseAnswers(project, answers, live.regions);
  const secrets =
    name === 'fly' ? account?.then((known) => askSecrets(folder, answers.app, known)) : undefined;
  const context: Context = { project, answers, command: invocation.command };
  const { finish } = await import('./finish.ts');
  return finish({
    name,
    asks,
    flags,
    invocation,
    dest,
    folder,
    context,
    present,
    account,
    secrets,
  });
}

/**
 * Starts flyctl, which takes a tenth of a second, while the person reads the first question. It lists regions and databases.
 * @returns undefined where the run needs nothing from flyctl
 */
function askAccountEarly(
  name: string,
  asks: readonly QuestionName[],
  texts: FlagTexts,
  folder: string,
): Promise<Account> | undefined {
  const prompts = atTerminal() ? loadPrompts() : Promise.resolve();
  const isOpen = (question: QuestionName) =>
    asks.includes(question) && texts[question] === undefined;
  const offersLists = atTerminal() && (isOpen('region') || isOpen('postgres'));
  if (name !== 'fly' && !offersLists) return undefined;
  return prompts.then(() => askAccount(folder, offersLists));
}

/** The facts, which depend on the release that is built: of several, a flag, a file or the person names it. */
async function detectRelease(tree: Tree, texts: FlagTexts): Promise<Project> {
  if (texts.release !== undefined) return detect(tree, { release: texts.release });
  const project = detect(tree);
  if (project.release.names.length < 2) return project;
  const present = await presentAnswers(project);
  if (atTerminal()) await askAll(['release'], project, present, texts);
  const release = texts.release ?? suggestedAnswer('release', project, present);
  return release === undefined ? project : detect(tree, { release });
}

/** What the repo's files answer. Where it has none, the descriptors need not be loaded yet. */
async function presentAnswers(project: Project): Promise<Present> {
  if (!project.files.flyToml && !project.files.dockerfile) return {};
  const { presentIn } = await import('../plan/plan.ts');
  return presentIn(await load('fly'), project);
}

const DATABASES = { postgres: 'Postgres', mysql: 'MySQL', sqlite: 'SQLite', none: 'no database' };

/** What was detected in the repo, in one line. */
function projectLine({ app, phoenix, database, background, elixir, umbrella }: Project): string {
  const workers = background.slice(0, 3).join(', ') + (background.length > 3 ? ', …' : '');
  const parts = [
    `Phoenix ${phoenix.version ?? ''}`.trim() + (umbrella ? ' umbrella' : ''),
    phoenix.liveView && 'LiveView',
    DATABASES[database.adapter],
    background.length ? `always on for ${workers}` : 'nothing in the background',
    elixir.version && `Elixir ${elixir.version} from ${elixir.source ?? 'mix.exs'}`,
  ];
  return `Found ${app.otpApp}: ${parts.filter(Boolean).join(', ')}.`;
}
