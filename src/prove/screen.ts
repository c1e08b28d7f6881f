import { type Line, type Proof, STEPS, type StepName, type Watcher } from './prove.ts';

const WIDTH = Math.max(...Object.values(STEPS).map(({ title }) => title.length));

/** One line of the screen; below a failed one the log and the remedy. */
export function lineText({ name, verdict, figure, why, log = [], remedy = [] }: Line): string {
  const said = [figure, why].filter(Boolean).join('; ');
  const line = `  ${verdict.padEnd(8)}  ${STEPS[name].title.padEnd(WIDTH)}  ${said}`.trimEnd();
  const below = [...log.map((row) => `| ${row}`), ...remedy.map((row) => `check: ${row}`)];
  return [line, ...below.map((row) => ' '.repeat(12) + row)].join('\n');
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
export function screen(output: NodeJS.WriteStream, print: (line: Line) => void): Watcher {
  const show = (text: string) => output.isTTY && output.write(`\r\u001b[K${text}`);
  let timer: NodeJS.Timeout | undefined;
  return {
    begins(name: StepName) {
      const began = Date.now();
      const tick = () =>
        show(`  …         ${STEPS[name].title}  ${Math.round((Date.now() - began) / 1000)} s`);
      tick();
      timer = setInterval(tick, 1000).unref();
    },
    ends(line) {
      clearInterval(timer);
      show('');
      if (line) print(line);
    },
  };
}
