#!/usr/bin/env node
import { generators } from '../generators/index.ts';
import { detect, factsOf } from '../src/facts/detect.ts';
import { Problem } from '../src/problem.ts';
import { shellWord } from '../src/quote.ts';
import { helpOf, takeDest } from '../src/run/generator.ts';
import { finish, prepare } from '../src/run/session.ts';
import { openTree } from '../src/tree.ts';

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const dest = takeDest(args);
  const name = args[0] && !args[0].startsWith('-') ? args.shift() : 'fly';
  if (name === 'facts')
    return console.log(JSON.stringify(factsOf(detect(openTree(dest ?? '.'))), null, 2));
  if (name === 'check') {
    const { runCheck } = await import('../src/run/check-command.ts');
    process.exitCode = await runCheck(
      dest,
      args.filter((arg) => arg !== '--'),
      'phoenix-fly check [--dest FOLDER] [--json]',
    );
    return;
  }
  const generator = generators.find((one) => one.name === name);
  if (!generator)
    throw new Problem(
      `there is no command ${name}; there are ${generators.map((one) => one.name).join(', ')}, check and facts`,
    );
  if (args.includes('--help'))
    return console.log(
      `phoenix-fly ${generator.name} [--dest FOLDER] [flags]\n${helpOf(generator)}`,
    );
  const command = `npx phoenix-fly ${generator.name}${dest === undefined ? '' : ` --dest ${shellWord(dest)}`}`;
  console.log(
    finish(
      generator,
      command,
      await prepare(
        generator,
        dest,
        args.filter((arg) => arg !== '--'),
      ),
    ).join('\n'),
  );
}

main().catch((error: unknown) => {
  if (error instanceof Error && error.name === 'ExitPromptError') process.exit(130);
  console.error(error instanceof Problem ? `phoenix-fly: ${error.message}` : error);
  process.exitCode = 1;
});
