/**
 * Rewrites the table of flags in README.md from the code that it describes, and checks that the files it links to exist.
 * Usage: npm run readme; with --check it only compares.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { files } from '../generators/descriptors.ts';
import { commonFlags, type Flag, runFlags } from '../src/answers/flags.ts';
import { type QuestionName, questionNames, questions } from '../src/answers/questions.ts';

const TABLE = /(<!-- questions -->\n)[\s\S]*?(<!-- \/questions -->)/;
/** `](docs/x.md)`, `src="docs/x.svg"`, but no address or anchor. */
const LOCAL_LINK = /(?:\]\(|(?:src|srcset)=")(?!https?:|#)([^)"]+)/g;

function row(name: string, { example, short, help, defaultText }: Flag, usedBy: string): string {
  const flag = `${short ? `-${short}, ` : ''}--${name}${example ? ` ${example}` : ''}`;
  return `| \`${flag}\` | ${help} | ${defaultText ?? ''} | ${usedBy} |`;
}

const filesAsking = (question: QuestionName): string =>
  files
    .filter(({ asks }) => asks.includes(question))
    .map(({ name }) => name)
    .join(', ');

const table = [
  '| flag | meaning | without it | used by |',
  '|---|---|---|---|',
  ...questionNames.map((name) => row(name, questions[name], filesAsking(name))),
  ...Object.entries({ ...runFlags, dest: commonFlags.dest }).map(([name, flag]) =>
    row(name, flag, 'all'),
  ),
].join('\n');

const path = new URL('../README.md', import.meta.url);
const before = readFileSync(path, 'utf8');
if (!TABLE.test(before)) throw new Error('README.md has no place for the table of questions');
const after = before.replace(
  TABLE,
  (_, open: string, close: string) => `${open}${table}\n${close}`,
);
for (const [, link = ''] of after.matchAll(LOCAL_LINK))
  if (!existsSync(new URL(link, path))) throw new Error(`README.md links to ${link}: not there`);
if (process.argv.includes('--check') && before !== after)
  throw new Error('README.md is out of date: npm run readme');
writeFileSync(path, after);
