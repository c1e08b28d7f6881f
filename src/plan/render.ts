import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import { oneLine } from '../quote.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));

/** Answers are data in whatever language they land in, so nothing is HTML-escaped, nothing may be missing, and nothing begins a line of its own. */
function print(value: unknown): string {
  if (value === undefined || value === null)
    throw new Error('a template printed a name that has no value');
  return oneLine(String(value));
}

/**
 * Renders templates/NAME.ejs with LF line endings; `include('NAME')` in it takes another template, by its path below templates/.
 * @throws Error when the template uses a name that the view lacks
 */
export function render(name: string, view: Record<string, unknown>): string {
  const filename = `${TEMPLATES}${name}.ejs`;
  return ejs.render(readFileSync(filename, 'utf8'), view, {
    cache: true,
    escape: print,
    filename,
    root: TEMPLATES,
  });
}
