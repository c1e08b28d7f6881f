import { INVISIBLE, Problem } from './problem.ts';

const hex = (sign: string): string => (sign.codePointAt(0) ?? 0).toString(16);

/** A basic string of TOML: JSON's escapes are TOML's, but for what lies beyond 16 bits. */
export const tomlString = (text: string): string =>
  JSON.stringify(text).replaceAll(INVISIBLE, (sign) =>
    sign.length > 1 ? `\\U${hex(sign).padStart(8, '0')}` : `\\u${hex(sign).padStart(4, '0')}`,
  );

/** A string literal of Elixir: interpolation is a part of its strings, and its parser refuses signs that turn the direction of text. */
export const elixirString = (text: string): string =>
  JSON.stringify(text)
    .replaceAll('#{', '\\#{')
    .replaceAll(INVISIBLE, (sign) => `\\u{${hex(sign)}}`);

/** An atom of Elixir, quoted where it must be. */
export const elixirAtom = (name: string): string =>
  /^[a-z_][A-Za-z0-9_]*[?!]?$/.test(name) ? `:${name}` : `:${elixirString(name)}`;

/** A key of an Elixir keyword list, with its colon. */
export const elixirKey = (name: string): string =>
  elixirAtom(name).startsWith(':"') ? `${elixirString(name)}:` : `${name}:`;

/** A module's name as it stands in code. @throws Problem for one that code can't spell, such as `Module.concat([:"a b"])` */
export function elixirModule(name: string): string {
  if (isModule(name)) return name;
  throw new Problem(
    `${JSON.stringify(name)} is no module name that other code could write (Shop.Repo is one); rename it`,
  );
}

export const isModule = (name: string): boolean => /^[A-Z]\w*(\.[A-Z]\w*)*$/.test(name);

/** One word of a shell command. @throws Problem for a line break or another control character, which no command can show */
export function shellWord(word: string): string {
  oneLine(word);
  if (/^[\w./:=@%+,-]+$/.test(word)) return word;
  return /'/.test(word) && !/["$`\\!]/.test(word)
    ? `"${word}"`
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A path as a word of a shell command, never an option. @throws Problem as shellWord does */
export const shellPath = (path: string): string => shellWord(fromHere(path));

/** Whether a shell, and a bare key of fly.toml, can have that name. */
export const isVariableName = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name);

/** The name of an environment variable. @throws Problem for one that a shell can't set */
export function variableName(name: string): string {
  if (isVariableName(name)) return name;
  throw new Problem(
    `no shell can set an environment variable of the name ${JSON.stringify(name)}; rename it`,
  );
}

/** The operands of a COPY: as they are, or as JSON where a space or a pattern character asks for it. @throws Problem as shellWord does */
export function copyPaths(paths: readonly string[]): string {
  const operands = paths.map((path) => fromHere(oneLine(path)));
  if (operands.every((path) => /^[\w./@+-]+$/.test(path))) return operands.join(' ');
  return JSON.stringify(
    operands.map((path) => path.replace(/[*?[\\]/g, (sign) => `[${sign}]`).replaceAll('$', '\\$')),
  );
}

/** Text that stands in one line of a file of ours. @throws Problem for a control character */
export function oneLine(text: string): string {
  if (text.search(INVISIBLE) < 0 && !/[\r\n\t]/.test(text)) return text;
  throw new Problem(
    `${JSON.stringify(text.slice(0, 80))} has a line break or another sign that can't be seen; rename what is called so`,
  );
}

const fromHere = (path: string): string => (path.startsWith('-') ? `./${path}` : path);
