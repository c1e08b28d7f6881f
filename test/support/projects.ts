/** The projects of test/projects: whole repos before and after a run. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QuestionName } from '../../src/answers/questions.ts';
import type { OnConflict } from '../../src/edit/conflict.ts';
import { openTree } from '../../src/tree.ts';

export type Texts = Record<string, string>;

/** A project's golden.json. */
export interface Golden {
  /** The project whose before/ comes first, and is overwritten by this one's. */
  extends?: string;
  /** The answers. */
  flags: Partial<Record<QuestionName, string>>;
  conflict?: OnConflict;
}

export const PROJECTS = fileURLToPath(new URL('../projects', import.meta.url));

export const goldenOf = (name: string): Golden =>
  JSON.parse(readFileSync(join(PROJECTS, name, 'golden.json'), 'utf8')) as Golden;

/** The files of a folder as {path: text}; none where it doesn't exist. */
export function textsIn(folder: string): Texts {
  if (!existsSync(folder)) return {};
  const tree = openTree(folder);
  return Object.fromEntries([...tree.paths].map((path) => [path, tree.read(path) ?? '']));
}

/** The repo before a run. */
export function textsBefore(name: string): Texts {
  const { extends: base } = goldenOf(name);
  return {
    ...(base === undefined ? {} : textsBefore(base)),
    ...textsIn(join(PROJECTS, name, 'before')),
  };
}
