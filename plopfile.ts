import { type NodePlopAPI, progressSpinner } from 'plop';
import { generators } from './generators/index.ts';
import { shellWord } from './src/quote.ts';
import { helpOf, takeDest } from './src/run/generator.ts';
import { finish, prepare, type Session } from './src/run/session.ts';

declare module 'plop' {
  /** Missing in plop's types (4.0.5). */
  export const progressSpinner: { start(): unknown };
}

/** plop's own flags, which stand before `--`; everything else before it is a mistake that plop would take for an answer. */
const PLOP_FLAGS =
  /^--(dest|plopfile|cwd|preload|force|progress|no-progress|show-type-names|help)(=|$)/;

// Without a terminal the spinner would leave lines of its own in the output
if (!process.stderr.isTTY) progressSpinner.start = () => progressSpinner;

/** Everything behind `--` belongs to the generator. */
function generatorArgs(argv: readonly string[], name: string): string[] {
  const dashes = argv.indexOf('--');
  const plopArgs = dashes < 0 ? argv : argv.slice(0, dashes);
  const stray = plopArgs.find((arg) => arg.startsWith('--') && !PLOP_FLAGS.test(arg));
  if (stray)
    throw new Error(`put -- before ${stray}: npx plop ${name} --dest FOLDER -- ${stray} …`);
  return dashes < 0 ? [] : argv.slice(dashes + 1);
}

/** Table of contents: `fly` writes every file, and each file has a generator of its own. */
export default function (plop: NodePlopAPI, { destBasePath }: { destBasePath?: string }): void {
  for (const generator of generators) {
    let session: Session;
    plop.setGenerator(generator.name, {
      description:
        generator.name === 'fly'
          ? 'everything: the app onto Fly.io'
          : (generator.files[0]?.summary ?? ''),
      prompts: async () => {
        const args = process.argv.slice(2);
        if (args.includes('--help')) {
          console.log(
            `npx plop ${generator.name} [--dest FOLDER] [-- flags]\n${helpOf(generator)}`,
          );
          process.exit(0);
        }
        try {
          session = await prepare(generator, destBasePath, generatorArgs(args, generator.name));
          return {};
        } catch (error) {
          // Ctrl-C at a prompt: the shell's code for it, which plop would turn into 1
          if (error instanceof Error && error.name === 'ExitPromptError') process.exit(130);
          throw error;
        }
      },
      actions: () => {
        const dest = takeDest(process.argv.slice(2));
        const lines = finish(
          generator,
          `npx plop ${generator.name}${dest === undefined ? '' : ` --dest ${shellWord(dest)}`} --`,
          session,
        );
        return [() => lines[0] ?? '', ...(lines.length > 1 ? [lines.slice(1).join('\n')] : [])];
      },
    });
  }
  plop.setGenerator('check', {
    description: 'what the repo lacks to run well on Fly.io; reads only',
    prompts: async () => {
      const args = process.argv.slice(2);
      const { runCheck } = await import('./src/run/check-command.ts');
      // plop would end with 0 whatever the verdict
      process.exit(
        await runCheck(
          destBasePath,
          [...generatorArgs(args, 'check'), ...args.filter((arg) => arg === '--help')],
          'npx plop check [--dest FOLDER] [-- --json]',
        ),
      );
    },
    actions: [],
  });
}
