import { ExternalTokenizer } from '@lezer/lr';
import { parser as lezerElixir } from 'lezer-elixir';
import { readNodes } from './read.ts';

/** What @lezer/lr keeps to itself. */
interface Tokenizer {
  token(...input: Parameters<ConstructorParameters<typeof ExternalTokenizer>[0]>): void;
}

/**
 * lezer-elixir 1.1.3 takes the word after `~w(a b) ` for the sigil's modifiers, so that it loses the `do` or `end` there.
 * Modifiers stand directly behind the sigil.
 */
const modifiers = (
  lezerElixir as unknown as { tokenizers: (Tokenizer & ExternalTokenizer)[] }
).tokenizers.filter(
  (one) => one instanceof ExternalTokenizer && /SigilModifiers/.test(String(one.token)),
);
const parser = lezerElixir.configure({
  tokenizers: modifiers.map((from) => ({
    from,
    to: new ExternalTokenizer((input, stack) =>
      /\s/.test(String.fromCodePoint(Math.max(input.peek(-1), 0)))
        ? undefined
        : from.token(input, stack),
    ),
  })),
});

/** Where an expression starts: offset in the source it was parsed from. */
interface At {
  at: number;
}

/** One `pattern -> body` of a `case`, `cond` or `fn`. */
export interface Clause {
  patterns: Expr[];
  guard?: Expr | undefined;
  body: Expr[];
}

/**
 * Elixir source as a small tree, close to what `quote` would return: keywords are lists of
 * two-element tuples, a call carries its do/else/… blocks. `at` is an offset into the source.
 */
export type Expr = At &
  (
    | { is: 'atom'; name: string }
    | { is: 'module'; name: string }
    | { is: 'literal'; value: string | number | boolean | null }
    | { is: 'string'; parts: (string | Expr)[] }
    | { is: 'list'; items: Expr[] }
    | { is: 'tuple'; items: Expr[] }
    | { is: 'map'; pairs: Expr[] }
    | { is: 'variable'; name: string }
    | { is: 'attribute'; name: string; value: Expr | undefined }
    | { is: 'operator'; name: string; operands: Expr[] }
    | {
        is: 'call';
        on: Expr | undefined;
        name: string;
        args: Expr[];
        blocks: Record<string, Expr[]>;
        clauses: Clause[];
      }
    | { is: 'fn'; clauses: Clause[] }
    | { is: 'other'; text: string }
  );

export type Call = Extract<Expr, { is: 'call' }>;

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

/** Line number (1-based) of an offset. */
export function lineAt(text: string, at: number): number {
  let line = 1;
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', next + 1))
    line++;
  return line;
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
  known.set(text, source);
  return source;
}

function parse(text: string): Source {
  const tree = parser.parse(text);
  let problem: SyntaxProblem | null = null;
  tree.iterate({
    enter(node) {
      if (!node.type.isError || problem) return;
      problem = {
        line: lineAt(text, node.from),
        text: text.slice(node.from, node.from + 40).split('\n')[0] ?? '',
      };
    },
  });
  return { text, body: readNodes(tree.topNode, text), problem };
}

/** Calls `visit` for every expression, outermost first. */
export function walk(exprs: readonly Expr[], visit: (expr: Expr) => void): void {
  for (const expr of exprs) {
    visit(expr);
    walk(parts(expr), visit);
  }
}

function parts(expr: Expr): Expr[] {
  const inClauses = (clauses: Clause[]) =>
    clauses.flatMap((clause) => [
      ...clause.patterns,
      ...(clause.guard ? [clause.guard] : []),
      ...clause.body,
    ]);
  switch (expr.is) {
    case 'string':
      return expr.parts.filter((part) => typeof part !== 'string');
    case 'list':
    case 'tuple':
      return expr.items;
    case 'map':
      return expr.pairs;
    case 'attribute':
      return expr.value ? [expr.value] : [];
    case 'operator':
      return expr.operands;
    case 'call':
      return [
        ...(expr.on ? [expr.on] : []),
        ...expr.args,
        ...Object.values(expr.blocks).flat(),
        ...inClauses(expr.clauses),
      ];
    case 'fn':
      return inClauses(expr.clauses);
    default:
      return [];
  }
}
