import { styleText } from 'node:util';
import type { Outcome, Watcher } from './prove.ts';
import { LINES, type Line, type LineName } from './verdict.ts';

const SIGNS: Record<Line['verdict'], { sign: string; color: 'green' | 'red' | 'yellow' }> = {
  met: { sign: 'met', color: 'green' },
  failed: { sign: 'failed', color: 'red' },
  skipped: { sign: 'skipped', color: 'yellow' },
};
const NAME_WIDTH = Math.max(...Object.values(LINES).map((text) => text.length));

/** One line of the screen, and below a failed one why, the log and the remedy. */
export function lineText(
  { name, verdict, figure, why, log = [], remedy = [] }: Line,
  color: boolean,
): string {
  const { sign, color: tint } = SIGNS[verdict];
  const padded = sign.padEnd(8);
  const head = `  ${color ? styleText(tint, padded) : padded} ${LINES[name].padEnd(NAME_WIDTH)}  ${[figure, why].filter(Boolean).join('; ')}`;
  return [
    head.trimEnd(),
    ...log.map((row) => `             | ${row}`),
    ...remedy.map((row) => `             check: ${row}`),
  ].join('\n');
}

/** The last lines: what was assumed, and the verdict on all. */
export function summaryText({ lines, notes, url, app }: Outcome): string {
  const count = (verdict: Line['verdict']) =>
    lines.filter((line) => line.verdict === verdict).length;
  const failures = count('failed');
  const verdict = failures
    ? `${app} would not run well on Fly: ${failures} of ${lines.length} failed.`
    : `${app} is ready for fly deploy: ${count('met')} met, ${count('skipped')} skipped, none failed.`;
  return [
    ...notes.map((note) => `  note: ${note}`),
    '',
    verdict,
    ...(url ? [`It still runs at ${url}; end it with the engine's rm -f.`] : []),
  ].join('\n');
}

/** Shows each line as it ends; at a terminal, the time of the one under way as well. */
export function watcherFor(
  output: NodeJS.WriteStream,
  color: boolean,
  print: (text: string) => void,
): Watcher & { end(): void } {
  let timer: NodeJS.Timeout | undefined;
  const clear = () => {
    clearInterval(timer);
    if (output.isTTY) output.write('\r\u001b[K');
  };
  return {
    begins(name: LineName) {
      if (!output.isTTY) return;
      const began = Date.now();
      const show = () =>
        output.write(
          `\r\u001b[K  …        ${LINES[name]}  ${Math.round((Date.now() - began) / 1000)} s`,
        );
      show();
      timer = setInterval(show, 1000);
    },
    ends(line) {
      clear();
      print(lineText(line, color));
    },
    end: clear,
  };
}
