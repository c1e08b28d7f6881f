/** A string literal of TOML (basic string; JSON's escapes are a subset of TOML's). */
export const tomlString = (text: string): string => JSON.stringify(text);

/** A string literal of Elixir: interpolation is a part of its strings, so `#{` is escaped too. */
export const elixirString = (text: string): string => JSON.stringify(text).replaceAll('#{', '\\#{');

/** An atom of Elixir, quoted where it must be. */
export const elixirAtom = (name: string): string => (/^[a-z_][A-Za-z0-9_]*[?!]?$/.test(name) ? `:${name}` : `:${elixirString(name)}`);
