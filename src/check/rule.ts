import type { Read, Repo } from './repo.ts';

/**
 * must: it would not build, boot or answer, or it is unsafe. should: this project's standard.
 * advice: said, never written over the owner's own choice. note: worth knowing, and no fault.
 */
export type Weight = 'must' | 'should' | 'advice' | 'note';

/** Where something was found, which data of a rule may have. `file` is left out where it is the rule's own, `line` (from 1) where there is none yet. */
export interface Place {
  file?: string | undefined;
  line?: number | undefined;
  /** Where this finding doesn't weigh what its rule does. */
  weight?: Weight;
}

/** What reading can't decide, and why: no fault, and never "met". */
export class Doubt {
  readonly doubt: string;

  constructor(doubt: string) {
    this.doubt = doubt;
  }
}

/** What was found: one, several or none; `true` where there is no data to it. */
type Founds<Found> = Found | Doubt | Told | readonly (Found | Doubt | Told)[];
type Told = boolean | undefined | null | '' | 0;

/** A text, or one that is made of what was found. */
type Words<Found> = string | ((found: Found, repo: Repo) => string);

/** One part of a requirement; several share an id. */
export interface Rule<File = unknown> {
  id: string;
  judge(read: Read<File>, repo: Repo): Outcome;
}

/** A file that rules are about, as `check` finds it in the repo. */
export interface Subject<File> {
  /** Its usual path, and the heading of its group. */
  title: string;
  /** The generator that writes it. */
  generator: string;
  /** What it means that the file isn't there. */
  absence: Weight;
  read(repo: Repo): Read<File> | undefined;
  /** Why no rule but `except` can be judged: it can't be parsed, or another file counts. */
  doubt?(repo: Repo): string | undefined;
  except?: string;
}

/** What a rule says about a repo, in words. */
export interface Finding {
  weight: Weight;
  what: string;
  edit: string;
  file: string;
  /** 1-based; null: the file isn't there, or the edit has no line yet. */
  line: number | null;
}

/** What came out of one rule. */
export interface Outcome {
  findings: Finding[];
  /** Each with the weight of the rule that could not decide. */
  unknown: { weight: Weight; why: string }[];
}

/**
 * Makes the rules of a requirement: `const r21 = rulesFor(FLY_TOML, 'R2.1')`, then `r21.must(find, say, mend)`.
 * `find` decides and returns data, `say` and `mend` are the words: what is wrong, and the exact edit.
 */
export function rulesFor<File>(_subject: Subject<File>, id: string) {
  const ofWeight =
    (ruled: Weight) =>
    <Found>(
      find: (file: File, repo: Repo) => Founds<Found>,
      say: Words<Found> = '',
      mend: Words<Found> = '',
    ): Rule<File> => ({
      id,
      judge: ({ file: content, path }, repo) => {
        const founds = [find(content, repo)].flat() as (Found | Doubt | Told)[];
        const doubts = founds.filter((found) => found instanceof Doubt);
        const facts = founds.filter((found) => found && !(found instanceof Doubt)) as Found[];
        const findings = facts.map((found) => {
          const { file = path, line = null, weight = ruled } = found as Place;
          return {
            weight,
            what: textOf(say, found, repo),
            edit: textOf(mend, found, repo),
            file,
            line,
          };
        });
        return { findings, unknown: doubts.map(({ doubt: why }) => ({ weight: ruled, why })) };
      },
    });
  return {
    must: ofWeight('must'),
    should: ofWeight('should'),
    advice: ofWeight('advice'),
    note: ofWeight('note'),
  };
}

const textOf = <Found>(words: Words<Found>, found: Found, repo: Repo): string =>
  typeof words === 'string' ? words : words(found, repo);
