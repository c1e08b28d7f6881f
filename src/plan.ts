import type { Change, Context, GeneratedFile } from './file.ts';
import { render } from './render.ts';

/** What the given files would change: pure, the preview prints and apply consumes this very list. Unchanged files are in it. */
export function plan(files: readonly GeneratedFile[], context: Context): Change[] {
  const changes = new Map<string, Change>();
  for (const output of files.flatMap((file) => file.outputs(context))) {
    const before = context.project.tree.read(output.path);
    const current = changes.get(output.path)?.after ?? before;
    const rendered = output.template ? render(output.template, output.view ?? {}) : '';
    changes.set(output.path, { path: output.path, before, after: output.merge ? output.merge(current, rendered) : sameEndings(current, rendered) });
  }
  return [...changes.values()];
}

/** A file that has CRLF line endings keeps them. */
export function sameEndings(before: string | undefined, after: string): string {
  return before?.includes('\r\n') ? after.replaceAll(/\r?\n/g, '\r\n') : after;
}
