import type { Repo, RepoFile } from './repo.ts';

/**
 * must: it would not build, boot or answer, or it is unsafe. should: this project's standard.
 * advice: said, never written over the owner's own choice. note: worth knowing, and no fault.
 */
export type Weight = 'must' | 'should' | 'advice' | 'note';

/** What the files alone can't decide, and why: no fault, and never "met". */
export class Doubt {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** A doubt, with the weight of the rule that could not decide. */
export type WeightedDoubt = Doubt & { weight: Weight };

/** A fault of the repo, in words. */
export interface Finding {
  weight: Weight;
  what: string;
  /** How to mend it. */
  edit: string;
  file: string;
  /** 1-based; null: the file isn't there, or the edit has no line yet. */
  line: number | null;
}

/** One part of a requirement; several share an id. */
export interface Rule<Content = unknown> {
  id: string;
  judge(file: RepoFile<Content>, repo: Repo): (Finding | WeightedDoubt)[];
}

/** A file that rules are about, as `check` finds it in the repo. */
export interface Subject<Content> {
  /** Its usual path, and the heading of its group. */
  title: string;
  /** The generator that writes it. */
  generator: string;
  /** The weight of the finding when the file isn't there. */
  absence: Weight;
  read(repo: Repo): RepoFile<Content> | undefined;
  /** Why its requirements can't be judged: it can't be parsed, or another file counts. */
  doubt?(repo: Repo): string | undefined;
  /** The requirement that is judged nevertheless. */
  judgedAnyway?: string;
}

/** A rule found nothing. */
type Nothing = boolean | undefined | null | '' | 0;

type Find<Content, Fault> = (
  content: Content,
  repo: Repo,
) => Fault | Doubt | Nothing | (Fault | Doubt | Nothing)[];

/** Lines of text, perhaps with values of the fault in them. */
type Words<Fault> = Lines | ((fault: Fault, repo: Repo) => Lines);
type Lines = string | readonly string[];

interface Definition<Content, Fault> {
  /**
   * Decides, and returns data for the words. A fault may have a `file` where that isn't the rule's own, a `line`, and a
   * `weight` where it isn't the rule's.
   */
  find: Find<Content, Fault>;
  /** What is wrong. A rule that only doubts has no words. */
  what?: Words<Fault>;
  /** How to mend it; a note has none. */
  edit?: Words<Fault>;
}

/**
 * Makes the rules of a requirement:
 *
 *     const locale = rulesFor<Dockerfile>('B2');
 *     locale.should({
 *       find: localeNotUtf8,
 *       what: ({ why }) => `the VM takes file names for latin1: ${why}`,
 *       edit: 'before this line, write: ENV LANG=C.UTF-8',
 *     })
 */
export function rulesFor<Content>(id: string) {
  const ofWeight =
    (weight: Weight) =>
    <Fault>({ find, what, edit }: Definition<Content, Fault>): Rule<Content> => ({
      id,
      judge: ({ content, path }, repo) =>
        [find(content, repo)].flat().flatMap((fault) => {
          if (!fault) return [];
          if (fault instanceof Doubt) return { weight, why: fault.why };
          const own = fault as Partial<Finding>;
          return {
            weight: own.weight ?? weight,
            what: textOf(what, fault as Fault, repo),
            edit: textOf(edit, fault as Fault, repo),
            file: own.file ?? path,
            line: own.line ?? null,
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

function textOf<Fault>(words: Words<Fault> = '', fault: Fault, repo: Repo): string {
  const lines = typeof words === 'function' ? words(fault, repo) : words;
  return [lines].flat().join('\n');
}
