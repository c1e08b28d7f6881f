import semver from 'semver';
import { Problem } from '../problem.ts';
import table from './images.json' with { type: 'json' };

export type Base = 'alpine' | 'debian';

/** An official Elixir image and the OS release it stands on; all three become ARGs of the Dockerfile. */
export interface Image {
  /** "1.18", whose tag always has the newest patch release; "1.17.3" where the repo pins a version that has a tag. */
  elixir: string;
  otp: number;
  /** Alpine's number ("3.24") or Debian's code name ("trixie"). */
  os: string;
  notes: string[];
}

interface Wanted {
  elixir: { version: string | null; otp: string | null; requirements: readonly string[] };
}

const systems = table.systems as Record<string, Record<Base, string>>;

/** Past its end of life (2026-08-31): its package lists answer 404. */
const GONE = new Set(['bullseye']);

/** What a repo without a pin gets: the oldest pair that still gets fixes (endoflife.date, 2026-11), which most packages run on. */
const DEFAULT = { elixir: '1.18', otp: 27 };

/** The patch releases that closed CVE-2026-109821 and others (2026-10-29); minors that are not here get no fixes any more. */
const FIXED: Readonly<Record<string, number>> = { '1.18': 6, '1.19': 7, '1.20': 5 };

/** Elixir's minors with an official image: the patch release that the table knows, and OTP releases. */
const MINORS = Object.entries(table.elixir).map(([version, otps]) => ({
  minor: minorOf(version),
  version,
  otps,
}));

/**
 * The official image for what the repo pins, among those that mix.exs allows. Tags: docker-library/official-images, as of the
 * date in images.json. The tag of a minor always exists and gets patch releases, so it is the choice wherever the exact tag is
 * not known to exist, or is known to have holes.
 * @throws Problem when no official image satisfies mix.exs
 */
export function chooseImage({ elixir: wanted }: Wanted, base: Base): Image {
  const pinned = wanted.version === null ? null : minorOf(wanted.version);
  const otp = Number.parseInt(wanted.otp ?? '', 10) || (pinned ? null : DEFAULT.otp);
  const minors = [...MINORS, ...newer(pinned)].filter(({ minor }) =>
    wanted.requirements.every((requirement) => satisfiesRequirement(minor, requirement)),
  );
  const usable = minors.flatMap((one) =>
    one.otps
      .map((release) => ({ ...one, otp: release, os: systems[String(release)]?.[base] ?? '' }))
      .filter(({ os }) => os && !GONE.has(os)),
  );
  const target = pinned ?? DEFAULT.elixir;
  const [best] = usable.sort(
    (left, right) =>
      minorDistance(left.minor, target) - minorDistance(right.minor, target) ||
      otpDistance(left.otp, otp) - otpDistance(right.otp, otp),
  );
  if (!best)
    throw new Problem(
      `no official Elixir image satisfies mix.exs (elixir: "${wanted.requirements.join('" and "')}"); images as of ${table.asOf}: ${MINORS.map(({ version }) => version).join(', ')}`,
    );
  const elixir = tagVersion(best, wanted);
  return {
    elixir,
    otp: best.otp,
    os: best.os,
    notes: [
      ...elixirNotes(elixir, best.minor, wanted.version),
      ...otpNotes(best, otp, wanted.otp, base),
    ],
  };
}

/** A minor that is newer than the table: its tag will be there, on what the newest OTP releases stand on. */
const newer = (pinned: string | null): typeof MINORS =>
  pinned && MINORS.every(({ minor }) => semver.lt(`${minor}.0`, `${pinned}.0`))
    ? [
        {
          minor: pinned,
          version: pinned,
          otps: Object.keys(systems)
            .map(Number)
            .filter((release) => release >= DEFAULT.otp),
        },
      ]
    : [];

/** The exact version where the repo pins it and its tag is known and safe, or where mix.exs allows no newer one. */
function tagVersion({ minor, version }: (typeof MINORS)[number], wanted: Wanted['elixir']): string {
  if (version === minor) return minor;
  const fixed = `${minor}.${FIXED[minor] ?? 0}`;
  const newest = semver.gt(fixed, version) ? fixed : version;
  const floats = wanted.requirements.every((one) => semver.satisfies(newest, toRange(one)));
  if (!floats) return version;
  return wanted.version === version && semver.gte(version, fixed) ? version : minor;
}

function elixirNotes(elixir: string, minor: string, pinned: string | null): string[] {
  const fixed = FIXED[minor] === undefined ? undefined : `${minor}.${FIXED[minor]}`;
  const notes: string[] = [];
  if (pinned !== null && minorOf(pinned) !== minor)
    notes.push(
      MINORS.some((one) => one.minor === minorOf(pinned))
        ? `Elixir ${pinned} is pinned, but mix.exs does not allow it; ${elixir} is the nearest that it allows.`
        : `There is no official image of Elixir ${pinned} any more (as of ${table.asOf}); ${elixir} is the nearest that mix.exs allows.`,
    );
  else if (pinned !== null && elixir !== pinned) notes.push(floatNote(elixir, pinned, fixed));
  if (elixir !== minor && fixed && semver.lt(elixir, fixed))
    notes.push(
      `mix.exs allows the image only Elixir ${elixir}, which has known security holes (CVE-2026-109821); allow ${fixed} there.`,
    );
  if (!fixed && MINORS.some((one) => one.minor === minor))
    notes.push(
      `Elixir ${minor} gets no security fixes any more (as of 2026-11); ${DEFAULT.elixir} and later do.`,
    );
  return notes;
}

/** Why the tag is the minor's, although the repo pins a whole version. */
const floatNote = (minor: string, pinned: string, fixed: string | undefined): string =>
  fixed && (semver.coerce(pinned)?.compare(fixed) ?? 0) < 0
    ? `Elixir ${pinned} has known security holes (CVE-2026-109821, closed in ${fixed}): the image takes the newest ${minor} instead. Pin that for development too.`
    : `Whether Elixir ${pinned} has an official image is not known (list as of ${table.asOf}), so the image takes the tag ${minor}, its newest patch release.`;

function otpNotes(
  best: { minor: string; otp: number },
  otp: number | null,
  pinned: string | null,
  base: Base,
): string[] {
  if (!pinned || otp === null || best.otp === otp) return [];
  const built = MINORS.some(({ minor, otps }) => minor === best.minor && otps.includes(otp));
  const reason = built
    ? `its Debian (${systems[String(otp)]?.[base]}) is past its end of life`
    : `Elixir ${best.minor} has no official image with it`;
  return [`OTP ${otp} is not used: ${reason}; OTP ${best.otp} is the nearest.`];
}

function minorOf(version: string): string {
  return /^\d+\.\d+/.exec(version)?.[0] ?? version;
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

/** Among equally near ones the newer wins: an older compiler may miss what the code uses. */
function minorDistance(candidate: string, wanted: string): number {
  const [, left = 0] = candidate.split('.').map(Number);
  const [, right = 0] = wanted.split('.').map(Number);
  return Math.abs(left - right) * 2 + (left < right ? 1 : 0);
}

/** Nothing wanted: the newest. Otherwise the nearest; no Elixir has images on both sides of one that it lacks. */
function otpDistance(candidate: number, wanted: number | null): number {
  if (wanted === null) return -candidate;
  return Math.abs(candidate - wanted);
}
