import semver from 'semver';
import { Problem } from '../problem.ts';
import table from './images.json' with { type: 'json' };

export type Base = 'alpine' | 'debian';

interface Wanted {
  elixir: { version: string | null; otp: string | null; requirements: readonly string[] };
}

const systems = table.systems as Record<string, Record<Base, string>>;

/** Past its end of life (2026-08-31): its package lists answer 404. */
const GONE = 'bullseye';

/** What a repo without a pin gets: the oldest pair that still gets fixes (endoflife.date, 2026-11), which most packages run on. */
const DEFAULT = { minor: '1.18', otp: 27 };

/** The patch releases that closed CVE-2026-109821 and others (2026-10-29); minors that are not here get no fixes any more. */
const FIXED: Readonly<Record<string, string>> = {
  '1.18': '1.18.6',
  '1.19': '1.19.7',
  '1.20': '1.20.5',
};

const minorOf = (version: string): string => /^\d+\.\d+/.exec(version)?.[0] ?? version;

/** The official images by minor, each with the patch release that the table knows. */
const IMAGES = Object.entries(table.elixir).flatMap(([version, otps]) =>
  otps.map((otp) => ({ minor: minorOf(version), version, otp })),
);
type Known = (typeof IMAGES)[number];

/** A minor that is newer than the table: its tag will be there, on what the newest OTP releases stand on. */
function newer(minor: string): Known[] {
  if (IMAGES.some((image) => semver.gte(image.version, `${minor}.0`))) return [];
  const otps = Object.keys(systems).map(Number);
  return otps.filter((otp) => otp >= DEFAULT.otp).map((otp) => ({ minor, version: minor, otp }));
}

/**
 * The official image for what the repo pins, among those that mix.exs allows, and the OS release that it stands on: Alpine's
 * number ("3.24") or Debian's code name ("trixie"). Tags: docker-library/official-images, as of the date in images.json. The
 * tag of a minor ("1.18") always exists and gets patch releases, so it is the choice wherever the exact tag is not known to
 * exist, or is known to have holes.
 * @throws Problem when no official image satisfies mix.exs
 */
export function chooseImage({ elixir: wanted }: Wanted, base: Base) {
  const { version: pinned, requirements } = wanted;
  const minor = pinned === null ? DEFAULT.minor : minorOf(pinned);
  const otp = Number.parseInt(wanted.otp ?? '', 10) || (pinned ? null : DEFAULT.otp);
  const [best] = [...IMAGES, ...newer(minor)]
    .map((image) => ({ ...image, os: systems[image.otp]?.[base] ?? GONE }))
    .filter((image) => image.os !== GONE && allows(requirements, image.minor))
    .sort(
      (left, right) =>
        minorDistance(left.minor, minor) - minorDistance(right.minor, minor) ||
        otpDistance(left.otp, otp) - otpDistance(right.otp, otp),
    );
  if (!best)
    throw new Problem(
      `no official Elixir image satisfies mix.exs (elixir: "${requirements.join('" and "')}"); images as of ${table.asOf}: ${Object.keys(table.elixir).join(', ')}`,
    );
  const elixir = tagOf(best, wanted);
  return { elixir, otp: best.otp, os: best.os, notes: notesOn(elixir, best, wanted) };
}

/** The exact version where the repo pins it and its tag is known and safe, or where mix.exs allows no newer one. */
function tagOf({ minor, version }: Known, wanted: Wanted['elixir']): string {
  const fixed = FIXED[minor] ?? version;
  const isSafe = version === minor || semver.gte(version, fixed);
  if (!allows(wanted.requirements, isSafe ? version : fixed)) return version;
  return isSafe && wanted.version === version ? version : minor;
}

/** What of the repo's pins the image doesn't follow, and whether it has holes. */
function notesOn(elixir: string, { minor, otp }: Known, wanted: Wanted['elixir']): string[] {
  const { version: pinned } = wanted;
  const fixed = FIXED[minor];
  const hasHoles = (version: string): boolean =>
    fixed !== undefined && semver.lt(semver.coerce(version) ?? fixed, fixed);
  const isOther = pinned !== null && minorOf(pinned) !== minor;
  const isReplaced = pinned !== null && !isOther && elixir !== pinned;
  return [
    isOther &&
      `Elixir ${pinned} is pinned; among the official images (as of ${table.asOf}) ${elixir} is the nearest that mix.exs allows.`,
    isReplaced &&
      hasHoles(pinned) &&
      `Elixir ${pinned} has known security holes (CVE-2026-109821, closed in ${fixed}): the image takes the newest ${minor} instead. Pin that for development too.`,
    isReplaced &&
      !hasHoles(pinned) &&
      `Whether Elixir ${pinned} has an official image is not known (list as of ${table.asOf}), so the image takes the tag ${minor}, its newest patch release.`,
    elixir !== minor &&
      hasHoles(elixir) &&
      `mix.exs allows the image only Elixir ${elixir}, which has known security holes (CVE-2026-109821); allow ${fixed} there.`,
    !fixed &&
      IMAGES.some((image) => image.minor === minor) &&
      `Elixir ${minor} gets no security fixes any more (as of 2026-11); ${DEFAULT.minor} and later do.`,
    wanted.otp !== null &&
      Number.parseInt(wanted.otp, 10) !== otp &&
      `OTP ${wanted.otp} is not used: Elixir ${minor} has no official image with it, or one on a system past its end of life only; OTP ${otp} is the nearest.`,
  ].filter((note) => note !== false);
}

/** Whether a version, whole or without its patch, is one that mix.exs may mean. */
export const satisfiesRequirement = (version: string, requirement: string): boolean =>
  semver.intersects(/^\d+\.\d+$/.test(version) ? `~${version}.0` : version, toRange(requirement));

const allows = (requirements: readonly string[], version: string): boolean =>
  requirements.every((requirement) => satisfiesRequirement(version, requirement));

/** Elixir's requirement language in semver's: `~> 1.15` allows 1.16, `~> 1.15.2` does not. */
function toRange(requirement: string): string {
  const range = requirement
    .replace(/~>\s*(\d+\.\d+\.\d+)/g, '~$1')
    .replace(/~>\s*(\d+\.\d+)(-[\w.]+)?/g, '^$1')
    .replaceAll('==', '=')
    .replace(/\s+or\s+/g, ' || ')
    .replace(/\s+and\s+/g, ' ');
  return semver.validRange(range) ? range : '*';
}

/** Among equally near ones the newer wins: an older compiler may miss what the code uses. */
function minorDistance(candidate: string, wanted: string): number {
  const [, left = 0] = candidate.split('.').map(Number);
  const [, right = 0] = wanted.split('.').map(Number);
  return Math.abs(left - right) * 2 + (left < right ? 1 : 0);
}

/** Nothing wanted: the newest. */
const otpDistance = (candidate: number, wanted: number | null): number =>
  wanted === null ? -candidate : Math.abs(candidate - wanted);
