import { setTimeout } from 'node:timers/promises';
import { load } from '../../generators/index.ts';
import { type RunFlags, readRunFlags, type Texts } from '../answers/flags.ts';
import {
  complete,
  offered,
  type Present,
  parseAnswer,
  type QuestionName,
  questionOf,
} from '../answers/questions.ts';
import { detect, type Project } from '../facts/detect.ts';
import { askAccount, type Live } from '../fly/live.ts';
import type { Context } from '../plan/file.ts';
import { refuseAnswers, refuseUnsupported } from '../plan/supported.ts';
import { openTree, type Tree } from '../tree.ts';
import { type Account, readAccount, readSecrets } from './account.ts';
import { askAll } from './ask.ts';
import { foundLine } from './found.ts';
import { atTerminal, loadPrompts } from './prompt.ts';
import { findRoot } from './root.ts';
import { say, wrapped } from './terminal.ts';
import type { Way } from './way.ts';

/** A run whose answers are known. */
export interface Run {
  /** `fly`, or the name of one file. */
  name: string;
  asks: readonly QuestionName[];
  flags: RunFlags;
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
  for (const each of asks) if (texts[each] !== undefined) parseAnswer(each, texts[each] ?? '');
  const { dest } = texts;
  const top = await findRoot(dest, way);
  // To start flyctl takes a tenth of a second, in which the first question can be read
  const asked = atTerminal() ? loadPrompts().then(() => setTimeout(50)) : Promise.resolve();
  const account = name === 'fly' ? asked.then(() => readAccount(top)) : undefined;
  const isLive = asks.some((each) => texts[each] === undefined && questionOf(each).live);
  const live = atTerminal() && isLive ? asked.then(() => askAccount(top)) : undefined;

  const project = await detectReleased(openTree(top), texts);
  say(wrapped(foundLine(project)));
  refuseUnsupported(project);
  const present = await presentOf(project);
  const said: Live = atTerminal()
    ? await askAll(asks, name !== 'fly', project, present, texts, live)
    : {};
  const answers = complete(texts, project, present, asks, said);
  refuseAnswers(project, answers, said.regions);
  const secrets = account && readSecrets(top, answers.app, account);
  const context: Context = { project, answers, command: way.command };
  const { finish } = await import('./finish.ts');
  return finish({ name, asks, flags, way, dest, top, context, present, account, secrets });
}

/** The facts of the release that is built: which of several, is asked first where nothing says it. */
async function detectReleased(tree: Tree, texts: Texts): Promise<Project> {
  const project = detect(tree, texts.release === undefined ? {} : { release: texts.release });
  if (texts.release !== undefined || project.release.names.length < 2) return project;
  const present = await presentOf(project);
  const known = offered('release', project, present, {});
  if (known === undefined && atTerminal())
    await askAll(['release'], false, project, present, texts, undefined);
  const release = texts.release ?? known;
  return release === undefined ? project : detect(tree, { release });
}

/** What the files there answer; a repo without any needs none of the descriptors yet. */
async function presentOf(project: Project): Promise<Present> {
  if (!project.files.flyToml && !project.files.dockerfile) return {};
  const { presentIn } = await import('../plan/plan.ts');
  return presentIn(await load('fly'), project);
}
