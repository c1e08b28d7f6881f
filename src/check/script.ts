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
 * Reads a shell script such as env.sh.eex, without its empty lines. `if`, `case` and loops are recognized by the words that
 * lines begin and end with.
 * @throws Problem for a script of more than 200 KB
 */
export function readScript(text: string) {
  if (text.length > MOST_TEXT)
    throw new Problem(
      `rel/env.sh.eex has more than ${MOST_TEXT / 1000} KB and is not read; shorten it`,
    );
  const guards: string[] = [];
  const lines = text.split(/\r?\n/).map((raw, index): Line => {
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
  const commands = lines.filter((line) => line.text);
  return { text, lines: commands, assignments: commands.flatMap(assignmentsIn) };
}

/** `NAME=value`, `NAME="a b"`, `NAME=$(command)`, also behind `export` or another assignment. */
const ASSIGNMENT =
  /(?:^|[\s;])([A-Za-z_]\w*)=("(?:\\.|[^"\\])*"|'[^']*'|\$\([^)]{0,500}\)|[^\s;]*)/g;

const assignmentsIn = (line: Line) =>
  [...line.text.matchAll(ASSIGNMENT)].map(([, name = '', value = '']) => {
    return { ...line, name, value: value.replace(/^(["'])(.*)\1$/, '$2') };
  });

/** `[ -z "$FLY_APP_NAME" ]`, which is false on Fly, but not `! [ -z "$FLY_APP_NAME" ]`. */
const NOT_ON_FLY = /(?<!! ?(?:\[\[? )?)-z "?\$\{?FLY_/;

/** Whether a line with this guard runs on Fly's machines: no condition, or one on a variable that they have. */
export const runsOnFly = (guard: string): boolean =>
  guard === '' || (guard.includes('FLY_') && !NOT_ON_FLY.test(guard));

/** Whether a script sets a variable on Fly, in whatever spelling: `A=b`, `: "${A:=b}"`, `export "A=b"`. */
export const setsOnFly = (script: string, name: string): boolean =>
  readScript(script).lines.some(
    ({ text, guard }) =>
      new RegExp(`\\b${name}:?=`).test(text) &&
      (runsOnFly(guard) || text.includes(`\${${name}`) || guard.includes(name)),
  );
