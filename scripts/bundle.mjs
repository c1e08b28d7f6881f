import { cpSync } from 'node:fs';
import { build } from 'esbuild';

// A module in a file of its own takes Node half a millisecond to find, and there are a hundred until the first question
await build({
  entryPoints: ['index.ts', 'plopfile.ts', 'bin/phoenix-fly.ts'],
  outbase: '.',
  outdir: 'dist',
  // As deep as src/plan/render.ts, which names the templates from where it lies
  chunkNames: 'src/chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  target: 'node20.18',
  format: 'esm',
});
cpSync('templates', 'dist/templates', { recursive: true });
