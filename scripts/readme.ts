/** Rewrites the tables of README.md from the code that they describe; with --check it only compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { files } from '../generators/all.ts';
import { commonFlags, type Flag, runFlags } from '../src/answers/flags.ts';
import { questionNames, questions } from '../src/answers/questions.ts';
import { requirements } from '../src/check/requirements.ts';

const asked = questionNames.map((name) => {
  const { help, example, fallback } = questions[name];
  const used = files
    .filter((one) => one.asks.includes(name))
    .map((one) => one.name)
    .join(', ');
  return `| \`--${name} ${example}\` | ${help} | ${fallback} | ${used} |`;
});
const rows: [string, Flag][] = Object.entries({ ...runFlags, dest: commonFlags.dest });
const steering = rows.map(
  ([name, { example, short, help, fallback }]) =>
    `| \`${short ? `-${short}, ` : ''}--${name}${example ? ` ${example}` : ''}\` | ${help} | ${fallback ?? ''} | all |`,
);
const tables: Record<string, string[]> = {
  questions: [
    '| flag | meaning | without it | used by |',
    '|---|---|---|---|',
    ...asked,
    ...steering,
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
