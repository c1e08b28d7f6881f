import type { Answers, QuestionName } from '../answers/questions.ts';
import type { Project } from '../facts/detect.ts';

/** What a descriptor's functions see. `host` etc. are parsed answers, `project` the facts. */
export interface Context {
  project: Project;
  answers: Answers;
}

/** One file of the user's repo that a descriptor writes. */
export interface Output {
  /** Relative to the app, with `/`. */
  path: string;
  /** Name below templates/, without .ejs; left out when `merge` needs nothing rendered. */
  template?: string;
  /** Names the template may use. */
  view?: Record<string, unknown>;
  /** Joins what is there with what was rendered; without it the file is replaced. `before` is undefined for a new file. */
  merge?: (before: string | undefined, rendered: string, onConflict: OnConflict) => string;
}

/** A generated file: one descriptor, one template, one test. */
export interface GeneratedFile {
  /** Name of its generator, e.g. "fly-toml". */
  name: string;
  summary: string;
  /** The questions it depends on; `npx plop NAME` asks only these. */
  asks: readonly QuestionName[];
  outputs: (context: Context) => Output[];
  /** Sentences for the report, such as what was decided and why. */
  notes?: (context: Context) => string[];
}

/**
 * What becomes of a file where what its owner wrote and ours can't both stand: it is left as it is, or merged with the
 * owner's lines winning, or ours replaces theirs.
 */
export const ON_CONFLICT = ['leave', 'merge', 'replace'] as const;
export type OnConflict = (typeof ON_CONFLICT)[number];

/** A change to one file; `before` undefined: it is new. */
export interface Change {
  path: string;
  before: string | undefined;
  after: string;
  /** There is a conflict: what the file would be if ours replaced what its owner wrote. */
  ours?: string;
}

export type ChangeKind = 'create' | 'update' | 'same';

export const kindOf = ({ before, after }: Change): ChangeKind =>
  before === undefined ? 'create' : before === after ? 'same' : 'update';
