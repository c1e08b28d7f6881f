import type { GeneratedFile, Generator } from '../src/plan/file.ts';
import { dockerfile } from './dockerfile.ts';
import { dockerignore } from './dockerignore.ts';
import { envSh } from './env-sh.ts';
import { flyToml } from './fly-toml.ts';
import { health } from './health.ts';
import { migrateSh } from './migrate-sh.ts';
import { release } from './release.ts';
import { runtimeExs } from './runtime-exs.ts';

/** Every generated file, in the order in which it is shown and written. A new one is added here. */
export const files: readonly GeneratedFile[] = [
  dockerfile,
  dockerignore,
  flyToml,
  envSh,
  runtimeExs,
  health,
  migrateSh,
  release,
];

/** The commands that write: everything, or one file. */
export const generators: readonly Generator[] = [
  { name: 'fly', summary: 'everything: the app onto Fly.io', files },
  ...files.map((file) => ({ name: file.name, summary: file.summary, files: [file] })),
];
