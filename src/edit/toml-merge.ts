import { Problem } from '../problem.ts';
import { type Entry, isIn, readToml, type Table, type TomlText, type Value } from './toml-text.ts';

export interface MergeRules {
  /** The paths in their file that a table of ours stands for; none: it is not needed there. */
  targets: (table: string) => string[];
  /** Whether a key of ours is needed where theirs has none. */
  wants: (path: string) => boolean;
  /** Whether our comment has to stand above theirs. */
  explain: (path: string) => boolean;
  /** Whether our value takes the place of theirs. */
  replace: (path: string, theirs: unknown) => boolean;
  /** Paths in their file that go. */
  remove: readonly string[];
}

/** A value of theirs that a merge changed or took away. */
export interface Overruled {
  path: string;
  theirs: unknown;
  /** undefined: it is gone. */
  ours: unknown;
  /** Our comment above it. */
  why: string;
}

/**
 * Brings the keys of `ours` into `theirs` and leaves the rest of `theirs` as it is, to the byte: comments, order,
 * quoting, line endings. A value that both have stays theirs unless a rule says otherwise. What is added or changed
 * brings our comments, which say why.
 *
 * The edits are made in the text, at the offsets that toml-eslint-parser gives. Libraries that print from a changed
 * object were tried on flyctl's own 41 test files and 14 of real apps: @decimalturn/toml-patch 3.3.0 can't add an array
 * of tables such as [[vm]] to most of them ("Node not found"); @shopify/toml-patch 0.3.0 sets scalars only, drops the
 * comment behind a changed value and turns CRLF into LF. Neither can add a comment.
 * @throws ParseError when what comes out is not TOML, as below dotted keys; Problem for a table in braces that can't take it
 */
export function mergeToml(
  theirs: TomlText,
  ours: TomlText,
  rules: MergeRules,
): { text: string; overruled: Overruled[] } {
  const merge = new Merge(theirs, ours, rules);
  merge.remove();
  for (const table of ours.tables)
    for (const target of rules.targets(table.path)) merge.bringIn(table, target);
  const text = merge.finish();
  readToml(text);
  return { text, overruled: merge.overruled };
}

/** Of what comes in at one offset, higher ranks come later, and equal ones in the order given. */
const RANK = { entry: 0, table: 100, comment: 1000 };

/** Collects changes of their text by offset, and makes them at the end. */
class Merge {
  readonly overruled: Overruled[] = [];
  private readonly changes: { start: number; end: number; text: string; rank: number }[] = [];
  private readonly theirs: TomlText;
  private readonly ours: TomlText;
  private readonly rules: MergeRules;

  constructor(theirs: TomlText, ours: TomlText, rules: MergeRules) {
    this.theirs = theirs;
    this.ours = ours;
    this.rules = rules;
  }

  remove(): void {
    const { remove } = this.rules;
    const gone = this.theirs.values.filter(
      ({ path, entry }) => remove.includes(path) && entry.path === path,
    );
    for (const { path, value, entry } of gone) {
      this.overruled.push({ path, theirs: value, ours: undefined, why: '' });
      this.put(entry.lines, '');
    }
  }

  /** One table of ours, in the place that it has in their file. */
  bringIn(table: Table, target: string): void {
    const missing: Entry[] = [];
    for (const entry of table.entries) {
      const path = target + entry.path.slice(table.path.length);
      const value = this.theirs.values.find((other) => other.path === path);
      if (!this.has(path) && this.rules.wants(entry.path)) missing.push(entry);
      else if (value && this.mustChange(entry, value)) this.replace(value, entry);
      else if (value && this.rules.explain(entry.path)) this.explain(value.entry, entry.comments);
    }
    if (missing.length) this.add(table, target, missing);
  }

  finish(): string {
    const { text, open, newline } = this.theirs;
    // From the back, so that offsets hold
    const fromBack = [...this.changes]
      .reverse()
      .sort((left, right) => right.start - left.start || right.rank - left.rank);
    const result = fromBack.reduce(
      (before, { start, end, text }) =>
        before.slice(0, start) + text.replaceAll('\n', newline) + before.slice(end),
      text,
    );
    const grew = this.changes.some(({ start }) => start === text.length);
    return open && !grew ? result.slice(0, -newline.length) : result;
  }

  /** The first replacement of a range counts. */
  private put([start, end]: readonly [number, number], text: string, rank = 0): void {
    const isDone = this.changes.some((done) => done.start === start && done.end === end);
    if (start === end || !isDone) this.changes.push({ start, end, text, rank });
  }

  private insert(offset: number, text: string, rank: number): void {
    this.put([offset, offset], text, rank);
  }

  private has(path: string): boolean {
    return [...this.theirs.values, ...this.theirs.tables].some((found) => isIn(found.path, path));
  }

  private mustChange(entry: Entry, theirs: Value): boolean {
    const same = JSON.stringify(theirs.value) === JSON.stringify(entry.value);
    return !same && this.rules.replace(entry.path, theirs.value);
  }

