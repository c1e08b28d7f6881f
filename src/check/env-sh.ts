import { join } from 'node:path/posix';
import { show } from '../elixir/value.ts';
import type { Repo } from './repo.ts';
import { ENV_SH } from './requirements.ts';
import { type Rule, rulesFor } from './rule.ts';
import { PROBE } from './runtime-settings.ts';
import { runsOnFly, type Script } from './script.ts';

/**
 * What a node is called before its `@`, as the shell writes it: the name by which libcluster looks for the nodes, a stable one
 * for Mnesia, or one that tells releases apart.
 */
export function nodeName(repo: Repo) {
  const base = basenames(repo).find((name) => name !== undefined);
  if (base !== undefined) return { name: base, reason: 'libcluster' } as const;
  if (usesMnesia(repo)) return { name: '${FLY_APP_NAME}', reason: 'mnesia' } as const;
  return { name: '${FLY_APP_NAME}-${image_id:-release}', reason: undefined };
}

/** Each `node_basename` of libcluster's topologies, in the configuration or where they are handed over; undefined: it can't be known. */
function basenames(repo: Repo): (string | undefined)[] {
  const boot = repo.boot({ ...PROBE, FLY_APP_NAME: 'the-secret-FLY_APP_NAME' });
  const code = repo.project.sources
    .matching(/node_basename/)
    .map((file) => repo.project.sources.text(file));
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
export const usesMnesia = ({ project }: Repo): boolean =>
  MNESIA.some((name) => project.lock.has(name)) ||
  project.config.apps.has('mnesia') ||
  project.sources.matching(/:mnesia\.|MnesiaCache/).length > 0 ||
  project.projects.some(({ dir }) =>
    /extra_applications: \[[^\]]*:mnesia/.test(project.tree.read(join(dir, 'mix.exs')) ?? ''),
  );

/** What the owner should know about the name that our block gives the nodes. */
export const nodeNotes = (repo: Repo): string[] =>
  [
    repo.envSh?.text.includes('\r\n') &&
      'its lines ended in CRLF, which the shell takes for a part of each command; now in LF',
    ...(repo.envSh ? foreignNodes(repo.envSh.file, repo) : []).map(
      ({ line, names }) =>
        `line ${line}: your RELEASE_NODE stays, and is made of ${names}, by which no machine on Fly is found`,
    ),
    basenames(repo).includes(undefined) &&
      "libcluster's node_basename can't be known from the files: it has to be what RELEASE_NODE in rel/env.sh.eex has before its @",
    nodeName(repo).reason === 'mnesia' &&
      "Mnesia's files belong to a node name, so RELEASE_NODE does not change with the image; keep its dir on a volume, and use one machine (one that Fly moves gets another address, and so another name)",
  ].filter((note) => typeof note === 'string');

const b10 = rulesFor(ENV_SH, 'B10');

/** What makes sense on Fly's private network alone, and is set everywhere. */
function everywhere({ assignments: sets }: Script) {
  // A long node name needs a host, and whoever names the node for another platform knows what they do
  const isNamedElsewhere = sets.some(
    ({ name, value, guard }) => name === 'RELEASE_NODE' && !/FLY_/.test(value + guard),
  );
  const found = sets.filter(
    ({ name, value, guard }) =>
      /^(RELEASE_NODE|RELEASE_DISTRIBUTION|ERL_AFLAGS|DNS_CLUSTER_QUERY)$/.test(name) &&
      !guard.includes('FLY_') &&
      (/FLY_|inet6_tcp/.test(value) ||
        (name === 'RELEASE_DISTRIBUTION' && value === 'name' && !isNamedElsewhere)),
  );
  const lines = found.map(({ line, text }) => `line ${line}: ${text}`).join('\n');
  const names = found.map(({ name }) => name).join(', ');
  return found[0] && { line: found[0].line, names, lines };
}

const nodesIn = ({ assignments }: Script) =>
  assignments.filter(({ name }) => name === 'RELEASE_NODE');

/** Where an image reference goes into the node's name as it is. */
const rawReferences = (script: Script) =>
  script.assignments
    .filter(({ value, text }) => value.includes('FLY_IMAGE_REF') && !/tr -cd|cut -c/.test(text))
    .filter(({ name }) => nodesIn(script).some(({ text }) => text.includes(name)));

const MOST_NAMES = 100;

/** Nodes whose address is made of what Fly doesn't give: variables of another platform, or a host name. One good source is enough. */
function foreignNodes(script: Script, { machine }: Repo) {
  const set = script.assignments;
  // A name that is made of itself adds nothing; of one with a default, the default is judged
  const seen = new Map<string, string[]>();
  const behind = (name: string): string[] => {
    if (!seen.has(name) && seen.size < MOST_NAMES) {
      seen.set(name, []);
      const isGiven = /^(FLY|RELEASE)_/.test(name) || (name !== 'HOSTNAME' && name in machine);
      const own = set.filter((one) => one.name === name).map(({ value }) => unknown(value));
      const all = own.every((names) => names.length) ? own.flat() : [];
      seen.set(name, own.length || isGiven ? all : [name]);
    }
    return seen.get(name) ?? [];
  };
  const unknown = (text: string): string[] => [
    ...new Set(
      [
        ...text
          .replace(/'[^']*'|\$\{\w+:?[-=]/g, '')
          .matchAll(/\$\{?([A-Za-z_]\w*)|\b(hostname)\b/g),
      ].flatMap(([, name, command]) => (name ? behind(name) : (command ?? []))),
    ),
  ];
  return nodesIn(script).flatMap(({ value, guard, line }) => {
    const names = runsOnFly(guard) ? unknown(/@(.*)/.exec(value)?.[1] ?? '') : [];
    return names.length ? { line, names: names.join(', ') } : [];
  });
}

/** The names that nodes are given before their `@`. */
const givenNames = (script: Script) =>
  nodesIn(script)
    .filter(({ value }) => value.includes('@'))
    .map(({ value, line }) => {
      const name = value.replace(/^\$\{RELEASE_NODE:?[-=]|@.*$/g, '').replace(/[{}]/g, '');
      return { line, name };
    });

/** B10: node name and IPv6 on Fly, nothing elsewhere, and no command that ends the start. */
export const envShRules: readonly Rule<Script>[] = [
  b10.must(({ text }) => text.includes('\r\n') && { line: 1 })`
    lines end in CRLF, which the shell takes for a part of each command
    => save it with LF endings; \`npx plop env-sh\` does`,
  b10.should(everywhere)`
    ${'names'}: set everywhere, so off Fly (docker run, CI) the release does not start as it is
    => move inside \`if [ -n "\${FLY_APP_NAME:-}" ]; then … fi\`:
      ${'lines'}`,
  b10.should(({ text }) => !/\bRELEASE_NODE:?=/.test(text.replace(/^\s*#.*$/gm, '')))`
    no RELEASE_NODE, so machines have no name by which others and \`remote\` reach them
    => inside if [ -n "\${FLY_APP_NAME:-}" ]; then … fi, add: export RELEASE_NODE="\${FLY_APP_NAME}-\${image_id}@\${FLY_PRIVATE_IP}"; \`npx plop env-sh\` writes it with image_id`,
  b10.should(foreignNodes)`RELEASE_NODE is made of ${'names'}, by which no machine on Fly is found
    => inside if [ -n "\${FLY_APP_NAME:-}" ]; then … fi, add: export RELEASE_NODE="\${FLY_APP_NAME}@\${FLY_PRIVATE_IP}"`,
  b10.should(rawReferences)`
    an image reference with a digest or a label of your own makes an invalid node name
    => clean it first: image_id=$(printf '%s' "\${FLY_IMAGE_REF:-}" | sed -e 's/@.*$//' -e 's/^.*[:-]//' | tr -cd 'A-Za-z0-9'), and use \${image_id}`,
  b10.should(
    ({ text }, { machine }) =>
      !/inet6_tcp/.test(text + machine.ERL_AFLAGS + machine.ELIXIR_ERL_OPTIONS),
  )`
    nodes speak IPv4 to each other, and Fly's private network has IPv6 only
    => inside if [ -n "\${FLY_APP_NAME:-}" ]; then … fi, add: export ERL_AFLAGS="-proto_dist inet6_tcp \${ERL_AFLAGS:-}"`,
  b10.should(
    (_, { project, machine }) =>
      project.clustering && !machine.DNS_CLUSTER_QUERY && project.deps.prod.includes('dns_cluster'),
  )`dns_cluster looks for other machines under no name
    => inside if [ -n "\${FLY_APP_NAME:-}" ]; then … fi, add: export DNS_CLUSTER_QUERY="\${FLY_APP_NAME}.internal"`,
  b10.must(({ lines }) => {
    const last = lines.at(-1);
    return last && /^(\[|test\b)/.test(last.guard) && { line: last.line };
  })`when its test fails, this last line ends the start (the script runs under set -e)
    => write it with if … then … fi`,
  b10.should((script, repo) => {
    const bases = basenames(repo).filter((name) => name !== undefined);
    const isKnown = (name: string) => bases.some((base) => base.replace(/[{}]/g, '') === name);
    const strange = givenNames(script).filter(({ name }) => bases[0] && !isKnown(name));
    return strange.map(({ line }) => ({ line, base: bases[0] }));
  })`libcluster looks for nodes named ${'base'}@…, and finds none of this name
    => write: export RELEASE_NODE="${'base'}@\${FLY_PRIVATE_IP}", or change node_basename`,
  b10.must(
    (script, repo) =>
      usesMnesia(repo) &&
      givenNames(script).filter(({ name }) => /image_id|FLY_IMAGE_REF|VERSION/.test(name)),
  )`the files of Mnesia belong to the name of the node, which changes with each deploy here
    => write: export RELEASE_NODE="\${FLY_APP_NAME}@\${FLY_PRIVATE_IP}"`,
];
