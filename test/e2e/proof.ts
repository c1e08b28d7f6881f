/** Proves a generated app: every line is met. Usage: proof.ts NAME APP; exit code 1 when the image doesn't build. */
import { leftBehind, proveApp, report } from './proving.ts';

const [name = '', app = ''] = process.argv.slice(2);
const { lines, notes } = await proveApp(app);
for (const { name: line, verdict, figure, why, log = [] } of lines) {
  const wrong = [verdict, why, ...log].filter(Boolean).join('\n  ');
  report(`${name}: ${line}${figure ? ` (${figure})` : ''}`, verdict === 'met' ? '' : wrong);
}
report(`${name}: nothing was assumed`, notes.join('; '));
report(`${name}: nothing is left behind`, leftBehind());
process.exitCode = lines.find((line) => line.name === 'build')?.verdict === 'met' ? 0 : 1;
