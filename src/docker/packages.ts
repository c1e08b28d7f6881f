import coerce from 'semver/functions/coerce.js';
import lt from 'semver/functions/lt.js';
import type { Project } from '../facts/detect.ts';
import { BUILDS, GLIBC, MUSL, NO_PACKAGE, PROGRAMS, RUNS } from '../facts/package-needs.ts';
import type { Base } from '../fly/images.ts';
import { hasNodeStage } from './node-stages.ts';

type Names = readonly [alpine: string, debian: string];
const BUILDER: Names = ['build-base git', 'build-essential ca-certificates git'];
/** What every release links to, and CA certificates. */
const RUNNER: Names = [
  'ca-certificates libstdc++ ncurses-libs openssl',
  'ca-certificates libncurses6 libstdc++6 openssl',
];
const PSQL: Names = ['postgresql-client', 'libpq5 libreadline8'];
/** From OTP 29 on the VM opens SCTP's library at each start, and complains on stdout without it (erlang/otp#10392). */
const SCTP: Names = ['lksctp-tools', 'libsctp1'];
const NONE: Names = ['', ''];

const namesOf = (names: Names | undefined, base: Base): string[] =>
  names?.[base === 'alpine' ? 0 : 1].split(' ').filter(Boolean) ?? [];

/** The packages of one base, each once. */
const list = (base: Base, wanted: readonly (Names | undefined)[]): string => {
  const names = wanted.flatMap((each) => namesOf(each, base));
  return [...new Set(names)]
    .filter((name) => name !== NO_PACKAGE)
    .sort()
    .join(' ');
};

/** Packages of the builder: git for git dependencies, a C compiler for native ones, and what these ask for. */
export const builderPackages = ({ deps, programs }: Project, base: Base): string =>
  list(base, [
    BUILDER,
    deps.rust.length ? ['cargo', 'cargo'] : NONE,
    ...deps.closure.map((name) => BUILDS.get(name)),
    ...programs.filter(({ compileTime }) => compileTime).map(({ name }) => PROGRAMS.get(name)),
  ]);

/** Packages of the final image: what the release links to or starts. */
export function runnerPackages(project: Project, base: Base, otp: number, psql: boolean): string {
  const there = ['node', psql ? 'psql' : ''];
  const node: Names = hasNodeStage(project) ? ['', 'libatomic1'] : ['nodejs', 'nodejs'];
  return list(base, [
    RUNNER,
    otp >= 29 ? SCTP : NONE,
    psql ? PSQL : NONE,
    project.deps.rust.length ? ['libgcc', ''] : NONE,
    startsNode(project) ? node : NONE,
    ...project.deps.closure.map((name) => RUNS.get(name)),
    ...started(project)
      .filter(({ name }) => !there.includes(name))
      .map(({ name }) => PROGRAMS.get(name)),
  ]);
}

/** The programs that the running code starts. */
const started = ({ programs }: Project) => programs.filter(({ compileTime }) => !compileTime);

/** Whether Node runs beside the app: NodeJS.Supervisor, which also renders for Inertia and live_svelte, live_vue, live_react. */
export const startsNode = (project: Project): boolean =>
  project.startsNode || started(project).some(({ name }) => name === 'node');

/** What is not known of what the code needs at run time, or was put into the image for it. */
export function packageNotes(project: Project, base: Base): string[] {
  const notes: string[] = [];
  const glibc = glibcReasons(project).join(', ');
  if (glibc)
    notes.push(
      base === 'debian'
        ? `Debian is used, as there are binaries for glibc only of: ${glibc}.`
        : `There are binaries for glibc only of: ${glibc}. They will not run on Alpine; --base debian is the base for this app.`,
    );
  const doubtful = project.deps.nif.filter((name) => !MUSL.has(name) && !GLIBC.has(name));
  if (doubtful.length && base === 'alpine')
    notes.push(
      `Whether ${doubtful.join(', ')} (native code) runs on Alpine's C library, musl, is not known here: try the image, or take --base debian.`,
    );
  const unknown = started(project).filter(
    ({ name }) => !PROGRAMS.has(name) || namesOf(PROGRAMS.get(name), base).includes(NO_PACKAGE),
  );
  for (const { name, file, line } of unknown)
    notes.push(
      `${file}:${line} starts the program ${name}, and which package brings it is not known here: add it to the last stage of the Dockerfile, unless it is in the app.`,
    );
  return notes;
}

/**
 * Why this app should stand on Debian: dependencies that come as binaries for glibc alone. Read in their sources in
 * 2026-11: CargoSense/dart_sass (musl since 0.8.0), crbelaus/bun (since 1.4.2), phoenixframework/tailwind (Tailwind 4 needs
 * 0.3.0, Tailwind 3 not exactly 0.3.0); others in package-needs.ts.
 */
export function glibcReasons({ assets, deps, lockedVersion }: Project): string[] {
  const older = (name: string, version: string): boolean =>
    lt(coerce(lockedVersion(name)) ?? version, version);
  return [
    ...deps.nif.filter((name) => GLIBC.has(name)),
    ...(assets.tools.includes('dart_sass') && older('dart_sass', '0.8.0') ? ['dart_sass'] : []),
    ...(assets.hexTools.includes('bun') && older('bun', '1.4.2') ? ['bun'] : []),
    ...(assets.hexTools.includes('tailwind') && lockedVersion('tailwind') === '0.3.0'
      ? ['tailwind']
      : []),
  ];
}
