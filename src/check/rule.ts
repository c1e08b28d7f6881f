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

/** A part of the words that is made of what was found: one of its values by name, or something else. */
type Part<Found> =
  | (keyof Found & string)
  | ((found: Found, repo: Repo) => string | number | undefined);

/**
 * Makes the rules of a requirement, `const r21 = rulesFor(FLY_TOML, 'R2.1')`, each from what finds a fault and its words:
 * what is wrong, and on lines of their own after an arrow the edit that mends it.
 *
 *     r21.must(unknownStrategy)`there is no strategy ${'strategy'}
 *       => write: strategy = "rolling"`
 *
 * `find` decides and returns data, whose values the words name. It may have a `file` where that isn't the rule's own, a
 * `line`, and a `weight` where it isn't the rule's.
 */
export function rulesFor<File>(_subject: Subject<File>, id: string) {
  const ofWeight =
    (weight: Weight) =>
    <Found>(
      find: (file: File, repo: Repo) => Found | Doubt | Nothing | (Found | Doubt | Nothing)[],
    ) =>
    (texts: TemplateStringsArray, ...parts: Part<Found>[]): Rule<File> => ({
      id,
      judge: ({ file: content, path: file }, repo) =>
        [find(content, repo)].flat().flatMap((found) => {
          if (!found) return [];
          if (found instanceof Doubt) return { weight, why: found.why };
          const { weight: own, file: elsewhere, line } = found as Partial<Finding>;
          const place = { weight: own ?? weight, file: elsewhere ?? file, line: line ?? null };
          return { ...place, ...wordsOn(found as Found, repo, texts, parts) };
        }),
    });
  return {
    must: ofWeight('must'),
    should: ofWeight('should'),
    advice: ofWeight('advice'),
    note: ofWeight('note'),
  };
}

function wordsOn<Found>(
  found: Found,
  repo: Repo,
  texts: readonly string[],
  parts: readonly Part<Found>[],
): { what: string; edit: string } {
  const made = parts.map((part) => (typeof part === 'string' ? found[part] : part(found, repo)));
  // What is found may have line breaks and arrows of its own
  const [what = '', edit = ''] = texts
    .join('\0')
    .trim()
    .split(/\n *=> /);
  const fill = (text: string) =>
    text.replaceAll(/\n */g, '\n').replaceAll('\0', () => `${made.shift() ?? ''}`);
  return { what: fill(what), edit: fill(edit) };
}
