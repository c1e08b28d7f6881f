import coerce from 'semver/functions/coerce.js';
import lt from 'semver/functions/lt.js';
import type { Project } from '../facts/detect.ts';
import {
  BUILDS,
  GLIBC,
  MUSL,
  PROGRAMS,
  RUNS,
  type SystemPackages,
} from '../facts/package-needs.ts';
import type { Base } from '../fly/images.ts';
import { hasNodeStage } from './node-stages.ts';

const BUILDER: Readonly<Record<Base, string>> = {
  alpine: 'build-base git',
  debian: 'build-essential ca-certificates git',
};

/** What every release links to, and CA certificates. */
const RUNNER: Readonly<Record<Base, string>> = {
  alpine: 'ca-certificates libstdc++ ncurses-libs openssl',
  debian: 'ca-certificates libncurses6 libstdc++6 openssl',
};

const PSQL: Readonly<Record<Base, string>> = {
  alpine: 'postgresql-client',
  debian: 'libpq5 libreadline8',
};

/** From OTP 29 on the VM opens SCTP's library at each start, and complains on stdout without it (erlang/otp#10392). */
const SCTP: Readonly<Record<Base, string>> = { alpine: 'lksctp-tools', debian: 'libsctp1' };

const pick = (names: SystemPackages | undefined, base: Base): string =>
  names?.[base === 'alpine' ? 0 : 1] ?? '';

const sorted = (lists: readonly string[]): string =>
  [...new Set(lists.join(' ').split(' ').filter(Boolean))].sort().join(' ');

const needs = (project: Project, base: Base, known: typeof BUILDS): string[] =>
  project.deps.closure.map((name) => pick(known.get(name), base));

/** Packages of the builder: git for git dependencies, a C compiler for native ones, and what these ask for. */
export const builderPackages = (project: Project, base: Base): string =>
  sorted([
    BUILDER[base],
    ...(project.deps.rust.length ? ['cargo'] : []),
    ...needs(project, base, BUILDS),
    ...project.programs
      .filter(({ compileTime }) => compileTime)
      .map(({ name }) => pick(PROGRAMS.get(name), base)),
  ]);

/** Packages of the final image: what the release links to or starts. */
export const runnerPackages = (project: Project, base: Base, otp: number, psql: boolean): string =>
  sorted([
    RUNNER[base],
    ...(otp >= 29 ? [SCTP[base]] : []),
    ...(psql ? [PSQL[base]] : []),
    ...(project.deps.rust.length && base === 'alpine' ? ['libgcc'] : []),
    ...needs(project, base, RUNS),
    ...startedPackages(project, base, psql),
    ...(startsNode(project) && !hasNodeStage(project) ? ['nodejs'] : []),
    ...(startsNode(project) && hasNodeStage(project) && base === 'debian' ? ['libatomic1'] : []),
  ]);

/** The packages of programs that the code starts. */
const startedPackages = (project: Project, base: Base, psql: boolean): string[] =>
  project.programs
    .filter(
      ({ name, compileTime }) => !compileTime && name !== 'node' && !(psql && name === 'psql'),
    )
    .map(({ name }) => pick(PROGRAMS.get(name), base));

/** Whether Node runs beside the app: NodeJS.Supervisor, which also renders for Inertia and live_svelte, live_vue, live_react. */
export const startsNode = (project: Project): boolean =>
  project.startsNode ||
  project.programs.some(({ name, compileTime }) => name === 'node' && !compileTime);

/** What is not known of what the code needs at run time, or was put into the image for it. */
export function packageNotes(project: Project, base: Base): string[] {
  const unknown = project.programs.filter(
    ({ name, compileTime }) => !compileTime && !PROGRAMS.has(name),
  );
  const doubtful = project.deps.nif.filter((name) => !MUSL.has(name) && !GLIBC.has(name));
  return [
    ...glibcNotes(project, base),
    ...(doubtful.length && base === 'alpine'
      ? [
          `Whether ${doubtful.join(', ')} (native code) runs on Alpine's C library, musl, is not known here: try the image, or take --base debian.`,
        ]
      : []),
    ...unknown.map(
      ({ name, file, line }) =>
        `${file}:${line} starts the program ${name}, and which package brings it is not known here: add it to the last stage of the Dockerfile, unless it is in the app.`,
    ),
  ];
}

function glibcNotes(project: Project, base: Base): string[] {
  const reasons = glibcReasons(project).join(', ');
  if (!reasons) return [];
  return [
    base === 'debian'
      ? `Debian is used, as there are binaries for glibc only of: ${reasons}.`
      : `There are binaries for glibc only of: ${reasons}. They will not run on Alpine; --base debian is the base for this app.`,
  ];
}

/**
 * Why this app should stand on Debian: dependencies that come as binaries for glibc alone. Read in their sources in
 * 2026-11: CargoSense/dart_sass (musl since 0.8.0), crbelaus/bun (since 1.4.2), phoenixframework/tailwind (Tailwind 4 needs
 * 0.3.0, Tailwind 3 not exactly 0.3.0); others in package-needs.ts.
 */
export function glibcReasons(project: Project): string[] {
  const older = (name: string, version: string): boolean =>
    lt(coerce(project.lockedVersion(name)) ?? version, version);
  const tools: [string, boolean][] = [
    ['dart_sass', project.assets.tools.includes('dart_sass') && older('dart_sass', '0.8.0')],
    ['bun', project.assets.hexTools.includes('bun') && older('bun', '1.4.2')],
    [
      'tailwind',
      project.assets.hexTools.includes('tailwind') && project.lockedVersion('tailwind') === '0.3.0',
    ],
  ];
  return [
    ...project.deps.nif.filter((name) => GLIBC.has(name)),
    ...tools.filter(([, applies]) => applies).map(([name]) => name),
  ];
}
