const WIDTH = 120;

/** Breaks the lines of a Dockerfile that are longer than 120 characters, at spaces outside of quotes. */
export const foldLines = (text: string): string => text.split('\n').map(fold).join('\n');

function fold(line: string): string {
  if (line.length <= WIDTH) return line;
  if (line.startsWith('# ')) return wrap('# ', '# ', line.slice(2).split(' '), WIDTH).join('\n');
  const indent = /^ */.exec(line)?.[0] ?? '';
  const words = line.slice(indent.length).match(/(?:"[^"]*"|'[^']*'|[^ ])+/g) ?? [];
  return wrap(indent, `${indent}    `, words, WIDTH - 2).join(' \\\n');
}

function wrap(first: string, next: string, words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    // A line's own backslash, at its end
    const fits = longer.length <= width || word === '\\';
    if (lines.length && fits) lines[lines.length - 1] = longer;
    else lines.push((lines.length ? next : first) + word);
  }
  return lines;
}
