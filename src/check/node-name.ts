import { evaluate } from '../elixir/evaluate.ts';
import { walk } from '../elixir/syntax.ts';
import { atomName, Tuple, Unknown, type Value } from '../elixir/value.ts';
import type { Repo } from './repo.ts';
import { PROBE } from './runtime-settings.ts';
import { commandsIn } from './script.ts';

/** What a node is to be called before its `@`, as the shell writes it. */
export interface NodeName {
  name: string;
  /** Why it isn't the image's: for the people who read the file. */
  reason: 'libcluster' | 'mnesia' | undefined;
}

const APP = '${FLY_APP_NAME}';

/** The name by which libcluster looks for the nodes, a stable one for Mnesia, or one that tells releases apart. */
export function nodeName(repo: Repo): NodeName {
  const base = basenames(repo).flatMap((name) => name ?? [])[0];
  if (base !== undefined) return { name: base, reason: 'libcluster' };
  if (usesMnesia(repo)) return { name: APP, reason: 'mnesia' };
  return { name: `${APP}-\${image_id:-release}`, reason: undefined };
}

/** Each `node_basename` of libcluster's topologies, in the configuration or where they are handed over; undefined: it can't be known. */
export function basenames(repo: Repo): (string | undefined)[] {
  const boot = repo.boot({ ...PROBE, FLY_APP_NAME: 'the-secret-FLY_APP_NAME' });
  const configured = [...boot.apps.values()].flatMap((settings) => named(settings));
  const handed = repo.sources
    .mentioning(['node_basename'])
    .flatMap((file) => repo.sources.modules(file))
    .flatMap(({ body, scope }) => {
      const found: Value[] = [];
      walk(body, (expr) => {
        const [key, value] = expr.is === 'tuple' ? expr.items : [];
        if (key?.is === 'atom' && key.name === 'node_basename') found.push(evaluate(value, scope));
      });
      return found;
    });
  return [...configured, ...handed].map(inShell);
}

function named(value: Value): Value[] {
  if (Array.isArray(value)) return value.flatMap(named);
  if (!(value instanceof Tuple)) return [];
  const [key, inner = null] = value.items;
  return atomName(key) === 'node_basename' ? [inner] : value.items.flatMap(named);
}

/** A text, or the variable that it comes from. */
function inShell(value: Value): string | undefined {
  const text = value instanceof Unknown ? value.why : value;
  const variable = /^the-secret-(\w+)$|^System\.(?:get_env|fetch_env!)\("(\w+)"\)$/.exec(
    String(text),
  );
  if (variable) return `\${${variable[1] ?? variable[2]}}`;
  return typeof value === 'string' && /^[\w.-]+$/.test(value) ? value : undefined;
}

const MNESIA = ['mnesiac', 'memento', 'amnesia', 'ecto_mnesia', 'ecto3_mnesia', 'libmnesia'];

/** Mnesia's files belong to the name of the node that made them. */
export const usesMnesia = ({ project, sources }: Repo): boolean =>
  MNESIA.some((name) => project.lock.has(name)) ||
  project.config.apps.has('mnesia') ||
  sources.mentioning([':mnesia.', 'MnesiaCache']).length > 0 ||
  project.projects.some(({ dir }) =>
    /extra_applications: \[[^\]]*:mnesia/.test(
      project.tree.read(dir === '.' ? 'mix.exs' : `${dir}/mix.exs`) ?? '',
    ),
  );

/** The owner's script gives a variable its value on Fly, in whatever spelling: `A=b`, `: "${A:=b}"`, `export "A=b"`. */
export const setsOnFly = (script: string, name: string): boolean =>
  commandsIn(script).some(
    ({ text, guards }) =>
      new RegExp(`\\b${name}:?=`).test(text) &&
      (guards.length === 0 ||
        text.includes(`\${${name}`) ||
        guards.some((guard) => guard.includes('FLY_') || guard.includes(name))),
  );
