const WIDTH = 120;

/** Breaks the instructions of a Dockerfile that are longer than 120 characters, at spaces outside of quotes. */
export const foldLines = (text: string): string => text.split('\n').map(fold).join('\n');

function fold(line: string): string {
  if (line.length <= WIDTH || line.startsWith('#')) return line;
  const indent = /^ */.exec(line)?.[0] ?? '';
  const words = line.slice(indent.length).match(/(?:"[^"]*"|'[^']*'|[^ ])+/g) ?? [];
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length && (longer.length <= WIDTH - 2 || word === '\\'))
      lines[lines.length - 1] = longer;
    else lines.push(lines.length ? `${indent}    ${word}` : indent + word);
  }
  return lines.join(' \\\n');
}
