import { readFileSync } from 'node:fs';
import ejs from 'ejs';
import { oneLine } from '../quote.ts';

const TEMPLATES = new URL('../../templates/', import.meta.url);

/** Answers are data in whatever language they land in, so nothing is HTML-escaped, nothing may be missing, and nothing begins a line of its own. */
function print(value: unknown): string {
  if (value === undefined || value === null)
    throw new Error('a template printed a name that has no value');
  return oneLine(String(value));
}

/**
 * Renders templates/NAME.ejs with LF line endings.
 * @throws Error when the template uses a name that the view lacks
 */
export function render(name: string, view: Record<string, unknown>): string {
  const template = readFileSync(new URL(`${name}.ejs`, TEMPLATES), 'utf8');
  return ejs.render(template, view, { escape: print, filename: name });
}
