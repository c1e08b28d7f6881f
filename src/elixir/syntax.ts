import { cut, spend } from './budget.ts';
import { parseTree, type Tree } from './parser.ts';
import { readTree } from './read.ts';

export { type Call, type Clause, type Expr, option, walk } from './expr.ts';

let last = { text: '', offset: 0, line: 1 };

/** Line number (1-based) of an offset. Counts on from the last one asked for. */
export function lineAt(text: string, offset: number): number {
  if (text !== last.text || offset < last.offset) last = { text, offset: 0, line: 1 };
  const line = last.line + text.slice(last.offset, offset).split('\n').length - 1;
  last = { text, offset, line };
  return line;
}

/** By text: several questions read the same file. Long-running processes start over now and then. */
const known = new Map<string, ReturnType<typeof parse>>();
const MOST_KNOWN = 2000;

/**
 * Parses Elixir source without Elixir. Never throws: what can't be read is left out and the first
 * such place is named in `problem`.
 */
export function parseElixir(text: string) {
  const source = known.get(text) ?? parse(text);
  if (source.problem?.text === BEYOND) cut();
  if (known.size >= MOST_KNOWN) known.clear();
  if (spend('parsing', 0)) known.set(text, source);
  return source;
}

const BEYOND = 'what follows is too long or too deep';

function parse(text: string) {
  const tree = parseTree(text);
  const length = tree?.length ?? 0;
  const cut = length < text.length ? { line: lineAt(text, length), text: BEYOND } : null;
  return {
    body: tree ? readTree(tree.topNode, text) : [],
    /** What could not be read, for a message: line (1-based) and the text there. */
    problem: cut ?? (tree ? firstError(tree, text) : null),
  };
}

function firstError(tree: Tree, text: string) {
  const cursor = tree.cursor();
  while (!cursor.type.isError) if (!cursor.next()) return null;
  const [line = ''] = text.slice(cursor.from, cursor.from + 40).split('\n');
  return { line: lineAt(text, cursor.from), text: line };
}
