import { sameEndings } from '../src/edit/endings.ts';
import type { GeneratedFile } from '../src/plan/file.ts';

export const dockerignore: GeneratedFile = {
  name: 'dockerignore',
  summary: 'keeps secrets and build output out of the image',
  asks: [],
  outputs: () => [{ path: '.dockerignore', template: '.dockerignore', merge: addLines }],
};

/** The last match wins in a .dockerignore, so missing lines go in front: the user's own exceptions still count. */
function addLines(before: string | undefined, ours: string): string {
  if (before === undefined) return ours;
  // Docker skips a byte-order mark only in front
  const [mark, text] = before.startsWith('\uFEFF') ? ['\uFEFF', before.slice(1)] : ['', before];
  const have = new Set(text.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, '')));
  const missing = ours
    .split('\n')
    .filter((line) => line && !line.startsWith('#') && !have.has(line));
  return missing.length ? mark + sameEndings(text, `${missing.join('\n')}\n`) + text : before;
}
