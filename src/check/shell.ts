/** A command of a shell script and the conditions around it. */
export interface Command {
  line: number;
  text: string;
  /** The `if`s that it stands in, and what stands before its `&&`. */
  guards: string[];
}

/** The commands of a simple script, such as env.sh.eex: no functions, no here-documents. EEx tags are left out. */
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
      const command = keyword === '' ? part : /^(then|else|do)$/.test(keyword) ? rest : '';
      if (!command) continue;
      const [last = '', ...before] = command
        .split(/&&/)
        .map((one) => one.trim())
        .reverse();
      commands.push({ line: index + 1, text: last, guards: [...guards, ...before] });
    }
  });
  return commands;
}

/** Name and value of `export NAME=value` and `NAME=value`, several on a line too. */
export const assignmentsIn = ({ text }: Command): [name: string, value: string][] =>
  [
    ...text
      .replace(/^export\s+/, '')
      .matchAll(/(?:^|\s)([A-Za-z_]\w*)=("(?:\\.|[^"])*"|'[^']*'|\$\([^)]*\)|[^\s]*)/g),
  ].map(([, name = '', value = '']) => [name, value.replace(/^(["'])([\s\S]*)\1$/, '$2')]);

/** The variables that a script sets, as far as they follow from `given` without running a command. */
export function exportsIn(
  script: string,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const set: Record<string, string> = {};
  const expand = (text: string): string => {
    const next = text.replace(
      /\$\{(\w+)(?::-([^{}]*))?\}|\$(\w+)/g,
      (_, braced: string | undefined, fallback: string | undefined, bare: string | undefined) =>
        set[braced ?? bare ?? ''] ?? given[braced ?? bare ?? ''] ?? fallback ?? '',
    );
    return next === text ? text : expand(next);
  };
  for (const command of commandsIn(script)) {
    for (const [name, text] of assignmentsIn(command)) {
      if (/\$\(|`|\$\{\w+[^}:\w]/.test(text)) continue;
      set[name] = expand(text);
    }
  }
  return set;
}
