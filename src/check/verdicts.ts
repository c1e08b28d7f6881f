import type { Result } from './check.ts';
import type { Finding } from './rule.ts';

/** The results as a person reads them. */
export function verdictsOf(results: readonly Result[], strict: boolean): string {
  const lines: string[] = [];
  let file = '';
  for (const result of results) {
    if (result.file !== file) lines.push('', result.file);
    file = result.file;
    lines.push(heading(result));
    // A file that isn't there lacks every requirement, and says so once
    const findings = result.findings.map(findingLines);
    lines.push(...findings.filter(([first = '']) => !lines.includes(first)).flat());
    for (const { why } of result.unknown)
      lines.push(`${INDENT}can't be known from the files: ${why}`);
    for (const note of result.notes) lines.push(`${INDENT}note: ${note}`);
  }
  return [...lines.slice(1), '', summary(results, strict)].join('\n');
}

/** As wide as the verdict in a heading. */
const INDENT = ' '.repeat(11);

function heading({ id, name, verdict, skipped }: Result): string {
  const reason = skipped ? ` (${skipped})` : '';
  return `  ${verdict.padEnd(7)}  ${id.padEnd(5)} ${name}${reason}`;
}

function findingLines({ weight, what, edit, file, line }: Finding): string[] {
  const place = line === null ? file : `${file}:${line}`;
  return [
    `${INDENT}${weight}: ${place}: ${what}`,
    ...edit.split('\n').map((text) => `${INDENT}  ${text}`),
  ];
}

function summary(results: readonly Result[], strict: boolean): string {
  const count = (verdict: Result['verdict']) =>
    results.filter((result) => result.verdict === verdict).length;
  const plural = (amount: number, noun: string) => `${amount} ${noun}${amount === 1 ? '' : 's'}`;
  const skipped = count('skipped') ? `, ${count('skipped')} skipped` : '';
  if (count('met') === results.length - count('skipped'))
    return `All ${count('met')} requirements are met${skipped}.`;
  const open = [
    plural(count('must'), 'must'),
    plural(count('should'), 'should'),
    `${count('advice')} advice`,
    `${count('unknown')} unknown`,
  ].join(', ');
  const hint =
    count('must') || strict ? '' : ' Nothing here stops a deploy; --strict fails for it.';
  return `${count('met')} met; open: ${open}${skipped}.${hint}`;
}
