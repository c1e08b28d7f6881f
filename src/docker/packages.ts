import semver from 'semver';
import type { Project } from '../facts/detect.ts';
import type { Base } from '../fly/images.ts';

/** What a dependency's native code needs besides a C compiler, by base image. */
const BUILD: Readonly<Record<string, Readonly<Record<Base, string>>>> = {
  appsignal: { alpine: 'curl', debian: 'curl' },
  brotli: { alpine: 'cmake', debian: 'cmake' },
  erlexec: { alpine: 'linux-headers', debian: '' },
  fast_tls: { alpine: 'openssl-dev', debian: 'libssl-dev' },
  fast_xml: { alpine: 'expat-dev', debian: 'libexpat1-dev' },
  fast_yaml: { alpine: 'yaml-dev', debian: 'libyaml-dev' },
  snappyer: { alpine: 'cmake', debian: 'cmake' },
  ezstd: { alpine: 'zstd-dev', debian: 'libzstd-dev' },
};

/** What such code needs again when it runs. */
const RUN: Readonly<Record<string, Readonly<Record<Base, string>>>> = {
  chromic_pdf: { alpine: 'chromium', debian: 'chromium' },
  erlexec: { alpine: 'bash', debian: '' },
  fast_xml: { alpine: 'expat', debian: 'libexpat1' },
  fast_yaml: { alpine: 'yaml', debian: 'libyaml-0-2' },
  ezstd: { alpine: 'zstd-libs', debian: 'libzstd1' },
  mogrify: { alpine: 'imagemagick', debian: 'imagemagick' },
};

const of = (table: typeof BUILD, names: Iterable<string>, base: Base): string[] =>
  [...names].flatMap((name) => table[name]?.[base].split(' ').filter(Boolean) ?? []);
const sorted = (names: readonly string[]): string => [...new Set(names)].sort().join(' ');

/** Packages of the builder: git for git dependencies, a C compiler for native ones, and what these ask for. */
export function builderPackages(project: Project, base: Base): string {
  const common =
    base === 'alpine' ? ['build-base', 'git'] : ['build-essential', 'ca-certificates', 'git'];
  return sorted([
    ...common,
    ...(project.deps.rust.length ? ['cargo'] : []),
    ...of(BUILD, project.deps.nif, base),
  ]);
}

/** Packages of the final image: what the release links to or starts. */
export function runnerPackages(project: Project, base: Base, psql: boolean): string {
  const common =
    base === 'alpine'
      ? ['ca-certificates', 'libstdc++', 'ncurses-libs', 'openssl']
      : ['ca-certificates', 'libncurses6', 'libstdc++6', 'openssl'];
  const client = base === 'alpine' ? ['postgresql-client'] : ['libpq5', 'libreadline8'];
  return sorted([
    ...common,
    ...(psql ? client : []),
    ...(project.deps.rust.length && base === 'alpine' ? ['libgcc'] : []),
    ...of(RUN, project.deps.prod, base),
  ]);
}

/**
 * Why this app should stand on Debian: dependencies that come as binaries for glibc alone. Read in their sources in
 * 2026-11: elixir-nx/xla and CargoSense/dart_sass (musl since 0.8.0), crbelaus/bun (since 1.4.2), phoenixframework/tailwind
 * (Tailwind 4 needs 0.3.0, Tailwind 3 not exactly 0.3.0), membraneframework/bundlex' precompiled bundles.
 */
export function glibcReasons(project: Project): string[] {
  const older = (name: string, version: string): boolean =>
    semver.lt(semver.coerce(project.lockedVersion(name)) ?? version, version);
  const reasons: [string, boolean][] = [
    ...['exla', 'xla', 'torchx', 'ortex'].map((name): [string, boolean] => [
      name,
      project.deps.nif.includes(name),
    ]),
    ['bundlex', project.deps.nif.includes('bundlex')],
    ['dart_sass', project.assets.tools.includes('dart_sass') && older('dart_sass', '0.8.0')],
    ['bun', project.assets.hexTools.includes('bun') && older('bun', '1.4.2')],
    [
      'tailwind',
      project.assets.hexTools.includes('tailwind') && project.lockedVersion('tailwind') === '0.3.0',
    ],
  ];
  return reasons.filter(([, applies]) => applies).map(([name]) => name);
}
