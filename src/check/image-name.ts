import table from '../fly/images.json' with { type: 'json' };

/** The operating system that an image stands on. `release` undefined: the tag moves, or doesn't say. */
export interface System {
  family: 'alpine' | 'debian' | 'ubuntu';
  release: string | undefined;
  /** The tag names it; official Elixir tags don't, so theirs is what the dated table says. */
  exact: boolean;
}

export const LABELS = { alpine: 'Alpine', debian: 'Debian', ubuntu: 'Ubuntu' } as const;

const DEBIAN: Readonly<Record<string, string>> = {
  '9': 'stretch',
  '10': 'buster',
  '11': 'bullseye',
  '12': 'bookworm',
  '13': 'trixie',
};
const DEBIAN_NAMES = [...Object.values(DEBIAN), 'jessie', 'forky'];

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
  if (tag.includes('$')) return undefined;
  const named = (family: System['family'], release: string | undefined): System => ({
    family,
    release,
    exact: true,
  });
  const debian = DEBIAN_NAMES.find((one) => new RegExp(`(^|-)${one}(-|$)`).test(tag));
  if (name === 'alpine') return named('alpine', /^(\d+\.\d+)/.exec(tag)?.[1]);
  if (name === 'ubuntu') return named('ubuntu', /^(?!latest)([a-z]+|\d+\.\d+)/.exec(tag)?.[1]);
  if (name === 'debian') return named('debian', debian ?? DEBIAN[/^(\d+)/.exec(tag)?.[1] ?? '']);
  if (!/^(hexpm\/)?(elixir|erlang)$/.test(name)) return undefined;
  const ubuntu = /-ubuntu-([a-z]+)/.exec(tag)?.[1];
  if (ubuntu) return named('ubuntu', ubuntu);
  const alpine = /alpine-?(\d+\.\d+)/.exec(tag)?.[1];
  if (alpine) return named('alpine', alpine);
  if (debian) return named('debian', debian);
  return builtOn(tag);
}

/** What an official Elixir tag stands on; those that are no longer built stay where they were, and no table says where. */
function builtOn(tag: string): System {
  const family = tag.includes('alpine') ? 'alpine' : 'debian';
  const [, version = '', otp = ''] = /^(\d+\.\d+(?:\.\d+)?)-otp-(\d+)/.exec(tag) ?? [];
  const built = Object.entries(elixirs).some(
    ([one, otps]) =>
      (one === version || one.startsWith(`${version}.`)) && otps.includes(Number(otp)),
  );
  return { family, release: built ? systems[otp]?.[family] : undefined, exact: false };
}

/** Erlang/OTP that each Elixir runs on (hexdocs.pm/elixir/compatibility-and-deprecations, 2026-08). */
const OTPS: Readonly<Record<string, [least: number, most: number]>> = {
  '1.11': [21, 24],
  '1.12': [22, 24],
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
  if (
    name === 'hexpm/elixir' &&
    !/^[\w.]+(-rc\.\d+)?-erlang-[\w.-]+-(alpine|debian|ubuntu)-./.test(tag)
  )
    return 'its tags name Elixir, Erlang and the system: 1.18.4-erlang-27.3.4-debian-trixie-20260713-slim';
  if (name !== 'elixir') return undefined;
  const [, minor = '', otp] = /^(\d+\.\d+)(?:\.\d+)?(?:-otp-(\d+))?/.exec(tag) ?? [];
  const [least, most] = OTPS[minor] ?? [];
  if (otp === undefined || least === undefined || most === undefined) return undefined;
  const fits = Number(otp) >= least && Number(otp) <= most;
  return fits ? undefined : `Elixir ${minor} runs on OTP ${least} to ${most}`;
}
