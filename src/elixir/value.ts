import { spend } from './budget.ts';
import type { Clause } from './expr.ts';
import type { Scope } from './scope.ts';

/** Elixir values as far as they can be known without running Elixir. Keyword lists and maps are arrays of two-element tuples. */
export type Value =
  | string
  | number
  | boolean
  | null
  | Atom
  | Module
  | Tuple
  | Closure
  | Environment
  | Unknown
  | Value[];

class Named {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** `:name` */
export class Atom extends Named {}
/** `Shop.Repo`, in full. */
export class Module extends Named {}

/** `{a, b}` */
export class Tuple {
  readonly items: Value[];
  constructor(items: Value[]) {
    this.items = items;
  }
}

/** `fn … end` with the scope that it was made in. */
export class Closure {
  readonly clauses: Clause[];
  readonly scope: Scope;
  constructor(clauses: Clause[], scope: Scope) {
    this.clauses = clauses;
    this.scope = scope;
  }
}

/** All environment variables, as `System.get_env()` returns them. */
export class Environment {
  readonly kind = 'environment';
}

/** A value that only the running program knows; `why` is what it depends on, e.g. `System.get_env("PORT")`. */
export class Unknown {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** `Keyword.get`; undefined also for what is no keyword list. */
export const get = (value: Value | undefined, key: string): Value | undefined =>
  pairs(value).find(([name]) => name === key)?.[1];

/** The pairs of a keyword list or map, plain items left out; none for any other value. */
export const pairs = (value: Value | undefined): [string, Value][] =>
  (Array.isArray(value) ? value : []).flatMap((item): [string, Value][] => {
    if (!(item instanceof Tuple) || item.items.length !== 2) return [];
    const [key, second = null] = item.items;
    const name = key instanceof Named ? key.name : key;
    return typeof name === 'string' ? [[name, second]] : [];
  });

/** A list of two-element tuples that begin with atoms, and not an empty one. */
export const isKeyword = (value: Value | undefined): value is Value[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every(
    (item) => item instanceof Tuple && item.items.length === 2 && item.items[0] instanceof Atom,
  );

/** `Config`'s deep merge: keyword lists merge key by key, everything else is replaced. */
export function deepMerge(left: Value | undefined, right: Value): Value {
  if (!isKeyword(left) || !isKeyword(right)) return right;
  const merged = new Map(pairs(left));
  for (const [key, value] of pairs(right)) merged.set(key, deepMerge(merged.get(key), value));
  return keywords(merged);
}

/** Makes a keyword list. */
export const keywords = (values: ReadonlyMap<string, Value>): Value[] =>
  [...values].map(([key, value]) => new Tuple([new Atom(key), value]));

const sizes = new WeakMap<readonly Value[], number>();

/** How many parts a value has when it is written out; 16 characters of text count as one. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return 1 + (value.length >> 4);
  const items = value instanceof Tuple ? value.items : value;
  if (!Array.isArray(items)) return 1;
  const cached = sizes.get(items);
  if (cached !== undefined) return cached;
  let size = 1;
  for (const item of items) size += sizeOf(item);
  sizes.set(items, size);
  return size;
}

/** `==` of two values; takes as many steps as they have parts, and none where one has more. */
export function isEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  const size = sizeOf(left);
  if (size !== sizeOf(right) || !spend('evaluation', size)) return false;
  return show(left) === show(right);
}

/** A value as Elixir text, for messages and comparison. */
export function show(value: Value | undefined): string {
  if (value === undefined || value === null) return 'nil';
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Module) return value.name;
  if (value instanceof Atom) return `:${value.name}`;
  if (value instanceof Unknown) return value.why;
  if (value instanceof Closure) return 'a function';
  if (value instanceof Environment) return 'the environment';
  if (value instanceof Tuple) return `{${value.items.map(show).join(', ')}}`;
  if (!Array.isArray(value)) return String(value);
  const entries = isKeyword(value) ? pairs(value) : undefined;
  const items = entries?.map(([key, item]) => `${key}: ${show(item)}`) ?? value.map(show);
  return `[${items.join(', ')}]`;
}

/** The name of an atom; undefined for any other value. */
export const atomName = (value: Value | undefined): string | undefined =>
  value instanceof Atom ? value.name : undefined;
/** The name of a module; undefined for any other value. */
export const moduleName = (value: Value | undefined): string | undefined =>
  value instanceof Module ? value.name : undefined;
