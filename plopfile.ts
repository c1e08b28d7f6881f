import type { NodePlopAPI } from 'plop';
import { commands, main } from './src/run/command.ts';
import type { Way } from './src/run/terminal.ts';

// plop itself goes to the plopfile's folder; npx keeps the one it was started in
const way: Way = { command: 'npx plop', from: process.env.INIT_CWD ?? process.cwd() };

/** plop's own flags; `--dest` is ours as well, since it is the same folder. */
const PLOP_FLAGS = /^--(plopfile|cwd|preload)$/;
const PLOP_SWITCHES =
  /^(--(plopfile|cwd|preload)=.*|--(no-)?progress|--force|-f|--show-type-names|-t|--)$/;

/** What stands behind plop's own words: `npx plop fly shop --dest ../shop -- --region lhr`. */
function argumentsOf(name: string): string[] {
  const args = process.argv
    .slice(2)
    .filter((arg, index, all) => !PLOP_FLAGS.test(all[index - 1] ?? '') && !PLOP_FLAGS.test(arg))
    .filter((arg) => !PLOP_SWITCHES.test(arg));
  const index = args.indexOf(name);
  return index < 0 ? args : args.toSpliced(index, 1);
}

/**
 * Each command is a generator of plop's. It prints its report itself and ends the process: plop would send the report of an
 * action to standard error, and end with 0 or 1 whatever the outcome was.
 */
export default function (plop: NodePlopAPI): void {
  for (const [name, { summary }] of Object.entries(commands))
    plop.setGenerator(name, {
      description: summary,
      prompts: async () => {
        const code = await main(way, [name, ...argumentsOf(name)]);
        process.stdout.write('', () => process.exit(code));
        return new Promise(() => {});
      },
      actions: [],
    });
}
