import type { Expr } from './expr.ts';
import type { SyntaxNode } from './parser.ts';

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', s: ' ', e: '\u001b', 0: '\0' };

/** What a part of a string's parse tree is as text; nothing for its marks. */
export function textOf(node: string, source: string, heredoc: boolean): string[] {
  if (node === 'EscapeSequence') return [ESCAPES[source.slice(1)] ?? source.slice(1)];
  if (node !== 'QuotedContent') return [];
  return [heredoc ? source.replace(/^\n/, '') : source];
}

interface Sigil {
  name: string;
  modifiers: string;
}

export function sigilName(kids: readonly SyntaxNode[], text: string): Sigil {
  const part = (name: string) =>
    kids
      .filter((kid) => kid.name === name)
      .map((kid) => text.slice(kid.from, kid.to))
      .join('');
  return { name: part('SigilName') || part('StringSigil'), modifiers: part('SigilModifiers') };
}

/** `~w(a b)` is a list; any other sigil is the text in it. */
export const isWordList = ({ name }: Sigil, parts: readonly (string | Expr)[]): boolean =>
  name.toLowerCase() === 'w' && parts.every((part) => typeof part === 'string');

export function wordList(offset: number, content: string, { modifiers }: Sigil): Expr {
  const items = content
    .split(/\s+/)
    .filter(Boolean)
    .map(
      (word): Expr =>
        modifiers.includes('a')
          ? { is: 'atom', offset, name: word }
          : { is: 'string', offset, parts: [word] },
    );
  return { is: 'list', offset, items };
}
