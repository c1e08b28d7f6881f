/** Helpers for tests of fly.toml: generate it, then look at its values by path. */
import { flyToml } from '../../generators/fly-toml.ts';
import type { OnConflict } from '../../src/edit/conflict.ts';
import { flyConfig } from '../../src/fly/fly-config.ts';
import { plan } from '../../src/plan/plan.ts';
import { treeOf } from '../../src/tree.ts';
import type { Flags } from './fixture.ts';
import { complete, FLAGS, projectOf, shop } from './fixture.ts';

/** The fixture project, which has background work. */
export const withWorkers = projectOf(shop());
export const withoutWorkers = { ...withWorkers, background: [] };

interface Options {
  project?: typeof withWorkers;
  flags?: Flags;
  conflict?: OnConflict | undefined;
}

/** What `fly-toml` makes of the owner's fly.toml, and its notes on that. */
export function generate(
  theirs: string,
  { project = withoutWorkers, flags = FLAGS, conflict }: Options = {},
) {
  const repo = { ...project, tree: treeOf({ 'fly.toml': theirs }) };
  const context = { project: repo, answers: complete(flags, repo) };
  const [{ after, ours } = { after: '', ours: undefined }] = plan([flyToml], context, conflict);
  return { after, ours, notes: flyToml.notes?.(context) ?? [], data: parseFlyToml(after) };
}

export const parseFlyToml = (text: string) => flyConfig(treeOf({ 'fly.toml': text })).table;

/** The value at a path such as `services.0.internal_port`. */
export const valueAt = (data: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((table, key) => (table as Record<string, unknown> | undefined)?.[key], data);

/** The paths whose value is another one afterwards, or gone. */
export function changedPaths(before: unknown, after: unknown, path = ''): string[] {
  if (typeof before !== 'object' || before === null || before instanceof Date)
    return String(before) === String(after) ? [] : [path.slice(1)];
  return Object.entries(before).flatMap(([key, value]) =>
    changedPaths(value, (after as Record<string, unknown> | undefined)?.[key], `${path}.${key}`),
  );
}
