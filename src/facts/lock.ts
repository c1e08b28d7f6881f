import { evaluate } from '../elixir/evaluate.ts';
import { emptyScope } from '../elixir/scope.ts';
import { parseElixir } from '../elixir/syntax.ts';
import { readTerm } from '../elixir/terms.ts';
import { atomName, get, pairs, Tuple, type Value } from '../elixir/value.ts';

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

/** mix.lock by package name. */
export function readLock(text: string): Map<string, Locked> {
  // Only a merge conflict or a comment makes it anything but printed data
  const map = readTerm(text) ?? evaluate(parseElixir(text).body[0], emptyScope());
  return new Map(
    pairs(map).flatMap(([name, entry]) =>
      entry instanceof Tuple ? [[name, lockedOf(entry.items)]] : [],
    ),
  );
}

const textOf = (value: Value | undefined): string | null =>
  typeof value === 'string' ? value : null;

function lockedOf([kind, second, third, options, , needs, repo]: readonly Value[]): Locked {
  if (atomName(kind) === 'hex') {
    const deps = Array.isArray(needs) ? needs.flatMap(required) : [];
    return {
      version: textOf(third),
      source: 'hex',
      repo: textOf(repo) ?? 'hexpm',
      url: null,
      deps,
    };
  }
  const tag = /^v?(\d+\.\d+\.\d+.*)$/.exec(textOf(get(options, 'tag')) ?? '');
  const source = atomName(kind) === 'git' ? 'git' : 'other';
  return { version: tag?.[1] ?? null, source, repo: null, url: textOf(second), deps: [] };
}

const required = (need: Value): string[] =>
  need instanceof Tuple && get(need.items[2], 'optional') !== true
    ? [atomName(need.items[0]) ?? []].flat()
    : [];
