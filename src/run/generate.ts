import { setTimeout } from 'node:timers/promises';
import { load } from '../../generators/index.ts';
import { readRunFlags, type Texts } from '../answers/flags.ts';
import {
  type Answers,
  complete,
  offered,
  type Present,
  parseAnswer,
  type QuestionName,
} from '../answers/questions.ts';
import { refuseAnswers, refuseUnsupported } from '../answers/supported.ts';
import { detect, type Project } from '../facts/detect.ts';
import { type Account, askAccount, askSecrets } from '../fly/live.ts';
import { printPostgres } from '../fly/postgres.ts';
import type { Context } from '../plan/file.ts';
import { openTree, type Tree } from '../tree.ts';
import { askAll } from './ask.ts';
import { atTerminal, loadPrompts } from './prompt.ts';
import { findRoot } from './root.ts';
import { say, type Way, wrapped } from './terminal.ts';

/** A run whose answers are known. */
export interface Run {
  /** `fly`, or the name of one file. */
  name: string;
  asks: readonly QuestionName[];
  flags: ReturnType<typeof readRunFlags>;
  way: Way;
  dest: string | undefined;
  /** The folder that was opened; the app may lie below. */
  top: string;
  context: Context;
  /** What the files said before. */
  present: Present;
  account: Promise<Account> | undefined;
  secrets: Promise<string[] | undefined> | undefined;
}

/**
 * One run: facts, questions, plan, preview, write, report. What comes after the questions is loaded after them.
 * @param texts the flags, as given
 * @returns the exit code
 * @throws Problem for anything the user can mend; Stopped when they end it at a prompt
 */
export async function generate(
  name: string,
  asks: readonly QuestionName[],
  texts: Texts,
  way: Way,
): Promise<number> {
  const flags = readRunFlags(texts);
  for (const each of asks) parseAnswer(each, texts[each]);
  const { dest } = texts;
  const top = await findRoot(dest, way);
  // To start flyctl takes a tenth of a second, in which the first question can be read
  const asked = atTerminal() ? loadPrompts().then(() => setTimeout(50)) : Promise.resolve();
  const isOpen = asks.some((each) => /region|postgres/.test(each) && texts[each] === undefined);
  const offers = atTerminal() && isOpen;
  const account = name === 'fly' || offers ? asked.then(() => askAccount(top, offers)) : undefined;

  const project = await detectReleased(openTree(top), texts);
  say(wrapped(foundLine(project)));
  refuseUnsupported(project);
  const present = await presentOf(project);
  const said = atTerminal() ? await askAll(asks, project, present, texts, account) : {};
  const given = complete(texts, project, present, asks, said);
  refuseAnswers(project, given, said.regions);
  const answers = withoutIdleDatabase(project, given);
  const secrets =
    name === 'fly' ? account?.then((known) => askSecrets(top, answers.app, known)) : undefined;
  const context: Context = { project, answers, command: way.command };
  const { finish } = await import('./finish.ts');
  return finish({ name, asks, flags, way, dest, top, context, present, account, secrets });
}

/** A database that nothing in the app connects to is neither made nor paid for. */
function withoutIdleDatabase({ database, lock }: Project, answers: Answers): Answers {
  const { kind = 'none' } = answers.postgres ?? {};
  if (kind === 'none' || database.repos.length || lock.has('postgrex')) return answers;
  const name = printPostgres(answers.postgres);
  say(wrapped(`--postgres ${name}: nothing in the app connects to a database, so none is made.`));
  return { ...answers, postgres: { kind: 'none' } };
}

/** The facts of the release that is built: which of several, is asked first where nothing says it. */
async function detectReleased(tree: Tree, texts: Texts): Promise<Project> {
  if (texts.release !== undefined) return detect(tree, { release: texts.release });
  const project = detect(tree);
  if (project.release.names.length < 2) return project;
  const present = await presentOf(project);
  if (atTerminal()) await askAll(['release'], project, present, texts);
  const release = texts.release ?? offered('release', project, present);
  return release === undefined ? project : detect(tree, { release });
}

/** What the files there answer; a repo without any needs none of the descriptors yet. */
async function presentOf(project: Project): Promise<Present> {
  if (!project.files.flyToml && !project.files.dockerfile) return {};
  const { presentIn } = await import('../plan/plan.ts');
  return presentIn(await load('fly'), project);
}

const DATABASES = { postgres: 'Postgres', mysql: 'MySQL', sqlite: 'SQLite', none: 'no database' };

/** What was found in the repo, in one line. */
function foundLine({ app, phoenix, database, background, elixir, umbrella }: Project): string {
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
