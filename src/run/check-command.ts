import { parseArgs } from 'node:util';
import { check, type Result, type Skips } from '../check/check.ts';
import { requirements } from '../check/requirements.ts';
import { verdictsOf } from '../check/verdicts.ts';
import { detect } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import { openTree } from '../tree.ts';
import { findRoot } from './session.ts';

export const CHECK_HELP = `Says for every requirement whether the repo meets it, and what to do where it doesn't. Reads only.
  --json        the same for scripts
  --skip ID     leaves a requirement out, with a reason if you like: --skip "R3.5: our own format"; can be repeated
  --strict      fails for anything that is not met, also for what can't be told by reading
Exit code 1 for a must (it would not build, boot or answer, or is unsafe), 0 otherwise.`;

const OPTIONS = {
  json: { type: 'boolean' },
  help: { type: 'boolean' },
  strict: { type: 'boolean' },
  skip: { type: 'string', multiple: true },
} as const;

/**
 * The command `check`: prints the verdicts.
 * @returns the exit code: 1 for a must, with --strict for anything that is not met
 * @throws Problem when this is no Phoenix app, or for a flag that doesn't exist
 */
export async function runCheck(
  dest: string | undefined,
  args: string[],
  usage: string,
): Promise<number> {
  const { json, help, strict = false, skip = [] } = flagsOf(args);
  if (help) return print(`${usage}\n${CHECK_HELP}`, 0);
  const skips = skipsOf(skip);
  const atTerminal = Boolean(process.stdin.isTTY && process.stdout.isTTY);
  const results = check(detect(openTree(await findRoot(dest, atTerminal))), skips);
  const text = json ? JSON.stringify(results, null, 2) : verdictsOf(results, strict);
  return print(text, results.some((result) => fails(result, strict)) ? 1 : 0);
}

const fails = ({ verdict }: Result, strict: boolean): boolean =>
  verdict === 'must' || (strict && verdict !== 'met' && verdict !== 'skipped');

function flagsOf(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    // Node names the flag in its first sentence: "Unknown option '--jsn'. To specify …"
    const [first] = (error as Error).message.split('. ');
    throw new Problem(`${first}\n${CHECK_HELP}`);
  }
}

/** `R3.5` or `R3.5: our own format`. @throws Problem for a requirement that doesn't exist */
function skipsOf(texts: readonly string[]): Skips {
  return new Map(
    texts.map((text) => {
      const [, id = text, reason = ''] = /^\s*([\w.]+)\s*(?::\s*([\s\S]*))?$/.exec(text) ?? [];
      if (!requirements.some((requirement) => requirement.id === id))
        throw new Problem(
          `--skip: there is no requirement ${id}; there are ${requirements.map((one) => one.id).join(', ')}`,
        );
      return [id, reason.trim()];
    }),
  );
}

/** Waits until all of it is out, since the caller may end the process. */
const print = (text: string, code: number): Promise<number> =>
  new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve(code)));
