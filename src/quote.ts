import { Problem } from './problem.ts';

/** A string literal of TOML (basic string; JSON's escapes are a subset of TOML's, and TOML wants DEL escaped too). */
export const tomlString = (text: string): string =>
  JSON.stringify(text).replaceAll('\u007f', '\\u007f');

/** A string literal of Elixir: interpolation is a part of its strings, so `#{` is escaped too. */
const elixirString = (text: string): string => JSON.stringify(text).replaceAll('#{', '\\#{');

/** An atom of Elixir, quoted where it must be. */
export const elixirAtom = (name: string): string =>
  /^[a-z_][A-Za-z0-9_]*[?!]?$/.test(name) ? `:${name}` : `:${elixirString(name)}`;

/** One word of a shell command. @throws Problem for a line break, which no one-line command can hold */
export function shellWord(word: string): string {
  if (/[\r\n]/.test(word))
    throw new Problem(
      `${JSON.stringify(word)} has a line break, which a command in a Dockerfile can't hold; change it in mix.exs`,
    );
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The operands of a COPY: as they are, or as JSON where a space or a pattern character asks for it. */
export function copyPaths(paths: readonly string[]): string {
  if (paths.every((path) => /^[\w./@+-]+$/.test(path))) return paths.join(' ');
  return JSON.stringify(
    paths.map((path) => path.replace(/[*?[\\]/g, (sign) => `[${sign}]`).replaceAll('$', '\\$')),
  );
}

/** A key of an Elixir keyword list, with its colon. */
export const elixirKey = (name: string): string =>
  elixirAtom(name).startsWith(':"') ? `${elixirString(name)}:` : `${name}:`;
