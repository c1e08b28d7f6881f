import type { OnConflict } from '../answers/flags.ts';
import {
  type Answers,
  type Present,
  type QuestionName,
  questionNames,
} from '../answers/questions.ts';
import type { Project } from '../facts/detect.ts';

export { ON_CONFLICT, type OnConflict } from '../answers/flags.ts';

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
  /** Joins what is there with what was rendered; without it the file is replaced. `before` is undefined for a new file. */
  merge?: (before: string | undefined, rendered: string, onConflict: OnConflict) => string;
}

/** How a file is generated: one descriptor, one template, one test. */
export interface Descriptor {
  /** The questions it depends on; `npx plop NAME` asks only these. */
  asks: readonly QuestionName[];
  outputs: (context: Context) => Output[];
  /** The answers that its file already gives, written by an earlier run or by its owner. */
  present?: (project: Project) => Present;
  /** Sentences for the report, such as what was decided and why. */
  notes?: (context: Context) => string[];
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

export type ChangeKind = 'create' | 'update' | 'same';

export function kindOf({ before, after }: Change): ChangeKind {
  if (before === undefined) return 'create';
  return before === after ? 'same' : 'update';
}

/** A descriptor under the name of its command, such as "fly-toml". */
export interface GeneratedFile extends Descriptor {
  name: string;
}

/** The questions of some files in table order. */
export const asksOf = (files: readonly Descriptor[]): QuestionName[] =>
  questionNames.filter((name) => files.some((file) => file.asks.includes(name)));
