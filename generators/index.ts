import type { GeneratedFile } from '../src/plan/file.ts';

/**
 * The commands that write one file, in the order in which the files are shown and written. A new one is added here, and in
 * all.ts with its descriptor: those are loaded only when the questions are answered.
 */
export const summaries = {
  dockerfile: 'multi-stage image of the release, non-root',
  dockerignore: 'keeps secrets and build output out of the image',
  'fly-toml': 'machine, region, health check, environment',
  'env-sh': 'node name and IPv6 on Fly',
  'runtime-exs': 'production settings, read when the release boots',
  health: 'answers /health without the database, unless the app has a health route',
  'migrate-sh': 'bin/migrate of the release, unless the app has its own',
  release: 'names the release of an umbrella in mix.exs, which `mix release` needs',
};

export type FileName = keyof typeof summaries;

/** The files of one command; of `fly`: all. */
export const load = async (command: string): Promise<GeneratedFile[]> =>
  (await import('./all.ts')).files.filter(({ name }) => command === 'fly' || name === command);
