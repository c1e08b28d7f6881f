import satisfies from 'semver/functions/satisfies.js';
import type { Project } from '../facts/detect.ts';
import {
  BUILDS,
  BY_HAND,
  GLIBC,
  MUSL,
  NO_PACKAGE,
  PROGRAMS,
  RUNS,
  type SystemPackages,
} from '../facts/package-needs.ts';
import type { Base } from '../fly/images.ts';
import { hasNodeStage } from './node-stages.ts';

const BUILDER: SystemPackages = ['build-base git', 'build-essential ca-certificates git'];
/** What every release links to, and CA certificates. */
const RUNNER: SystemPackages = [
  'ca-certificates libstdc++ ncurses-libs openssl',
  'ca-certificates libncurses6 libstdc++6 openssl',
];
const PSQL: SystemPackages = ['postgresql-client', 'libpq5 libreadline8'];
/** From OTP 29 on the VM opens SCTP's library at each start, and complains on stdout without it (erlang/otp#10392). */
const SCTP: SystemPackages = ['lksctp-tools', 'libsctp1'];

/** Debian's package cargo is Rust 1.63 (bookworm) or 1.85; cargo-web is kept new for browsers: 1.96 in both (2026-11). */
const CARGO: SystemPackages = ['cargo', 'cargo-web'];

type Wanted = SystemPackages | false | undefined;

const namesOf = (wanted: Wanted, base: Base): string[] =>
  wanted ? wanted[base === 'alpine' ? 0 : 1].split(' ').filter(Boolean) : [];

/** The packages of one base, each once. */
const list = (base: Base, wanted: readonly Wanted[]): string =>
  [...new Set(wanted.flatMap((each) => namesOf(each, base)))]
    .filter((name) => name !== NO_PACKAGE)
    .sort()
    .join(' ');

/** Packages of the builder: git for git dependencies, a C compiler for native ones, and what these ask for. */
export const builderPackages = ({ deps, programs, projects }: Project, base: Base): string =>
  list(base, [
    BUILDER,
    deps.rust.length > 0 && CARGO,
    ...deps.closure.map((name) => BUILDS.get(name)),
    ...projects.flatMap(({ archives }) => archives.map(([name]) => BUILDS.get(name))),
    ...programs.map(({ compileTime, name }) => compileTime && PROGRAMS.get(name)),
  ]);

/** Packages of the final image: what the release links to or starts. */
export function runnerPackages(project: Project, base: Base, otp: number, psql: boolean): string {
  const there = ['node', psql ? 'psql' : ''];
  const node: SystemPackages = hasNodeStage(project) ? ['', 'libatomic1'] : ['nodejs', 'nodejs'];
  return list(base, [
    RUNNER,
    otp >= 29 && SCTP,
    psql && PSQL,
    project.deps.rust.length > 0 && ['libgcc', ''],
    startsNode(project) && node,
    ...project.deps.closure.map((name) => RUNS.get(name)),
    ...started(project).map(({ name }) => !there.includes(name) && PROGRAMS.get(name)),
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
  for (const name of project.deps.closure.filter((each) => each in BY_HAND))
    notes.push(`${name} ${BY_HAND[name]}: add that to the Dockerfile, which lacks it.`);
  const unknown = started(project).filter(
    ({ name }) => !PROGRAMS.has(name) || namesOf(PROGRAMS.get(name), base).includes(NO_PACKAGE),
  );
  const alone = project.deps.closure.filter((name) =>
    namesOf(RUNS.get(name), base).includes(NO_PACKAGE),
  );
  if (alone.length)
    notes.push(
      `${alone.join(', ')} starts a program that the image's system has no package of: copy it into the last stage of the Dockerfile.`,
    );
  for (const { name, file, line } of unknown)
    notes.push(
      `${file}:${line} starts the program ${name}, and which package brings it is not known here: add it to the last stage of the Dockerfile, unless it is in the app.`,
    );
  return notes;
}

/**
 * Versions of asset tools that come as binaries for glibc alone (CargoSense/dart_sass, crbelaus/bun,
 * phoenixframework/tailwind, their sources, 2026-11): Tailwind 3 runs with any version but 0.3.0.
 */
const GLIBC_VERSIONS = { dart_sass: '<0.8.0', bun: '<1.4.2', tailwind: '0.3.0' };

/** Why this app should stand on Debian: what comes as a binary for glibc alone. */
export const glibcReasons = ({ assets, deps, lockedVersion }: Project): string[] => [
  ...deps.nif.filter((name) => GLIBC.has(name)),
  ...Object.entries(GLIBC_VERSIONS)
    .filter(([name, range]) => satisfies(lockedVersion(name) ?? '', range))
    .filter(([name]) => assets.hexTools.includes(name))
    .map(([name]) => name),
];
