import { parseArgs } from 'node:util';
import { CHECK_HELP, check, reportOf } from '../check/check.ts';
import { detect } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import { openTree } from '../tree.ts';
import { findRoot } from './session.ts';

/**
 * The command `check`: prints the verdicts.
 * @returns the exit code: 0 all met, 1 otherwise
 * @throws Problem when this is no Phoenix app, or for a flag that doesn't exist
 */
export async function runCheck(
  dest: string | undefined,
  args: string[],
  usage: string,
): Promise<number> {
  const { tokens } = parseArgs({
    args,
    strict: false,
    tokens: true,
    options: { json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  const stray = tokens.find(
    (token) =>
      token.kind === 'positional' ||
      (token.kind === 'option' && !['json', 'help'].includes(token.name)),
  );
  if (stray)
    throw new Problem(
      `${'rawName' in stray ? stray.rawName : 'value' in stray ? stray.value : '--'} is nothing that check takes\n${CHECK_HELP}`,
    );
  const has = (name: string) =>
    tokens.some((token) => token.kind === 'option' && token.name === name);
  if (has('help')) return print(`${usage}\n${CHECK_HELP}`, 0);
  const results = check(
    detect(openTree(await findRoot(dest, Boolean(process.stdin.isTTY && process.stdout.isTTY)))),
  );
  return print(
    has('json') ? JSON.stringify(results, null, 2) : reportOf(results),
    results.every((one) => one.verdict === 'met') ? 0 : 1,
  );
}

/** Waits until all of it is out, since the caller may end the process. */
const print = (text: string, code: number): Promise<number> =>
  new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve(code)));
