import type { NodePlopAPI } from 'plop';
import { commands, main } from './src/run/command.ts';
import type { Invocation } from './src/run/terminal.ts';

const invocation: Invocation = {
  command: 'npx plop',
  // plop changes into the plopfile's folder; npx remembers the folder it was started in
  cwd: process.env.INIT_CWD ?? process.cwd(),
};

/** plop's own flags, each with a value, which no command of ours takes. (`--dest` means the same folder to both.) */
const PLOP_FLAGS = ['--plopfile', '--cwd', '--preload'];

/** The arguments that are meant for a command: `npx plop fly shop -- --region lhr` has `shop --region lhr` for `fly`. */
function argumentsOf(command: string): string[] {
  const words = process.argv.slice(2);
  const ours = words.filter((word, index) => {
    const isValue = PLOP_FLAGS.includes(words[index - 1] ?? '');
    const [flag = ''] = word.split('=');
    return !isValue && !PLOP_FLAGS.includes(flag) && word !== '--';
  });
  const index = ours.indexOf(command);
  return index < 0 ? ours : ours.toSpliced(index, 1);
}

/**
 * Makes each command a generator of plop's. The command prints its report and ends the process itself: plop would print
 * the report on standard error, and exit with 0 or 1 whatever the outcome was.
 */
export default function (plop: NodePlopAPI): void {
  for (const [name, { summary }] of Object.entries(commands))
    plop.setGenerator(name, {
      description: summary,
      prompts: async () => {
        const exitCode = await main(invocation, [name, ...argumentsOf(name)]);
        process.stdout.write('', () => process.exit(exitCode));
        return new Promise(() => {});
      },
      actions: [],
    });
}
