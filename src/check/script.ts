import { Problem } from '../problem.ts';

/** A line of a shell script without comments and EEx tags. */
interface Line {
  line: number;
  text: string;
  /** The conditions around it, and what stands before its last `&&`. */
  guard: string;
}

export type Script = ReturnType<typeof readScript>;
export type Assignment = Script['assignments'][number];

const DEEPEST = 10;
const MOST_TEXT = 200_000;

/**
 * Reads a shell script such as env.sh.eex. Nothing is run: `if`, `case` and loops are told by the words that lines begin and
 * end with. Empty lines are left out.
 * @throws Problem for a script that is larger than anybody's
 */
export function readScript(text: string) {
  if (text.length > MOST_TEXT)
    throw new Problem(
      `rel/env.sh.eex has more than ${MOST_TEXT / 1000} KB and is not read; shorten it`,
    );
  const guards: string[] = [];
  const all = text.split(/\r?\n/).map((raw, index): Line => {
    const code = raw
      .replace(/<%.*?%>/g, '')
      .replace(/(^|\s)#.*$/, '')
      .trim();
    if (/^(if|case|while|for)\b/.test(code)) guards.push(code);
    if (/^(elif|else)\b/.test(code)) guards.splice(-1, 1, code);
    const guard = [...guards.slice(-DEEPEST), ...code.split('&&').slice(0, -1)].join(' ');
    if (/(^|;\s*)(fi|esac|done)\b/.test(code)) guards.pop();
    return { line: index + 1, text: code, guard };
  });
  const lines = all.filter((line) => line.text);
  return { text, lines, assignments: lines.flatMap(assignmentsIn) };
}

const SETS = /(?:^|[\s;])([A-Za-z_]\w*)=("(?:\\.|[^"\\])*"|'[^']*'|\$\([^)]{0,500}\)|[^\s;]*)/g;

/** `NAME=value` and `export NAME=value`, several on a line too; the value without its quotes. */
const assignmentsIn = (line: Line) =>
  [...line.text.matchAll(SETS)].map(([, name = '', value = '']) => {
    return { ...line, name, value: value.replace(/^(["'])(.*)\1$/, '$2') };
  });

/** Whether Fly's machines come to a line behind these conditions: none, or one on a variable that they have. */
export const runsOnFly = (guard: string): boolean =>
  guard === '' || (guard.includes('FLY_') && !/(?<!! ?(?:\[\[? )?)-z "?\$\{?FLY_/.test(guard));

/** The owner's script gives a variable its value on Fly, in whatever spelling: `A=b`, `: "${A:=b}"`, `export "A=b"`. */
export const setsOnFly = (script: string, name: string): boolean =>
  readScript(script).lines.some(
    ({ text, guard }) =>
      new RegExp(`\\b${name}:?=`).test(text) &&
      (runsOnFly(guard) || text.includes(`\${${name}`) || guard.includes(name)),
  );
