import { relFolder } from '../src/docker/release-files.ts';
import { intoBlock, outsideBlock } from '../src/edit/block.ts';
import type { GeneratedFile } from '../src/plan/file.ts';

export const envSh: GeneratedFile = {
  name: 'env-sh',
  summary: 'node name and IPv6 on Fly',
  asks: ['release'],
  outputs: ({ project, answers }) => {
    const path = `${relFolder(project, answers.release)}/env.sh.eex`;
    // A node name set further up (flyctl wrote such lines) is invalid for some image references, and gives way to ours
    const named = /^\s*(export\s+)?RELEASE_NODE=/m.test(
      outsideBlock(project.tree.read(path) ?? ''),
    );
    const or = (variable: string, value: string) => (named ? value : `\${${variable}:-${value}}`);
    const node = or(
      'RELEASE_NODE',
      '${FLY_APP_NAME}-${image_id:-release}@${FLY_PRIVATE_IP:-127.0.0.1}',
    );
    return [
      {
        path,
        template: 'rel/env.sh.eex',
        view: { node, distribution: or('RELEASE_DISTRIBUTION', 'name') },
        merge: intoBlock(path, '#!/bin/sh'),
      },
    ];
  },
};
