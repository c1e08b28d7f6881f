/** Bundles the package into dist/: Node takes half a millisecond to find a module, and a run has a hundred before its first question. */
import { cpSync } from 'node:fs';
import { build } from 'esbuild';
import { BUNDLING } from './bundling.ts';

await build({
  ...BUNDLING,
  entryPoints: ['index.ts', 'plopfile.ts', 'bin/phoenix-fly.ts'],
  outdir: 'dist',
  // As deep as src/plan/render.ts, which looks for templates/ relative to its own folder
  chunkNames: 'src/chunks/[name]-[hash]',
});
cpSync('templates', 'dist/templates', { recursive: true });
