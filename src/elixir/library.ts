import { Atom, get, isEqual, keywords, Module, pairs, show, Unknown, type Value } from './value.ts';

/** undefined: the result can't be known. */
type LibraryFunction = (...args: Value[]) => Value | undefined;

/** A function of one text; what an option or a base changes, as in `String.to_integer(text, 16)`, is not computed. */
const ofText =
  (run: (text: string) => Value | undefined): LibraryFunction =>
  (text, ...options) =>
    typeof text === 'string' && options.length === 0 ? run(text) : undefined;
/** What a filter leaves out is not known, so the whole list counts, as it should for dependencies and children. */
const unfiltered: LibraryFunction = (list) => (Array.isArray(list) ? list : undefined);
const not: LibraryFunction = (value) => value === false || value === null;
const isIn: LibraryFunction = (value = null, list = null) =>
  Array.isArray(list) && list.some((item) => isEqual(item, value));
const equals: LibraryFunction = (left = null, right = null) => isEqual(left, right);
const differs: LibraryFunction = (left = null, right = null) => !isEqual(left, right);

const lookUp: LibraryFunction = (map, key, fallback = null) => {
  if (map === null) return fallback;
  const isMap = Array.isArray(map) && (map.length === 0 || pairs(map).length > 0);
  return isMap && key instanceof Atom ? (get(map, key.name) ?? fallback) : undefined;
};

const mergeKeywords: LibraryFunction = (left, right) =>
  Array.isArray(left) && Array.isArray(right)
    ? keywords(new Map([...pairs(left), ...pairs(right)]))
    : undefined;

/** `++`: a side that is not known becomes one unknown item. */
const append: LibraryFunction = (...sides) =>
  sides.some(Array.isArray)
    ? sides.flatMap((side) => (Array.isArray(side) ? side : [side]))
    : undefined;

/** `String.split(text, separator)`; of its options `trim: true` alone is known. */
const split: LibraryFunction = (text, separator, options = []) => {
  if (typeof text !== 'string' || typeof separator !== 'string' || !separator) return undefined;
  const parts = text.split(separator);
  if (show(options) === '[]') return parts;
  return show(options) === '[trim: true]' ? parts.filter(Boolean) : undefined;
};

/** The first slash of `//` (not of `https://`) and of `/./`, and one at the end. */
const REDUNDANT_SLASH = /(?<!:)\/\.?(?=\/)|(?<=[^/])\/$/g;

const joinPath: LibraryFunction = (...args) => {
  const parts = args.length === 1 ? args[0] : args;
  return Array.isArray(parts) && parts.every((part) => typeof part === 'string')
    ? parts.filter(Boolean).join('/').replace(REDUNDANT_SLASH, '')
    : undefined;
};

const expandPath: LibraryFunction = (path, dir) => {
  if (typeof path !== 'string' || typeof dir !== 'string') return path;
  return path.startsWith('/') || path.startsWith(dir) ? path : `${dir}/${path}`;
};

const concatModules: LibraryFunction = (...args) => {
  const names = (Array.isArray(args[0]) ? args[0] : args).map((part) =>
    part instanceof Atom || part instanceof Module ? part.name : undefined,
  );
  return names.includes(undefined) ? undefined : new Module(names.join('.'));
};

/** Functions and operators of Elixir whose result depends on nothing but their arguments. */
const LIBRARY: Record<string, LibraryFunction> = {
  'String.trim': ofText((text) => text.trim()),
  'String.to_atom': ofText((text) => new Atom(text)),
  'String.to_existing_atom': ofText((text) => new Atom(text)),
  'String.to_integer': ofText((text) => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined)),
  'String.upcase': ofText((text) => text.toUpperCase()),
  'String.downcase': ofText((text) => text.toLowerCase()),
  'String.split': split,
  to_string: (value) => (value instanceof Atom ? value.name : String(value ?? '')),
  is_nil: (value) => value === null,
  'Access.get': lookUp,
  'Keyword.get': lookUp,
  'Map.get': lookUp,
  'Keyword.merge': mergeKeywords,
  'List.flatten': (list) => (Array.isArray(list) ? (list.flat(9) as Value[]) : undefined),
  'Enum.filter': unfiltered,
  'Enum.reject': unfiltered,
  'Enum.member?': (list, value) => (value instanceof Unknown ? value : isIn(value, list)),
  'Path.join': joinPath,
  'Path.expand': expandPath,
  // Stays the pattern that it is, which `import_config` resolves
  'Path.wildcard': (pattern) => (typeof pattern === 'string' ? [pattern] : undefined),
  'Module.concat': concatModules,
  '++': append,
  '<>': (left, right) =>
    typeof left === 'string' && typeof right === 'string' ? left + right : undefined,
  '!': not,
  not,
  '==': equals,
  '===': equals,
  '!=': differs,
  '!==': differs,
  in: isIn,
  'not in': (value, list) => !isIn(value, list),
};

/**
 * The result of `name(args…)`; undefined for what is not in the library, or can't be known. With an unknown first argument,
 * or operand, it is unknown; functions look at their other arguments themselves.
 */
export function callLibrary(name: string, args: Value[]): Value | undefined {
  const run = Object.hasOwn(LIBRARY, name) ? LIBRARY[name] : undefined;
  if (!run || name === '++') return run?.(...args);
  const [first, second] = args;
  if (first instanceof Unknown) return first;
  const isBinaryOperator = /^\W/.test(name);
  return isBinaryOperator && second instanceof Unknown ? second : run(...args);
}
