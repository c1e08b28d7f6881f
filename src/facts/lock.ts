export interface Locked {
  /** From hex, or from a git tag that looks like one; null otherwise. */
  version: string | null;
  source: 'hex' | 'git' | 'other';
  /** Hex repository: "hexpm", or a private one such as "hexpm:acme" or "oban". */
  repo: string | null;
  url: string | null;
  /** Packages it needs; those that it merely can use are left out. Unknown (empty) for git. */
  deps: string[];
}

/** How an entry begins: `"jason": {:hex, `. */
const ENTRY = /^(?:%\{| *)"?(\w+)"?: \{:(\w+),/gm;
const NEED = /\{:"?(\w+)"?, [^[\]{}]*\[([^[\]{}]*)\]\}/g;

/** mix.lock by package name. It is data that Mix prints, so its text tells; a merge conflict does no harm. */
export function readLock(text: string): Map<string, Locked> {
  const starts = [...text.matchAll(ENTRY)];
  return new Map(
    starts.map(({ 0: start, 1: name = '', 2: kind, index }, place) => [
      name,
      lockedOf(kind, text.slice(index + start.length, starts[place + 1]?.index)),
    ]),
  );
}

function lockedOf(kind: string | undefined, text: string): Locked {
  const found = (pattern: RegExp): string | null => pattern.exec(text)?.[1] ?? null;
  const [first, tag] = [found(/"([^"]*)"/), found(/tag: "v?(\d+\.\d+\.\d+[^"]*)"/)];
  if (kind !== 'hex')
    return {
      version: tag,
      source: kind === 'git' ? kind : 'other',
      repo: null,
      url: first,
      deps: [],
    };
  const needs = [...text.matchAll(NEED)].filter(
    ([, , options]) => !options?.includes('optional: true'),
  );
  const deps = needs.map(([, name = '']) => name);
  return { version: first, source: kind, repo: found(/\], "([^"]*)"/) ?? 'hexpm', url: null, deps };
}
