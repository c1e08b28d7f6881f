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
  suggestion?: string | undefined;
  /** @returns true, or what is wrong with an answer */
  validate: (answer: string) => true | string;
  /** The choices of a list that match what has been typed so far; without it, the answer is free text. */
  search?: ((term: string) => readonly Choice[]) | undefined;
}

/** Whether a person can be asked. */
export const atTerminal = (): boolean => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** Loading takes longer than reading most repos, so a run that will ask starts it early. */
export const loadPrompts = () =>
  Promise.all([import('@inquirer/input'), import('@inquirer/search')]);

/** Asks one question at a terminal. @throws Stopped */
export const ask = (prompt: Prompt): Promise<string> =>
  process.env.TERM === 'dumb' ? askLineByLine(prompt) : askInquirer(prompt);

async function askInquirer(prompt: Prompt): Promise<string> {
  const { message, suggestion, validate, search } = prompt;
  const [input, list] = await loadPrompts();
  const abort = new AbortController();
  const onKey = (_text: string, key?: { name?: string }) => {
    if (key?.name === 'escape') abort.abort();
  };
  emitKeypressEvents(process.stdin);
  process.stdin.on('keypress', onKey);
  const pageSize = Math.max(3, Math.min(8, (process.stdout.rows ?? 24) - 6));
  const source = (term = '') => choicesFor(term.trim(), prompt);
  try {
    return await (search
      ? list.default({ message, pageSize, source }, abort)
      : input.default({ message, validate, default: suggestion }, abort));
  } catch (error) {
    const isStop = error instanceof Error && /^(Exit|Abort)PromptError$/.test(error.name);
    throw isStop ? new Stopped() : error;
  } finally {
    process.stdin.off('keypress', onKey);
  }
}

/** The choices for a search term, the suggestion first. Where none matches: the term itself, or why it can't be chosen. */
function choicesFor(
  term: string,
  { suggestion, validate, search }: Prompt,
): (Choice & { disabled?: string })[] {
  const choices = search?.(term) ?? [];
  if (choices.length === 0) {
    const complaint = validate(term);
    return complaint === true
      ? [{ value: term, name: term }]
      : [{ value: '', name: complaint, disabled: ' ' }];
  }
  if (term || suggestion === undefined) return [...choices];
  const isSuggested = ({ value }: Choice) => value === suggestion;
  const first = choices.find(isSuggested) ?? { value: suggestion, name: suggestion };
  return [first, ...choices.filter((choice) => choice !== first)];
}

/** For a terminal that only prints lines, such as Emacs' shell: prints all choices, then reads a line. */
async function askLineByLine({ message, suggestion, validate, search }: Prompt): Promise<string> {
  const { stdin: input, stdout: output } = process;
  const lines = createInterface({ input, output, terminal: false });
  const abort = new AbortController();
  const stop = () => abort.abort();
  lines.once('close', stop);
  process.once('SIGINT', stop);
  const query = `${message}${suggestion === undefined ? '' : ` (${suggestion})`} `;
  try {
    for (const { name } of search?.('') ?? []) console.log(`  ${name}`);
    for (;;) {
      const answer = (await lines.question(query, abort)).trim() || suggestion || '';
      const complaint = validate(answer);
      if (complaint === true) return answer;
      const matches = answer ? (search?.(answer) ?? []) : [];
      if (matches[0] && matches.length === 1) return matches[0].value;
      console.log(complaint);
    }
  } catch (error) {
    throw abort.signal.aborted ? new Stopped() : error;
  } finally {
    process.off('SIGINT', stop);
    lines.close();
  }
}
