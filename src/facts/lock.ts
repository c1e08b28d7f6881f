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
    pairs(map).flatMap(([name, entry]): [string, Locked][] => {
      if (!(entry instanceof Tuple)) return [];
      const [kind, second, third, options, , needs, repo] = entry.items;
      if (atomName(kind) === 'hex') {
        return [
          [
            name,
            {
              version: typeof third === 'string' ? third : null,
              source: 'hex',
              repo: typeof repo === 'string' ? repo : 'hexpm',
              url: null,
              deps: required(needs),
            },
          ],
        ];
      }
      const tag = get(options, 'tag');
      const version =
        typeof tag === 'string' ? (/^v?(\d+\.\d+\.\d+.*)$/.exec(tag)?.[1] ?? null) : null;
      return [
        [
          name,
          {
            version,
            source: atomName(kind) === 'git' ? 'git' : 'other',
            repo: null,
            url: typeof second === 'string' ? second : null,
            deps: [],
          },
        ],
      ];
    }),
  );
}

function required(needs: Value | undefined): string[] {
  if (!Array.isArray(needs)) return [];
  return needs.flatMap((need) => {
    if (!(need instanceof Tuple) || get(need.items[2], 'optional') === true) return [];
    return atomName(need.items[0]) ?? [];
  });
}
