import { intoBlock } from '../src/block.ts';
import { relFolder } from '../src/docker/release.ts';
import type { GeneratedFile } from '../src/file.ts';

export const envSh: GeneratedFile = {
  name: 'env-sh',
  summary: 'node name and IPv6 on Fly',
  asks: ['release'],
  outputs: ({ project, answers }) => {
    const path = `${relFolder(project, answers.release)}/env.sh.eex`;
    return [{ path, template: 'rel/env.sh.eex', merge: intoBlock(path, '#!/bin/sh') }];
  },
};
