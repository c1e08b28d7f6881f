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
type Words<Found> = string | ((found: Found) => string);

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
    (weight: Weight) =>
    <Found>(
      find: (file: File, repo: Repo) => Founds<Found>,
      say: Words<Found> = '',
      mend: Words<Found> = '',
    ): Rule<File> => ({
      id,
      judge: (read, repo) =>
        outcomeOf(weight, read, [find(read.file, repo)].flat() as Founds<Found>[], say, mend),
    });
  return {
    must: ofWeight('must'),
    should: ofWeight('should'),
    advice: ofWeight('advice'),
    note: ofWeight('note'),
  };
}

function outcomeOf<Found>(
  ruled: Weight,
  { path }: Read<unknown>,
  founds: readonly Founds<Found>[],
  say: Words<Found>,
  mend: Words<Found>,
): Outcome {
  const outcome: Outcome = { findings: [], unknown: [] };
  const worded = (words: Words<Found>, found: Found) =>
    typeof words === 'string' ? words : words(found);
  for (const found of founds) {
    if (found instanceof Doubt) {
      if (/must|should/.test(ruled)) outcome.unknown.push({ weight: ruled, why: found.doubt });
    } else if (found) {
      const { file = path, line = null, weight = ruled } = found as Place;
      const [what, edit] = [worded(say, found as Found), worded(mend, found as Found)];
      outcome.findings.push({ weight, what, edit, file, line });
    }
  }
  return outcome;
}

/** The finding, where the condition holds. */
export const when = <T>(condition: unknown, found: T): T[] => (condition ? [found] : []);
