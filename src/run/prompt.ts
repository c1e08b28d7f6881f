import { createInterface, emitKeypressEvents } from 'node:readline';
import type { Choice } from '../answers/questions.ts';

/** The person ended the run at a prompt, with Ctrl-C, Ctrl-D or Esc. */
export class Stopped extends Error {
  override name = 'Stopped';
}

export interface Prompt {
  message: string;
  /** What an empty answer means. */
  offered?: string | undefined;
  /** @returns what is wrong with an answer */
  validate: (text: string) => true | string;
  /** What fits the text typed so far. */
  search?: (term: string) => readonly Choice[];
}

export const atTerminal = (): boolean => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** Begun early by a run that will ask, since loading takes longer than reading most repos. */
export const loadPrompts = () =>
  Promise.all([import('@inquirer/input'), import('@inquirer/search')]);

/** Asks one question at a terminal. @throws Stopped */
export const ask = (prompt: Prompt): Promise<string> =>
  process.env.TERM === 'dumb' ? askPlainly(prompt) : askInquirer(prompt);

async function askInquirer({ message, offered, validate, search }: Prompt): Promise<string> {
  const [input, list] = await loadPrompts();
  const stop = new AbortController();
  const onKey = (_text: string, key?: { name?: string }) => {
    if (key?.name === 'escape') stop.abort();
  };
  emitKeypressEvents(process.stdin);
  process.stdin.on('keypress', onKey);
  try {
    if (!search)
      return await input.default(
        { message, validate, ...(offered !== undefined && { default: offered }) },
        stop,
      );
    return await list.default(
      {
        message,
        pageSize: Math.max(3, Math.min(8, (process.stdout.rows ?? 24) - 6)),
        source: (term) => choicesFor(term?.trim() ?? '', offered, validate, search),
      },
      stop,
    );
  } catch (error) {
    const stopped = error instanceof Error && /^(Exit|Abort)PromptError$/.test(error.name);
    throw stopped ? new Stopped() : error;
  } finally {
    process.stdin.off('keypress', onKey);
  }
}

/** The choices of a list, the offered one first; where nothing fits, a line that says why and can't be chosen. */
function choicesFor(
  term: string,
  offered: string | undefined,
  validate: (text: string) => true | string,
  search: (term: string) => readonly Choice[],
): { value: string; name: string; disabled?: string }[] {
  const found = search(term);
  if (found.length === 0) {
    const complaint = validate(term);
    return complaint === true
      ? [{ value: term, name: term }]
      : [{ value: '', name: complaint, disabled: ' ' }];
  }
  if (term || offered === undefined) return [...found];
  const first = found.find(({ value }) => value === offered) ?? { value: offered, name: offered };
  return [first, ...found.filter((choice) => choice !== first)];
}

/** For a terminal that only prints lines, as TERM=dumb says. */
async function askPlainly({ message, offered, validate, search }: Prompt): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: false });
  const readLine = (): Promise<string> =>
    new Promise((resolve, reject) => {
      lines.question(`${message}${offered === undefined ? '' : ` (${offered})`} `, resolve);
      lines.once('close', () => reject(new Stopped()));
    });
  try {
    if (search)
      console.log(
        search('')
          .map(({ name }) => `  ${name}`)
          .join('\n'),
      );
    for (;;) {
      const text = (await readLine()).trim() || offered || '';
      const complaint = validate(text);
      if (complaint === true) return text;
      const found = search?.(text) ?? [];
      if (text && found.length === 1 && found[0]) return found[0].value;
      console.log(complaint);
    }
  } finally {
    lines.close();
  }
}
