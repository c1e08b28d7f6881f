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

/** `.docker/Dockerfile`, `deploy/web/prod.Dockerfile`, `app.Dockerfile`, `Dockerfile.prod`: asked last. */
const OTHER_DOCKERFILES =
  /^(?:\.?docker|deploy|build|\.devops)\/(?:[^/]+\/)?(?:[^/]*\.)?Dockerfile[^/]*$|^[^/]+\.Dockerfile$|^Dockerfile\.[^/]+$/;
/** What these pin, production need not have. */
const DEVELOPMENT = /dev|test|local/i;

/**
 * Elixir and Erlang/OTP versions as the repo pins them: "1.18.4" and "27.3", partial ones as written. Looks in the app's
 * folder, then in those above it up to the repo's root; `source` is the file of the Elixir version, relative to the app.
 */
export function readPins(tree: Tree, notes: string[]) {
  const folders = Array.from({ length: (tree.above ?? 0) + 1 }, (_, up) => '../'.repeat(up));
  const files = [
    ...folders.flatMap((folder) => FILES.map((name) => folder + name)),
    ...folders.slice(1).map((folder) => `${folder}docker/Dockerfile`),
    ...[...tree.paths].filter((file) => OTHER_DOCKERFILES.test(file) && !DEVELOPMENT.test(file)),
  ];
  const pins = files.map((file) => ({ file, ...pinIn(file, tree.read(file) ?? '') }));
  const chosen = pins.find(({ elixir }) => elixir);
  const erlang = folders.map((folder) => tree.read(`${folder}.erlang-version`)).find(Boolean);
  const otp = chosen?.otp ?? numberIn(erlang) ?? pins.find((pin) => pin.otp)?.otp ?? null;
  if (!chosen)
    notes.push(
      'No file pins Elixir (.tool-versions, mise.toml, .elixir-version); an image that fits mix.exs was chosen.',
    );
  // Our Dockerfile has the nearest image to what is pinned
  const isOurs = (file: string) => /^# Written by phoenix-fly /m.test(tree.read(file) ?? '');
  for (const { file, elixir } of pins)
    if (chosen?.elixir && elixir && !agree(elixir, chosen.elixir) && !isOurs(file))
      notes.push(
        `${file} says Elixir ${elixir}, ${chosen.file} says ${chosen.elixir}; ${chosen.file} is used.`,
      );
  return { version: chosen?.elixir ?? null, otp, source: chosen?.file ?? null };
}

/** 1.18 and 1.18.4 do. */
const agree = (left: string, right: string): boolean =>
  left === right || left.startsWith(`${right}.`) || right.startsWith(`${left}.`);

/**
 * What stands behind a tool's name in .tool-versions (`elixir 1.18.4`), mise.toml (`elixir = "1.18.4"`) and buildpack
 * settings (`elixir_version=1.18.4`); '' without it.
 */
export const pinned = (text: string, tool: string): string =>
  new RegExp(`^[ \\t]*"?${tool}(?:_version)?"?[ \\t]*[= \\t](.{1,99})`, 'm').exec(text)?.[1] ?? '';

/** The first version in a text: "22.11.0" of `v22.11.0`. */
export const numberIn = (text = ''): string | undefined =>
  /\d+(?:\.\d+)*(?:-[a-z]+[.\d]*)?/.exec(text.slice(0, 99))?.[0];

/** `1.15.7-otp-26`, `ref:v1.15.7`, `1.15.7-erlang-26.2-alpine`: the number and, where it is named, the OTP release. */
const ELIXIR = /(\d+\.\d+(?:\.\d+)?(?:-rc\.\d+)?)(?:-(?:otp|erlang)-(\d+(?:\.\d+)*))?/;

/** The versions that a file pins. */
function pinIn(file: string, content: string) {
  const text = file.endsWith('.elixir-version') ? content : pinned(content, 'elixir');
  const docker = /Dockerfile/.test(file) ? dockerfilePins(content) : undefined;
  const [, elixir, otp] = ELIXIR.exec((docker?.elixir ?? text).slice(0, 99)) ?? [];
  return { elixir, otp: numberIn(docker ? docker.otp : pinned(content, 'erlang')) ?? otp };
}

/** `ARG ELIXIR_VERSION=1.18.4`, `FROM elixir:1.18.4-otp-27` */
function dockerfilePins(text: string) {
  const argument = (name: string) =>
    new RegExp(`^[ \\t]*ARG[ \\t]+${name}[ \\t]*=[ \\t]*"?([^"\\s]{1,99})`, 'mi').exec(text)?.[1];
  const image = /^[ \t]*(?:ARG|FROM)[ \t].{0,99}elixir:v?(\d\S{1,99})/im.exec(text)?.[1];
  return {
    elixir: argument('ELIXIR_VERSION') ?? image ?? '',
    otp: argument('(?:OTP|ERLANG)_VERSION'),
  };
}
