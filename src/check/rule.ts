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

/**
 * One part of a requirement; several share an id. `find` decides and returns data, `say` and `mend` are the words:
 * what is wrong, and the exact edit. Generators ask the same rules what is missing.
 */
export interface Rule<File = unknown, Found = unknown> {
  id: string;
  weight: Weight;
  find(file: File, repo: Repo): readonly (Found | Doubt)[];
  say(found: Found): string;
  mend(found: Found): string;
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

/** Gives the rules of a subject their types: `const rule = rulesFor(DOCKERFILE)`, then `rule({ id, weight, find, say, mend })`. */
export const rulesFor =
  <File>(_subject: Subject<File>) =>
  <Found>(rule: Rule<File, Found>): Rule<File, Found> =>
    rule;

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

/** Runs one rule on the file that it is about. */
export function judge<File>(rule: Rule<File>, read: Read<File>, repo: Repo): Outcome {
  const outcome: Outcome = { findings: [], unknown: [] };
  for (const found of rule.find(read.file, repo)) {
    if (found instanceof Doubt) outcome.unknown.push({ weight: rule.weight, why: found.doubt });
    else {
      const { file = read.path, line = null, weight = rule.weight } = found as Place;
      const [what, edit] = [rule.say(found), rule.mend(found)];
      outcome.findings.push({ weight, what, edit, file, line });
    }
  }
  return outcome;
}

/** The finding, where the condition holds. */
export const when = <T>(condition: unknown, found: T): T[] => (condition ? [found] : []);
