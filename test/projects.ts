/** The projects of test/projects: whole repos before and after a run. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QuestionName } from '../src/answers/questions.ts';
import type { OnConflict } from '../src/edit/conflict.ts';
import { openTree } from '../src/tree.ts';

export type Texts = Record<string, string>;

/** golden.json: the answers, and the project whose before/ this one's is laid over. */
export interface Golden {
  extends?: string;
  flags: Partial<Record<QuestionName, string>>;
  conflict?: OnConflict;
}

export const PROJECTS = fileURLToPath(new URL('projects', import.meta.url));

/** What projects/NAME/golden.json says. */
export const goldenOf = (name: string): Golden =>
  JSON.parse(readFileSync(join(PROJECTS, name, 'golden.json'), 'utf8')) as Golden;

/** A folder as {path: text}. */
export function textsIn(folder: string): Texts {
  if (!existsSync(folder)) return {};
  const tree = openTree(folder);
  return Object.fromEntries([...tree.paths].map((path) => [path, tree.read(path) ?? '']));
}

/** The repo before a run, laid over the one that it extends. */
export function textsBefore(name: string): Texts {
  const { extends: base } = goldenOf(name);
  return {
    ...(base === undefined ? {} : textsBefore(base)),
    ...textsIn(join(PROJECTS, name, 'before')),
  };
}
