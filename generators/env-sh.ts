import { nodeName, nodeNotes } from '../src/check/env-sh.ts';
import { Repo } from '../src/check/repo.ts';
import { setsOnFly } from '../src/check/script.ts';
import { relFolder } from '../src/docker/release-files.ts';
import { outsideBlock } from '../src/edit/block.ts';
import type { Merge } from '../src/edit/conflict.ts';
import type { Context, Descriptor } from '../src/plan/file.ts';
import { intoOurs } from './shared.ts';

const REASONS = {
  libcluster: 'The name that libcluster looks for (node_basename)',
  mnesia: "The same name after each deploy, as Mnesia's files belong to a node name",
};

export const envSh: Descriptor = {
  outputs: (context) => {
    const path = pathOf(context);
    const view = viewOf(context);
    const writes = Object.values(view.sets).some(Boolean);
    const merge: Merge = (before, rendered, onConflict) => {
      // The shell takes the CR of a line's end for a part of the command
      const text = before?.replaceAll('\r\n', '\n');
      return intoOurs(path, '#!/bin/sh')(text, writes ? rendered : '', onConflict);
    };
    return [{ path, template: 'rel/env.sh.eex', view, merge }];
  },
  notes: ({ project }) => nodeNotes(new Repo(project)),
};

const pathOf = ({ project, answers }: Context): string =>
  `${relFolder(project, answers.release)}/env.sh.eex`;

/** What the owner's script leaves open, above our block and below it. */
function viewOf(context: Context) {
  const { project } = context;
  const script = outsideBlock(project.tree.read(pathOf(context)) ?? '');
  const { name, reason } = nodeName(new Repo(project));
  const lacks = (variable: string) => !setsOnFly(script, variable);
  const vmArgs = project.tree.read(pathOf(context).replace(/env\.sh\.eex$/, 'vm.args.eex')) ?? '';
  const otherKind = /RELEASE_DISTRIBUTION:?=["']?(none|sname)/.test(script);
  const node = lacks('RELEASE_NODE') && !otherKind;
  return {
    node: name,
    imageId: node && name.includes('image_id'),
    reason: node && reason && REASONS[reason],
    sets: {
      RELEASE_NODE: node,
      // A name without a host stays a short one
      RELEASE_DISTRIBUTION:
        lacks('RELEASE_DISTRIBUTION') && (node || /RELEASE_NODE:?=.*@/.test(script)),
      ERL_AFLAGS: !/-proto_dist/.test(script + vmArgs),
      ECTO_IPV6: lacks('ECTO_IPV6'),
      DNS_CLUSTER_QUERY: lacks('DNS_CLUSTER_QUERY'),
    },
  };
}
