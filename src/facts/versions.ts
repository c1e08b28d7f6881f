import type { Tree } from '../tree.ts';

/** In order of authority; the first file that names Elixir decides. */
const FILES = [
  '.tool-versions',
  'mise.toml',
  '.mise.toml',
  '.config/mise.toml',
  '.rtx.toml',
  'mise/config.toml',
  '.elixir-version',
  'elixir_buildpack.config',
  'Dockerfile',
];

/** Dockerfiles elsewhere, asked last; those for development pin what production need not have. */
const ELSEWHERE =
  /^(?:\.?docker|deploy|build|\.devops)\/(?:[^/]+\/)?(?:[^/]*\.)?Dockerfile[^/]*$|^[^/]+\.Dockerfile$|^Dockerfile\.[^/]+$/;
const DEVELOPMENT = /dev|test|local/i;

/**
 * Elixir and Erlang/OTP versions as the repo pins them: "1.18.4" and "27.3", partial ones as written. Looks in the app's
 * folder, then in those above it up to the repo's root; `source` is the file of the Elixir version, relative to the app.
 */
export function readPins(tree: Tree, notes: string[]) {
  const folders = Array.from({ length: (tree.above ?? 0) + 1 }, (_, up) => '../'.repeat(up));
  const elsewhere = [...tree.paths].filter(
    (file) => ELSEWHERE.test(file) && !DEVELOPMENT.test(file),
  );
  const files = [...folders.flatMap((folder) => FILES.map((name) => folder + name)), ...elsewhere];
  const found = files.map((file) => ({ file, ...pinIn(file, tree.read(file) ?? '') }));
  const decides = found.find(({ elixir }) => elixir);
  const erlang = folders.map((folder) => tree.read(`${folder}.erlang-version`)).find(Boolean);
  const otp = decides?.otp ?? numberIn(erlang) ?? found.find((pin) => pin.otp)?.otp ?? null;
  const version = decides?.elixir;
  const moving = found.find(({ own }) => MOVING.test(own))?.file;
  if (!version)
    notes.push(
      moving
        ? `${moving} names no version of Elixir, but what is newest: an image that fits mix.exs was chosen. Pin the version that you develop with.`
        : 'No file pins Elixir (.tool-versions, mise.toml, .elixir-version); an image that fits mix.exs was chosen.',
    );
  for (const { file, elixir } of found)
    if (version && elixir && !agrees(elixir, version))
      notes.push(
        `${file} says Elixir ${elixir}, ${decides.file} says ${version}; ${decides.file} is used.`,
      );
  return { version: version ?? null, otp, source: decides?.file ?? null };
}

/** `latest`, `main-otp-28`, `ref:master` */
const MOVING = /^["'[ ]*(ref:)?(latest|main|master)\b/;

const agrees = (left: string, right: string): boolean =>
  left === right || left.startsWith(`${right}.`) || right.startsWith(`${left}.`);

/**
 * What stands behind a tool's name in .tool-versions (`elixir 1.18.4`), mise.toml (`elixir = "1.18.4"`) and buildpack
 * settings (`elixir_version=1.18.4`).
 */
export const pinned = (text: string, tool: string): string =>
  new RegExp(`^[ \\t]*"?${tool}(?:_version)?"?[ \\t]*[= \\t](.{1,99})`, 'm').exec(text)?.[1] ?? '';

export const numberIn = (text = ''): string | undefined =>
  /\d+(?:\.\d+)*(?:-[a-z]+[.\d]*)?/.exec(text.slice(0, 99))?.[0];

/** `1.15.7-otp-26`, `ref:v1.15.7`, `1.15.7-erlang-26.2-alpine`: the number and, where it is named, the OTP release. */
const ELIXIR = /(\d+\.\d+(?:\.\d+)?(?:-rc\.\d+)?)(?:-(?:otp|erlang)-(\d+(?:\.\d+)*))?/;

function pinIn(file: string, text: string) {
  const isDockerfile = /Dockerfile/.test(file);
  const argument = (name: string) =>
    new RegExp(`^[ \\t]*ARG[ \\t]+${name}[ \\t]*=[ \\t]*"?([^"\\s]{1,99})`, 'mi').exec(text)?.[1];
  const image = /^[ \t]*(?:ARG|FROM)[ \t].{0,99}elixir:v?(\d\S{1,99})/im.exec(text)?.[1];
  const own = file.endsWith('.elixir-version') ? text : pinned(text, 'elixir');
  const named = isDockerfile ? (argument('ELIXIR_VERSION') ?? image ?? '') : own;
  const [, elixir, otp] = ELIXIR.exec(named.slice(0, 99)) ?? [];
  const erlang = isDockerfile ? argument('(?:OTP|ERLANG)_VERSION') : pinned(text, 'erlang');
  return { own, elixir, otp: numberIn(erlang) ?? otp };
}
