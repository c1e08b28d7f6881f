import { join } from 'node:path/posix';
import { show } from '../elixir/value.ts';
import { absentCommands } from './env-sh-commands.ts';
import { placeholder } from './machine-env.ts';
import type { Repo } from './repo.ts';
import { type Rule, rulesFor } from './rule.ts';
import { PROBE } from './runtime-settings.ts';
import { type Assignment, runsOnFly, type Script } from './script.ts';

/** What a node is called before its `@`, in shell: as libcluster looks for it, the same for ever (Mnesia), or by its release. */
export function nodeName(repo: Repo) {
  const base = basenames(repo).find((name) => name !== undefined);
  if (base !== undefined) return { name: base, reason: 'libcluster' } as const;
  if (usesMnesia(repo)) return { name: '${FLY_APP_NAME}', reason: 'mnesia' } as const;
  return { name: '${FLY_APP_NAME}-${image_id:-release}', reason: undefined };
}

/** Each `node_basename` that settings or code hand to libcluster, in shell; undefined where the files don't say the name. */
function basenames(repo: Repo): (string | undefined)[] {
  const { sources } = repo.project;
  const { apps } = repo.boot({ ...PROBE, FLY_APP_NAME: placeholder('FLY_APP_NAME') });
  const settings = [...apps.values()].map(show);
  const code = sources.matching(/node_basename/).map((file) => sources.text(file));
  return [...settings, ...code].flatMap((text) =>
    [...text.matchAll(/\bnode_basename: *([^,\]\n]+)/g)].map(([, name = '']) => shellName(name)),
  );
}

