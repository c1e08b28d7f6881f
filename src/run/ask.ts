import { styleText } from 'node:util';
import type { Texts } from '../answers/flags.ts';
import {
  type Answers,
  offered,
  type Present,
  parseAnswer,
  type QuestionName,
  questionNames,
  questionOf,
} from '../answers/questions.ts';
import type { Project } from '../facts/detect.ts';
import type { Live } from '../fly/live.ts';
import { toAppName } from '../fly/names.ts';
import { Problem } from '../problem.ts';
import { ask } from './prompt.ts';

/**
 * Asks what the flags left open, into `texts`.
 * @param alone whether one file is generated, so that its own questions are asked too
 * @param account what flyctl says, under way
 * @returns what it said, for reading the answers
 * @throws Stopped
 */
export async function askAll(
  asks: readonly QuestionName[],
  alone: boolean,
  project: Project,
  present: Present,
  texts: Texts,
  account: Promise<Live> | undefined,
): Promise<Live> {
  let live: Live | undefined;
  const sofar: Partial<Record<QuestionName, unknown>> = {};
  for (const name of questionNames) {
    const question = questionOf(name);
    const found = offered(name, project, present, sofar as Partial<Answers>);
    // What stands in a file may be no answer, such as a region that was given up
    const usable = found !== undefined && complaint(name, found) === true ? found : undefined;
    const wanted =
      question.asked === 'always' || (alone && question.asked === 'alone') || usable === undefined;
    if (texts[name] === undefined && wanted && asks.includes(name)) {
      if (question.live && account && !live) {
        live = await account;
        if (live.note) console.log(styleText('dim', live.note));
      }
      texts[name] = await askOne(name, project, sofar as Partial<Answers>, usable, live ?? {});
    }
    const text = texts[name] ?? usable;
    if (text !== undefined) sofar[name] = parseAnswer(name, text, live);
  }
  return live ?? {};
}

function askOne(
  name: QuestionName,
  project: Project,
  { app }: Partial<Answers>,
  usable: string | undefined,
  live: Live,
): Promise<string> {
  const { message, search } = questionOf(name);
  return ask({
    message,
    offered: usable,
    validate: (text) => complaint(name, text, live),
    ...(search && {
      search: (term) => search(term, project, app ?? toAppName(project.app.otpApp), live),
    }),
  });
}

/** What is wrong with an answer; true: nothing. */
function complaint(name: QuestionName, text: string, live?: Live): true | string {
  try {
    questionOf(name).parse(text, live);
    return true;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
}
