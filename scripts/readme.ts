/** Rewrites the table of questions in README.md from src/questions.ts; with --check it only compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { files } from '../generators/index.ts';
import { questionNames, questions, WRITE_HELP } from '../src/questions.ts';

const file = new URL('../README.md', import.meta.url);
const rows = questionNames.map((name) => {
  const { asked, help, example } = questions[name];
  const when = { always: 'asked', alone: 'asked when its file is generated alone', flag: 'flag only' }[asked];
  const used = files.filter((one) => one.asks.includes(name)).map((one) => one.name).join(', ');
  return `| \`--${name} ${example}\` | ${help} | ${when} | ${used} |`;
});
const table = ['| flag | meaning | | used by |', '|---|---|---|---|', ...rows, `| \`--write yes\` | ${WRITE_HELP} | asked | all |`].join('\n');
const before = readFileSync(file, 'utf8');
const after = before.replace(/(<!-- questions -->\n)[\s\S]*?(\n<!-- \/questions -->)/, (_, open: string, close: string) => open + table + close);
if (process.argv.includes('--check') && before !== after) throw new Error('README.md is out of date: npm run readme');
writeFileSync(file, after);
