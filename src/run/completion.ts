import { oneOf } from '../answers/parse.ts';
import type { Command } from './command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/**
 * A script that completes commands and flags, for phoenix-fly and for plop.
 * @throws Problem for another shell
 */
export async function completion(
  shell: string,
  commands: Readonly<Record<string, Command>>,
): Promise<string> {
  const name = oneOf(shell, SHELLS, 'a shell that can be completed for');
  const names = Object.keys(commands).join(' ');
  const tables = await Promise.all(Object.values(commands).map((command) => command.flags()));
  const flags = [...new Set(tables.flatMap((table) => Object.keys(table)))];
  const dashed = flags.map((flag) => `--${flag}`).join(' ');
  if (name === 'bash')
    return `# source <(npx phoenix-fly completion bash)
_phoenix_fly() {
  COMPREPLY=($(compgen -W "${names} ${dashed}" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _phoenix_fly phoenix-fly plop`;
  if (name === 'zsh')
    return `#compdef phoenix-fly plop
# source <(npx phoenix-fly completion zsh)
_phoenix_fly() {
  (( CURRENT == 2 )) && compadd -- ${names}
  compadd -- ${dashed}
  _files
}
compdef _phoenix_fly phoenix-fly plop`;
  const lines = Object.entries(commands).map(
    ([command, { summary }]) =>
      `complete -c $program -n __fish_use_subcommand -f -a ${command} -d '${summary.replaceAll("'", '')}'`,
  );
  return `# npx phoenix-fly completion fish | source
for program in phoenix-fly plop
${[...lines, ...flags.map((flag) => `complete -c $program -l ${flag}`)].map((line) => `  ${line}`).join('\n')}
end`;
}