/** `"shop"` is shop in shell, `System.get_env("NAME")` and what was read from NAME are ${NAME}. */
function shellName(elixir: string): string | undefined {
  const [, variable] =
    /^(?:"the-secret-|System\.(?:get_env|fetch_env!)\(")(\w+)"\)?$/.exec(elixir) ?? [];
  const [, literal] = /^"([\w.-]+)"$/.exec(elixir) ?? [];
  return variable ? `\${${variable}}` : literal;
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

/** Assignments that always count, in place of what fly.toml's [env] says. */
export const overruling = ({ envSh }: Repo, env: Readonly<Record<string, string>>) =>
  (envSh?.content.assignments ?? []).filter(
    ({ name, value, guard }) =>
      runsOnFly(guard) && !value.includes('$') && value !== (env[name] ?? value),
  );
const unlessSet = ({ name, value }: Assignment): string =>
  `write: export ${name}="\${${name}:-${value}}"`;

/** What the owner should know about the name that our block gives the nodes, and about variables. @param env what [env] will say */
export function nodeNotes(repo: Repo, env: Readonly<Record<string, string>>): string[] {
  const { envSh } = repo;
  const overruled = overruling(repo, env).map(
    (assignment) =>
      `line ${assignment.line}: your ${assignment.name} stays, whatever fly.toml says; ${unlessSet(assignment)}`,
  );
  const endings =
    envSh?.text.includes('\r\n') &&
    'its lines ended in CRLF, which the shell takes for a part of each command; now in LF';
  const foreign = (envSh ? foreignNodes(envSh.content, repo) : []).map(
    ({ line, names }) =>
      `line ${line}: your RELEASE_NODE stays, and is made of ${names}, by which no machine on Fly is found`,
  );
  const libcluster =
    basenames(repo).includes(undefined) &&
    "libcluster's node_basename can't be known from the files: it has to be what RELEASE_NODE in rel/env.sh.eex has before its @";
  const mnesia =
    nodeName(repo).reason === 'mnesia' &&
    "Mnesia's files belong to a node name, so RELEASE_NODE does not change with the image; keep its dir on a volume, and use one machine (one that Fly moves gets another address, and so another name)";
  return [endings, ...overruled, ...foreign, libcluster, mnesia].filter(
    (note) => typeof note === 'string',
  );
}

const clusterNode = rulesFor<Script>('B10');

const NETWORK = /^(RELEASE_NODE|RELEASE_DISTRIBUTION|ERL_AFLAGS|DNS_CLUSTER_QUERY)$/;

/** Variables whose values make sense on Fly's private network alone, and that are set everywhere. */
function setEverywhere({ assignments }: Script) {
  // A long node name needs a host, and whoever names the node for another platform knows what they do
  const isNamedElsewhere = assignments.some(
    ({ name, value, guard }) => name === 'RELEASE_NODE' && !/FLY_/.test(value + guard),
  );
  const isForFly = ({ name, value }: Assignment) =>
    /FLY_|inet6_tcp/.test(value) ||
    (name === 'RELEASE_DISTRIBUTION' && value === 'name' && !isNamedElsewhere);
  const unguarded = assignments
    .filter(({ name, guard }) => NETWORK.test(name) && !guard.includes('FLY_'))
    .filter(isForFly);
  const lines = unguarded.map(({ line, text }) => `line ${line}: ${text}`).join('\n');
  const names = unguarded.map(({ name }) => name).join(', ');
  return unguarded[0] && { line: unguarded[0].line, names, lines };
}

const nodesIn = ({ assignments }: Script) =>
  assignments.filter(({ name }) => name === 'RELEASE_NODE');

/** Where an image reference goes into the node's name as it is. */
const rawReferences = (script: Script) =>
  script.assignments
    .filter(({ value, text }) => value.includes('FLY_IMAGE_REF') && !/tr -cd|cut -c/.test(text))
    .filter(({ name }) => nodesIn(script).some(({ text }) => text.includes(name)));

/** Nodes at an address that only another platform gives, such as `shop@$POD_IP` and `shop@$(hostname)`. */
function foreignNodes(script: Script, { machine, project }: Repo) {
  const sets = (source: string) => script.assignments.filter(({ name }) => name === source);
  const foreignIn = (value: string) =>
    sourcesIn(value).filter((name) => !(name in machine) && sets(name).length === 0);
  /** What a variable is set to; nothing where one of the values is good. */
  const foreignValues = (source: string) => {
    const values = sets(source).map(({ value }) => value);
    return values.every((value) => foreignIn(value).length > 0) ? values : [];
  };
  const nodes = nodesIn(script).filter(({ guard }) => runsOnFly(guard));
  return nodes.flatMap(({ value, line }) => {
    const [, address = ''] = value.split('@');
    const text = [...sourcesIn(address).flatMap(foreignValues), address].join(' ');
    const isLoopback = project.clustering && /^(127\.0\.0\.1|localhost)$/.test(address);
    const names = isLoopback ? address : [...new Set(foreignIn(text))].join(', ');
    // On Fly the host's name is the machine's: $(hostname).vm.$FLY_APP_NAME.internal
    return names && !text.includes('FLY_') ? { line, names } : [];
  });
}

/** Variables that a shell value is made of, and the command `hostname`. Defaults count instead of the variables that have them. */
const sourcesIn = (value: string): string[] =>
  value
    // Single quotes hold what is not the shell's, such as `awk '{print $NF}'`
    .replace(/'[^']*'|\$\{\w+:?[-=]/g, '')
    .match(/(?<=\$\{?)[A-Za-z_]\w*|\bhostname\b/g) ?? [];

const withoutBraces = (shell: string): string => shell.replace(/[{}]/g, '');

/** What nodes are called before their `@`. */
const nameParts = (script: Script) =>
  nodesIn(script)
    .filter(({ value }) => value.includes('@'))
    .map(({ value, line }) => {
      const name = value.replace(/^\$\{RELEASE_NODE:?[-=]|@.*$/g, '');
      return { line, name: withoutBraces(name) };
    });

/** B10: node name and IPv6 on Fly, nothing elsewhere, and no command that ends the start. */
export const envShRules: readonly Rule<Script>[] = [
  clusterNode.must({
    find: ({ text }) => text.includes('\r\n') && { line: 1 },
    what: 'lines end in CRLF, which the shell takes for a part of each command',
    edit: 'save it with LF endings; `npx plop env-sh` does',
  }),
  clusterNode.should({
    find: setEverywhere,
    what: ({ names }) =>
      `${names}: set everywhere, so off Fly (docker run, CI) the release does not start as it is`,
    edit: ({ lines }) => ['move inside `if [ -n "${FLY_APP_NAME:-}" ]; then … fi`:', `${lines}`],
  }),
  clusterNode.should({
    find: ({ text }) => !/\bRELEASE_NODE:?=/.test(text.replace(/^\s*#.*$/gm, '')),
    what: 'no RELEASE_NODE, so machines have no name by which others and `remote` reach them',
    edit: 'inside if [ -n "${FLY_APP_NAME:-}" ]; then … fi, add: export RELEASE_NODE="${FLY_APP_NAME}-${image_id}@${FLY_PRIVATE_IP}"; `npx plop env-sh` writes it with image_id',
  }),
  clusterNode.should({
    find: foreignNodes,
    what: ({ names }) => `RELEASE_NODE is made of ${names}, by which no machine on Fly is found`,
    edit: 'inside if [ -n "${FLY_APP_NAME:-}" ]; then … fi, add: export RELEASE_NODE="${FLY_APP_NAME}@${FLY_PRIVATE_IP}"',
  }),
  clusterNode.should({
    find: (_, repo) => overruling(repo, repo.fly?.env ?? {}),
    what: ({ name }) => `${name} is set here, whatever fly.toml's [env] says`,
    edit: unlessSet,
  }),
  clusterNode.must({
    find: absentCommands,
    what: ({ command }) =>
      `${command}: not in the image, so the start ends here, or goes on without what this line finds`,
    edit: 'do this only off Fly: inside if [ -z "${FLY_APP_NAME:-}" ]; then … fi; or install it in the last stage of the Dockerfile',
  }),
  clusterNode.should({
    find: rawReferences,
    what: 'an image reference with a digest or a label of your own makes an invalid node name',
    edit: `clean it first: image_id=$(printf '%s' "\${FLY_IMAGE_REF:-}" | sed -e 's/@.*$//' -e 's/^.*[:-]//' | tr -cd 'A-Za-z0-9'), and use \${image_id}`,
  }),
  clusterNode.should({
    find: ({ text }, { machine }) =>
      !/inet6_tcp/.test(text + machine.ERL_AFLAGS + machine.ELIXIR_ERL_OPTIONS),
    what: "nodes speak IPv4 to each other, and Fly's private network has IPv6 only",
    edit: 'inside if [ -n "${FLY_APP_NAME:-}" ]; then … fi, add: export ERL_AFLAGS="-proto_dist inet6_tcp ${ERL_AFLAGS:-}"',
  }),
  clusterNode.should({
    find: (_, { project, machine }) =>
      project.clustering && !machine.DNS_CLUSTER_QUERY && project.deps.prod.includes('dns_cluster'),
    what: 'dns_cluster looks for other machines under no name',
    edit: 'inside if [ -n "${FLY_APP_NAME:-}" ]; then … fi, add: export DNS_CLUSTER_QUERY="${FLY_APP_NAME}.internal"',
  }),
  clusterNode.must({
    find: ({ lines }) => {
      const last = lines.at(-1);
      return last && /^(\[|test\b)/.test(last.guard) && { line: last.line };
    },
    what: 'when its test fails, this last line ends the start (the script runs under set -e)',
    edit: 'write it with if … then … fi',
  }),
  clusterNode.should({
    find: (script, repo) => {
      const bases = basenames(repo).filter((name) => name !== undefined);
      const known = bases.map(withoutBraces);
      const strangers = nameParts(script).filter(({ name }) => !known.includes(name));
      return bases.length > 0 && strangers.map(({ line }) => ({ line, base: bases[0] }));
    },
    what: ({ base }) => `libcluster looks for nodes named ${base}@…, and finds none of this name`,
    edit: ({ base }) =>
      `write: export RELEASE_NODE="${base}@\${FLY_PRIVATE_IP}", or change node_basename`,
  }),
  clusterNode.must({
    find: (script, repo) =>
      usesMnesia(repo) &&
      nameParts(script).filter(({ name }) => /image_id|FLY_IMAGE_REF|VERSION/.test(name)),
    what: 'the files of Mnesia belong to the name of the node, which changes with each deploy here',
    edit: 'write: export RELEASE_NODE="${FLY_APP_NAME}@${FLY_PRIVATE_IP}"',
  }),
];
