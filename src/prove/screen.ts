import { type Line, type Proof, STEPS, type StepName, type Task } from './prove.ts';

const WIDTH = Math.max(...Object.values(STEPS).map(([title]) => title.length));
const INDENT = ' '.repeat(12);

/** One line of the screen; below a failed one the log and the remedy. */
export function lineText({ name, verdict, figure, why, log = [], remedy = [] }: Line): string {
  const said = [figure, why].filter(Boolean).join('; ');
  return [
    `  ${verdict.padEnd(8)}  ${STEPS[name][0].padEnd(WIDTH)}  ${said}`.trimEnd(),
    ...log.map((row) => `${INDENT}| ${row}`),
    ...remedy.map((row) => `${INDENT}check: ${row}`),
  ].join('\n');
}

/** What was assumed, and the verdict on all. */
export function summaryText({ app, lines, notes, url, remove }: Proof): string {
  const count = (verdict: Line['verdict']) =>
    lines.filter((line) => line.verdict === verdict).length;
  const counts = `${count('met')} met, ${count('skipped')} skipped`;
  const summary = count('failed')
    ? `${app} is not ready for fly deploy: ${count('failed')} failed, ${counts}.`
    : `${app} is ready for fly deploy: ${counts}, none failed.`;
  const kept = url ? [`It runs at ${url} until you remove it:\n${remove}`] : [];
  return [...notes.map((note) => `  note: ${note}`), '', summary, ...kept].join('\n');
}

/** Prints each line as it ends; at a terminal, the seconds of the step under way as well. */
export function screen(output: NodeJS.WriteStream, print: (line: Line) => void): Task['watcher'] {
  let timer: NodeJS.Timeout | undefined;
  return {
    begins(name: StepName) {
      if (!output.isTTY) return;
      const began = Date.now();
      const show = () =>
        output.write(
          `\r\u001b[K  …         ${STEPS[name][0]}  ${Math.round((Date.now() - began) / 1000)} s`,
        );
      show();
      timer = setInterval(show, 1000).unref();
    },
    ends(line) {
      clearInterval(timer);
      if (output.isTTY) output.write('\r\u001b[K');
      print(line);
    },
  };
}
