import type { Answers, Present, QuestionName } from '../answers/questions.ts';
import type { Merge } from '../edit/conflict.ts';
import type { Project } from '../facts/detect.ts';

/** What a descriptor's functions see. `host` etc. are parsed answers, `project` the facts. */
export interface Context {
  project: Project;
  answers: Answers;
  /** How this program was started: what generated files call it. */
  command?: 'npx plop' | 'npx phoenix-fly';
}

/** One file of the user's repo that a descriptor writes. */
export interface Output {
  /** Relative to the app, with `/`. */
  path: string;
  /** Name below templates/, without .ejs; left out when `merge` needs nothing rendered. */
  template?: string;
  /** Names the template may use. */
  view?: Record<string, unknown>;
  /** Of a new file; 0o644 where it isn't a script. */
  mode?: number;
  /** Without it the file is replaced. */
  merge?: Merge;
}

/** How a file is generated: one descriptor, one template, one test. */
export interface Descriptor {
  outputs: (context: Context) => Output[];
  /** The answers that its file already gives, written by an earlier run or by its owner. */
  present?: (project: Project) => Present;
  /** Sentences for the report, such as what was decided and why. */
  notes?: (context: Context) => string[];
}

/** A descriptor under the name of its command, such as "fly-toml", with the questions it depends on. */
export interface GeneratedFile extends Descriptor {
  name: string;
  asks: readonly QuestionName[];
}

/** A change to one file; `before` undefined: it is new. */
export interface Change {
  path: string;
  before: string | undefined;
  after: string;
  mode?: number;
  /** There is a conflict: what the file would be if ours replaced what its owner wrote. */
  ours?: string;
}

export function kindOf({ before, after }: Change): 'create' | 'update' | 'same' {
  if (before === undefined) return 'create';
  return before === after ? 'same' : 'update';
}
