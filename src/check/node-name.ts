import { join } from 'node:path/posix';
import { show } from '../elixir/value.ts';
import type { Repo } from './repo.ts';
import { PROBE } from './runtime-settings.ts';

/** What a node is to be called before its `@`, as the shell writes it. */
interface NodeName {
  name: string;
  /** Why it isn't the image's: for the people who read the file. */
  reason: 'libcluster' | 'mnesia' | undefined;
}

/** The name by which libcluster looks for the nodes, a stable one for Mnesia, or one that tells releases apart. */
export function nodeName(repo: Repo): NodeName {
  const [base] = basenames(repo).flatMap((name) => name ?? []);
  if (base !== undefined) return { name: base, reason: 'libcluster' };
  if (usesMnesia(repo)) return { name: '${FLY_APP_NAME}', reason: 'mnesia' };
  return { name: '${FLY_APP_NAME}-${image_id:-release}', reason: undefined };
}

/** Each `node_basename` of libcluster's topologies, in the configuration or where they are handed over; undefined: it can't be known. */
export function basenames(repo: Repo): (string | undefined)[] {
  const boot = repo.boot({ ...PROBE, FLY_APP_NAME: 'the-secret-FLY_APP_NAME' });
  const code = repo.sources.matching(/node_basename/).map((file) => repo.sources.text(file));
  return [...[...boot.apps.values()].map(show), ...code].flatMap((text) =>
    [...text.matchAll(/\bnode_basename: *([^,\]\n]+)/g)].map(([, value = '']) => {
      const [, secret, read] =
        /^"the-secret-(\w+)"$|^System\.(?:get_env|fetch_env!)\("(\w+)"\)$/.exec(value) ?? [];
      return secret || read ? `\${${secret ?? read}}` : /^"([\w.-]+)"$/.exec(value)?.[1];
    }),
  );
}

const MNESIA = ['mnesiac', 'memento', 'amnesia', 'ecto_mnesia', 'ecto3_mnesia', 'libmnesia'];

/** Mnesia's files belong to the name of the node that made them. */
export const usesMnesia = ({ project, sources }: Repo): boolean =>
  MNESIA.some((name) => project.lock.has(name)) ||
  project.config.apps.has('mnesia') ||
  sources.matching(/:mnesia\.|MnesiaCache/).length > 0 ||
  project.projects.some(({ dir }) =>
    /extra_applications: \[[^\]]*:mnesia/.test(project.tree.read(join(dir, 'mix.exs')) ?? ''),
  );

/** What the owner should know about the name that our block gives the nodes. */
export function nodeNotes(repo: Repo): string[] {
  const isOpen = basenames(repo).includes(undefined);
  const isStable = nodeName(repo).reason === 'mnesia';
  return [
    ...(isOpen
      ? [
          "libcluster's node_basename can't be known from the files: it has to be what RELEASE_NODE in rel/env.sh.eex has before its @",
        ]
      : []),
    ...(isStable
      ? [
          "Mnesia's files belong to a node name, so RELEASE_NODE does not change with the image; keep its dir on a volume, and use one machine (one that Fly moves gets another address, and so another name)",
        ]
      : []),
  ];
}
