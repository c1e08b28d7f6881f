#!/usr/bin/env node
import { files } from '../generators/index.ts';
import { detect, factsOf } from '../src/facts/detect.ts';
import { Problem } from '../src/problem.ts';
import { finish, helpOf, prepare, type Generator } from '../src/session.ts';
import { openTree } from '../src/tree.ts';

const generators: Generator[] = [{ name: 'fly', files }, ...files.map((file) => ({ name: file.name, files: [file] }))];

/** Takes `--dest FOLDER` or `--dest=FOLDER` out of the arguments. */
function takeDest(args: string[]): string | undefined {
  const at = args.findIndex((arg) => arg === '--dest' || arg.startsWith('--dest='));
  if (at < 0) return undefined;
  const [flag = '', next] = args.slice(at, at + 2);
  args.splice(at, flag.includes('=') ? 1 : 2);
  return flag.includes('=') ? flag.slice('--dest='.length) : next;
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const dest = takeDest(args);
  const name = args[0] && !args[0].startsWith('-') ? args.shift() : 'fly';
  if (name === 'facts') return console.log(JSON.stringify(factsOf(detect(openTree(dest ?? '.'))), null, 2));
  if (name === 'check') {
    const { runCheck } = await import('../src/check/command.ts');
    process.exitCode = await runCheck(dest, args.filter((arg) => arg !== '--'), 'phoenix-fly check [--dest FOLDER] [--json]');
    return;
  }
  const generator = generators.find((one) => one.name === name);
  if (!generator) throw new Problem(`there is no command ${name}; there are ${generators.map((one) => one.name).join(', ')}, check and facts`);
  if (args.includes('--help')) return console.log(`phoenix-fly ${generator.name} [--dest FOLDER] [flags]\n${helpOf(generator)}`);
  console.log(finish(generator, await prepare(generator, dest, args.filter((arg) => arg !== '--'))).join('\n'));
}

main().catch((error: unknown) => {
  if (error instanceof Error && error.name === 'ExitPromptError') process.exit(130);
  console.error(error instanceof Problem ? `phoenix-fly: ${error.message}` : error);
  process.exitCode = 1;
});
