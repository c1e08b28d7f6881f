import { children, readNodes, type SyntaxNode } from './read.ts';
import type { Expr } from './syntax.ts';

/** `~w(a b)` as a list, any other sigil as the text in it. */
export function sigil(node: SyntaxNode, text: string): Expr {
  const at = node.from;
  const kids = children(node);
  const part = (name: string) =>
    kids
      .filter((kid) => kid.name === name)
      .map((kid) => text.slice(kid.from, kid.to))
      .join('');
  const name = part('SigilName') || part('StringSigil');
  const content = stringParts(
    kids.filter((kid) => kid.name !== 'SigilName' && kid.name !== 'SigilModifiers'),
    text,
    false,
  );
  if (name.toLowerCase() !== 'w' || content.some((piece) => typeof piece !== 'string'))
    return { is: 'string', at, parts: content };
  const words = content.join('').split(/\s+/).filter(Boolean);
  const asAtoms = part('SigilModifiers').includes('a');
  return {
    is: 'list',
    at,
    items: words.map(
      (word): Expr =>
        asAtoms ? { is: 'atom', at, name: word } : { is: 'string', at, parts: [word] },
    ),
  };
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', s: ' ', e: '\u001b', 0: '\0' };

/** Text and interpolated expressions of a string, escapes resolved. */
export function stringParts(kids: SyntaxNode[], text: string, heredoc: boolean): (string | Expr)[] {
  const parts: (string | Expr)[] = [];
  for (const kid of kids) {
    const source = text.slice(kid.from, kid.to);
    if (kid.name === 'Interpolation') parts.push(...readNodes(kid, text));
    else if (kid.name === 'EscapeSequence') parts.push(ESCAPES[source.slice(1)] ?? source.slice(1));
    else if (kid.name === 'QuotedContent') parts.push(heredoc ? source.replace(/^\n/, '') : source);
  }
  return parts;
}
