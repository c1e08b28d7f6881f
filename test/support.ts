import { fileURLToPath } from 'node:url';
import { files } from '../generators/index.ts';
import { detect, type Project } from '../src/facts/detect.ts';
import type { Change } from '../src/file.ts';
import { plan } from '../src/plan.ts';
import { complete, type QuestionName } from '../src/questions.ts';
import { openTree, treeOf, type Tree } from '../src/tree.ts';

export const SHOP = fileURLToPath(new URL('projects/shop', import.meta.url));

/** The fixture project as {path: text}, with changes; undefined leaves a file out. */
export function shop(changes: Record<string, string | undefined> = {}): Record<string, string> {
  const tree = openTree(SHOP);
  const texts = Object.fromEntries([...tree.paths].map((path) => [path, tree.read(path) ?? '']));
  return Object.fromEntries(Object.entries({ ...texts, ...changes }).flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])));
}

export const projectOf = (texts: Record<string, string>): Project => detect(treeOf(texts));

export const FLAGS: Partial<Record<QuestionName, string>> = { app: 'shop', region: 'lhr', postgres: 'shop-db' };

export function planFor(texts: Record<string, string>, flags: Partial<Record<QuestionName, string>> = FLAGS): Change[] {
  const project = projectOf(texts);
  return plan(files, { project, answers: complete(flags, project) });
}

export const after = (texts: Record<string, string>, changes: readonly Change[]): Record<string, string> => ({ ...texts, ...Object.fromEntries(changes.map((change) => [change.path, change.after])) });

export type { Tree };
