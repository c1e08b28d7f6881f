import { Atom, Tuple, type Value } from './value.ts';

const WORDS: Record<string, Value> = { nil: null, true: true, false: false };
const NAME = /[\w.@!?]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SPACE = /(?:\s|,)*/y;

/**
 * Reads data that Elixir printed, such as mix.lock: maps and keyword lists, tuples, lists, atoms, texts
 * and numbers. A hundred times faster than the parser, which is for what people wrote.
 * @returns undefined for anything else
 */
export function readTerm(text: string): Value | undefined {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const until = (end: string): Value[] => {
    const items: Value[] = [];
    for (take(SPACE); text[at] !== end; take(SPACE)) items.push(value());
    at++;
    return items;
  };
  const quoted = (): string => {
    const [, content] = take(QUOTED) ?? fail();
    return (content ?? '').replace(/\\(.)/g, '$1');
  };
  const fail = (): never => {
    throw new SyntaxError(`no term at ${at}`);
  };
  const pair = (key: string): Value => {
    at++;
    take(SPACE);
    return new Tuple([new Atom(key), value()]);
  };
  const value = (): Value => {
    const start = text[at];
    if (text.startsWith('%{', at)) at += 2;
    else if (start === '{' || start === '[' || start === ':') at++;
    if (start === '%') return until('}');
    if (start === '{') return new Tuple(until('}'));
    if (start === '[') return until(']');
    if (start === ':') return new Atom(text[at] === '"' ? quoted() : (take(NAME) ?? fail())[0]);
    if (start === '"') {
      const content = quoted();
      return text[at] === ':' ? pair(content) : content;
    }
    const [word] = take(NAME) ?? fail();
    if (text[at] === ':') return pair(word);
    return Object.hasOwn(WORDS, word)
      ? (WORDS[word] ?? null)
      : /^-?\d+(\.\d+)?$/.test(word)
        ? Number(word)
        : fail();
  };
  try {
    take(SPACE);
    return value();
  } catch {
    return undefined;
  }
}
