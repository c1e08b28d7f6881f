import table from '../fly/images.json' with { type: 'json' };

/** The operating system that an image stands on. */
export type System = NonNullable<ReturnType<typeof systemOf>>;

/** Debian's releases, oldest first: jessie is 8. */
export const DEBIANS = ['jessie', 'stretch', 'buster', 'bullseye', 'bookworm', 'trixie', 'forky'];
/** Ubuntu's long-term releases; tags name them either way. */
const UBUNTUS = new Map([
  ['bionic', '18.04'],
  ['focal', '20.04'],
  ['jammy', '22.04'],
  ['noble', '24.04'],
]);

const systems = table.systems as Record<string, Record<string, string>>;

/** Name and tag of an image, without the registry and `library/`; the Elixir and OTP of an official tag. */
function parseImage(image: string) {
  const [, name = '', tag = 'latest'] =
    /^(?:[\w.-]+\.[\w.-]+\/)?(?:library\/)?([\w./-]+?)(?::([^@]+))?(?:@.*)?$/.exec(image) ?? [];
  const [, version = '', minor, otp = ''] = /^((\d+\.\d+)(?:\.\d+)?)-otp-(\d+)/.exec(tag) ?? [];
  const [latest, otps = []] =
    Object.entries(table.elixir).find(([listed]) => listed.startsWith(`${minor}.`)) ?? [];
  return { name, tag, minor, otp, otps, isLatest: `${latest}.`.startsWith(`${version}.`) };
}

/** The release that a tag names: `alpine:3.22`, `ubuntu-noble`, `debian:12`, `bookworm-slim`. */
function namedRelease(name: string, tag: string): string | undefined {
  const text = `${name}:${tag}`;
  const [, alpine] = /alpine[:-]?(\d+\.\d+)/.exec(text) ?? [];
  const [, ubuntu] = /ubuntu[:-](\d+\.\d+|(?!latest)[a-z]+)/.exec(text) ?? [];
  const [, debian] = /debian:(\d+)/.exec(text) ?? [];
  const codename = DEBIANS.find((debianName) => tag.includes(debianName));
  return (
    alpine ?? (ubuntu && (UBUNTUS.get(ubuntu) ?? ubuntu)) ?? codename ?? DEBIANS[Number(debian) - 8]
  );
}

/**
 * Reads image and tag; undefined for images that nothing is known about. `release` '': the tag moves, or doesn't say.
 * `exact`: the tag names it; official Elixir tags don't, so theirs is what the dated table says.
 */
export function systemOf(image: string) {
  const { name, tag, otp, otps, isLatest } = parseImage(image);
  if (image.includes('$') || !/^((hexpm\/)?(elixir|erlang)|alpine|debian|ubuntu)$/.test(name))
    return undefined;
  const families = ['Alpine', 'Ubuntu'];
  const family = families.find((word) => `${name}:${tag}`.includes(word.toLowerCase())) ?? 'Debian';
  const named = namedRelease(name, tag);
  const exact = named !== undefined || !/elixir|erlang/.test(name);
  // Tags that are no longer built stay where they were, and no table says where
  const listed = isLatest && otps.includes(Number(otp)) ? systems[otp]?.[family.toLowerCase()] : '';
  const release = named ?? listed ?? '';
  return { family, release, exact, label: `${family} ${release}`.trim() };
}

/** Why there can't be an image of this name; undefined: there may be one. */
export function neverExisted(image: string): string | undefined {
  const { name, tag, minor, otp, otps } = parseImage(image);
  if (image.includes('$')) return undefined;
  if (name === 'hexpm/elixir' && !/^[\w.-]+-erlang-[\w.-]+-(alpine|debian|ubuntu)-./.test(tag))
    return 'its tags name Elixir, Erlang and the system, such as 1.18.4-erlang-27.3.4-alpine-3.22.1';
  const fits = name !== 'elixir' || !otps.length || otps.includes(Number(otp));
  return fits ? undefined : `Elixir ${minor} runs on OTP ${otps[0]} to ${otps.at(-1)}`;
}
