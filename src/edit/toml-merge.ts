import TOML from '@iarna/toml';
import { parseTOML } from 'toml-eslint-parser';
import { type Entry, type Place, type Table, type TomlText, tomlText } from './toml-text.ts';

export interface MergeRules {
  /** The paths in their file that a table of ours stands for; none: it is not needed there. */
  targets: (table: string) => string[];
  /** Other places in their file where a value of ours may stand already. */
  also: (path: string) => string[];
  /** Whether our comment has to stand above theirs. */
  explain: (path: string) => boolean;
  /** Whether our value takes the place of theirs. */
  replace: (path: string, theirs: unknown) => boolean;
}

/**
 * Brings the keys of `ours` into `theirs` and leaves the rest of `theirs` as it is, to the byte: comments, order,
 * quoting, line endings. A value that both have stays theirs unless a rule says otherwise. What is added or changed
 * brings our comments, which say why.
 *
 * The edits are made in the text, at the places that toml-eslint-parser gives. Libraries that print from a changed
 * object were tried on flyctl's own 41 test files and 14 of real apps: @decimalturn/toml-patch 3.3.0 can't add an array
 * of tables such as [[vm]] to most of them ("Node not found"); @shopify/toml-patch 0.3.0 sets scalars only, drops the
 * comment behind a changed value and turns CRLF into LF. Neither can add a comment.
 * @throws ParseError when `theirs` is not TOML, or what comes out isn't
 */
export function mergeToml(
  theirs: string,
  ours: string,
  { targets, also, explain, replace }: MergeRules,
): string {
  const open = theirs !== '' && !theirs.endsWith('\n');
  const newline = theirs.includes('\r\n') ? '\r\n' : '\n';
  const text = theirs + (open ? newline : '');
  const want = tomlText(ours);
  const edit = new Edits(text, tomlText(text), want, TOML.parse(ours));
  for (const table of want.tables) {
    for (const target of targets(table.path)) {
      const missing = table.entries.filter((entry) => {
        const found = [target + entry.path.slice(table.path.length), ...also(entry.path)]
          .map((path) => edit.find(path))
          .find(Boolean);
        if (
          found?.range &&
          JSON.stringify(found.value) !== JSON.stringify(entry.value) &&
          replace(entry.path, found.value)
        )
          edit.replace(found, entry, ours.slice(...entry.range));
        else if (found?.entry && explain(entry.path)) edit.explain(found.entry, entry.comments);
        return !found;
      });
      if (missing.length) edit.add(target, table, missing, ours);
    }
  }
  const merged = edit.apply(open ? newline.length : 0, newline);
  parseTOML(merged);
  return merged;
}

type Home = { path: string } & (
  | { kind: 'header'; table: Table }
  | { kind: 'inline'; place: Place }
  | { kind: 'dotted'; last: Entry }
);

/** Changes to a TOML text, collected by place and made at the end. */
class Edits {
  /** `rank` orders what comes in at the same place. */
  private edits: { at: number; end: number; text: string; rank: number }[] = [];
  /** Tables of ours that came in as a whole, with the tables below them. */
  private whole: string[] = [];
  private text: string;
  private have: TomlText;
  private want: TomlText;
  private data: TOML.JsonMap;

  constructor(text: string, have: TomlText, want: TomlText, data: TOML.JsonMap) {
    this.text = text;
    this.have = have;
    this.want = want;
    this.data = data;
  }

  /** What stands at a path; without a range: only something below it. */
  find(path: string): { value?: unknown; range?: Place['range']; entry?: Entry } | undefined {
    const place = this.have.values.find((one) => one.path === path);
    const below = [...this.have.values, ...this.have.tables].some((one) => isIn(one.path, path));
    return place ?? (below ? {} : undefined);
  }

  replace(
    { range = [0, 0], entry }: ReturnType<Edits['find']> & object,
    { comments }: Entry,
    value: string,
  ): void {
    // Their quotes stay
    const literal = this.text[range[0]] === "'" && /^"[^"'\\]*"$/.test(value);
    this.put(range, literal ? `'${value.slice(1, -1)}'` : value);
    if (entry) this.explain(entry, comments);
  }

  add(target: string, table: Table, missing: readonly Entry[], ours: string): void {
    if (this.whole.some((path) => isIn(target, path))) return;
    const home = this.homeOf(target);
    if (!home) return;
    if (home.kind === 'header')
      return home.path === target
        ? this.addEntries(home.table, missing, ours)
        : this.addTable(home, target, ours.slice(...table.range));
    const steps = target
      .slice(home.path.length + 1)
      .split('.')
      .filter(Boolean);
    if (steps.length === 0)
      return missing.forEach((entry) => this.addPair(home, entry.key, entry.value, entry.comments));
    // A table in braces or of dotted keys can't get a header below it: what is missing comes in as a value
    const path = table.path.split('.').slice(0, steps.length > 1 ? 1 - steps.length : undefined);
    const value = path.reduce<unknown>(
      (found, step) => (found as Record<string, unknown>)[step],
      this.data,
    );
    this.whole.push(`${home.path}.${steps[0]}`);
    const comments = this.want.tables
      .flatMap((one) => one.entries)
      .filter((entry) => isIn(entry.path, path.join('.')))
      .flatMap((entry) => entry.comments);
    this.addPair(home, steps[0] ?? '', value, comments);
  }

