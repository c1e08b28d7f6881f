import { spend } from './budget.ts';
import type { Clause } from './expr.ts';
import type { Scope } from './scope.ts';

/** Elixir values as far as they can be known without running Elixir. Keyword lists are arrays of two-element tuples. */
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

export class Atom extends Named {}
export class Module extends Named {}

export class Tuple {
  readonly items: Value[];
  constructor(items: Value[]) {
    this.items = items;
  }
}

/** `fn … end` with what it can see. */
export class Closure {
  readonly clauses: Clause[];
  readonly scope: Scope;
  constructor(clauses: Clause[], scope: Scope) {
    this.clauses = clauses;
    this.scope = scope;
  }
}

/** All variables at once, as `System.get_env()` gives them. */
export class Environment {
  readonly kind = 'environment';
}

/** What only a running program knows; `why` says what it hangs on, e.g. `System.get_env("PORT")`. */
export class Unknown {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** `Keyword.get`; a non-keyword has no keys. */
export const get = (value: Value | undefined, key: string): Value | undefined =>
  pairs(value).find(([name]) => name === key)?.[1];

/** The pairs of a keyword list (or of a list that mixes plain items in; those are left out), first wins. */
export const pairs = (value: Value | undefined): [string, Value][] =>
  (Array.isArray(value) ? value : []).flatMap((item): [string, Value][] => {
    const [key, second, ...more] = item instanceof Tuple ? item.items : [];
    if (second === undefined || more.length) return [];
    const name = key instanceof Named ? key.name : key;
    return typeof name === 'string' ? [[name, second]] : [];
  });

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

export const keywords = (values: ReadonlyMap<string, Value>): Value[] =>
  [...values].map(([key, value]) => new Tuple([new Atom(key), value]));

const weights = new WeakMap<readonly Value[], number>();

/** How many parts a value has when it is written out; 16 characters of text count as one. */
export function weigh(value: Value): number {
  if (typeof value === 'string') return 1 + (value.length >> 4);
  const items = value instanceof Tuple ? value.items : value;
  if (!Array.isArray(items)) return 1;
  const known = weights.get(items);
  if (known !== undefined) return known;
  let weight = 1;
  for (const item of items) weight += weigh(item);
  weights.set(items, weight);
  return weight;
}

/** `==` of two values; costs steps by their size. */
export function sameValue(left: Value, right: Value): boolean {
  if (left === right) return true;
  const weight = weigh(left);
  if (weight !== weigh(right) || !spend('evaluation', weight)) return false;
  return show(left) === show(right);
}

/** Elixir-like text of a value, for notes and comparison. */
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
  const named = isKeyword(value) ? pairs(value) : undefined;
  const items = named?.map(([key, item]) => `${key}: ${show(item)}`) ?? value.map(show);
  return `[${items.join(', ')}]`;
}

export const atomName = (value: Value | undefined): string | undefined =>
  value instanceof Atom ? value.name : undefined;
export const moduleName = (value: Value | undefined): string | undefined =>
  value instanceof Module ? value.name : undefined;
