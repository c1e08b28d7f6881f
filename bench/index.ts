// npm run bench [-- --app DIR [--lock FILE] [--edit lib/FILE] [--dockerfile FILE]… ] [--generator]
import { parseArgs } from 'node:util';
import { benchFacts } from './facts.ts';
import { benchGenerator } from './generator.ts';
import { benchImages } from './image-builds.ts';

const { values } = parseArgs({
  options: {
    generator: { type: 'boolean' },
    app: { type: 'string' },
    lock: { type: 'string' },
    edit: { type: 'string' },
    dockerfile: { type: 'string', multiple: true },
  },
});

await benchGenerator();
benchFacts();
if (!values.generator) {
  await benchImages(values);
  // Once more with 250 files
  if (!values.app) await benchImages(values, 250);
}