  /** @param open length of the line break at the end that was not there, and goes again unless something came behind it */
  apply(open: number, newline: string): string {
    const grew = this.edits.some((edit) => edit.at === this.text.length);
    // From the back, so that offsets hold; what is inserted at one place stays in order
    const last = [...this.edits]
      .reverse()
      .sort((left, right) => right.at - left.at || right.rank - left.rank);
    const result = last.reduce(
      (text, { at, end, text: put }) =>
        text.slice(0, at) + put.replaceAll('\n', newline) + text.slice(end),
      this.text,
    );
    return open && !grew ? result.slice(0, -open) : result;
  }

  private addEntries(table: Table, missing: readonly Entry[], ours: string): void {
    const lines = missing
      .map((entry) =>
        block([...entry.comments, `${entry.key} = ${ours.slice(...entry.range)}`], table.indent),
      )
      .join('');
    const last = table.entries.at(-1);
    const at =
      last?.lines[1] ??
      (table.path ? table.body : (this.have.tables[1]?.range[0] ?? this.text.length));
    this.put([at, at], last || table.path || at === this.text.length ? lines : `${lines}\n`);
  }

  /** At the end of the table it belongs to: an array's element must be the last one before what is below it. */
  private addTable(home: Home, target: string, lines: string): void {
    const empty = this.emptyList(target);
    if (empty) this.put(empty.entry.lines, '');
    const at = home.path
      ? Math.max(
          ...this.have.tables.filter((one) => isIn(one.path, home.path)).map((one) => one.range[1]),
        )
      : this.text.length;
    const fitting =
      this.have.tables.some((one) => one.indent) || this.have.tables.length < 2
        ? lines
        : lines.replaceAll(/^[ \t]+/gm, '');
    // Behind entries of the table above, and what belongs to a table before what stands alone
    const rank = 100 - home.path.split('.').filter(Boolean).length;
    this.put(
      [at, at],
      `${at > 0 ? '\n' : ''}${fitting}${at < this.text.length && !/^\r?\n/.test(this.text.slice(at)) ? '\n' : ''}`,
      rank,
    );
  }

  private addPair(home: Home, key: string, value: unknown, comments: readonly string[]): void {
    const printed = inline(value);
    const empty = this.emptyList(`${home.path}.${key}.0`);
    if (empty) {
      this.put(empty.range, printed);
      this.explain(empty.entry, comments);
    } else if (home.kind === 'dotted') {
      const { table, lines } = home.last;
      this.put(
        [lines[1], lines[1]],
        block(
          [
            ...comments,
            `${home.path.slice(table.path ? table.path.length + 1 : 0)}.${key} = ${printed}`,
          ],
          table.indent,
        ),
      );
    } else if (home.kind === 'inline') {
      const [from, to] = home.place.range;
      const at = this.text.slice(0, to - 1).trimEnd().length;
      const first = at === from + 1 && !this.edits.some((edit) => edit.at === at);
      this.put(
        [at, at],
        `${first ? '' : ','} ${key} = ${printed}${first && at === to - 1 ? ' ' : ''}`,
      );
      this.explain(home.place.entry, comments);
    }
  }

  /** Puts comment lines above an entry, unless they are in its table above it. */
  explain({ lines: [at], table }: Entry, why: readonly string[]): void {
    const there = this.text
      .slice(table.range[0], at)
      .split('\n')
      .map((line) => line.trim());
    const missing = why.filter(
      (line) =>
        !there.includes(line) &&
        !this.edits.some((edit) => edit.at === at && edit.text.includes(line)),
    );
    // Behind all else that comes in here: directly above its entry
    if (missing.length) this.put([at, at], block(missing, table.indent), 1000);
  }

  private homeOf(target: string): Home | undefined {
    for (let path = target; ; path = path.replace(/\.?[^.]*$/, '')) {
      const table = this.have.tables.find((one) => one.path === path);
      if (table) return { kind: 'header', path, table };
      const place = this.have.values.find((one) => one.path === path);
      if (place?.kind === 'inline') return { kind: 'inline', path, place };
      // Something else stands there: not ours to change
      if (
        place &&
        !(place.kind === 'array' && Array.isArray(place.value) && place.value.length === 0)
      )
        return undefined;
      const last = this.have.tables
        .flatMap((one) => one.entries)
        .findLast(
          (entry) => isIn(entry.path, path) && entry.path !== path && !isIn(entry.table.path, path),
        );
      if (last) return { kind: 'dotted', path, last };
    }
  }

  /** `checks = []` says nothing, and TOML lets no [[checks]] stand beside it. */
  private emptyList(target: string): Place | undefined {
    return this.have.values.find(
      (one) =>
        one.kind === 'array' &&
        Array.isArray(one.value) &&
        one.value.length === 0 &&
        isIn(target, one.path),
    );
  }

  private put([at, end]: readonly [number, number], text: string, rank = 0): void {
    if (end === at || !this.edits.some((edit) => edit.at === at && edit.end === end))
      this.edits.push({ at, end, text, rank });
  }
}

/** A value on one line; JSON's strings, numbers and booleans are TOML's too. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${key} = ${inline(one)}`)
    .join(', ')} }`;
}

const isIn = (path: string, outer: string): boolean =>
  path === outer || path.startsWith(`${outer}.`);

const block = (lines: readonly string[], indent: string): string =>
  lines.map((line) => `${indent}${line}\n`).join('');
