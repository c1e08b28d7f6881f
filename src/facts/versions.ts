import TOML from '@iarna/toml';
import type { Tree } from '../tree.ts';

/** Elixir and Erlang/OTP versions as the repo pins them: "1.18.4" and "27.3", partial ones as written. */
export interface Pins {
  elixir: string | null;
  otp: string | null;
  /** The file the Elixir version comes from; null when nothing pins it. */
  source: string | null;
  /** Sentences about pins that disagree. */
  conflicts: string[];
}

interface Pin {
  elixir?: string;
  otp?: string;
}

type Reader = (text: string) => Pin;

/** In order of authority; the first file that names Elixir decides. */
const READERS: [string, Reader][] = [
  ['.tool-versions', toolVersions],
  ['mise.toml', mise],
  ['.mise.toml', mise],
  ['.config/mise.toml', mise],
  ['.rtx.toml', mise],
  ['mise/config.toml', mise],
  ['.elixir-version', (text) => elixirPin(text)],
  ['elixir_buildpack.config', buildpack],
  ['Dockerfile', dockerfile],
];

/** Dockerfiles elsewhere, asked last; those for development pin what production need not have. */
const ELSEWHERE =
  /^(?:\.?docker|deploy|build|\.devops)\/(?:[^/]+\/)?(?:[^/]*\.)?Dockerfile[^/]*$|^[^/]+\.Dockerfile$|^Dockerfile\.[^/]+$/;
const DEVELOPMENT = /dev|test|local/i;

/** Looks in the app's folder, then in those above it up to the repo's root; `source` is relative to the app. */
export function readPins(tree: Tree): Pins {
  const folders = Array.from({ length: (tree.above ?? 0) + 1 }, (_, up) => '../'.repeat(up));
  const found: { file: string; pin: Pin }[] = [];
  const look = (file: string, reader: Reader) => {
    const text = tree.read(file);
    if (text !== undefined) found.push({ file, pin: reader(shortLines(text)) });
  };
  for (const folder of folders) for (const [name, reader] of READERS) look(folder + name, reader);
  for (const file of tree.paths)
    if (ELSEWHERE.test(file) && !DEVELOPMENT.test(file)) look(file, dockerfile);
  const decides = found.find(({ pin }) => pin.elixir);
  const erlangFile = folders.map((folder) => tree.read(`${folder}.erlang-version`)).find(Boolean);
  const otp =
    decides?.pin.otp ??
    (erlangFile && version(shortLines(erlangFile))) ??
    found.find(({ pin }) => pin.otp)?.pin.otp;
  const conflicts = found
    .filter(
      ({ pin }) => pin.elixir && decides?.pin.elixir && !agrees(pin.elixir, decides.pin.elixir),
    )
    .map(
      ({ file, pin }) =>
        `${file} says Elixir ${pin.elixir}, ${decides?.file} says ${decides?.pin.elixir}; ${decides?.file} is used.`,
    );
  return {
    elixir: decides?.pin.elixir ?? null,
    otp: otp ?? null,
    source: decides?.file ?? null,
    conflicts,
  };
}

/** Nobody writes a version beyond; regular expressions take long on what is. */
export const shortLines = (text: string): string =>
  text
    .slice(0, 200_000)
    .split('\n')
    .map((line) => line.slice(0, 300))
    .join('\n');

const agrees = (left: string, right: string): boolean =>
  left === right || left.startsWith(`${right}.`) || right.startsWith(`${left}.`);

const version = (text: string): string | undefined =>
  /(\d+(?:\.\d+)*(?:-[a-z]+[.\d]*)?)/.exec(text.trim())?.[1];

/** `1.15.7-otp-26`, `v1.15`, `ref:v1.15.7`: the number and, where it is named, the OTP release. */
function elixirPin(text: string): Pin {
  const [, elixir, otp] =
    /(\d+\.\d+(?:\.\d+)?(?:-rc\.\d+)?)(?:-otp-(\d+))?/.exec(text.trim()) ?? [];
  return { elixir, otp };
}

function toolVersions(text: string): Pin {
  const line = (tool: string) => new RegExp(`^[ \\t]*${tool}[ \\t]+(\\S+)`, 'm').exec(text)?.[1];
  const elixir = elixirPin(line('elixir') ?? '');
  const erlang = line('erlang');
  return { elixir: elixir.elixir, otp: (erlang && version(erlang)) ?? elixir.otp };
}

function mise(text: string): Pin {
  try {
    const tools = TOML.parse(text).tools as Record<string, unknown> | undefined;
    const named = (tool: string): string => {
      const value = tools?.[tool];
      const first = Array.isArray(value) ? value[0] : value;
      return typeof first === 'object' && first !== null && 'version' in first
        ? String(first.version)
        : String(first ?? '');
    };
    const elixir = elixirPin(named('elixir'));
    return { elixir: elixir.elixir, otp: version(named('erlang')) ?? elixir.otp };
  } catch {
    return {};
  }
}

/** Heroku's and Gigalixir's: `elixir_version=1.16.3`. */
function buildpack(text: string): Pin {
  const value = (name: string) =>
    new RegExp(`^\\s*${name}\\s*=\\s*["']?v?([\\w.-]+)`, 'm').exec(text)?.[1];
  return {
    elixir: elixirPin(value('elixir_version') ?? '').elixir,
    otp: version(value('erlang_version') ?? ''),
  };
}

function dockerfile(text: string): Pin {
  const arg = (name: string) =>
    new RegExp(`^[ \\t]*ARG[ \\t]+${name}[ \\t]*=[ \\t]*"?([^"\\s]+)"?`, 'mi').exec(text)?.[1];
  const elixir = arg('ELIXIR_VERSION');
  if (elixir)
    return {
      elixir: elixirPin(elixir).elixir,
      otp: version(arg('OTP_VERSION') ?? arg('ERLANG_VERSION') ?? ''),
    };
  const pinned =
    /^[ \t]*(?:ARG|FROM)[ \t].*elixir:(\d+\.\d+[^\s"-]*(?:-rc\.\d+)?)-erlang-(\d+[.\d]*)/im.exec(
      text,
    );
  if (pinned) return { elixir: pinned[1], otp: pinned[2] };
  const image = /^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)?\S*elixir:(\S+)/im.exec(text)?.[1] ?? '';
  return {
    elixir: elixirPin(image).elixir,
    otp: /erlang-(\d+(?:\.\d+)*)/.exec(image)?.[1] ?? elixirPin(image).otp,
  };
}
