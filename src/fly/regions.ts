import { Problem } from '../problem.ts';
import table from './regions.json' with { type: 'json' };

export interface Region {
  code: string;
  city: string;
  /** Managed Postgres is offered there (fly.io/docs/mpg). */
  mpg: boolean;
}

/** A region and the words, beside its city, by which people look for it. */
interface KnownRegion extends Region {
  words: string;
  /** Where Managed Postgres isn't offered: the region with it that is fewest milliseconds away. */
  managed?: string;
}

/** Fly's regions as of 2026-08 (fly.io/docs/reference/regions), for runs that flyctl can't tell what there is today. */
export const REGIONS: readonly KnownRegion[] = table;

/** Closed regions and where flyctl sends their apps (flyctl internal/command/launch/plan_builder.go, 2026-08). */
const RETIRED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['atl', 'den', 'mia', 'gdl', 'qro'].map((code) => [code, 'dfw'])),
  ...Object.fromEntries(['bog', 'gig', 'scl', 'eze'].map((code) => [code, 'gru'])),
  bos: 'ewr',
  phx: 'lax',
  sea: 'sjc',
  yul: 'yyz',
  waw: 'ams',
  mad: 'cdg',
  otp: 'fra',
  hkg: 'sin',
};

const known = (code: string): KnownRegion | undefined =>
  REGIONS.find((region) => region.code === code);

const label = (code: string, regions: readonly Region[]): string =>
  `${code} (${regions.find((region) => region.code === code)?.city})`;

/** Lower case without accents and signs: "São  Paulo" becomes "sao paulo". */
const fold = (text: string): string =>
  text
    .normalize('NFD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim();

/** What a region is found by, in the order in which it counts: code, city, all else. */
const fields = ({ code, city }: Region): string[] =>
  [code, city, known(code)?.words ?? ''].map(fold);

/**
 * Regions with words that begin with the text: in the code, the city, its country or state, or a big city nearby.
 * Those that match in the code come first, then those that match in the city.
 */
export function searchRegions(
  text: string,
  regions: readonly Region[] = REGIONS,
): readonly Region[] {
  const term = ` ${fold(text)}`;
  const rank = (region: Region) => fields(region).findIndex((field) => ` ${field}`.includes(term));
  return regions
    .map((region) => ({ region, rank: rank(region) }))
    .filter(({ rank }) => rank >= 0)
    .sort((left, right) => left.rank - right.rank)
    .map(({ region }) => region);
}

/**
 * A region code from what was typed: a code, or words of {@link searchRegions} that only one region has.
 * @throws Problem naming the replacement of a retired region, or the regions that exist
 */
export function parseRegion(text: string, regions: readonly Region[] = REGIONS): string {
  const term = fold(text);
  const exact = regions.find((region) => region.code === term);
  if (exact) return exact.code;
  const moved = Object.hasOwn(RETIRED, term) ? RETIRED[term] : undefined;
  if (moved)
    throw new Problem(`Fly closed the region ${term}; use ${label(moved, REGIONS)} instead`);
  const whole = regions.filter((region) => ` ${fields(region).join(' ')} `.includes(` ${term} `));
  const begun = term.length > 2 ? searchRegions(term, regions) : [];
  const hits = term && whole.length ? whole : begun;
  if (hits.length === 1 && hits[0]) return hits[0].code;
  const which = hits.length
    ? `matches several regions: ${hits.map((hit) => label(hit.code, regions)).join(', ')}`
    : `is not a Fly region; there are ${regions.map((region) => region.code).join(' ')}`;
  throw new Problem(`"${text}" ${which}`);
}

/** Whether Managed Postgres is offered in a region. */
export const hasManagedPostgres = (code: string, regions: readonly Region[] = REGIONS): boolean =>
  regions.some((region) => region.code === code && region.mpg);

/** @throws Problem naming the nearest region where a cluster of Managed Postgres can be made, if this one isn't */
export function refuseUnmanaged(code: string, regions: readonly Region[] = REGIONS): void {
  if (hasManagedPostgres(code, regions)) return;
  const offered = regions.filter((region) => region.mpg).map((region) => region.code);
  const nearest = known(code)?.managed ?? offered[0] ?? 'iad';
  throw new Problem(
    `--region: Fly has no Managed Postgres in ${label(code, regions)}; the nearest region with it is ${label(nearest, REGIONS)} (all: ${offered.join(' ')}). Answer --region ${nearest}, or --postgres NAME for a Fly Postgres app`,
  );
}
