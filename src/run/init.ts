import type { Change } from '../plan/file.ts';
import { Problem } from '../problem.ts';
import { openTree } from '../tree.ts';
import { writeChanges } from '../write/write-changes.ts';

const PLOPFILE = `// The generators of phoenix-fly: npx plop fly
export { default } from 'phoenix-fly/plopfile';
`;
/** The names that plop looks for. We write .mjs, which is a module whatever package.json says. */
const NAMES = ['plopfile.mjs', 'plopfile.js', 'plopfile.cjs', 'plopfile.ts', 'plopfile.mts'];

/**
 * Writes the plopfile with which `npx plop fly` runs inside a Phoenix repo.
 * @returns what was done, in words
 * @throws Problem when the repo has another plopfile
 */
export function init(root: string): string {
  const tree = openTree(root);
  const existing = NAMES.find((name) => tree.paths.has(name));
  if (existing && tree.read(existing) === PLOPFILE) return `${existing} is there already.`;
  if (existing)
    throw new Problem(
      `${existing} is there: add phoenix-fly's generators to it (import flyGenerators from 'phoenix-fly/plopfile'; flyGenerators(plop))`,
    );
  const change: Change = { path: 'plopfile.mjs', before: undefined, after: PLOPFILE };
  writeChanges(root, [change]);
  return 'Wrote plopfile.mjs. Next: npm install --save-dev plop, where it is not installed; a line /node_modules in .gitignore; then the list of commands: npx plop';
}
