const WIDTH = 120;

/** Breaks the instructions of a Dockerfile that are longer than 120 characters, at spaces outside of quotes. */
export const foldLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line.startsWith('#') ? line : fold(line)))
    .join('\n');

function fold(line: string): string {
  const tail = line.endsWith(' \\') ? 2 : 0;
  if (line.length <= WIDTH) return line;
  const indent = `${/^ */.exec(line)?.[0] ?? ''}    `;
  const space = spaces(line).findLast((offset) => offset > indent.length && offset <= WIDTH - 2);
  if (space === undefined || space >= line.length - tail) return line;
  return `${line.slice(0, space)} \\\n${fold(indent + line.slice(space + 1))}`;
}

/** Offsets of the spaces that part words. */
function spaces(line: string): number[] {
  const found: number[] = [];
  let quote = '';
  [...line].forEach((sign, offset) => {
    if (quote ? sign === quote : sign === '"' || sign === "'") quote = quote ? '' : sign;
    else if (sign === ' ' && !quote) found.push(offset);
  });
  return found;
}
