import { basenames, nodeName, usesMnesia } from './node-name.ts';
import type { Repo } from './repo.ts';
import { ENV_SH } from './requirements.ts';
import { type Place, type Rule, rulesFor } from './rule.ts';
import { type Assignment, assignmentsIn, type Command, commandsIn } from './script.ts';

const GUARD = 'if [ -n "${FLY_APP_NAME:-}" ]; then … fi';
/** Settings that make sense on Fly's private network alone. */
const ON_FLY = /^(RELEASE_NODE|RELEASE_DISTRIBUTION|ERL_AFLAGS|DNS_CLUSTER_QUERY)$/;

const lineOf = (script: string, line: number): string => script.split(/\r?\n/)[line - 1] ?? '';
const isOnFly = ({ guards }: Command): boolean => guards.some((guard) => guard.includes('FLY_'));

const b10 = rulesFor(ENV_SH, 'B10');

/** Set everywhere: a long node name needs a host, and whoever names the node for another platform knows what they do. */
function everywhere(script: string): Assignment[] {
  const sets = assignmentsIn(script);
  const isNamedElsewhere = sets.some(
    ({ name, value, guards }) => name === 'RELEASE_NODE' && !/FLY_/.test(value + guards.join()),
  );
  return sets.filter(
    (one) =>
      ON_FLY.test(one.name) &&
      !isOnFly(one) &&
      (/FLY_|inet6_tcp/.test(one.value) ||
        (one.name === 'RELEASE_DISTRIBUTION' && one.value === 'name' && !isNamedElsewhere)),
  );
}

/** Where an image reference goes into the node's name as it is. */
function rawReferences(script: string): Assignment[] {
  const sets = assignmentsIn(script);
  const nodes = sets.filter(({ name }) => name === 'RELEASE_NODE');
  return sets.filter(
    (one) =>
      one.value.includes('FLY_IMAGE_REF') &&
      !/tr -cd|cut -c/.test(lineOf(script, one.line)) &&
      nodes.some(
        (node) => node === one || (one.line <= node.line && node.value.includes(one.name)),
      ),
  );
}

const CLEAN =
  "clean it first: image_id=$(printf '%s' \"${FLY_IMAGE_REF:-}\" | sed -e 's/@.*$//' -e 's/^.*[:-]//' | tr -cd 'A-Za-z0-9'), and use ${image_id}";
const inGuard = (line: string): string => `inside ${GUARD}, add: export ${line}`;
const isSet = (script: string, name: string, part = ''): boolean =>
  commandsIn(script).some(
    ({ text }) => new RegExp(`\\b${name}:?=`).test(text) && text.includes(part),
  );

/** The names that nodes are given before their `@`. */
const givenNames = (script: string): (Place & { name: string; line: number })[] =>
  assignmentsIn(script)
    .filter(({ name, value }) => name === 'RELEASE_NODE' && value.includes('@'))
    .map(({ value, line }) => ({
      line,
      name: value.replace(/^\$\{RELEASE_NODE:?[-=]/, '').replace(/@.*$/, ''),
    }));
const bare = (name: string): string => name.replace(/[{}]/g, '');

/** B10: node name and IPv6 on Fly, nothing elsewhere, and no command that ends the start. */
export const envShRules: readonly Rule<string>[] = [
  b10.must(
    (script) => (script.includes('\r\n') ? [{ line: 1 }] : []),
    'lines end in CRLF, which the shell takes for a part of each command',
    'save it with LF endings; `npx plop env-sh` does',
  ),
  b10.should(
    (script) => {
      const sets = everywhere(script);
      const lines = sets.map(({ line }) => `line ${line}: ${lineOf(script, line).trim()}`);
      const names = sets.map(({ name }) => name).join(', ');
      return sets[0] ? [{ line: sets[0].line, names, lines: lines.join('\n') }] : [];
    },
    ({ names }) =>
      `${names}: set everywhere, so off Fly (docker run, CI) the release does not start as it is`,
    ({ lines }) => `move inside \`${GUARD}\`:\n${lines}`,
  ),
  b10.should(
    (script) => !isSet(script, 'RELEASE_NODE'),
    'no RELEASE_NODE, so machines have no name by which others and `remote` reach them',
    `${inGuard('RELEASE_NODE="${FLY_APP_NAME}-${image_id}@${FLY_PRIVATE_IP}"')}; \`npx plop env-sh\` writes it with image_id`,
  ),
  b10.should(
    (script) => rawReferences(script).map(({ line }) => ({ line })),
    'an image reference with a digest or a label of your own makes an invalid node name',
    CLEAN,
  ),
  b10.should(
    (script, { machine }) =>
      !isSet(script, 'ERL_AFLAGS', 'inet6_tcp') && !/inet6_tcp/.test(machine.ERL_AFLAGS ?? ''),
    "nodes speak IPv4 to each other, and Fly's private network has IPv6 only",
    inGuard('ERL_AFLAGS="-proto_dist inet6_tcp ${ERL_AFLAGS:-}"'),
  ),
  b10.should(
    (_, { project, machine }) =>
      project.clustering && !machine.DNS_CLUSTER_QUERY && project.deps.prod.includes('dns_cluster'),
    'dns_cluster looks for other machines under no name',
    inGuard('DNS_CLUSTER_QUERY="${FLY_APP_NAME}.internal"'),
  ),
  b10.must(
    (script) => {
      const end = commandsIn(script).at(-1);
      const isTest = end?.guards.some((guard) => /^\[|^test\b/.test(guard));
      const isLast = script.trimEnd().split(/\r?\n/).at(-1)?.includes('&&');
      return end && isTest && isLast ? [{ line: end.line }] : [];
    },
    'when its test fails, this last line ends the start (the script runs under set -e)',
    'write it with if … then … fi',
  ),
  b10.should(
    (script, repo) => {
      const bases = basenames(repo).flatMap((name) => name ?? []);
      return givenNames(script)
        .filter(({ name }) => bases.length > 0 && !bases.some((base) => bare(base) === bare(name)))
        .map(({ line }) => ({ line, base: bases[0] ?? '' }));
    },
    ({ base }) => `libcluster looks for nodes named ${base}@…, and finds none of this name`,
    ({ base }) =>
      `write: export RELEASE_NODE="${base}@\${FLY_PRIVATE_IP}", or change node_basename`,
  ),
  b10.must(
    (script, repo) =>
      usesMnesia(repo)
        ? givenNames(script).filter(({ name }) => /image_id|FLY_IMAGE_REF|VERSION/.test(name))
        : [],
    'the files of Mnesia belong to the name of the node, which changes with each deploy here',
    'write: export RELEASE_NODE="${FLY_APP_NAME}@${FLY_PRIVATE_IP}"',
  ),
];

/** What the owner should know about the name that our block gives the nodes. */
export function nodeNotes(repo: Repo): string[] {
  const { reason } = nodeName(repo);
  const notes: string[] = [];
  if (basenames(repo).includes(undefined))
    notes.push(
      "libcluster's node_basename can't be known from the files: it has to be what RELEASE_NODE in rel/env.sh.eex has before its @",
    );
  if (reason === 'mnesia')
    notes.push(
      "Mnesia's files belong to a node name, so RELEASE_NODE does not change with the image; keep its dir on a volume, and use one machine (one that Fly moves gets another address, and so another name)",
    );
  return notes;
}
