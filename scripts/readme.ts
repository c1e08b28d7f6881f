/** Rewrites the table of README.md from the code that it describes, and looks for what the links name; with --check it only compares. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { files } from '../generators/all.ts';
import { commonFlags, type Flag, runFlags } from '../src/answers/flags.ts';
import { questionNames, questions } from '../src/answers/questions.ts';

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
const lines = [
  '| flag | meaning | without it | used by |',
  '|---|---|---|---|',
  ...asked,
  ...steering,
];

const path = new URL('../README.md', import.meta.url);
const before = readFileSync(path, 'utf8');
const place = /(<!-- questions -->\n)[\s\S]*?(<!-- \/questions -->)/;
if (!place.test(before)) throw new Error('README.md has no place for the table of questions');
const after = before.replace(
  place,
  (_, open: string, close: string) => `${open}${lines.join('\n')}\n${close}`,
);
for (const [, link = ''] of after.matchAll(/(?:\]\(|(?:src|srcset)=")(?!https?:|#)([^)"]+)/g))
  if (!existsSync(new URL(link, path))) throw new Error(`README.md links to ${link}: not there`);
if (process.argv.includes('--check') && before !== after)
  throw new Error('README.md is out of date: npm run readme');
writeFileSync(path, after);
