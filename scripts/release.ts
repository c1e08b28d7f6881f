/** Puts a version into every place that names it; with --check it only compares them. Usage: npm run release -- 0.3.0 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = (path: string) => new URL(`../${path}`, import.meta.url);
const read = (path: string) => readFileSync(file(path), 'utf8');

/** Where the version is, as text around it. */
const PLACES: [path: string, pattern: RegExp][] = [
  ['package.json', /^( {2}"version": ")([^"]+)/m],
  ['package-lock.json', /^( {2}"version": ")([^"]+)/m],
  ['package-lock.json', /^( {4}"": \{\n {6}"name": "phoenix-fly",\n {6}"version": ")([^"]+)/m],
  ['src/edit/version.ts', /(VERSION = ')([^']+)/],
  ['README.md', /(phoenix-fly-)([\d.]+)(?=\.tgz)/],
];

const [wanted] = process.argv.slice(2);
if (!wanted) throw new Error('name the version: npm run release -- 0.3.0');
const { version } = JSON.parse(read('package.json')) as { version: string };
const next = wanted === '--check' ? version : wanted;
if (!/^\d+\.\d+\.\d+$/.test(next)) throw new Error(`${next} is not a version such as 0.3.0`);
if (!read('CHANGELOG.md').includes(`\n## ${next}\n`))
  throw new Error(`CHANGELOG.md has no "## ${next}": write what changes first`);
for (const [path, pattern] of PLACES) {
  const text = read(path);
  const found = pattern.exec(text)?.[2];
  if (wanted === '--check' && found !== next) throw new Error(`${path} says ${found}, not ${next}`);
  if (wanted !== '--check') writeFileSync(file(path), text.replace(pattern, `$1${next}`));
}
