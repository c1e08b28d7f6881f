import { Problem } from '../problem.ts';
import { type Entry, isIn, readToml, type Table, type TomlText, type Value } from './toml-text.ts';

export interface MergeRules {
  /** The paths in their file that a table of ours stands for; none: it is not needed there. */
  targetsOf: (table: string) => string[];
  /** Whether a key of ours is needed where theirs has none. */
  shouldAdd: (path: string) => boolean;
  /** Whether our comment has to stand above theirs. */
  shouldExplain: (path: string) => boolean;
  /** Whether our value takes the place of theirs. */
  shouldReplace: (path: string, theirs: unknown) => boolean;
  /** Paths in their file that go. */
  removedPaths: readonly string[];
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
 * The edits are made in the text, as libraries that print a changed object lose bytes: @decimalturn/toml-patch 3.3.0 fails
 * on most of flyctl's own 41 test files, @shopify/toml-patch 0.3.0 drops comments and CRLF. Neither can add a comment.
 * @throws ParseError when what comes out is not TOML, as below dotted keys; Problem for a table in braces that can't take it
 */
export function mergeToml(
  theirs: TomlText,
  ours: TomlText,
  rules: MergeRules,
): { text: string; overruled: Overruled[] } {
  const merger = new TomlMerger(theirs, ours, rules);
  merger.removePaths();
  for (const table of ours.tables)
    for (const target of rules.targetsOf(table.path)) merger.mergeTable(table, target);
  const text = merger.result();
  readToml(text);
  return { text, overruled: merger.overruled };
}

/** A range of their text, empty for an insertion, and what takes its place. */
interface Change {
  start: number;
  end: number;
  text: string;
  /** Of the table that a new one belongs to: at the same offset deeper ones come first, and lines of the table itself before. */
  depth: number;
}

const INNERMOST = 99;

/** Collects changes of their text by offset, and makes them at the end. */
class TomlMerger {
  readonly overruled: Overruled[] = [];
  private readonly changes: Change[] = [];
  private readonly theirs: TomlText;
  private readonly ours: TomlText;
  private readonly rules: MergeRules;

  constructor(theirs: TomlText, ours: TomlText, rules: MergeRules) {
    this.theirs = theirs;
    this.ours = ours;
    this.rules = rules;
  }

  removePaths(): void {
    for (const { path, value, entry } of this.theirs.values)
      if (entry.path === path && this.rules.removedPaths.includes(path)) {
        this.overruled.push({ path, theirs: value, ours: undefined, why: '' });
        this.replace(entry.lineRange, '');
      }
  }

  /** Merges a table of ours into the one at a path of their file. */
  mergeTable(table: Table, target: string): void {
    const missing: Entry[] = [];
    for (const entry of table.entries) {
      const path = target + entry.path.slice(table.path.length);
      const theirs = this.theirs.values.find((value) => value.path === path);
      if (theirs) this.mergeEntry(theirs, entry);
      else if (this.rules.shouldAdd(entry.path)) missing.push(entry);
    }
    if (missing.length) this.addMissing(table, target, missing);
  }

  /** Their text with all changes made. */
  result(): string {
    const { text, lacksNewline, newline } = this.theirs;
    let result = '';
    let offset = 0;
    const inOrder = this.changes.sort(
      (left, right) => left.start - right.start || right.depth - left.depth,
    );
    for (const change of inOrder) {
      result += text.slice(offset, change.start) + change.text.replaceAll('\n', newline);
      offset = Math.max(offset, change.end);
    }
    result += text.slice(offset);
    const grew = this.changes.some(({ start }) => start === text.length);
    return lacksNewline && !grew ? result.slice(0, -newline.length) : result;
  }

  private insert(offset: number, text: string, depth = INNERMOST): void {
    this.replace([offset, offset], text, depth);
  }

  private replace([start, end]: readonly [number, number], text: string, depth = INNERMOST): void {
    this.changes.push({ start, end, text, depth });
  }

  private mergeEntry(theirs: Value, ours: Entry): void {
    const isSame = JSON.stringify(theirs.value) === JSON.stringify(ours.value);
    if (!isSame && this.rules.shouldReplace(ours.path, theirs.value))
      this.changeValue(theirs, ours);
    else if (this.rules.shouldExplain(ours.path)) this.addComments(theirs.entry, ours.comments);
  }

