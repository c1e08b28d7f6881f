import type { Change } from '../plan/file.ts';
import { Problem } from '../problem.ts';
import { openTree } from '../tree.ts';
import { apply } from '../write/apply.ts';

const PLOPFILE = `// The generators of phoenix-fly: npx plop fly
export { default } from 'phoenix-fly/plopfile';
`;
const NAMES = ['plopfile.mjs', 'plopfile.js', 'plopfile.cjs', 'plopfile.ts', 'plopfile.mts'];

/**
 * Writes the plopfile with which `npx plop fly` runs inside a Phoenix repo. (.mjs: its package.json need not say "module".)
 * @returns what was done, in words
 * @throws Problem when there is another plopfile
 */
export function init(root: string): string {
  const tree = openTree(root);
  const found = NAMES.find((name) => tree.paths.has(name));
  if (found && tree.read(found) === PLOPFILE) return `${found} is there already.`;
  if (found)
    throw new Problem(
      `${found} is there: add phoenix-fly's generators to it (import flyGenerators from 'phoenix-fly/plopfile'; flyGenerators(plop))`,
    );
  const change: Change = { path: 'plopfile.mjs', before: undefined, after: PLOPFILE };
  apply(root, [change]);
  return 'Wrote plopfile.mjs. Next: npm install --save-dev plop, where it is not installed; a line /node_modules in .gitignore; then the list of commands: npx plop';
}
