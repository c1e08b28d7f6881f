import type { BuildOptions } from 'esbuild';

/** How TypeScript becomes what Node runs, for the package and for the tests alike. */
export const BUNDLING = {
  outbase: '.',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  target: 'node20.18',
  format: 'esm',
} satisfies BuildOptions;
