import satisfies from 'semver/functions/satisfies.js';
import type { Project } from '../facts/detect.ts';
import {
  BUILD_PACKAGES,
  BY_HAND,
  GLIBC_NATIVE,
  MUSL_NATIVE,
  NO_PACKAGE,
  PROGRAM_PACKAGES,
  RUNTIME_PACKAGES,
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

const namesOf = (packages: SystemPackages, base: Base): string[] =>
  packages[base === 'alpine' ? 0 : 1].split(' ').filter(Boolean);

/** The names of one base, each once; false and undefined add none. */
function packageList(
  base: Base,
  packages: readonly (SystemPackages | false | undefined)[],
): string {
  const names = packages.flatMap((pair) => (pair ? namesOf(pair, base) : []));
  const known = names.filter((name) => name !== NO_PACKAGE);
  return [...new Set(known)].sort().join(' ');
}

/** Packages of the builder: git for git dependencies, a C compiler for native ones, and what these ask for. */
export const builderPackages = ({ deps, programs, projects }: Project, base: Base): string =>
  packageList(base, [
    BUILDER,
    deps.rust.length > 0 && CARGO,
    ...deps.closure.map((name) => BUILD_PACKAGES.get(name)),
    ...projects.flatMap(({ archives }) => archives.map(([name]) => BUILD_PACKAGES.get(name))),
    ...programs.map(({ compileTime, name }) => compileTime && PROGRAM_PACKAGES.get(name)),
  ]);

/** Packages of the final image: what the release links to or starts. */
export function runnerPackages(project: Project, base: Base, otp: number, psql: boolean): string {
  const node: SystemPackages = hasNodeStage(project) ? ['', 'libatomic1'] : ['nodejs', 'nodejs'];
  const addedOtherwise = ['node', psql ? 'psql' : ''];
  const programs = startedPrograms(project).filter(({ name }) => !addedOtherwise.includes(name));
  return packageList(base, [
    RUNNER,
    otp >= 29 && SCTP,
    psql && PSQL,
    project.deps.rust.length > 0 && ['libgcc', ''],
    startsNode(project) && node,
    ...project.deps.closure.map((name) => RUNTIME_PACKAGES.get(name)),
    ...programs.map(({ name }) => PROGRAM_PACKAGES.get(name)),
  ]);
}

const startedPrograms = ({ programs }: Project) =>
  programs.filter(({ compileTime }) => !compileTime);

/** Whether Node runs beside the app: NodeJS.Supervisor, which also renders for Inertia and live_svelte, live_vue, live_react. */
export const startsNode = (project: Project): boolean =>
  project.startsNode || startedPrograms(project).some(({ name }) => name === 'node');

/** What the code needs at run time and is not known or not installed, and why Debian is used. */
export const packageNotes = (project: Project, base: Base): string[] => [
  ...glibcNotes(project, base),
  ...project.deps.closure
    .filter((name) => name in BY_HAND)
    .map((name) => `${name} ${BY_HAND[name]}: add that to the Dockerfile, which lacks it.`),
  ...programNotes(project, base),
];

function glibcNotes(project: Project, base: Base): string[] {
  const reasons = glibcReasons(project).join(', ');
  const unknown = project.deps.nif.filter(
    (name) => !MUSL_NATIVE.has(name) && !GLIBC_NATIVE.has(name),
  );
  if (base === 'debian')
    return reasons ? [`Debian is used, as there are binaries for glibc only of: ${reasons}.`] : [];
  const notes: string[] = [];
  if (reasons)
    notes.push(
      `There are binaries for glibc only of: ${reasons}. They will not run on Alpine; --base debian is the base for this app.`,
    );
  if (unknown.length)
    notes.push(
      `Whether ${unknown.join(', ')} (native code) runs on Alpine's C library, musl, is not known here: try the image, or take --base debian.`,
    );
  return notes;
}

function programNotes(project: Project, base: Base): string[] {
  const hasNoPackage = (packages: SystemPackages | undefined) =>
    packages !== undefined && namesOf(packages, base).includes(NO_PACKAGE);
  const deps = project.deps.closure.filter((name) => hasNoPackage(RUNTIME_PACKAGES.get(name)));
  const notes: string[] = [];
  if (deps.length)
    notes.push(
      `${deps.join(', ')} starts a program that the image's system has no package of: copy it into the last stage of the Dockerfile.`,
    );
  for (const { name, file, line } of startedPrograms(project))
    if (!PROGRAM_PACKAGES.has(name) || hasNoPackage(PROGRAM_PACKAGES.get(name)))
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
  ...deps.nif.filter((name) => GLIBC_NATIVE.has(name)),
  ...Object.entries(GLIBC_VERSIONS)
    .filter(([name, range]) => satisfies(lockedVersion(name) ?? '', range))
    .filter(([name]) => assets.hexTools.includes(name))
    .map(([name]) => name),
];
