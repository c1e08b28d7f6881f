import { styleText } from 'node:util';
import type { Texts } from '../answers/flags.ts';
import { offered, type Present, type QuestionName, questionOf } from '../answers/questions.ts';
import type { Project } from '../facts/detect.ts';
import type { Live } from '../fly/live.ts';
import { toAppName } from '../fly/names.ts';
import { problemOf } from '../problem.ts';
import { ask } from './prompt.ts';
import { wrapped } from './terminal.ts';

/**
 * Asks what the flags left open, into `texts`.
 * @param account what flyctl says, under way
 * @returns what it said, for reading the answers
 * @throws Stopped
 */
export async function askAll(
  asks: readonly QuestionName[],
  project: Project,
  present: Present,
  texts: Texts,
  account?: Promise<Live>,
): Promise<Live> {
  let live: Live | undefined;
  for (const name of asks) {
    const { message, inDoubt, search } = questionOf(name);
    const app = texts.app ?? toAppName(project.app.otpApp);
    const found = offered(name, project, present, app);
    // What stands in a file may be no answer, such as a region that was given up
    const usable = found !== undefined && complaint(name, found) === true ? found : undefined;
    if (!message || texts[name] !== undefined || (inDoubt && usable !== undefined)) continue;
    if (search && !live) {
      const slow = setTimeout(() => console.log(styleText('dim', 'Waiting for flyctl…')), 300);
      live = (await account) ?? {};
      clearTimeout(slow);
      if (live.note) console.log(styleText('dim', wrapped(live.note)));
    }
    const known = live ?? {};
    texts[name] = await ask({
      message,
      offered: usable,
      validate: (text) => complaint(name, text, live),
      search: search && ((term) => search(term, project, app, known)),
    });
  }
  return live ?? {};
}

/** What is wrong with an answer; true: nothing. */
const complaint = (name: QuestionName, text: string, live?: Live): true | string =>
  problemOf(() => questionOf(name).parse(text.trim(), live)) ?? true;
