import { Problem } from '../problem.ts';

export interface Region {
  code: string;
  city: string;
  /** Managed Postgres is offered there (fly.io/docs/mpg). */
  mpg: boolean;
}

/** Fly's regions as of 2026-08 (fly.io/docs/reference/regions), for runs that flyctl can't tell what there is today. */
export const REGIONS: readonly Region[] = [
  { code: 'ams', city: 'Amsterdam, Netherlands', mpg: true },
  { code: 'arn', city: 'Stockholm, Sweden', mpg: false },
  { code: 'bom', city: 'Mumbai, India', mpg: false },
  { code: 'cdg', city: 'Paris, France', mpg: false },
  { code: 'dfw', city: 'Dallas, Texas (US)', mpg: false },
  { code: 'ewr', city: 'Secaucus, New Jersey (US)', mpg: false },
  { code: 'fra', city: 'Frankfurt, Germany', mpg: true },
  { code: 'gru', city: 'Sao Paulo, Brazil', mpg: true },
  { code: 'iad', city: 'Ashburn, Virginia (US)', mpg: true },
  { code: 'jnb', city: 'Johannesburg, South Africa', mpg: false },
  { code: 'lax', city: 'Los Angeles, California (US)', mpg: true },
  { code: 'lhr', city: 'London, United Kingdom', mpg: true },
  { code: 'nrt', city: 'Tokyo, Japan', mpg: true },
  { code: 'ord', city: 'Chicago, Illinois (US)', mpg: true },
  { code: 'sin', city: 'Singapore', mpg: true },
  { code: 'sjc', city: 'San Jose, California (US)', mpg: true },
  { code: 'syd', city: 'Sydney, Australia', mpg: true },
  { code: 'yyz', city: 'Toronto, Canada', mpg: true },
];

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

const label = (code: string, regions: readonly Region[]): string =>
  `${code} (${regions.find((region) => region.code === code)?.city})`;

/** Regions whose code or city contains the text, codes that start with it first. */
export function searchRegions(
  text: string,
  regions: readonly Region[] = REGIONS,
): readonly Region[] {
  const term = text.trim().toLowerCase();
  const hits = regions.filter(
    ({ code, city }) => code.includes(term) || city.toLowerCase().includes(term),
  );
  return [...hits].sort(
    (left, right) => Number(right.code.startsWith(term)) - Number(left.code.startsWith(term)),
  );
}

/**
 * A region code from what was typed: a code, or a city that only one region matches.
 * @throws Problem naming the replacement of a retired region, or the regions that exist
 */
export function parseRegion(text: string, regions: readonly Region[] = REGIONS): string {
  const term = text.trim().toLowerCase();
  const exact = regions.find((region) => region.code === term);
  if (exact) return exact.code;
  const moved = RETIRED[term];
  if (moved)
    throw new Problem(`Fly closed the region ${term}; use ${label(moved, REGIONS)} instead`);
  const hits = term.length > 2 ? searchRegions(term, regions) : [];
  if (hits.length === 1 && hits[0]) return hits[0].code;
  const which = hits.length
    ? `matches several regions: ${hits.map((hit) => label(hit.code, regions)).join(', ')}`
    : `is not a Fly region; there are ${regions.map((region) => region.code).join(' ')}`;
  throw new Problem(`"${text}" ${which}`);
}
