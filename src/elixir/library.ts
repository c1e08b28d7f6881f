import { Atom, get, isKeyword, Module, pairs, show, Tuple, Unknown, type Value } from './value.ts';

const texts =
  (run: (text: string) => Value) =>
  (args: Value[]): Value | undefined =>
    typeof args[0] === 'string' ? run(args[0]) : undefined;
const lists =
  (run: (list: Value[], args: Value[]) => Value) =>
  (args: Value[]): Value | undefined =>
    Array.isArray(args[0]) ? run(args[0], args) : undefined;

/** Functions of Elixir's library that need nothing but their arguments; undefined: it can't be known. */
const FUNCTIONS: Record<string, (args: Value[]) => Value | undefined> = {
  'String.trim': texts((text) => text.trim()),
  'String.to_atom': texts((text) => new Atom(text)),
  'String.to_existing_atom': texts((text) => new Atom(text)),
  'String.to_integer': texts((text) =>
    /^[+-]?\d+$/.test(text) ? Number(text) : new Unknown(`String.to_integer(${show(text)})`),
  ),
  'String.upcase': texts((text) => text.toUpperCase()),
  'String.downcase': texts((text) => text.toLowerCase()),
  'String.length': texts((text) => [...text].length),
  to_string: ([value = null]) => {
    if (value instanceof Atom) return value.name;
    if (value === null) return '';
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  },
  is_nil: ([value]) => value === null,
  is_binary: ([value]) => typeof value === 'string',
  is_list: ([value]) => Array.isArray(value),
  'Access.get': ([held, key, fallback]) => lookUp(held, key, fallback),
  'Keyword.get': ([held, key, fallback]) => lookUp(held, key, fallback),
  'Keyword.put': ([held, key, value]) =>
    Array.isArray(held) && key instanceof Atom
      ? [
          ...held.filter(
            (item) =>
              !(
                item instanceof Tuple &&
                item.items[0] instanceof Atom &&
                item.items[0].name === key.name
              ),
          ),
          new Tuple([key, value ?? null]),
        ]
      : undefined,
  'Path.join': (args) => {
    const joined = args.length === 1 ? args[0] : args;
    return Array.isArray(joined) && joined.every((part) => typeof part === 'string')
      ? joined.join('/').replace(/\/\.\//g, '/')
      : undefined;
  },
  'Path.expand': ([path, dir]) =>
    typeof path === 'string' &&
    typeof dir === 'string' &&
    !path.startsWith('/') &&
    !path.startsWith(dir)
      ? `${dir}/${path}`
      : path,
  'String.split': ([text, by]) =>
    typeof text === 'string' && typeof by === 'string' ? text.split(by) : undefined,
  'Module.concat': (args) => {
    const parts = Array.isArray(args[0]) ? args[0] : args;
    return parts.every((part) => part instanceof Atom || part instanceof Module)
      ? new Module(parts.map((part) => (part as Atom | Module).name).join('.'))
      : undefined;
  },
  'Map.get': ([held, key, fallback]) => lookUp(held, key, fallback),
  // Left as the pattern it is: `import_config` resolves it.
  'Path.wildcard': texts((pattern) => [pattern]),
  'List.flatten': lists((list) => list.flat(9) as Value[]),
  'List.wrap': ([value = null]) => {
    if (value === null) return [];
    return Array.isArray(value) ? value : [value];
  },
  'Enum.concat': concat,
  'Keyword.merge': concat,
  // What a filter leaves out is not known; for dependencies and children everything counts.
  'Enum.filter': lists((list) => list),
  'Enum.reject': lists((list) => list),
  'Enum.uniq': lists((list) => list),
  'Enum.sort': lists((list) => list),
};

function lookUp(
  held: Value | undefined,
  key: Value | undefined,
  fallback: Value | undefined,
): Value | undefined {
  if (held === null) return fallback ?? null;
  if (
    !(key instanceof Atom) ||
    !Array.isArray(held) ||
    (held.length > 0 && !isKeyword(held) && pairs(held).length === 0)
  )
    return undefined;
  return get(held, key.name) ?? fallback ?? null;
}

function concat(args: Value[]): Value | undefined {
  const all = args.length === 1 && Array.isArray(args[0]) ? args[0] : args;
  return all.every(Array.isArray) ? (all.flat() as Value[]) : all.find(Array.isArray);
}

/** `name(args…)` from Elixir's library, or undefined when it isn't one that can be computed. */
export function library(name: string, args: Value[]): Value | undefined {
  const run = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  return run && (args[0] instanceof Unknown ? args[0] : run(args));
}

/** The text of a string with its interpolations; unknown as soon as one of them is. */
export function joined(parts: readonly Value[]): Value {
  const unknown = parts.find((part) => part instanceof Unknown);
  return unknown ?? parts.map(interpolated).join('');
}

function interpolated(part: Value): string {
  if (part instanceof Atom || part instanceof Module) return part.name;
  return part === null ? '' : String(part);
}
