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

/** What the words name: one of the fault's values, or what is made of them. */
type Part<Fault> =
  | (keyof Fault & string)
  | ((fault: Fault, repo: Repo) => string | number | undefined);

/**
 * Makes the rules of a requirement, each from what finds a fault and its words: what is wrong, and on lines of their own after
 * an arrow the edit that mends it.
 *
 *     const locale = rulesFor(DOCKERFILE, 'B2');
 *     locale.should(localeNotUtf8)`the VM takes file names for latin1: ${'why'}
 *       => before this line, write: ENV LANG=C.UTF-8`
 *
 * `find` decides and returns data, whose values the words name. It may have a `file` where that isn't the rule's own, a
 * `line`, and a `weight` where it isn't the rule's.
 * @param _subject only its type is used: the content that `find` gets
 */
export function rulesFor<Content>(_subject: Subject<Content>, id: string) {
  const ofWeight =
    (weight: Weight) =>
    <Fault>(find: Find<Content, Fault>) =>
    (texts: TemplateStringsArray, ...parts: Part<Fault>[]): Rule<Content> => ({
      id,
      judge: ({ content, path }, repo) =>
        [find(content, repo)].flat().flatMap((fault) => {
          if (!fault) return [];
          if (fault instanceof Doubt) return { weight, why: fault.why };
          const own = fault as Partial<Finding>;
          return {
            weight: own.weight ?? weight,
            file: own.file ?? path,
            line: own.line ?? null,
            ...wordsFor(fault as Fault, repo, texts, parts),
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

const GAP = '\0';

function wordsFor<Fault>(
  fault: Fault,
  repo: Repo,
  texts: readonly string[],
  parts: readonly Part<Fault>[],
): { what: string; edit: string } {
  const values = parts.map((part) => (typeof part === 'string' ? fault[part] : part(fault, repo)));
  // Split before the values come in: they may have line breaks and arrows of their own
  const [what = '', edit = ''] = texts
    .join(GAP)
    .trim()
    .split(/\n *=> /);
  const fill = (text: string) =>
    text.replaceAll(/\n */g, '\n').replaceAll(GAP, () => `${values.shift() ?? ''}`);
  return { what: fill(what), edit: fill(edit) };
}
