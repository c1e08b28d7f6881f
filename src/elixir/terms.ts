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
  let offset = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = offset;
    const found = pattern.exec(text);
    if (found) offset = pattern.lastIndex;
    return found;
  };
  const until = (end: string): Value[] => {
    const items: Value[] = [];
    for (take(SPACE); text[offset] !== end; take(SPACE)) items.push(value());
    offset++;
    return items;
  };
  const quoted = (): string => {
    const [, content] = take(QUOTED) ?? fail();
    return (content ?? '').replace(/\\(.)/g, '$1');
  };
  const fail = (): never => {
    throw new SyntaxError(`no term at ${offset}`);
  };
  const pair = (key: string): Value => {
    offset++;
    take(SPACE);
    return new Tuple([new Atom(key), value()]);
  };
  const value = (): Value => {
    const start = text[offset];
    if (text.startsWith('%{', offset)) offset += 2;
    else if (start === '{' || start === '[' || start === ':') offset++;
    if (start === '%') return until('}');
    if (start === '{') return new Tuple(until('}'));
    if (start === '[') return until(']');
    if (start === ':') return new Atom(text[offset] === '"' ? quoted() : (take(NAME) ?? fail())[0]);
    if (start === '"') {
      const content = quoted();
      return text[offset] === ':' ? pair(content) : content;
    }
    const [word] = take(NAME) ?? fail();
    if (text[offset] === ':') return pair(word);
    if (Object.hasOwn(WORDS, word)) return WORDS[word] ?? null;
    return /^-?\d+(\.\d+)?$/.test(word) ? Number(word) : fail();
  };
  try {
    take(SPACE);
    return value();
  } catch {
    return undefined;
  }
}
