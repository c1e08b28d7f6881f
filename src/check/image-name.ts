import table from '../fly/images.json' with { type: 'json' };

/** The operating system that an image stands on. `release` undefined: the tag moves, or doesn't say. */
export interface System {
  family: 'alpine' | 'debian' | 'ubuntu';
  release: string | undefined;
  /** The tag names it; official Elixir tags don't, so theirs is what the dated table says. */
  exact: boolean;
}

/** Debian's releases, oldest first: jessie is 8. */
export const DEBIANS = ['jessie', 'stretch', 'buster', 'bullseye', 'bookworm', 'trixie', 'forky'];

const elixirs: Readonly<Record<string, number[]>> = table.elixir;
const systems = table.systems as Record<string, Record<string, string>>;

/** Name and tag of an image, without the registry and `library/`. */
function parts(image: string): { name: string; tag: string } {
  const [, name = '', tag = 'latest'] =
    /^(?:[\w.-]+\.[\w.-]+\/)?(?:library\/)?([\w./-]+?)(?::([^@]+))?(?:@.*)?$/.exec(image) ?? [];
  return { name, tag };
}

/** Reads image and tag; undefined for images that nothing is known about. */
export function systemOf(image: string): System | undefined {
  const { name, tag } = parts(image);
  const elixir = /^(hexpm\/)?(elixir|erlang)$/.test(name);
  if (tag.includes('$') || !(elixir || /^(alpine|debian|ubuntu)$/.test(name))) return undefined;
  const debian = DEBIANS.find((one) => new RegExp(`(^|-)${one}(-|$)`).test(tag));
  const number = /^\d+(\.\d+)?/.exec(tag)?.[0];
  const [, named] = /(?:alpine|ubuntu)-?([a-z]+|\d+\.\d+)/.exec(tag) ?? [];
  const releases: Record<string, string | undefined> = {
    alpine: number,
    debian: debian ?? DEBIANS[Number.parseInt(number ?? '', 10) - 8],
    ubuntu: number ?? tag.replace(/^latest$|-.*/, ''),
  };
  const family = (['alpine', 'ubuntu'] as const).find((one) => `${name} ${tag}`.includes(one));
  const release = elixir ? (named ?? debian) : releases[name];
  if (elixir && !release) return builtOn(tag);
  return { family: family ?? 'debian', release: release || undefined, exact: true };
}

/** What an official Elixir tag stands on; those that are no longer built stay where they were, and no table says where. */
function builtOn(tag: string): System {
  const family = tag.includes('alpine') ? 'alpine' : 'debian';
  const [, version = '', otp = ''] = /^(\d+\.\d+(?:\.\d+)?)-otp-(\d+)/.exec(tag) ?? [];
  const built = Object.entries(elixirs).some(
    ([one, otps]) => `${one}.`.startsWith(`${version}.`) && otps.includes(Number(otp)),
  );
  return { family, release: built ? systems[otp]?.[family] : undefined, exact: false };
}

/** Erlang/OTP that each Elixir runs on (hexdocs.pm/elixir/compatibility-and-deprecations.html, 2026-08). */
const OTPS: Readonly<Record<string, [least: number, most: number]>> = {
  '1.13': [22, 25],
  '1.14': [23, 26],
  '1.15': [24, 26],
  '1.16': [24, 26],
  '1.17': [25, 27],
  '1.18': [25, 28],
  '1.19': [26, 28],
  '1.20': [27, 29],
};

/** Why an image can't be pulled, as far as its name tells: undefined for all that may be there. */
export function neverExisted(image: string): string | undefined {
  const { name, tag } = parts(image);
  if (image.includes('$')) return undefined;
  if (name === 'hexpm/elixir' && !/^[\w.-]+-erlang-[\w.-]+-(alpine|debian|ubuntu)-./.test(tag))
    return 'its tags name Elixir, Erlang and the system, such as 1.18.4-erlang-27.3.4-alpine-3.22.1';
  const [, minor = '', otp = ''] = /^(\d+\.\d+)(?:\.\d+)?-otp-(\d+)/.exec(tag) ?? [];
  const [least = 0, most = 99] = (name === 'elixir' && OTPS[minor]) || [];
  const fits = otp === '' || (Number(otp) >= least && Number(otp) <= most);
  return fits ? undefined : `Elixir ${minor} runs on OTP ${least} to ${most}`;
}
