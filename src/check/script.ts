/** A command of a shell script and the conditions around it. */
export interface Command {
  line: number;
  text: string;
  /** The `if`s that it stands in, and what stands before its `&&`. */
  guards: string[];
}

/** The commands of a script such as env.sh.eex, line by line: no functions, no here-documents; EEx tags are left out. Nothing is run. */
export function commandsIn(script: string): Command[] {
  const commands: Command[] = [];
  const guards: string[] = [];
  script.split(/\r?\n/).forEach((raw, index) => {
    const text = raw
      .replace(/<%[\s\S]*?%>/g, '')
      .replace(/(^|\s)#.*$/, '')
      .trim();
    for (const part of text
      .split(/;(?![^"']*["'][^"']*$)/)
      .map((one) => one.trim())
      .filter(Boolean)) {
      const [, keyword = '', rest = ''] =
        /^(if|elif|then|else|fi|case|esac|while|for|do|done)\b\s*(.*)$/.exec(part) ?? [];
      if (/^(if|case|while|for)$/.test(keyword)) guards.push(rest);
      else if (keyword === 'elif' || keyword === 'else')
        guards.splice(-1, 1, keyword === 'else' ? '' : rest);
      else if (/^(fi|esac|done)$/.test(keyword)) guards.pop();
      const command = /^(then|else|do|)$/.test(keyword) ? rest || part : '';
      if (!command || command === keyword) continue;
      const [last = '', ...before] = command
        .split(/&&/)
        .map((one) => one.trim())
        .reverse();
      commands.push({ line: index + 1, text: last, guards: [...guards, ...before] });
    }
  });
  return commands;
}

/** `NAME=value` and `export NAME=value` of a script, several on a line too; the value without its quotes. */
export interface Assignment extends Command {
  name: string;
  value: string;
}

const SETS = /(?:^|\s)([A-Za-z_]\w*)=("(?:\\.|[^"])*"|'[^']*'|\$\([^)]*\)|[^\s]*)/g;

export const assignmentsIn = (script: string): Assignment[] =>
  commandsIn(script).flatMap((command) =>
    [...command.text.replace(/^export\s+/, '').matchAll(SETS)].map(([, name = '', value = '']) => ({
      ...command,
      name,
      value: value.replace(/^(["'])([\s\S]*)\1$/, '$2'),
    })),
  );
