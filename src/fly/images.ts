import semver from 'semver';
import { Problem } from '../problem.ts';
import table from './images.json' with { type: 'json' };

export type Base = 'alpine' | 'debian';

interface Wanted {
  elixir: { version: string | null; otp: string | null; requirements: readonly string[] };
}

const systems = table.systems as Record<string, Record<Base, string>>;

/** Past its end of life (2026-08-31): its package lists answer 404. */
const EXPIRED_DEBIAN = 'bullseye';

/** What a repo without a pin gets: the oldest pair that still gets fixes (endoflife.date, 2026-11), which most packages run on. */
const DEFAULT = { minor: '1.18', otp: 27 };

/** The patch releases that closed CVE-2026-109821 and others (2026-10-29); minors that are not here get no fixes any more. */
const FIRST_SAFE: Readonly<Record<string, string>> = {
  '1.18': '1.18.6',
  '1.19': '1.19.7',
  '1.20': '1.20.5',
};

const minorOf = (version: string): string => /^\d+\.\d+/.exec(version)?.[0] ?? version;

interface KnownImage {
  minor: string;
  /** The patch release that the table knows; undefined for a minor that is newer than the table. */
  version: string | undefined;
  otp: number;
}

const IMAGES = Object.entries(table.elixir).flatMap(([version, otps]) =>
  otps.map((otp) => ({ minor: minorOf(version), version, otp })),
);

/** A minor that is newer than the table: its tag will be there, on what the newest OTP releases stand on. */
function newerImages(minor: string): KnownImage[] {
  if (IMAGES.some((image) => semver.gte(image.version, `${minor}.0`))) return [];
  const otps = Object.keys(systems).map(Number);
  const newest = otps.filter((otp) => otp >= DEFAULT.otp);
  return newest.map((otp) => ({ minor, version: undefined, otp }));
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
  const candidates = [...IMAGES, ...newerImages(minor)]
    .map((image) => ({ ...image, os: systems[image.otp]?.[base] ?? EXPIRED_DEBIAN }))
    .filter((image) => image.os !== EXPIRED_DEBIAN && allows(requirements, image.minor));
  const [best] = candidates.sort(
    (left, right) =>
      minorDistance(left.minor, minor) - minorDistance(right.minor, minor) ||
      otpDistance(left.otp, otp) - otpDistance(right.otp, otp),
  );
  if (!best)
    throw new Problem(
      `no official Elixir image satisfies mix.exs (elixir: "${requirements.join('" and "')}"); images as of ${table.asOf}: ${Object.keys(table.elixir).join(', ')}`,
    );
  const elixir = tagOf(best, wanted);
  const notes = [
    pinNote(elixir, best.minor, pinned),
    securityNote(elixir, best.minor),
    otpNote(best, wanted.otp),
  ];
  return { elixir, otp: best.otp, os: best.os, notes: notes.filter((note) => note !== undefined) };
}

/** The exact version where the repo pins it and its tag is known and safe, or where mix.exs allows no newer one. */
function tagOf({ minor, version }: KnownImage, wanted: Wanted['elixir']): string {
  if (version === undefined) return minor;
  const safe = hasHoles(version) ? FIRST_SAFE[minor] : version;
  if (safe && !allows(wanted.requirements, safe)) return version;
  return safe === version && wanted.version === version ? version : minor;
}

function hasHoles(version: string): boolean {
  const safe = FIRST_SAFE[minorOf(version)];
  return safe !== undefined && semver.lt(semver.coerce(version) ?? safe, safe);
}

/** Why the image has another Elixir than the repo pins. */
function pinNote(elixir: string, minor: string, pinned: string | null): string | undefined {
  if (pinned === null || pinned === elixir) return undefined;
  if (minorOf(pinned) !== minor)
    return `Elixir ${pinned} is pinned; among the official images (as of ${table.asOf}) ${elixir} is the nearest that mix.exs allows.`;
  if (hasHoles(pinned))
    return `Elixir ${pinned} has known security holes (CVE-2026-109821, closed in ${FIRST_SAFE[minor]}): the image takes the newest ${minor} instead. Pin that for development too.`;
  return `Whether Elixir ${pinned} has an official image is not known (list as of ${table.asOf}), so the image takes the tag ${minor}, its newest patch release.`;
}

function securityNote(elixir: string, minor: string): string | undefined {
  if (elixir !== minor && hasHoles(elixir))
    return `mix.exs allows the image only Elixir ${elixir}, which has known security holes (CVE-2026-109821); allow ${FIRST_SAFE[minor]} there.`;
  if (!FIRST_SAFE[minor] && IMAGES.some((image) => image.minor === minor))
    return `Elixir ${minor} gets no security fixes any more (as of 2026-11); ${DEFAULT.minor} and later do.`;
  return undefined;
}

function otpNote({ minor, otp }: KnownImage, pinned: string | null): string | undefined {
  if (pinned === null || Number.parseInt(pinned, 10) === otp) return undefined;
  return `OTP ${pinned} is not used: Elixir ${minor} has no official image with it, or one on a system past its end of life only; OTP ${otp} is the nearest.`;
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
