import { cpSync } from 'node:fs';
import { build } from 'esbuild';
import { BUNDLING } from './bundling.ts';

// A module in a file of its own takes Node half a millisecond to find, and there are a hundred until the first question
await build({
  ...BUNDLING,
  entryPoints: ['index.ts', 'plopfile.ts', 'bin/phoenix-fly.ts'],
  outdir: 'dist',
  // As deep as src/plan/render.ts, which names the templates from where it lies
  chunkNames: 'src/chunks/[name]-[hash]',
});
cpSync('templates', 'dist/templates', { recursive: true });
