import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser';

/** A TOML text with every table and value at its offset. */
export interface TomlText {
  /** With a line break at the end, which `lacksNewline` says was not there. */
  text: string;
  lacksNewline: boolean;
  newline: '\n' | '\r\n';
  data: Record<string, unknown>;
  tables: Table[];
  values: Value[];
}

/** A table with a header, or the top of the file (path ''). */
export interface Table {
  /** Dotted; elements of arrays by number: `services.0.ports.1`. Dots within a key are NUL. */
  path: string;
  /** Its lines up to the next table's, comments above the header included, empty lines at the end not. */
  lineRange: [number, number];
  /** Offset at which its first entry would stand. */
  bodyStart: number;
  entries: Entry[];
  /** Indentation of its entries. */
  indent: string;
}

/** One `key = value` of the text. */
export interface Entry {
  path: string;
  /** As it is written; dotted when it has several parts. */
  key: string;
  value: unknown;
  /** Of the value. */
  valueRange: [number, number];
  table: Table;
  /** From the start of its line to the end of its last one. */
  lineRange: [number, number];
  /** Comment lines directly above, without indentation. */
  comments: string[];
}

/** A value, also one within braces or brackets. */
export interface Value {
  path: string;
  value: unknown;
  range: [number, number];
  entry: Entry;
}

type Body = ReturnType<typeof parseTOML>['body'][0]['body'][number];
type Pair = Extract<Body, { type: 'TOMLKeyValue' }>;
type Header = Exclude<Body, Pair>;
type Content = Pair['value'];

/** Reads a TOML text. @throws ParseError when it is not TOML */
export function readToml(source: string): TomlText {
  const lacksNewline = source !== '' && !source.endsWith('\n');
  const newline = source.includes('\r\n') ? '\r\n' : '\n';
  const text = lacksNewline ? source + newline : source;
  const program = parseTOML(text);
  const indented = /^[ \t]+[^\s#]/m.test(text);
  const tables: Table[] = [{ path: '', lineRange: [0, 0], bodyStart: 0, entries: [], indent: '' }];
  const values: Value[] = [];
  const add = (table: Table, pair: Pair): void => {
    const entry = readEntry(text, table, pair);
    table.entries.push(entry);
    values.push(...valuesIn(pair.value, entry.path, entry));
  };
  for (const node of program.body[0].body) {
    if (node.type === 'TOMLKeyValue') {
      add(tables[0] as Table, node);
    } else {
      const table = readHeader(text, node, indented);
      tables.push(table);
      for (const pair of node.body) add(table, pair);
    }
  }
  tables.forEach((table, index) => {
    const next = tables[index + 1]?.lineRange[0] ?? text.length;
    const [start] = table.lineRange;
    const lastSign = start + text.slice(start, next).trimEnd().length - 1;
    table.lineRange[1] = lineEnd(text, Math.max(start, lastSign));
  });
  const data = getStaticTOMLValue(program) as TomlText['data'];
  return { text, lacksNewline, newline, data, tables, values };
}

function readHeader(text: string, node: Header, indented: boolean): Table {
  const [first] = node.body;
  // An empty table is indented as the file's others are
  const step = indented ? '  ' : '';
  const [, keyEnd] = node.key.range;
  return {
    path: node.resolvedKey.map((key) => keyText(String(key))).join('.'),
    lineRange: [commentsAbove(text, node.range[0]).start, 0],
    bodyStart: lineEnd(text, text.indexOf(']', keyEnd)),
    entries: [],
    indent: first ? indentOf(text, first.range[0]) : indentOf(text, node.range[0]) + step,
  };
}

function readEntry(text: string, table: Table, node: Pair): Entry {
  const [start, end] = node.range;
  return {
    path: pathOf(table.path, node),
    key: text.slice(...node.key.range),
    value: getStaticTOMLValue(node.value),
    valueRange: node.value.range,
    table,
    lineRange: [lineStart(text, start), lineEnd(text, end)],
    comments: commentsAbove(text, start).lines,
  };
}

function valuesIn(node: Content, path: string, entry: Entry): Value[] {
  const value = { path, value: getStaticTOMLValue(node), range: node.range, entry };
  const elements = node.type === 'TOMLArray' ? node.elements : [];
  const pairs = node.type === 'TOMLInlineTable' ? node.body : [];
  return [
    value,
    ...elements.flatMap((item, index) => valuesIn(item, `${path}.${index}`, entry)),
    ...pairs.flatMap((pair) => valuesIn(pair.value, pathOf(path, pair), entry)),
  ];
}

const keyText = (key: string): string => key.replaceAll('.', '\0');

function pathOf(outer: string, { key }: Pair): string {
  const names = key.keys.map((part) => ('name' in part ? part.name : part.value));
  const path = names.map(keyText).join('.');
  return outer ? `${outer}.${path}` : path;
}

const lineStart = (text: string, offset: number): number =>
  offset > 0 ? text.lastIndexOf('\n', offset - 1) + 1 : 0;

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}

const indentOf = (text: string, offset: number): string =>
  /^[ \t]*/.exec(text.slice(lineStart(text, offset)))?.[0] ?? '';

/** The block of comment lines directly above the line of an offset. */
function commentsAbove(text: string, offset: number): { start: number; lines: string[] } {
  const lines: string[] = [];
  let from = lineStart(text, offset);
  for (;;) {
    const line = text.slice(lineStart(text, from - 1), from);
    if (from === 0 || !/^[ \t]*#/.test(line)) return { start: from, lines };
    lines.unshift(line.trim());
    from -= line.length;
  }
}

/** Whether a path is another one or below it. */
export const isIn = (path: string, outer: string): boolean =>
  path === outer || path.startsWith(`${outer}.`);
