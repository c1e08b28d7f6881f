import { emitKeypressEvents } from 'node:readline';
import { createInterface } from 'node:readline/promises';
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
  search?: ((term: string) => readonly Choice[]) | undefined;
}

export const atTerminal = (): boolean => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** Begun early by a run that will ask, since loading takes longer than reading most repos. */
export const loadPrompts = () =>
  Promise.all([import('@inquirer/input'), import('@inquirer/search')]);

/** Asks one question at a terminal. @throws Stopped */
export const ask = (prompt: Prompt): Promise<string> =>
  process.env.TERM === 'dumb' ? askPlainly(prompt) : askInquirer(prompt);

async function askInquirer(prompt: Prompt): Promise<string> {
  const { message, offered, validate, search } = prompt;
  const [input, list] = await loadPrompts();
  const stop = new AbortController();
  const onKey = (_text: string, key?: { name?: string }) => {
    if (key?.name === 'escape') stop.abort();
  };
  emitKeypressEvents(process.stdin);
  process.stdin.on('keypress', onKey);
  const pageSize = Math.max(3, Math.min(8, (process.stdout.rows ?? 24) - 6));
  const source = (term = '') => choicesFor(term.trim(), prompt);
  try {
    return await (search
      ? list.default({ message, pageSize, source }, stop)
      : input.default({ message, validate, default: offered }, stop));
  } catch (error) {
    const isStop = error instanceof Error && /^(Exit|Abort)PromptError$/.test(error.name);
    throw isStop ? new Stopped() : error;
  } finally {
    process.stdin.off('keypress', onKey);
  }
}

/** The choices of a list, the offered one first; where nothing fits, a line that says why and can't be chosen. */
function choicesFor(
  term: string,
  { offered, validate, search }: Prompt,
): (Choice & { disabled?: string })[] {
  const found = search?.(term) ?? [];
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

/** A terminal that only prints lines, such as Emacs' shell, can't redraw a list: all choices are printed, and a line is read. */
async function askPlainly({ message, offered, validate, search }: Prompt): Promise<string> {
  const { stdin: input, stdout: output } = process;
  const lines = createInterface({ input, output, terminal: false });
  const stop = new AbortController();
  const end = () => stop.abort();
  lines.once('close', end);
  process.once('SIGINT', end);
  const question = `${message}${offered === undefined ? '' : ` (${offered})`} `;
  try {
    for (const { name } of search?.('') ?? []) console.log(`  ${name}`);
    for (;;) {
      const text = (await lines.question(question, stop)).trim() || offered || '';
      const complaint = validate(text);
      if (complaint === true) return text;
      const [only, ...others] = text ? (search?.(text) ?? []) : [];
      if (only && others.length === 0) return only.value;
      console.log(complaint);
    }
  } catch (error) {
    throw stop.signal.aborted ? new Stopped() : error;
  } finally {
    process.off('SIGINT', end);
    lines.close();
  }
}
