/** Writes a version into every file that names it; with --check it only compares them. Usage: npm run release -- 0.3.0 */
import { readFileSync, writeFileSync } from 'node:fs';

/** Where the version is: what stands before it, and the version. */
const OCCURRENCES: [path: string, pattern: RegExp][] = [
  ['package.json', /^( {2}"version": ")([^"]+)/m],
  ['package-lock.json', /^( {2}"version": ")([^"]+)/m],
  ['package-lock.json', /^( {4}"": \{\n {6}"name": "phoenix-fly",\n {6}"version": ")([^"]+)/m],
  ['src/edit/version.ts', /(VERSION = ')([^']+)/],
  ['README.md', /(phoenix-fly-)([\d.]+)(?=\.tgz)/],
];

const urlOf = (path: string) => new URL(`../${path}`, import.meta.url);
const read = (path: string) => readFileSync(urlOf(path), 'utf8');

const [argument] = process.argv.slice(2);
if (!argument) throw new Error('name the version: npm run release -- 0.3.0');
const isCheck = argument === '--check';
const { version } = JSON.parse(read('package.json')) as { version: string };
const next = isCheck ? version : argument;
if (!/^\d+\.\d+\.\d+$/.test(next)) throw new Error(`${next} is not a version such as 0.3.0`);
if (!read('CHANGELOG.md').includes(`\n## ${next}\n`))
  throw new Error(`CHANGELOG.md has no "## ${next}": write what changes first`);
for (const [path, pattern] of OCCURRENCES) {
  const text = read(path);
  const current = pattern.exec(text)?.[2];
  if (!isCheck) writeFileSync(urlOf(path), text.replace(pattern, `$1${next}`));
  else if (current !== next) throw new Error(`${path} says ${current}, not ${next}`);
}
