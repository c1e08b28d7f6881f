import table from '../fly/images.json' with { type: 'json' };

/** The operating system that an image stands on. */
export interface System {
  family: string;
  /** "3.22", "24.04", "bookworm"; '' where the tag doesn't say. */
  release: string;
  /** "Alpine 3.22" */
  label: string;
  /**
   * fixed: it names the release. moving: images for newer releases get the same tag, as Elixir's official ones do, whose
   * release is that of a dated table. unknown: an official one that the table doesn't have.
   */
  tag: 'fixed' | 'moving' | 'unknown';
}

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

/** Name and tag of an image, without the registry and `library/`. */
function parseImage(image: string): { name: string; tag: string } {
  const [, name = '', tag = 'latest'] =
    /^(?:[\w.-]+\.[\w.-]+\/)?(?:library\/)?([\w./-]+?)(?::([^@]+))?(?:@.*)?$/.exec(image) ?? [];
  return { name, tag };
}

/** Elixir and OTP of an official tag such as `1.18.4-otp-27-alpine`, and what the table knows of that Elixir. */
function parseElixirTag(tag: string) {
  const [, version = '', minor, otp = ''] = /^((\d+\.\d+)(?:\.\d+)?)-otp-(\d+)/.exec(tag) ?? [];
  const [latest, otps = []] =
    Object.entries(table.elixir).find(([listed]) => listed.startsWith(`${minor}.`)) ?? [];
  return { minor, otp, otps, isLatest: `${latest}.`.startsWith(`${version}.`) };
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

/** What an image stands on; undefined for images that nothing is known about. */
export function systemOf(image: string): System | undefined {
  const { name, tag } = parseImage(image);
  if (image.includes('$') || !/^((hexpm\/)?(elixir|erlang)|alpine|debian|ubuntu)$/.test(name))
    return undefined;
  const families = ['Alpine', 'Ubuntu'];
  const family = families.find((word) => `${name}:${tag}`.includes(word.toLowerCase())) ?? 'Debian';
  const system = (release: string, tag: System['tag']) => {
    return { family, release, label: `${family} ${release}`.trim(), tag };
  };
  const named = namedRelease(name, tag);
  if (named !== undefined) return system(named, 'fixed');
  if (!/elixir|erlang/.test(name)) return system('', 'moving');
  const { otp, otps, isLatest } = parseElixirTag(tag);
  // Tags that are no longer built stay where they were, and no table says where
  const listed = isLatest && otps.includes(Number(otp)) && systems[otp]?.[family.toLowerCase()];
  return listed ? system(listed, 'moving') : system('', 'unknown');
}

/** Why there can't be an image of this name; undefined: there may be one. */
export function neverExisted(image: string): string | undefined {
  const { name, tag } = parseImage(image);
  if (image.includes('$')) return undefined;
  if (name === 'hexpm/elixir' && !/^[\w.-]+-erlang-[\w.-]+-(alpine|debian|ubuntu)-./.test(tag))
    return 'its tags name Elixir, Erlang and the system, such as 1.18.4-erlang-27.3.4-alpine-3.22.1';
  const { minor, otp, otps } = parseElixirTag(tag);
  const exists = name !== 'elixir' || !otps.length || otps.includes(Number(otp));
  return exists ? undefined : `Elixir ${minor} runs on OTP ${otps[0]} to ${otps.at(-1)}`;
}
