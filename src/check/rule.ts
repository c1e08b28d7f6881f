import type { Read, Repo } from './repo.ts';

/**
 * must: it would not build, boot or answer, or it is unsafe. should: this project's standard.
 * advice: said, never written over the owner's own choice. note: worth knowing, and no fault.
 */
export type Weight = 'must' | 'should' | 'advice' | 'note';

/** What reading can't decide, and why: no fault, and never "met". */
export class Doubt {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
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

/** A doubt, with the weight of the rule that could not decide. */
export type Open = Doubt & { weight: Weight };

/** One part of a requirement; several share an id. */
export interface Rule<File = unknown> {
  id: string;
  judge(read: Read<File>, repo: Repo): (Finding | Open)[];
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

/** A rule found nothing. */
type Nothing = boolean | undefined | null | '' | 0;

/** A text, or one that is made of what was found. */
type Words<Found> = string | ((found: Found, repo: Repo) => string);

/**
 * Makes the rules of a requirement: `const r21 = rulesFor(FLY_TOML, 'R2.1')`, then `r21.must(find, say, mend)`.
 * `find` decides and returns data, `say` and `mend` are the words: what is wrong, and the exact edit. The data may have a
 * `file` where it isn't the rule's own, a `line`, and a `weight` where it isn't the rule's.
 */
export function rulesFor<File>(_subject: Subject<File>, id: string) {
  const ofWeight =
    (weight: Weight) =>
    <Found>(
      find: (file: File, repo: Repo) => Found | Doubt | Nothing | (Found | Doubt | Nothing)[],
      say: Words<Found> = '',
      mend: Words<Found> = '',
    ): Rule<File> => ({
      id,
      judge: ({ file: content, path: file }, repo) =>
        [find(content, repo)].flat().flatMap((found) => {
          if (!found) return [];
          if (found instanceof Doubt) return { weight, why: found.why };
          const [what, edit] = [say, mend].map((words) =>
            typeof words === 'string' ? words : words(found as Found, repo),
          ) as [string, string];
          const place = found as Partial<Finding>;
          return {
            weight: place.weight ?? weight,
            file: place.file ?? file,
            line: place.line ?? null,
            what,
            edit,
          };
        }),
    });
  return {
    must: ofWeight('must'),
    should: ofWeight('should'),
    advice: ofWeight('advice'),
    note: ofWeight('note'),
  };
}
