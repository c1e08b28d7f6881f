import { markTruncated, spend } from './budget.ts';
import { convertTree } from './convert.ts';
import { nodeOf, parseTree, type Tree } from './parser.ts';

/** Line number (1-based) of an offset. */
export const lineAt = (text: string, offset: number): number =>
  text.slice(0, offset).split('\n').length;

/** Parsed files by their text, since several questions read the same file. Emptied when full, for long-running processes. */
const cache = new Map<string, ReturnType<typeof parse>>();
const MAX_CACHED = 2000;

const TOO_LARGE = 'what follows is too long or too deep';

/** Parses Elixir source without Elixir. Never throws: what can't be read is left out, and `problem` names where that begins. */
export function parseElixir(text: string) {
  const source = cache.get(text) ?? parse(text);
  if (source.problem?.text === TOO_LARGE) markTruncated();
  if (cache.size >= MAX_CACHED) cache.clear();
  if (spend('parsing', 0)) cache.set(text, source);
  return source;
}

function parse(text: string) {
  const tree = parseTree(text);
  const length = tree?.length ?? 0;
  const truncation = length < text.length ? { line: lineAt(text, length), text: TOO_LARGE } : null;
  return {
    body: tree ? convertTree(nodeOf(tree.topNode, text)) : [],
    /** What could not be read, for a message: line (1-based) and the text there. */
    problem: truncation ?? (tree ? firstError(tree, text) : null),
  };
}

function firstError(tree: Tree, text: string) {
  const cursor = tree.cursor();
  while (!cursor.type.isError) if (!cursor.next()) return null;
  const [line = ''] = text.slice(cursor.from, cursor.from + 40).split('\n');
  return { line: lineAt(text, cursor.from), text: line };
}
