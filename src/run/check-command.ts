import type { Texts } from '../answers/flags.ts';
import { check, type Result, type Skips } from '../check/check.ts';
import { requirements } from '../check/requirements.ts';
import { verdictsOf } from '../check/verdicts.ts';
import { detectBuilt } from '../docker/release-files.ts';
import { Problem } from '../problem.ts';
import { openTree } from '../tree.ts';
import { paintVerdict, say, wrapped } from './terminal.ts';

/**
 * The command `check`: prints the verdicts.
 * @param root the folder of the app
 * @returns the exit code: 1 for a must, with --strict for anything that is not met
 * @throws Problem when this is no Phoenix app, or for a requirement that doesn't exist
 */
export function runCheck(root: string, { json, strict, skip }: Texts): number {
  const skips = skipsOf(skip?.split('\n') ?? []);
  const results = check(detectBuilt(openTree(root)), skips);
  const isStrict = strict !== undefined;
  const text = json ? JSON.stringify(results, null, 2) : verdictsOf(results, isStrict);
  if (json) say(text);
  else say(text.split('\n').map(fitting).join('\n'), paintVerdict);
  return results.some((result) => fails(result, isStrict)) ? 1 : 0;
}

/** A line of any length, continued below its own beginning. */
const fitting = (line: string): string => {
  const [indent = ''] = /^ */.exec(line) ?? [];
  return indent + wrapped(line.slice(indent.length), `${indent}  `, indent.length);
};

const fails = ({ verdict }: Result, strict: boolean): boolean =>
  verdict === 'must' || (strict && verdict !== 'met' && verdict !== 'skipped');

/** `R3.5` or `R3.5: our own format`. @throws Problem for a requirement that doesn't exist */
function skipsOf(texts: readonly string[]): Skips {
  const known = requirements.map(({ id }) => id as string);
  const skips = new Map(
    texts.map((text) => {
      const [id = '', ...reason] = text.split(':');
      return [id.trim(), reason.join(':').trim()] as const;
    }),
  );
  const strange = [...skips.keys()].find((id) => !known.includes(id));
  if (strange === undefined) return skips;
  throw new Problem(`--skip: there is no requirement ${strange}; there are ${known.join(', ')}`);
}
