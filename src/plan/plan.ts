import type { Present } from '../answers/questions.ts';
import type { OnConflict } from '../edit/conflict.ts';
import type { Project } from '../facts/detect.ts';
import type { Change, Context, Descriptor } from './file.ts';
import { render } from './render.ts';

/**
 * What becomes of the files, those that stay the same included. Nothing is written: the preview prints this list, then
 * `writeChanges` writes the same list.
 */
export function plan(
  files: readonly Descriptor[],
  context: Context,
  onConflict: OnConflict = 'leave',
): Change[] {
  const changes = new Map<string, Change>();
  for (const output of files.flatMap((file) => file.outputs({ ...context, onConflict }))) {
    const { path, merge, mode } = output;
    const before = context.project.tree.read(path);
    // Another descriptor may have changed the same file
    const current = changes.get(path)?.after ?? before;
    const rendered = output.template ? render(output.template, output.view ?? {}) : '';
    const after = merge(current, rendered, onConflict);
    const ours = merge(current, rendered, 'replace');
    changes.set(path, {
      path,
      before,
      after,
      ...(mode !== undefined && { mode }),
      ...(ours !== after && { ours }),
    });
  }
  return [...changes.values()];
}

/** The answers that the repo's files already give; where two files differ, the first of `files` counts. */
export function presentIn(files: readonly Descriptor[], project: Project): Present {
  const answers = files.flatMap((file) => Object.entries(file.present?.(project) ?? {}));
  const known = answers.filter(([, text]) => text !== undefined);
  return Object.fromEntries(known.reverse());
}
