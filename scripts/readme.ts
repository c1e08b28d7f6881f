/** Rewrites the tables of README.md from the code that they describe; with --check it only compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { files } from '../generators/index.ts';
import { CONFLICT_HELP, questionNames, questions, WRITE_HELP } from '../src/answers/questions.ts';
import { requirements } from '../src/check/requirements.ts';

const asked = questionNames.map((name) => {
  const { asked: when, help, example } = questions[name];
  const used = files
    .filter((one) => one.asks.includes(name))
    .map((one) => one.name)
    .join(', ');
  return `| \`--${name} ${example}\` | ${help} | ${{ always: 'asked', alone: 'asked when its file is generated alone', flag: 'flag only' }[when]} | ${used} |`;
});
const tables: Record<string, string[]> = {
  questions: [
    '| flag | meaning | | used by |',
    '|---|---|---|---|',
    ...asked,
    `| \`--conflict merge\` | ${CONFLICT_HELP} | asked | all |`,
    `| \`--write yes\` | ${WRITE_HELP} | asked | all |`,
  ],
  requirements: [
    '| | requirement | file |',
    '|---|---|---|',
    ...requirements.map(({ id, name, subject }) => `| ${id} | ${name} | ${subject.title} |`),
  ],
};

const path = new URL('../README.md', import.meta.url);
const before = readFileSync(path, 'utf8');
let after = before;
for (const [name, lines] of Object.entries(tables)) {
  const place = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!place.test(after)) throw new Error(`README.md has no place for the table of ${name}`);
  after = after.replace(
    place,
    (_, open: string, close: string) => `${open}${lines.join('\n')}\n${close}`,
  );
}
if (process.argv.includes('--check') && before !== after)
  throw new Error('README.md is out of date: npm run readme');
writeFileSync(path, after);
