/** mix.lock by package name. */
export type Lock = ReadonlyMap<string, ReturnType<typeof lockedPackage>>;

/** How an entry begins: `"jason": {:hex, `. */
const ENTRY = /^(?:%\{| *)"?(\w+)"?: \{:(\w+),/gm;
/** A package that the entry needs: `{:plug, "~> 1.7", [hex: :plug, repo: "hexpm", optional: false]}`. */
const REQUIREMENT = /\{:"?(\w+)"?, [^[\]{}]*\[([^[\]{}]*)\]\}/g;

/** Reads mix.lock. As Mix prints it, regular expressions do; a merge conflict in it does no harm. */
export function readLock(text: string): Lock {
  const entries = [...text.matchAll(ENTRY)];
  return new Map(
    entries.map(({ 0: start, 1: name = '', 2: source, index }, number) => {
      const end = entries[number + 1]?.index;
      return [name, lockedPackage(source, text.slice(index + start.length, end))];
    }),
  );
}

function lockedPackage(source: string | undefined, text: string) {
  const firstGroup = (pattern: RegExp): string | null => pattern.exec(text)?.[1] ?? null;
  const isHex = source === 'hex';
  const firstString = firstGroup(/"([^"]*)"/);
  const requirements = isHex ? [...text.matchAll(REQUIREMENT)] : [];
  return {
    /** From hex, or from a git tag that looks like a version; null otherwise. */
    version: isHex ? firstString : firstGroup(/tag: "v?(\d+\.\d+\.\d+[^"]*)"/),
    /** `hex`, `git`, `path`. */
    source,
    /** Hex repository: "hexpm", or a private one such as "hexpm:acme" or "oban". */
    repo: isHex ? (firstGroup(/\], "([^"]*)"/) ?? 'hexpm') : null,
    url: isHex ? null : firstString,
    /** Packages it needs, optional ones left out. Empty for git, where the lock doesn't list them. */
    deps: requirements.flatMap(([, name = '', options = '']) =>
      options.includes('optional: true') ? [] : name,
    ),
  };
}
