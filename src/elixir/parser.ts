import { ExternalTokenizer } from '@lezer/lr';
import { parser as lezerElixir } from 'lezer-elixir';
import { parsing } from './budget.ts';

export type Tree = ReturnType<typeof lezerElixir.parse>;
export type SyntaxNode = Tree['topNode'];

/** What @lezer/lr keeps to itself. */
interface Tokenizer {
  token(...input: Parameters<ConstructorParameters<typeof ExternalTokenizer>[0]>): void;
}
interface Progress {
  /** Ways to read what came so far; each holds what is open. */
  stacks: readonly { stack: readonly number[] }[];
  /** Above 0 while it looks for a way out of an error, which costs about ten times as much. */
  recovering: number;
  tokens: { tokens: readonly { start: number; lookAhead: number }[] };
}

/**
 * lezer-elixir 1.1.3 takes the word after `~w(a b) ` for the sigil's modifiers, so that it loses the `do` or
 * `end` there: its tokenizer skips white space first. Modifiers stand directly behind the sigil. The only place
 * where its faults are worked round.
 */
const modifiers = (
  lezerElixir as unknown as { tokenizers: (Tokenizer & ExternalTokenizer)[] }
).tokenizers.filter(
  (tokenizer) =>
    tokenizer instanceof ExternalTokenizer && /SigilModifiers/.test(String(tokenizer.token)),
);
const parser = lezerElixir.configure({
  tokenizers: modifiers.map((from) => ({
    from,
    to: new ExternalTokenizer((input, stack) => {
      const before = String.fromCodePoint(Math.max(input.peek(-1), 0));
      if (!/\s/.test(before)) from.token(input, stack);
    }),
  })),
});

/** People write 30 at most; a thousand take the parser minutes. */
const DEEPEST = 200;
const RECOVERY = 10;

/** True when brackets or blocks stand too deep in each other. Goes by the text alone, so that it costs little. */
function isDeep(text: string): boolean {
  let depth = 0;
  for (const [word] of text.matchAll(/[([{)\]}]|\b(?:do|fn|end)\b(?!:)/g)) {
    if (/^[)\]}e]/.test(word)) depth = Math.max(0, depth - 1);
    else if (++depth > DEEPEST) return true;
  }
  return false;
}

/** Of the next step: a way out of an error copies all that is open, and several ways are compared with each other in it. */
function costOf({ stacks, recovering }: Progress): number {
  if (recovering)
    return stacks.reduce((cost, { stack }) => cost + RECOVERY + (stack.length >> 6), 0);
  if (stacks.length < 2) return 1;
  return stacks.reduce((cost, { stack }) => cost + 1 + ((stack.length ** 2) >> 12), 0);
}

/** Of the last step: a token at a blank line looks at all blank lines behind it. */
const scanCost = ({ tokens: { tokens } }: Progress): number =>
  tokens.reduce((cost, { start, lookAhead }) => cost + ((lookAhead - start) >> 7), 0);

/** The parse tree, as far as the budget reaches; undefined: nothing of it can be had. */
export function parseTree(text: string): Tree | undefined {
  if (parsing.over || isDeep(text)) return undefined;
  try {
    return parseWithin(text);
  } catch (error) {
    // The library builds its tree by recursion: thousands of prefix operators in a row overflow the stack
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parseWithin(text: string): Tree {
  const parse = parser.startParse(text);
  const progress = parse as unknown as Progress;
  for (;;) {
    if (!parsing.spend(costOf(progress)) && parse.stoppedAt === null) parse.stopAt(parse.parsedPos);
    const { parsedPos } = parse;
    const tree = parse.advance();
    if (tree) return tree;
    if (parse.parsedPos > parsedPos) parsing.spend(scanCost(progress));
  }
}
