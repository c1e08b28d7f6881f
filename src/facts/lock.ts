export type Locked = ReturnType<typeof lockedOf>;

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

function lockedOf(kind: string | undefined, text: string) {
  const found = (pattern: RegExp): string | null => pattern.exec(text)?.[1] ?? null;
  const isHex = kind === 'hex';
  const first = found(/"([^"]*)"/);
  const needs = isHex ? [...text.matchAll(NEED)] : [];
  return {
    /** From hex, or from a git tag that looks like one; null otherwise. */
    version: isHex ? first : found(/tag: "v?(\d+\.\d+\.\d+[^"]*)"/),
    /** `hex`, `git`, `path`. */
    source: kind,
    /** Hex repository: "hexpm", or a private one such as "hexpm:acme" or "oban". */
    repo: isHex ? (found(/\], "([^"]*)"/) ?? 'hexpm') : null,
    url: isHex ? null : first,
    /** Packages it needs; those that it merely can use are left out. Unknown (empty) for git. */
    deps: needs.flatMap(([, name = '', options = '']) =>
      options.includes('optional: true') ? [] : name,
    ),
  };
}
