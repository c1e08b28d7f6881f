/** A line of a shell script such as env.sh.eex, without comments and EEx tags. */
interface Line {
  line: number;
  text: string;
  /** The conditions around it, and what stands before its last `&&`. */
  guard: string;
}

const DEEPEST = 10;

/** Nothing is run: `if`, `case` and loops are told by the words that lines begin and end with. */
export function linesOf(script: string): Line[] {
  const guards: string[] = [];
  return script.split(/\r?\n/).map((raw, index) => {
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
}

interface Assignment extends Line {
  name: string;
  value: string;
}

const SETS = /(?:^|[\s;])([A-Za-z_]\w*)=("(?:\\.|[^"])*"|'[^']*'|\$\([^)]*\)|[^\s;]*)/g;

/** `NAME=value` and `export NAME=value`, several on a line too; the value without its quotes. */
export const assignmentsIn = (script: string): Assignment[] =>
  linesOf(script).flatMap((line) =>
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
