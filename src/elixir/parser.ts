import { ExternalTokenizer } from '@lezer/lr';
import { parser as lezerElixir } from 'lezer-elixir';
import { spend } from './budget.ts';

export type Tree = ReturnType<typeof lezerElixir.parse>;

/** Fields of @lezer/lr that its types leave out. */
interface Tokenizer extends ExternalTokenizer {
  token(...input: Parameters<ConstructorParameters<typeof ExternalTokenizer>[0]>): void;
}
interface ParseState {
  /** One stack for each way to read the text so far; it holds the rules that are still open. */
  stacks: readonly { stack: readonly number[] }[];
  /** Above 0 while the parser recovers from an error. */
  recovering: number;
}

/**
 * lezer-elixir 1.1.3 takes the word after `~w(a b) ` for the sigil's modifiers and so loses a `do` or `end`: its tokenizer
 * skips white space first. Modifiers stand directly behind the sigil. This is the only workaround for the grammar's faults.
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

/** What people write stays far below: the most in 37 public apps is 100 KB and a stack of 240. */
const MAX_LENGTH = 256 << 10;
const MAX_STACK = 1000;
/** The parser's time grows with the square of the length of such a repetition. */
const REPETITION = /\s{1000}|([^\w\s])\1{500}/;
/** Each step of a recovery copies the whole stack. */
const RECOVERY_COST = 10;

/**
 * The parse tree, as far as the limits allow: its `length` says where it ends.
 * @returns undefined for a text that is not read at all
 */
export function parseTree(text: string): Tree | undefined {
  if (!spend('parsing', 0) || text.length > MAX_LENGTH || REPETITION.test(text)) return undefined;
  const parse = parser.startParse(text);
  const state = parse as unknown as ParseState;
  try {
    for (;;) {
      const { stacks, recovering } = state;
      const canGoOn =
        spend('parsing', stacks.length * (recovering ? RECOVERY_COST : 1)) &&
        stacks.every(({ stack }) => stack.length <= MAX_STACK);
      if (!canGoOn && parse.stoppedAt === null) parse.stopAt(parse.parsedPos);
      const tree = parse.advance();
      if (tree) return tree;
    }
  } catch (error) {
    // The library builds its tree by recursion, and a chain such as a.b.b… is as deep as it is long
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Nodes nested deeper than this are left out, so that what walks over the result needs no limit of its own. */
const MAX_DEPTH = 500;
const OPERATORS = new Set(['Operator', 'WordOperator']);
const PUNCTUATION = new Set(
  'Comment ( ) [ ] { } << >> do end else fn ⚠ #{ after rescue catch'.split(' '),
);

/** A node of the parser's tree without brackets, keywords and comments. */
export interface Node {
  name: string;
  offset: number;
  text: string;
  /** `+` of `a + b`; several operators are joined by spaces. */
  operator: string;
  children: Node[];
}

/** @param source the text that was parsed */
export function nodeOf(node: Tree['topNode'], source: string, depth = 0): Node {
  const text = source.slice(node.from, node.to);
  const operators: string[] = [];
  const children: Node[] = [];
  for (let child = node.firstChild; child && depth < MAX_DEPTH; child = child.nextSibling) {
    if (OPERATORS.has(child.name)) operators.push(source.slice(child.from, child.to));
    else if (!PUNCTUATION.has(child.name)) children.push(nodeOf(child, source, depth + 1));
  }
  const name = depth < MAX_DEPTH ? node.name : 'too deep';
  return { name, offset: node.from, text, operator: operators.join(' '), children };
}
