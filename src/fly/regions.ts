import { Problem } from '../problem.ts';
import table from './regions.json' with { type: 'json' };

export interface Region {
  code: string;
  city: string;
  /** Managed Postgres is offered there (fly.io/docs/mpg). */
  mpg: boolean;
}

interface KnownRegion extends Region {
  /** By which people look for it, beside its city: a city or state of one region alone, a country of several. */
  words: string;
  /** Closed regions whose apps flyctl sends there (flyctl internal/command/launch/plan_builder.go, 2026-08). */
  replaces?: string;
}

/** Fly's regions as of 2026-08 (fly.io/docs/reference/regions), for runs that flyctl can't tell what there is today. */
export const REGIONS: readonly KnownRegion[] = table;

export const knownRegion = (code: string): KnownRegion | undefined =>
  REGIONS.find((region) => region.code === code);

const label = ({ code, city }: Region): string => `${code} (${city})`;

/** The region that replaced a closed one. */
export const successorOf = (code = ''): KnownRegion | undefined =>
  REGIONS.find(({ replaces }) => replaces?.split(' ').includes(code));

/** Lower case without accents and signs: "São  Paulo" becomes "sao paulo". */
const normalize = (text: string): string =>
  text
    .normalize('NFD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim();

/** What a region is found by, in the order in which it counts: code, city, all else. */
const searchTexts = ({ code, city }: Region): string[] =>
  [code, city, knownRegion(code)?.words ?? ''].map((field) => ` ${normalize(field)} `);

/**
 * Regions with words that begin with the text: in the code, the city, its country or state, or a big city nearby.
 * Those that match in the code come first, then those that match in the city.
 */
export function searchRegions(text: string, regions: readonly Region[] = REGIONS): Region[] {
  const ranked = regions.map((region) => ({
    region,
    rank: searchTexts(region).findIndex((field) => field.includes(` ${normalize(text)}`)),
  }));
  return ranked
    .filter(({ rank }) => rank >= 0)
    .sort((left, right) => left.rank - right.rank)
    .map(({ region }) => region);
}

/**
 * A region code from what was typed: a code, or words of {@link searchRegions} that only one region has.
 * @throws Problem naming the replacement of a retired region, or the regions that exist
 */
export function parseRegion(text: string, regions: readonly Region[] = REGIONS): string {
  const term = normalize(text);
  if (regions.some(({ code }) => code === term)) return term;
  const successor = successorOf(term);
  if (successor)
    throw new Problem(`Fly closed the region ${term}; use ${label(successor)} instead`);
  const found = term.length > 1 ? searchRegions(term, regions) : [];
  const hasWholeWord = (region: Region) =>
    searchTexts(region).some((field) => field.includes(` ${term} `));
  const wholeWords = found.filter(hasWholeWord);
  const matches = wholeWords.length ? wholeWords : found;
  if (matches.length === 1 && matches[0]) return matches[0].code;
  const which = matches.length
    ? `matches several regions: ${matches.map(label).join(', ')}`
    : `is not a Fly region; there are ${regions.map(({ code }) => code).join(' ')}`;
  throw new Problem(`"${text}" ${which}`);
}

/** @throws Problem naming the regions where a cluster of Managed Postgres can be made, if this one isn't among them */
export function refuseUnmanaged(code: string, regions: readonly Region[] = REGIONS): void {
  const offered = regions.filter(({ mpg }) => mpg).map((region) => region.code);
  if (offered.includes(code)) return;
  throw new Problem(
    `--region: Fly has no Managed Postgres in ${code}; answer one of ${offered.join(' ')}, or --postgres NAME for a Fly Postgres app`,
  );
}
