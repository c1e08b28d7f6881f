import { marked, putBlock } from '../src/block.ts';
import { relFolder } from '../src/docker/release.ts';
import type { GeneratedFile } from '../src/file.ts';

export const envSh: GeneratedFile = {
  name: 'env-sh',
  summary: 'node name and IPv6 on Fly',
  asks: ['release'],
  outputs: ({ project, answers }) => [{ path: `${relFolder(project, answers.release)}/env.sh.eex`, template: 'rel/env.sh.eex', merge: (before, block) => putBlock(before ?? '#!/bin/sh\n', marked(block)) }],
};
