import { cpSync } from 'node:fs';

cpSync(new URL('../templates', import.meta.url), new URL('../dist/templates', import.meta.url), {
  recursive: true,
});