  /** Our value in place of theirs, in single quotes where theirs has them. */
  private changeValue({ path, value, range, entry }: Value, ours: Entry): void {
    const text = this.ours.text.slice(...ours.valueRange);
    const isSingleQuoted = this.theirs.text[range[0]] === "'";
    const canBeSingleQuoted = /^"[^"'\\]*"$/.test(text);
    this.replace(range, isSingleQuoted && canBeSingleQuoted ? `'${text.slice(1, -1)}'` : text);
    this.addComments(entry, ours.comments);
    const why = ours.comments.map((line) => line.replace(/^#+ */, '')).join(' ');
    this.overruled.push({ path, theirs: value, ours: ours.value, why });
  }

  private addMissing(table: Table, target: string, missing: readonly Entry[]): void {
    const { tables, values, text } = this.theirs;
    const outer = values.findLast((value) => isIn(target, value.path) && !isEmptyList(value));
    const existing = tables.find(({ path }) => path === target);
    if (!outer) {
      if (existing) this.addEntries(existing, missing);
      else this.addTable(target, table, missing);
    } else if (text[outer.range[0]] === '{') {
      if (outer.path === target) return this.addPairs(outer, missing);
      throw new Problem(
        `${outer.path} is a table in braces, to which nothing can be added; write it under a header of its own, then run again`,
      );
    }
  }

  private linesOf(entries: readonly Entry[], indent: string): string {
    const lines = entries.flatMap(({ comments, key, valueRange }) => [
      ...comments,
      `${key} = ${this.ours.text.slice(...valueRange)}`,
    ]);
    return indentedLines(lines, indent);
  }

  /** Behind the last entry; at the top of a file that has none there, above the first table. */
  private addEntries(table: Table, missing: readonly Entry[]): void {
    const { tables, text } = this.theirs;
    const lines = this.linesOf(missing, table.indent);
    const last = table.entries.at(-1);
    if (last) return this.insert(last.lineRange[1], lines);
    if (table.path) return this.insert(table.bodyStart, lines);
    const firstTable = tables[1]?.lineRange[0] ?? text.length;
    this.insert(firstTable, firstTable < text.length ? `${lines}\n` : lines);
  }

  /** At the end of the table it belongs to: an array's element must be the last one before what is below it. */
  private addTable(target: string, table: Table, entries: readonly Entry[]): void {
    const { tables, text } = this.theirs;
    // TOML lets no [[checks]] stand beside `checks = []`
    const empty = this.theirs.values.find(({ path }) => isIn(target, path));
    if (empty) this.replace(empty.entry.lineRange, '');
    const parents = tables.map(({ path }) => path).filter((path) => isIn(target, path));
    const parent = parents.sort((left, right) => left.length - right.length).at(-1) ?? '';
    const family = tables.filter(({ path }) => isIn(path, parent));
    const ends = family.map(({ lineRange }) => lineRange[1]);
    const offset = parent ? Math.max(...ends) : text.length;
    const isFlat = tables.length > 1 && tables.every(({ indent }) => !indent);
    const header = this.ours.text.slice(table.lineRange[0], table.bodyStart);
    const lines = header + this.linesOf(entries, table.indent);
    const hasGapBelow = offset === text.length || /^\r?\n/.test(text.slice(offset));
    const layout = isFlat ? lines.replaceAll(/^[ \t]+/gm, '') : lines;
    const depth = parent ? parent.split('.').length : 0;
    this.insert(offset, `\n${layout}${hasGapBelow ? '' : '\n'}`, depth);
  }

  /** Behind the last pair of a table in braces. */
  private addPairs({ range, entry }: Value, missing: readonly Entry[]): void {
    const [start, end] = range;
    const brace = end - 1;
    const offset = this.theirs.text.slice(0, brace).trimEnd().length;
    const pairs = missing.map(
      ({ key, valueRange }) => `${key} = ${this.ours.text.slice(...valueRange)}`,
    );
    const comma = offset === start + 1 ? '' : ',';
    const gap = offset === brace ? ' ' : '';
    this.insert(offset, `${comma} ${pairs.join(', ')}${gap}`);
    const comments = missing.flatMap((pair) => pair.comments);
    this.addComments(entry, comments);
  }

  /** Puts comment lines above an entry, unless they are in its table above it. */
  private addComments({ lineRange: [start], table }: Entry, comments: readonly string[]): void {
    const above = this.theirs.text.slice(table.lineRange[0], start).split('\n');
    const added = this.changes.filter((change) => change.start === start);
    const present = [...above, ...added.flatMap(({ text }) => text.split('\n'))];
    const known = new Set(present.map((line) => line.trim()));
    const missing = comments.filter((line) => !known.has(line));
    if (missing.length) this.insert(start, indentedLines(missing, table.indent));
  }
}

const isEmptyList = ({ value }: Value): boolean => Array.isArray(value) && value.length === 0;

const indentedLines = (lines: readonly string[], indent: string): string =>
  lines.map((line) => `${indent}${line}\n`).join('');
