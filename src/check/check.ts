import pc from 'picocolors';
import type { Project } from '../facts/detect.ts';
import { Repo } from './repo.ts';
import { requirements } from './requirements.ts';
import type { Findings, Missing } from './verdict.ts';

export type Verdict = 'met' | 'missing' | 'unknown';

/** The verdict on one requirement; `--json` prints a list of these. */
export interface Result extends Findings {
  id: string;
  name: string;
  file: string;
  verdict: Verdict;
}

export const verdictOf = ({ missing, unknown }: Findings): Verdict =>
  missing.length ? 'missing' : unknown.length ? 'unknown' : 'met';

/** Judges a repo by every requirement. Pure: reads the tree, nothing else. */
export function check(project: Project): Result[] {
  const repo = new Repo(project);
  return requirements.map(({ id, name, file, judge }) => {
    const findings = judge(repo);
    return { id, name, file, verdict: verdictOf(findings), ...findings };
  });
}

export const CHECK_HELP = `Says for every requirement whether the repo meets it, and what to do where it doesn't. Reads only.
  --json        the same for scripts
Exit code 0 when all are met, 1 otherwise: what can't be told by reading is not met.`;

const SIGNS: Record<Verdict, string> = {
  met: pc.green('met    '),
  missing: pc.red('missing'),
  unknown: pc.yellow('unknown'),
};

/** The results as a person reads them. */
export function reportOf(results: readonly Result[]): string {
  const lines: string[] = [];
  let file = '';
  for (const result of results) {
    if (result.file !== file) lines.push('', pc.bold(result.file));
    file = result.file;
    lines.push(`  ${SIGNS[result.verdict]}  ${result.id.padEnd(5)} ${result.name}`);
    for (const one of result.missing) {
      const text = [
        `           ${place(one)}: ${one.what}`,
        ...one.edit.split('\n').map((edit) => `             ${edit}`),
      ];
      // A file that isn't there lacks every requirement, and says so once
      if (!lines.includes(text[0] ?? '')) lines.push(...text);
    }
    for (const why of result.unknown) lines.push(`           can't be told by reading: ${why}`);
    for (const note of result.notes) lines.push(`           note: ${note}`);
  }
  const count = (verdict: Verdict) => results.filter((one) => one.verdict === verdict).length;
  const open = results.length - count('met');
  lines.push(
    '',
    open === 0
      ? `All ${results.length} requirements are met.`
      : `${count('met')} met, ${count('missing')} missing, ${count('unknown')} unknown.`,
  );
  return lines.slice(1).join('\n');
}

const place = ({ file, line }: Missing): string => (line === undefined ? file : `${file}:${line}`);
