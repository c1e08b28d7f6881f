import { INVISIBLE, Problem } from './problem.ts';

/** The code point of a character, in hexadecimal. */
const hex = (character: string): string => (character.codePointAt(0) ?? 0).toString(16);

/** A basic string of TOML: its escapes are JSON's, and one for any character. */
export const tomlString = (text: string): string =>
  JSON.stringify(text).replaceAll(
    INVISIBLE,
    (character) => `\\U${hex(character).padStart(8, '0')}`,
  );

/** A string literal of Elixir, which would interpolate `#{`, and whose parser refuses marks that turn the direction of text. */
export const elixirString = (text: string): string =>
  JSON.stringify(text)
    .replaceAll('#{', '\\#{')
    .replaceAll(INVISIBLE, (character) => `\\u{${hex(character)}}`);

/** An atom of Elixir, quoted where it must be. */
export const elixirAtom = (name: string): string =>
  /^[a-z_][A-Za-z0-9_]*[?!]?$/.test(name) ? `:${name}` : `:${elixirString(name)}`;

/** A key of an Elixir keyword list, with its colon. */
export const elixirKey = (name: string): string =>
  elixirAtom(name).startsWith(':"') ? `${elixirString(name)}:` : `${name}:`;

/** The name of a module as code writes it. @throws Problem for a name that code can't write, such as that of `Module.concat([:"a b"])` */
export function elixirModule(name: string): string {
  if (isModule(name)) return name;
  throw new Problem(
    `${JSON.stringify(name)} is no module name that other code could write (Shop.Repo is one); rename it`,
  );
}

/** Whether code can write a name as a module: `Shop.Repo`. */
export const isModule = (name: string): boolean => /^[A-Z]\w*(\.[A-Z]\w*)*$/.test(name);

/** One word of a shell command. @throws Problem for a control character, such as a line break, which no command can show */
export function shellWord(word: string): string {
  refuseInvisible(word);
  if (/^[\w./:=@%+,-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A path as one word of a shell command. @throws Problem as shellWord does */
export const shellPath = (path: string): string => shellWord(notAnOption(path));

/** Whether a shell variable, and a bare key of fly.toml, can have that name. */
export const isVariableName = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name);

/** The name of an environment variable. @throws Problem for one that a shell can't set */
export function variableName(name: string): string {
  if (isVariableName(name)) return name;
  throw new Problem(
    `no shell can set an environment variable of the name ${JSON.stringify(name)}; rename it`,
  );
}

/** The operands of a COPY, as JSON where one has a space or a character of a pattern. @throws Problem as shellWord does */
export function copyPaths(paths: readonly string[]): string {
  const operands = paths.map((path) => notAnOption(refuseInvisible(path)));
  if (operands.every((path) => /^[\w./@+-]+$/.test(path))) return operands.join(' ');
  return JSON.stringify(
    operands.map((path) =>
      path.replace(/[*?[\\]/g, (character) => `[${character}]`).replaceAll('$', '\\$'),
    ),
  );
}

/** Text as it is, for one line of a file. @throws Problem for a control character, such as a line break */
export function refuseInvisible(text: string): string {
  if (text.search(INVISIBLE) < 0 && !/[\r\n\t]/.test(text)) return text;
  throw new Problem(
    `${JSON.stringify(text.slice(0, 80))} has a line break or another sign that can't be seen; rename what is called so`,
  );
}

const notAnOption = (path: string): string => (path.startsWith('-') ? `./${path}` : path);
