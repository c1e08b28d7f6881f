import { parseTOML } from 'toml-eslint-parser';

/** One `key = value` line of a TOML file, or a whole table, by its place in the text. */
interface Entry {
  /** Dotted path; array tables by number: `http_service.checks.0.path`. */
  path: string;
  value: unknown;
  /** Where the value stands. */
  valueRange: [number, number];
  /** The entry's lines, comments above it included. */
  lines: [number, number];
}

interface Table {
  /** '' for the top of the file. */
  path: string;
  array: boolean;
  /** Header line with the comments above it, up to the next table. */
  range: [number, number];
  entries: Entry[];
  indent: string;
}

type TomlNode = ReturnType<typeof parseTOML>['body'][0]['body'][number];
type KeyValue = Extract<TomlNode, { type: 'TOMLKeyValue' }>;

/**
 * Brings the keys of `ours` into `theirs` and leaves the rest of `theirs` as it is, to the byte: comments, order,
 * quoting. A value that both have stays theirs unless `replace` says otherwise. Tables they lack are appended with our comments.
 *
 * toml-eslint-parser gives every value's place in the text, so an edit touches only its own characters; libraries that
 * print from a changed object (@decimalturn/toml-patch 3.3) dropped comments and failed on new array tables.
 */
export function mergeToml(theirs: string, ours: string, replace: (path: string, theirValue: unknown, ourValue: unknown) => boolean): string {
  const have = tablesOf(theirs);
  const edits: { at: number; end: number; text: string }[] = [];
  let appended = '';
  for (const table of tablesOf(ours)) {
    const match = have.find((one) => one.path === table.path);
    const inline = have.flatMap((one) => one.entries).find((entry) => entry.path === table.path || entry.path.startsWith(`${table.path}.`));
    if (!match && table.path && !inline) {
      appended += `\n${ours.slice(...table.range).replace(/^\n+|\s+$/g, '')}\n`;
      continue;
    }
    let missing = '';
    for (const entry of table.entries) {
      const their = have.flatMap((one) => one.entries).find((one) => one.path === entry.path);
      const covered = have.some((one) => one.path === entry.path || one.path.startsWith(`${entry.path}.`));
      if (!their && !covered && match) missing += reindent(ours.slice(...entry.lines), match.indent);
      else if (their && JSON.stringify(their.value) !== JSON.stringify(entry.value) && replace(entry.path, their.value, entry.value)) {
        edits.push({ at: their.valueRange[0], end: their.valueRange[1], text: ours.slice(...entry.valueRange) });
      }
    }
    if (missing && match) {
      const at = match.entries.at(-1)?.lines[1] ?? headerEnd(theirs, match);
      const needsBreak = at > 0 && theirs[at - 1] !== '\n';
      edits.push({ at, end: at, text: (needsBreak ? '\n' : '') + missing });
    }
  }
  const merged = edits.sort((left, right) => right.at - left.at).reduce((text, edit) => text.slice(0, edit.at) + edit.text + text.slice(edit.end), theirs);
  const whole = appended && !merged.endsWith('\n') ? `${merged}\n${appended}` : merged + appended;
  return theirs.includes('\r\n') ? whole.replaceAll(/\r?\n/g, '\r\n') : whole;
}

const reindent = (lines: string, indent: string): string => lines.replace(/^[ \t]*(?=\S)/gm, indent);

function headerEnd(text: string, table: Table): number {
  if (!table.path) return 0;
  const header = text.indexOf('[', table.range[0]);
  const end = text.indexOf('\n', header);
  return end < 0 ? text.length : end + 1;
}

function tablesOf(text: string): Table[] {
  const ast = parseTOML(text);
  const top = ast.body[0];
  const lineStart = (at: number) => text.lastIndexOf('\n', at - 1) + 1;
  const lineEnd = (at: number) => (text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at) + 1);
  /** Comment lines directly above belong to what follows. */
  const withComments = (at: number) => {
    let start = lineStart(at);
    while (start > 0 && /^[ \t]*#/.test(text.slice(lineStart(start - 1), start))) start = lineStart(start - 1);
    return start;
  };
  const entry = (node: KeyValue, prefix: string): Entry => ({
    path: [prefix, ...node.key.keys.map((key) => keyName(key))].filter(Boolean).join('.'),
    value: valueOf(node.value),
    valueRange: node.value.range,
    lines: [withComments(node.range[0]), lineEnd(node.range[1])],
  });
  const loose = top.body.filter((node): node is KeyValue => node.type === 'TOMLKeyValue');
  const tables: Table[] = [{ path: '', array: false, range: [0, 0], entries: loose.map((node) => entry(node, '')), indent: '' }];
  for (const node of top.body) {
    if (node.type !== 'TOMLTable') continue;
    const path = node.resolvedKey.join('.');
    const entries = node.body.map((one) => entry(one, path));
    const first = node.body[0] ? text.slice(lineStart(node.body[0].range[0]), node.body[0].range[0]) : '';
    tables.push({ path, array: node.kind === 'array', range: [withComments(node.range[0]), 0], entries, indent: first.trim() ? '' : first });
  }
  tables.forEach((table, index) => {
    if (index > 0) table.range[1] = tables[index + 1]?.range[0] ?? text.length;
  });
  return tables;
}

function valueOf(node: KeyValue['value']): unknown {
  if (node.type === 'TOMLArray') return node.elements.map(valueOf);
  if (node.type === 'TOMLInlineTable') return Object.fromEntries(node.body.map((pair) => [pair.key.keys.map(keyName).join('.'), valueOf(pair.value)]));
  const { value } = node as { value: unknown };
  return typeof value === 'bigint' ? Number(value) : value;
}

const keyName = (key: { type: string; name?: string; value?: unknown }): string => String(key.name ?? key.value);
