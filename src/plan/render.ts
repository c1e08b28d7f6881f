import { readFileSync } from 'node:fs';
import ejs from 'ejs';

const TEMPLATES = new URL('../../templates/', import.meta.url);

/** Answers are data in whatever language they land in, so nothing is HTML-escaped and nothing may be missing. */
function print(value: unknown): string {
  if (value === undefined || value === null)
    throw new Error('a template printed a name that has no value');
  return String(value);
}

/**
 * Renders templates/NAME.ejs with LF line endings.
 * @throws Error when the template uses a name that the view lacks
 */
export function render(name: string, view: Record<string, unknown>): string {
  const template = readFileSync(new URL(`${name}.ejs`, TEMPLATES), 'utf8');
  return ejs.render(template, view, { escape: print, filename: name });
}
