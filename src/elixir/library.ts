import { spend } from './budget.ts';
import { Atom, get, Module, pairs, sameValue, Unknown, type Value } from './value.ts';

/** undefined: it can't be known. */
type Known = (...args: Value[]) => Value | undefined;

const text =
  (run: (text: string) => Value | undefined): Known =>
  (first) =>
    typeof first === 'string' ? run(first) : undefined;
const itself: Known = (list) => (Array.isArray(list) ? list : undefined);
const isNot: Known = (value) => value === false || value === null;
const isIn: Known = (value, list) =>
  Array.isArray(list) && list.some((item) => sameValue(item, value));
const same: Known = (left = null, right = null) => sameValue(left, right);
const differ: Known = (left = null, right = null) => !sameValue(left, right);

const lookUp: Known = (held, key, fallback = null) => {
  if (held === null) return fallback;
  const isMap = Array.isArray(held) && (held.length === 0 || pairs(held).length > 0);
  return isMap && key instanceof Atom ? (get(held, key.name) ?? fallback) : undefined;
};

const concat: Known = (...args) => {
  const all = args.length === 1 && Array.isArray(args[0]) ? args[0] : args;
  return all.every(Array.isArray) ? (all.flat() as Value[]) : all.find(Array.isArray);
};

/** What is known of either side counts. */
const append: Known = (...sides) =>
  sides.some(Array.isArray)
    ? sides.flatMap((side) => (Array.isArray(side) ? side : [side]))
    : undefined;

const subtract: Known = (left, right) => {
  if (!Array.isArray(left) || !Array.isArray(right)) return left;
  if (!spend('evaluation', left.length * right.length)) return undefined;
  return left.filter((item) => !right.some((gone) => sameValue(item, gone)));
};

/** Functions and operators of Elixir that need nothing but their arguments. */
const LIBRARY: Record<string, Known> = {
  'String.trim': text((given) => given.trim()),
  'String.to_atom': text((given) => new Atom(given)),
  'String.to_existing_atom': text((given) => new Atom(given)),
  'String.to_integer': text((given) => (/^[+-]?\d+$/.test(given) ? Number(given) : undefined)),
  'String.upcase': text((given) => given.toUpperCase()),
  'String.downcase': text((given) => given.toLowerCase()),
  'String.split': (given, by) =>
    typeof given === 'string' && typeof by === 'string' ? given.split(by) : undefined,
  to_string: (value) => (value instanceof Atom ? value.name : String(value ?? '')),
  is_nil: (value) => value === null,
  'Access.get': lookUp,
  'Keyword.get': lookUp,
  'Map.get': lookUp,
  'Keyword.merge': concat,
  'Enum.concat': concat,
  'List.flatten': (list) => (Array.isArray(list) ? (list.flat(9) as Value[]) : undefined),
  // What a filter leaves out is not known; for dependencies and children everything counts.
  'Enum.filter': itself,
  'Enum.reject': itself,
  'Enum.uniq': itself,
  'Enum.sort': itself,
  'Path.join': (...args) => {
    const parts = args.length === 1 ? args[0] : args;
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string')
      ? parts.join('/').replace(/\/\.\//g, '/')
      : undefined;
  },
  'Path.expand': (path, dir) => {
    if (typeof path !== 'string' || typeof dir !== 'string') return path;
    return path.startsWith('/') || path.startsWith(dir) ? path : `${dir}/${path}`;
  },
  // Left as the pattern it is: `import_config` resolves it.
  'Path.wildcard': text((pattern) => [pattern]),
  'Module.concat': (...args) => {
    const names = (Array.isArray(args[0]) ? args[0] : args).map((part) =>
      part instanceof Atom || part instanceof Module ? part.name : undefined,
    );
    return names.includes(undefined) ? undefined : new Module(names.join('.'));
  },
  '++': append,
  '--': subtract,
  '<>': (left, right) =>
    typeof left === 'string' && typeof right === 'string' ? left + right : undefined,
  '!': isNot,
  not: isNot,
  '==': same,
  '===': same,
  '!=': differ,
  '!==': differ,
  in: isIn,
  'not in': (value = null, list = null) => !isIn(value, list),
};

/** `name(args…)` from Elixir's library, or undefined when it isn't one that can be computed. */
export function library(name: string, args: Value[]): Value | undefined {
  const run = Object.hasOwn(LIBRARY, name) ? LIBRARY[name] : undefined;
  const isJoin = name === '++' || name === '--';
  const [first, second] = args;
  if (!run || isJoin) return run?.(...args);
  if (first instanceof Unknown) return first;
  return /^\W/.test(name) && second instanceof Unknown ? second : run(...args);
}
