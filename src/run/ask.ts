import { styleText } from 'node:util';
import type { FlagTexts } from '../answers/flags.ts';
import {
  type Answers,
  defaultAppName,
  type Present,
  parseAnswer,
  type QuestionName,
  questionOf,
  suggestedAnswer,
} from '../answers/questions.ts';
import { refuseAnswers } from '../answers/refusals.ts';
import type { Project } from '../facts/detect.ts';
import type { AccountChoices } from '../fly/live.ts';
import { successorOf } from '../fly/regions.ts';
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
    const app = texts.app ?? defaultAppName(project);
    if (search) live ??= await waitForAccount(account);
    const offers = live ?? {};
    /** What is wrong with an answer, in itself or in this app and region. */
    const complaint = (answer: string) =>
      problemOf(() => {
        const region = parseAnswer('region', texts.region, offers);
        const parsed = { region, [name]: questionOf(name).parse(answer.trim(), offers) };
        refuseAnswers(project, parsed as Partial<Answers>, offers.regions);
      });
    const candidate = suggestedAnswer(name, project, present, app);
    // A file may hold what is no answer any more, such as a region that Fly closed
    const obsolete = candidate === undefined ? undefined : complaint(candidate);
    const suggestion = obsolete ? successorOf(candidate)?.code : candidate;
    if (onlyIfUnanswered && suggestion !== undefined) continue;
    if (obsolete) console.log(styleText('dim', obsolete));
    texts[name] = await ask({
      message,
      suggestion,
      validate: (answer) => complaint(answer) ?? true,
      search:
        search &&
        ((term) =>
          search(term, project, app, offers).filter(({ value }) => complaint(value) === undefined)),
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
