import { nodeName, nodeNotes } from '../src/check/env-sh-rules.ts';
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
    const setsSome = Object.values(view.sets).includes(true);
    const intoScript = intoOurs(path, '#!/bin/sh');
    const merge: Merge = (before, rendered, onConflict) =>
      // The shell takes the CR of a line's end for a part of the command
      intoScript(before?.replaceAll('\r\n', '\n'), setsSome ? rendered : '', onConflict);
    return [{ path, template: 'rel/env.sh.eex', view, merge }];
  },
  notes: ({ project, answers: { postgres } }) =>
    nodeNotes(new Repo(project), { ECTO_IPV6: String(postgres.kind !== 'external') }),
};

const pathOf = ({ project, answers }: Context): string =>
  `${relFolder(project, answers.release)}/env.sh.eex`;

/** What the owner's script leaves open, above our block and below it. */
function viewOf(context: Context) {
  const { tree } = context.project;
  const path = pathOf(context);
  const script = outsideBlock(tree.read(path) ?? '');
  const vmArgs = tree.read(path.replace(/env\.sh\.eex$/, 'vm.args.eex')) ?? '';
  const { name, reason } = nodeName(new Repo(context.project));
  const lacks = (variable: string) => !setsOnFly(script, variable);
  const isShortOrNone = /RELEASE_DISTRIBUTION:?=["']?(none|sname)/.test(script);
  const hasLongName = /RELEASE_NODE:?=.*@/.test(script);
  const setsNode = lacks('RELEASE_NODE') && !isShortOrNone;
  return {
    node: name,
    imageId: setsNode && name.includes('image_id'),
    reason: setsNode && reason && REASONS[reason],
    sets: {
      RELEASE_NODE: setsNode,
      RELEASE_DISTRIBUTION: lacks('RELEASE_DISTRIBUTION') && (setsNode || hasLongName),
      ERL_AFLAGS: !/-proto_dist/.test(script + vmArgs),
      ECTO_IPV6: lacks('ECTO_IPV6'),
      DNS_CLUSTER_QUERY: lacks('DNS_CLUSTER_QUERY'),
    },
  };
}
