import { parsing } from './budget.ts';
import type { Expr } from './expr.ts';
import { parseTree, type Tree } from './parser.ts';
import { Reader } from './read.ts';

export { type Call, type Clause, type Expr, option, walk } from './expr.ts';

/** What the parser could not read, for a message: line (1-based) and the text there. */
export interface SyntaxProblem {
  line: number;
  text: string;
}

export interface Source {
  text: string;
  body: Expr[];
  problem: SyntaxProblem | null;
}

let lastText = '';
let lastStarts: number[] = [];

/** Line number (1-based) of an offset. */
export function lineAt(text: string, offset: number): number {
  if (text !== lastText) {
    lastText = text;
    lastStarts = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);
  }
  let [low, high] = [0, lastStarts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lastStarts[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low + 1;
}

/** By text: several questions read the same file. Long-running processes start over now and then. */
const known = new Map<string, Source>();
const MOST_KNOWN = 2000;

/**
 * Parses Elixir source without Elixir. Never throws: what can't be read is left out and the first
 * such place is named in `problem`.
 */
export function parseElixir(text: string): Source {
  const source = known.get(text) ?? parse(text);
  if (known.size >= MOST_KNOWN) known.clear();
  if (!parsing.over) known.set(text, source);
  return source;
}

function parse(text: string): Source {
  const tree = parseTree(text);
  if (!tree) return { text, body: [], problem: { line: 1, text: 'it is nested too deep' } };
  return { text, body: new Reader(text).all(tree.topNode), problem: firstError(tree, text) };
}

function firstError(tree: Tree, text: string): SyntaxProblem | null {
  const cursor = tree.cursor();
  do {
    if (cursor.type.isError)
      return {
        line: lineAt(text, cursor.from),
        text: text.slice(cursor.from, cursor.from + 40).split('\n')[0] ?? '',
      };
  } while (cursor.next());
  return null;
}
