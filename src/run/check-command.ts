import type { FlagTexts } from '../answers/flags.ts';
import { check, type Result, type Skips } from '../check/check.ts';
import { requirements } from '../check/requirements.ts';
import { verdictsOf } from '../check/verdicts.ts';
import { detectBuilt } from '../docker/release-files.ts';
import { Problem } from '../problem.ts';
import { openTree } from '../tree.ts';
import { paintVerdict, print, printJson, wrapped } from './terminal.ts';

/**
 * The command `check`: prints the verdicts.
 * @param root the folder of the app
 * @returns the exit code: 1 for a must, with --strict for anything that is not met
 * @throws Problem when this is no Phoenix app, or for a requirement that doesn't exist
 */
export function runCheck(root: string, { json, strict, skip }: FlagTexts): number {
  const skips = parseSkips(skip?.split('\n') ?? []);
  const results = check(detectBuilt(openTree(root)), skips);
  const isStrict = strict !== undefined;
  if (json) printJson(results);
  else print(verdictsOf(results, isStrict).split('\n').map(wrapIndented).join('\n'), paintVerdict);
  return results.some((result) => fails(result, isStrict)) ? 1 : 0;
}

/** Wraps a line; what follows is indented by two more spaces than its start. */
const wrapIndented = (line: string): string => wrapped(line, `${/^ */.exec(line)?.[0]}  `);

const fails = ({ verdict }: Result, isStrict: boolean): boolean =>
  verdict === 'must' || (isStrict && verdict !== 'met' && verdict !== 'skipped');

/**
 * Reads the values of --skip: `R3.5` or `R3.5: our own format`.
 * @throws Problem for a requirement that doesn't exist
 */
function parseSkips(texts: readonly string[]): Skips {
  const known: readonly string[] = requirements.map(({ id }) => id);
  const skips = new Map<string, string>();
  for (const text of texts) {
    const [id = '', ...reason] = text.split(':');
    skips.set(id.trim(), reason.join(':').trim());
  }
  const unknown = [...skips.keys()].find((id) => !known.includes(id));
  if (unknown === undefined) return skips;
  throw new Problem(`--skip: there is no requirement ${unknown}; there are ${known.join(', ')}`);
}
