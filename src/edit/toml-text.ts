import { parseTOML } from 'toml-eslint-parser';

/** A value in a TOML text and the place where it stands. */
export interface Place {
  /** Dotted path; elements of arrays by number: `http_service.checks.0.path`. Dots within a key are NUL. */
  path: string;
  value: unknown;
  /** Where the value stands. */
  range: [number, number];
  /** `inline`: a table in braces. */
  kind: 'scalar' | 'array' | 'inline';
  /** The `key = value` that it is in. */
  entry: Entry;
}

/** One `key = value` of the text. */
export interface Entry extends Omit<Place, 'entry'> {
  /** The key as it is written; dotted when it has several parts. */
  key: string;
  table: Table;
  /** From the start of its line to the end of its last one. */
  lines: [number, number];
  /** Comment lines directly above, without indentation. */
  comments: string[];
}

/** A table with a header, or the top of the file (path ''). */
export interface Table {
  path: string;
  /** Its lines up to the next table's, comments above the header included, empty lines at the end not. */
  range: [number, number];
  /** Where its first entry would stand. */
  body: number;
  entries: Entry[];
  /** Indentation of its entries. */
  indent: string;
}

export interface TomlText {
  tables: Table[];
  values: Place[];
}

type TopNode = ReturnType<typeof parseTOML>['body'][0]['body'][number];
type KeyValue = Extract<TopNode, { type: 'TOMLKeyValue' }>;
type Content = KeyValue['value'];

/** Every table and value of a TOML text by its place. @throws ParseError when it is not TOML */
export function tomlText(text: string): TomlText {
  const nodes = parseTOML(text).body[0].body;
  const flat = !/^[ \t]+[^\s#]/m.test(text);
  const lineStart = (at: number) => (at > 0 ? text.lastIndexOf('\n', at - 1) + 1 : 0);
  const lineEnd = (at: number) =>
    text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at) + 1;
  const indentAt = (at: number) => /^[ \t]*/.exec(text.slice(lineStart(at)))?.[0] ?? '';
  const commentsAbove = (at: number): [start: number, lines: string[]] => {
    let start = lineStart(at);
    const lines = [];
    for (
      let line = text.slice(lineStart(start - 1), start);
      /^[ \t]*#/.test(line);
      line = text.slice(lineStart(start - 1), start)
    ) {
      lines.unshift(line.trim());
      start -= line.length;
    }
    return [start, lines];
  };
  const tables: Table[] = [{ path: '', range: [0, 0], body: 0, entries: [], indent: '' }];
  const values: Place[] = [];
  const visit = (node: Content, path: string, entry: Entry): void => {
    values.push({ path, value: valueIn(node), range: node.range, kind: kindOf(node), entry });
    if (node.type === 'TOMLArray')
      node.elements.forEach((one, index) => visit(one, `${path}.${index}`, entry));
    if (node.type === 'TOMLInlineTable')
      for (const pair of node.body) visit(pair.value, below(path, pair), entry);
  };
  const add = (table: Table, node: KeyValue): void => {
    const [, comments] = commentsAbove(node.range[0]);
    const { value } = node;
    const entry: Entry = {
      path: below(table.path, node),
      key: text.slice(...node.key.range),
      value: valueIn(value),
      kind: kindOf(value),
      range: value.range,
      table,
      lines: [lineStart(node.range[0]), lineEnd(node.range[1])],
      comments,
    };
    table.entries.push(entry);
    visit(value, entry.path, entry);
  };
  for (const node of nodes) {
    if (node.type === 'TOMLKeyValue') {
      add(tables[0] as Table, node);
      continue;
    }
    const indent = node.body[0]
      ? indentAt(node.body[0].range[0])
      : indentAt(node.range[0]) + (flat ? '' : '  ');
    const table: Table = {
      path: node.resolvedKey.map((key) => keyText(String(key))).join('.'),
      range: [commentsAbove(node.range[0])[0], 0],
      body: lineEnd(text.indexOf(']', (node.key.range as [number, number])[1])),
      entries: [],
      indent,
    };
    tables.push(table);
    for (const pair of node.body) add(table, pair);
  }
  tables.forEach((table, index) => {
    const until = tables[index + 1]?.range[0] ?? text.length;
    table.range[1] = lineEnd(Math.max(table.range[0], text.slice(0, until).trimEnd().length - 1));
  });
  return { tables, values };
}

const keyText = (key: string): string => key.replaceAll('.', '\0');

const below = (path: string, pair: { key: KeyValue['key'] }): string =>
  [
    path,
    ...pair.key.keys.map((key: { name?: string; value?: unknown }) =>
      keyText(String(key.name ?? key.value)),
    ),
  ]
    .filter((part, index) => part || index > 0)
    .join('.');

const kindOf = (node: Content): Place['kind'] =>
  node.type === 'TOMLArray' ? 'array' : node.type === 'TOMLInlineTable' ? 'inline' : 'scalar';

function valueIn(node: Content): unknown {
  if (node.type === 'TOMLArray') return node.elements.map(valueIn);
  if (node.type === 'TOMLInlineTable')
    return Object.fromEntries(node.body.map((pair) => [below('', pair), valueIn(pair.value)]));
  const { value } = node as { value: unknown };
  return typeof value === 'bigint' ? Number(value) : value;
}
