import { styleText } from 'node:util';
import type { FlagTexts } from '../answers/flags.ts';
import {
  type Present,
  type QuestionName,
  questionOf,
  suggestedAnswer,
} from '../answers/questions.ts';
import type { Project } from '../facts/detect.ts';
import type { AccountChoices } from '../fly/live.ts';
import { toAppName } from '../fly/names.ts';
import { problemOf } from '../problem.ts';
import { ask } from './prompt.ts';

/**
 * Asks the questions that no flag answers.
 * @param texts the answers of the flags; those of the person are added
 * @param account what flyctl says, still under way
 * @returns what flyctl said, which the answers are parsed with
 * @throws Stopped
 */
export async function askAll(
  asks: readonly QuestionName[],
  project: Project,
  present: Present,
  texts: FlagTexts,
  account?: Promise<AccountChoices>,
): Promise<AccountChoices> {
  let live: AccountChoices | undefined;
  for (const name of asks) {
    const { message, onlyIfUnanswered, search } = questionOf(name);
    if (!message || texts[name] !== undefined) continue;
    const app = texts.app ?? toAppName(project.app.otpApp);
    const candidate = suggestedAnswer(name, project, present, app);
    // A file may hold what is no answer any more, such as a region that Fly closed
    const isAnswer = candidate !== undefined && complaint(name, candidate) === undefined;
    const suggestion = isAnswer ? candidate : undefined;
    if (onlyIfUnanswered && suggestion !== undefined) continue;
    if (search) live ??= await waitForAccount(account);
    const offers = live ?? {};
    texts[name] = await ask({
      message,
      suggestion,
      validate: (answer) => complaint(name, answer, offers) ?? true,
      search: search && ((term) => search(term, project, app, offers)),
    });
  }
  return live ?? {};
}

async function waitForAccount(
  account: Promise<AccountChoices> | undefined,
): Promise<AccountChoices> {
  const notice = setTimeout(() => console.log(styleText('dim', 'Waiting for flyctl…')), 300);
  const live = (await account) ?? {};
  clearTimeout(notice);
  return live;
}

/** What is wrong with an answer. */
const complaint = (name: QuestionName, answer: string, live?: AccountChoices): string | undefined =>
  problemOf(() => questionOf(name).parse(answer.trim(), live));
