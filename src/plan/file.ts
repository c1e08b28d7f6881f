import type { Answers, Present, QuestionName } from '../answers/questions.ts';
import type { Merge, OnConflict } from '../edit/conflict.ts';
import type { Project } from '../facts/detect.ts';

/** What a descriptor decides from. */
export interface Context {
  /** The facts. */
  project: Project;
  answers: Answers;
  /** How this program was started, and what generated files call it. */
  command?: 'npx plop' | 'npx phoenix-fly';
  /** What becomes of the owner's lines where ours differ. */
  onConflict?: OnConflict;
}

/** One file of the user's repo that a descriptor writes. */
export interface Output {
  /** Relative to the app's folder, with `/`. */
  path: string;
  /** Path below templates/, without .ejs; left out where `merge` needs no rendered text. */
  template?: string;
  /** The values that the template prints, by name. */
  view?: Record<string, unknown>;
  /** Permissions of a new file, such as 0o755 for a script; without it those of any new file. */
  mode?: number;
  /** Joins the file in the repo with the rendered text. */
  merge: Merge;
}

/** How a file is generated. Each descriptor has a template and a test. */
export interface Descriptor {
  outputs: (context: Context) => Output[];
  /** The answers that the file already gives, written by an earlier run or by its owner. */
  present?: (project: Project) => Present;
  /** Sentences for the preview, such as what was decided and why. */
  notes?: (context: Context) => string[];
}

/** A descriptor with the name of its command, such as "fly-toml", and the questions that it depends on. */
export interface GeneratedFile extends Descriptor {
  name: string;
  asks: readonly QuestionName[];
}

/** What becomes of one file. */
export interface Change {
  path: string;
  /** Its text in the repo; undefined for a new file. */
  before: string | undefined;
  after: string;
  mode?: number;
  /** Set where there is a conflict: the text if ours replaced what the owner wrote. */
  ours?: string;
}

export function kindOf({ before, after }: Change): 'create' | 'update' | 'same' {
  if (before === undefined) return 'create';
  return before === after ? 'same' : 'update';
}
