import type { QuestionName } from '../src/answers/questions.ts';
import type { GeneratedFile } from '../src/plan/file.ts';

/**
 * The commands that write one file, in the order in which the files are shown and written, with the questions on which each
 * depends. A new one is added here, and in descriptors.ts: those are loaded only when the questions are answered.
 */
export const catalogue = {
  dockerfile: {
    summary: 'multi-stage image of the release, non-root',
    asks: ['release', 'base', 'psql'],
  },
  dockerignore: { summary: 'keeps secrets and build output out of the image', asks: [] },
  'fly-toml': {
    summary: 'machine, region, health check, environment',
    asks: ['app', 'region', 'postgres', 'host', 'release', 'memory', 'migrate', 'background'],
  },
  'env-sh': { summary: 'node name and IPv6 on Fly', asks: ['release'] },
  'runtime-exs': {
    summary: 'production settings, read when the release boots',
    asks: ['app', 'postgres', 'host', 'release'],
  },
  health: {
    summary: 'answers /health without the database, unless the app has a health route',
    asks: [],
  },
  'migrate-sh': {
    summary: 'bin/migrate of the release, unless the app has its own',
    asks: ['release'],
  },
  release: {
    summary: 'names the release of an umbrella in mix.exs, which `mix release` needs',
    asks: ['release'],
  },
} as const satisfies Record<string, { summary: string; asks: readonly QuestionName[] }>;

export type FileName = keyof typeof catalogue;

/** The files of one command; of `fly`: all. */
export const load = async (command: string): Promise<GeneratedFile[]> =>
  (await import('./descriptors.ts')).files.filter(
    ({ name }) => command === 'fly' || name === command,
  );
