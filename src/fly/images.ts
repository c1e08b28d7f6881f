import semver from 'semver';
import { Problem } from '../problem.ts';
import table from './images.json' with { type: 'json' };

export type Base = 'alpine' | 'debian';

/** An official Elixir image and the OS release it stands on; all three become ARGs of the Dockerfile. */
export interface Image {
  elixir: string;
  otp: number;
  /** Alpine's number ("3.24") or Debian's code name ("trixie"). */
  os: string;
  notes: string[];
}

interface Wanted {
  elixir: { version: string | null; otp: string | null; requirements: readonly string[] };
  phoenix: { version: string | null };
}

const systems = table.systems as Record<string, Record<Base, string>>;

/** Past its end of life (2026-08-31): its package lists answer 404. */
const GONE = new Set(['bullseye']);

/** What a repo without a pin gets: the Elixir and OTP its Phoenix was current with. */
const SUITS: [range: string, elixir: string, otp: number][] = [
  ['>=1.8.0', '1.18', 27],
  ['>=1.7.0', '1.17', 26],
  ['>=0.0.0', '1.16', 26],
];

/**
 * The official image nearest to what the repo pins, among those that mix.exs allows. Tags: docker-library/official-images,
 * as of the date in images.json.
 * @throws Problem when no official image satisfies mix.exs
 */
export function chooseImage(wanted: Wanted, base: Base): Image {
  const notes: string[] = [];
  const ranges = wanted.elixir.requirements.map(toRange);
  const all = Object.entries(table.elixir).flatMap(([elixir, otps]) =>
    otps.map((otp) => ({ elixir, otp, os: systems[String(otp)]?.[base] ?? '' })),
  );
  const usable = all.filter(
    (image) =>
      image.os &&
      !GONE.has(image.os) &&
      ranges.every((range) => semver.satisfies(image.elixir, range)),
  );
  if (usable.length === 0)
    throw new Problem(
      `no official Elixir image satisfies mix.exs (elixir: "${wanted.elixir.requirements.join('" and "')}"); images as of ${table.asOf}: ${Object.keys(table.elixir).join(', ')}`,
    );
  const suits = SUITS.find(([phoenix]) =>
    semver.satisfies(wanted.phoenix.version ?? '0.0.0', phoenix, { includePrerelease: true }),
  );
  const elixir = wanted.elixir.version ?? suits?.[1] ?? '';
  const otp =
    Number.parseInt(wanted.elixir.otp ?? '', 10) ||
    (wanted.elixir.version ? null : (suits?.[2] ?? null));
  const [best] = usable.sort(
    (left, right) =>
      elixirDistance(left.elixir, elixir) - elixirDistance(right.elixir, elixir) ||
      otpDistance(left.otp, otp) - otpDistance(right.otp, otp),
  );
  if (!best) throw new Problem('no official Elixir image fits');
  if (wanted.elixir.version && !best.elixir.startsWith(wanted.elixir.version)) {
    notes.push(
      `There is no official image of Elixir ${wanted.elixir.version} any more (as of ${table.asOf}); ${best.elixir} is the nearest that mix.exs allows.`,
    );
  }
  if (wanted.elixir.otp && otp !== null && best.otp !== otp) {
    const reason = all.some((image) => image.elixir === best.elixir && image.otp === otp)
      ? `its Debian (${systems[String(otp)]?.[base]}) is past its end of life`
      : `Elixir ${best.elixir} has no official image with it`;
    notes.push(`OTP ${otp} was not taken: ${reason}; OTP ${best.otp} is the nearest.`);
  }
  return { ...best, notes };
}

/** Whether a version, whole or without its patch, is one that mix.exs may mean. */
export const satisfiesRequirement = (version: string, requirement: string): boolean =>
  semver.intersects(/^\d+\.\d+$/.test(version) ? `~${version}.0` : version, toRange(requirement));

/** Elixir's requirement language in semver's: `~> 1.15` allows 1.16, `~> 1.15.2` does not. */
function toRange(requirement: string): string {
  const range = requirement
    .replace(/~>\s*(\d+)\.(\d+)\.(\d+)(-[\w.]+)?/g, '>=$1.$2.$3$4 <$1.$2.99999')
    .replace(/~>\s*(\d+)\.(\d+)/g, '>=$1.$2.0 <$1.99999.0')
    .replaceAll('==', '=')
    .replace(/\s+or\s+/g, ' || ')
    .replace(/\s+and\s+/g, ' ');
  return semver.validRange(range) ? range : '*';
}

const numbers = (version: string): number[] =>
  version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);

/** Minors count first; among equally near ones the newer wins (an older compiler may miss what the code uses). */
function elixirDistance(candidate: string, wanted: string): number {
  const [, minor = 0, patch = 0] = numbers(candidate);
  const [, wantedMinor = 0, wantedPatch = 0] = numbers(wanted);
  const minors = minor - wantedMinor;
  return Math.abs(minors) * 1000 + (minors < 0 ? 500 : 0) + Math.abs(patch - wantedPatch) / 100;
}

/** Nothing wanted: the newest. Otherwise the nearest, older before newer. */
function otpDistance(candidate: number, wanted: number | null): number {
  if (wanted === null) return -candidate;
  return Math.abs(candidate - wanted) * 2 + (candidate > wanted ? 1 : 0);
}
