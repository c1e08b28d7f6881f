import { Problem } from '../problem.ts';

/** A line of a shell script such as env.sh.eex, without comments and EEx tags. */
interface Line {
  line: number;
  text: string;
  /** The conditions around it, and what stands before its last `&&`. */
  guard: string;
}

const DEEPEST = 10;
const MOST_TEXT = 200_000;

/** Many rules ask about one script. */
let read: { script: string; lines: Line[] } = { script: '', lines: [] };

/**
 * Nothing is run: `if`, `case` and loops are told by the words that lines begin and end with. Empty lines are left out.
 * @throws Problem for a script that is larger than anybody's
 */
export function linesOf(script: string): Line[] {
  if (script.length > MOST_TEXT)
    throw new Problem(
      `rel/env.sh.eex has more than ${MOST_TEXT / 1000} KB and is not read; shorten it`,
    );
  if (read.script !== script) read = { script, lines: readLines(script) };
  return read.lines;
}

function readLines(script: string): Line[] {
  const guards: string[] = [];
  const lines = script.split(/\r?\n/).map((raw, index) => {
    const text = raw
      .replace(/<%.*?%>/g, '')
      .replace(/(^|\s)#.*$/, '')
      .trim();
    if (/^(if|case|while|for)\b/.test(text)) guards.push(text);
    if (/^(elif|else)\b/.test(text)) guards.splice(-1, 1, text);
    const guard = [...guards.slice(-DEEPEST), ...text.split('&&').slice(0, -1)].join(' ');
    if (/(^|;\s*)(fi|esac|done)\b/.test(text)) guards.pop();
    return { line: index + 1, text, guard };
  });
  return lines.filter(({ text }) => text);
}

interface Assignment extends Line {
  name: string;
  value: string;
}

const SETS = /(?:^|[\s;])([A-Za-z_]\w*)=("(?:\\.|[^"])*"|'[^']*'|\$\([^)]*\)|[^\s;]*)/g;

/** `NAME=value` and `export NAME=value`, several on a line too; the value without its quotes. */
export const assignmentsIn = (script: string): Assignment[] =>
  linesOf(script)
    .filter(({ text }) => text.includes('='))
    .flatMap((line) =>
      [...line.text.matchAll(SETS)].map(([, name = '', value = '']) => ({
        ...line,
        name,
        value: value.replace(/^(["'])(.*)\1$/, '$2'),
      })),
    );

/** The owner's script gives a variable its value on Fly, in whatever spelling: `A=b`, `: "${A:=b}"`, `export "A=b"`. */
export const setsOnFly = (script: string, name: string): boolean =>
  linesOf(script).some(
    ({ text, guard }) =>
      new RegExp(`\\b${name}:?=`).test(text) &&
      (guard === '' ||
        text.includes(`\${${name}`) ||
        guard.includes('FLY_') ||
        guard.includes(name)),
  );
