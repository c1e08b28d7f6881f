import type { Descriptor, GeneratedFile } from '../src/plan/file.ts';
import { catalogue, type FileName } from './catalogue.ts';
import { dockerfile } from './dockerfile.ts';
import { dockerignore } from './dockerignore.ts';
import { envSh } from './env-sh.ts';
import { flyToml } from './fly-toml.ts';
import { health } from './health.ts';
import { migrateSh } from './migrate-sh.ts';
import { release } from './release.ts';
import { runtimeExs } from './runtime-exs.ts';

const descriptors: Readonly<Record<FileName, Descriptor>> = {
  dockerfile,
  dockerignore,
  'fly-toml': flyToml,
  'env-sh': envSh,
  'runtime-exs': runtimeExs,
  health,
  'migrate-sh': migrateSh,
  release,
};

/** Every file that can be generated. */
export const files: readonly GeneratedFile[] = (Object.keys(descriptors) as FileName[]).map(
  (name) => ({ name, asks: catalogue[name].asks, ...descriptors[name] }),
);
