import pc from 'picocolors';
import {
  type Answers,
  parseFlag,
  type Question,
  type QuestionName,
  questionNames,
  questions,
} from '../answers/questions.ts';
import type { Project } from '../facts/detect.ts';
import type { Live } from '../fly/live.ts';
import { Problem } from '../problem.ts';
import { asksOf, type Generator } from './generator.ts';

const NOTHING: Live = {};

/** Loaded when there is something to ask: a run by flags does without, and starts sooner. */
export const prompts = async () => (await import('inquirer')).default;

/**
 * Asks what the flags left open, into `texts`. @param account what flyctl says, under way
 * @returns what it said, for reading the answers
 */
export async function ask(
  generator: Generator,
  project: Project,
  texts: Partial<Record<QuestionName, string>>,
  account: Promise<Live> | undefined,
): Promise<Live> {
  let live = NOTHING;
  const sofar: Partial<Record<QuestionName, unknown>> = {};
  const alone = generator.files.length === 1;
  for (const name of questionNames) {
    const question = questions[name] as Question;
    const given = texts[name];
    const found = question.default(project, sofar as Partial<Answers>);
    // What stands in a file may be no answer, such as a region that was given up
    const offered =
      found !== undefined && complaint(question, found) === undefined ? found : undefined;
    const isAsked =
      asksOf(generator).includes(name) &&
      (question.asked === 'always' ||
        (alone && question.asked === 'alone') ||
        offered === undefined);
    if (given === undefined && isAsked) {
      if (question.live && account && live === NOTHING) {
        live = await account;
        if (live.note) console.log(pc.dim(live.note));
      }
      texts[name] = await askOne(question, project, sofar as Partial<Answers>, offered, live);
    }
    const text = texts[name] ?? offered;
    if (text !== undefined) sofar[name] = parseFlag(name, text, live);
  }
  return live;
}

/** What is wrong with an answer. */
function complaint(question: Question, text: string, live?: Live): string | undefined {
  try {
    question.parse(text, live);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
}

async function askOne(
  question: Question,
  project: Project,
  sofar: Partial<Answers>,
  offered: string | undefined,
  live: Live,
): Promise<string> {
  const validate = (text: string): true | string => complaint(question, text, live) ?? true;
  const { search } = question;
  if (!search) {
    const { text } = await (await prompts()).prompt<{ text: string }>([
      { type: 'input', name: 'text', message: question.message, default: offered, validate },
    ]);
    return text;
  }
  const source = (term: string | undefined) => {
    const typed = term?.trim() ?? '';
    const found = search(typed, project, sofar, live);
    if (typed && found.length === 0 && validate(typed) === true)
      return [{ value: typed, name: typed }];
    if (found.length === 0) throw new Error(String(validate(typed)));
    if (typed || offered === undefined) return found;
    const first = found.find((choice) => choice.value === offered) ?? {
      value: offered,
      name: offered,
    };
    return [first, ...found.filter((choice) => choice !== first)];
  };
  const { text } = await (await prompts()).prompt<{ text: string }>([
    { type: 'search', name: 'text', message: question.message, source },
  ]);
  return text;
}
