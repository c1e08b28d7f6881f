/** What becomes of a fly.toml. */
import { flyToml } from '../generators/fly-toml.ts';
import type { OnConflict } from '../src/edit/conflict.ts';
import { flyConfig } from '../src/fly/fly-config.ts';
import { plan } from '../src/plan/plan.ts';
import { treeOf } from '../src/tree.ts';
import { complete, FLAGS, projectOf, shop } from './support.ts';

export const busy = projectOf(shop());
export const quiet = { ...busy, background: [] };

interface Run {
  project?: typeof busy;
  flags?: typeof FLAGS;
  conflict?: OnConflict | undefined;
}

/** What `fly-toml` makes of a fly.toml, and what it says about it. */
export function run(theirs: string, { project = quiet, flags = FLAGS, conflict }: Run = {}) {
  const there = { ...project, tree: treeOf({ 'fly.toml': theirs }) };
  const context = { project: there, answers: complete(flags, there) };
  const [{ after, ours } = { after: '', ours: undefined }] = plan([flyToml], context, conflict);
  return { after, ours, notes: flyToml.notes?.(context) ?? [], data: dataOf(after) };
}

export const dataOf = (text: string) => flyConfig(treeOf({ 'fly.toml': text })).table;

export const at = (data: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((found, key) => (found as Record<string, unknown> | undefined)?.[key], data);

/** Paths whose value is another one afterwards, or gone. */
export function overruled(before: unknown, after: unknown, path = ''): string[] {
  if (typeof before !== 'object' || before === null || before instanceof Date)
    return String(before) === String(after) ? [] : [path.slice(1)];
  return Object.entries(before).flatMap(([key, value]) =>
    overruled(value, (after as Record<string, unknown> | undefined)?.[key], `${path}.${key}`),
  );
}
