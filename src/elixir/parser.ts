import { ExternalTokenizer } from '@lezer/lr';
import { parser as lezerElixir } from 'lezer-elixir';
import { spend } from './budget.ts';

export type Tree = ReturnType<typeof lezerElixir.parse>;
export type SyntaxNode = Tree['topNode'];

/** What @lezer/lr keeps to itself. */
interface Tokenizer extends ExternalTokenizer {
  token(...input: Parameters<ConstructorParameters<typeof ExternalTokenizer>[0]>): void;
}
interface Progress {
  /** Ways to read what came so far; each holds what is open. */
  stacks: readonly { stack: readonly number[] }[];
  /** Above 0 while it looks for a way out of an error. */
  recovering: number;
}

/**
 * lezer-elixir 1.1.3 takes the word after `~w(a b) ` for the sigil's modifiers, so that it loses the `do` or
 * `end` there: its tokenizer skips white space first. Modifiers stand directly behind the sigil. The only place
 * where its faults are worked round.
 */
const { tokenizers } = lezerElixir as unknown as { tokenizers: Tokenizer[] };
const parser = lezerElixir.configure({
  tokenizers: tokenizers
    .filter(({ token }) => /SigilModifiers/.test(String(token)))
    .map((from) => ({
      from,
      to: new ExternalTokenizer((input, stack) => {
        const before = String.fromCodePoint(Math.max(input.peek(-1), 0));
        if (!/\s/.test(before)) from.token(input, stack);
      }),
    })),
});

/** What people write stays far below: of 37 public apps, 100 KB and 240 open are the most. */
const LARGEST = 256 << 10;
const MOST_OPEN = 1000;
/** The parser's time is the square of such a row. */
const ROW = /\s{1000}|([^\w\s])\1{500}/;
/** A step of looking for a way out of an error copies all that is open. */
const RECOVERY = 10;

/** The parse tree, as far as the limits reach. @returns undefined for a text that is beyond them as a whole */
export function parseTree(text: string): Tree | undefined {
  if (!spend('parsing', 0) || text.length > LARGEST || ROW.test(text)) return undefined;
  const parse = parser.startParse(text);
  const progress = parse as unknown as Progress;
  try {
    for (;;) {
      const { stacks, recovering } = progress;
      const isOver =
        !spend('parsing', stacks.length * (recovering ? RECOVERY : 1)) ||
        stacks.some(({ stack }) => stack.length > MOST_OPEN);
      if (isOver && parse.stoppedAt === null) parse.stopAt(parse.parsedPos);
      const tree = parse.advance();
      if (tree) return tree;
    }
  } catch (error) {
    // The library builds its tree by recursion, and a row such as a.b.b… is as deep as it is long
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