  private replace({ path, value, range, entry }: Value, ours: Entry): void {
    const text = this.ours.text.slice(...ours.range);
    const quoted = this.theirs.text[range[0]] === "'" && /^"[^"'\\]*"$/.test(text);
    this.put(range, quoted ? `'${text.slice(1, -1)}'` : text);
    this.explain(entry, ours.comments);
    const why = ours.comments.map((line) => line.replace(/^#+ */, '')).join(' ');
    this.overruled.push({ path, theirs: value, ours: ours.value, why });
  }

  private add(table: Table, target: string, missing: readonly Entry[]): void {
    const { tables, values } = this.theirs;
    const inTheWay = values.findLast((value) => isIn(target, value.path) && !isEmptyList(value));
    if (inTheWay) {
      const isInline = this.theirs.text[inTheWay.range[0]] === '{';
      if (isInline && inTheWay.path === target) this.addPairs(inTheWay, missing);
      else if (isInline)
        throw new Problem(
          `${inTheWay.path} is a table in braces, to which nothing can be added; write it under a header of its own, then run again`,
        );
      return;
    }
    const there = tables.find(({ path }) => path === target);
    if (there) this.addEntries(there, missing);
    else this.addTable(target, table, missing);
  }

  private linesOf(entries: readonly Entry[], indent: string): string {
    const lines = entries.flatMap(({ comments, key, range }) => [
      ...comments,
      `${key} = ${this.ours.text.slice(...range)}`,
    ]);
    return block(lines, indent);
  }

  private addEntries(table: Table, missing: readonly Entry[]): void {
    const last = table.entries.at(-1);
    const bare = !last && table.path === '';
    const firstTable = this.theirs.tables[1]?.range[0] ?? this.theirs.text.length;
    const start = last?.lines[1] ?? (bare ? firstTable : table.body);
    const gap = bare && start < this.theirs.text.length ? '\n' : '';
    this.insert(start, this.linesOf(missing, table.indent) + gap, RANK.entry);
  }

  /** At the end of the table it belongs to: an array's element must be the last one before what is below it. */
  private addTable(target: string, table: Table, entries: readonly Entry[]): void {
    const { tables, values, text } = this.theirs;
    const homes = tables.map(({ path }) => path).filter((path) => isIn(target, path));
    const home = homes.reduce((inner, path) => (path.length > inner.length ? path : inner), '');
    // TOML lets no [[checks]] stand beside `checks = []`
    const empty = values.find(({ path }) => isIn(target, path));
    if (empty) {
      const ours = [Object.fromEntries(entries.map(({ key, value }) => [key, value]))];
      this.overruled.push({ path: empty.path, theirs: [], ours, why: '' });
      this.put(empty.entry.lines, '');
    }
    const family = tables.filter((other) => isIn(other.path, home));
    const start = home ? Math.max(...family.map((other) => other.range[1])) : text.length;
    const flat = tables.length > 1 && !tables.some((other) => other.indent);
    const header = this.ours.text.slice(table.range[0], table.body);
    const lines = header + this.linesOf(entries, table.indent);
    const before = start > 0 ? '\n' : '';
    const after = start === text.length || /^\r?\n/.test(text.slice(start)) ? '' : '\n';
    // What belongs to a table comes before what stands alone
    const depth = home === '' ? 0 : home.split('.').length;
    this.insert(
      start,
      before + (flat ? lines.replaceAll(/^[ \t]+/gm, '') : lines) + after,
      RANK.table - depth,
    );
  }

  private addPairs({ range, entry }: Value, missing: readonly Entry[]): void {
    const [start, end] = range;
    const brace = end - 1;
    const offset = this.theirs.text.slice(0, brace).trimEnd().length;
    const pairs = missing.map(({ key, range }) => `${key} = ${this.ours.text.slice(...range)}`);
    const comma = offset === start + 1 ? '' : ',';
    const gap = offset === brace ? ' ' : '';
    this.insert(offset, `${comma} ${pairs.join(', ')}${gap}`, RANK.entry);
    this.explain(
      entry,
      missing.flatMap(({ comments }) => comments),
    );
  }

  /** Puts comment lines above an entry, unless they are in its table above it. */
  private explain({ lines: [start], table }: Entry, comments: readonly string[]): void {
    const above = this.theirs.text.slice(table.range[0], start).split('\n');
    const there = above.map((line) => line.trim());
    const coming = this.changes.filter((change) => change.start === start);
    const missing = comments.filter(
      (line) => !there.includes(line) && !coming.some(({ text }) => text.includes(line)),
    );
    if (missing.length) this.insert(start, block(missing, table.indent), RANK.comment);
  }
}

const isEmptyList = ({ value }: Value): boolean => Array.isArray(value) && value.length === 0;

const block = (lines: readonly string[], indent: string): string =>
  lines.map((line) => `${indent}${line}\n`).join('');
