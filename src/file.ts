import type { Project } from './facts/detect.ts';
import type { Answers, QuestionName } from './questions.ts';

/** What a descriptor's functions see. `host` etc. are parsed answers, `project` the facts. */
export interface Context {
  project: Project;
  answers: Answers;
}

/** One file of the user's repo that a descriptor writes. `template` defaults to `path`. */
export interface Output {
  /** Relative to the app, with `/`. */
  path: string;
  /** Name below templates/, without .ejs; left out when `edit` needs no template. */
  template?: string;
  /** Names the template may use. */
  view?: Record<string, unknown>;
  /** Joins what is there with what was rendered; without it the file is replaced. `before` is undefined for a new file. */
  merge?: (before: string | undefined, rendered: string) => string;
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

/** A change to one file; `before` undefined: it is new. */
export interface Change {
  path: string;
  before: string | undefined;
  after: string;
}

export type ChangeKind = 'create' | 'update' | 'same';

export const kindOf = ({ before, after }: Change): ChangeKind => (before === undefined ? 'create' : before === after ? 'same' : 'update');
