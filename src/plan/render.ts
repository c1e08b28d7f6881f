import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import { refuseInvisible } from '../quote.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));

/** In place of EJS's HTML escape: a value is printed as it is, must exist, and can't start a line of its own. */
function printValue(value: unknown): string {
  if (value === undefined || value === null)
    throw new Error('a template printed a name that has no value');
  return refuseInvisible(String(value));
}

/**
 * Renders templates/NAME.ejs with LF line endings. `include('NAME')` in a template inserts another one, also by its path
 * below templates/.
 * @throws Error when the template uses a name that the view lacks
 */
export function render(name: string, view: Record<string, unknown>): string {
  const filename = `${TEMPLATES}${name}.ejs`;
  return ejs.render(readFileSync(filename, 'utf8'), view, {
    cache: true,
    escape: printValue,
    filename,
    root: TEMPLATES,
  });
}
