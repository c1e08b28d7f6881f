import type { Tree } from '../tree.ts';

export type PackageManager = 'npm' | 'yarn' | 'pnpm' | 'bun';

/** A package.json that the asset build needs. */
export interface NodePackage {
  /** Relative to the app. */
  file: string;
  dir: string;
  manager: PackageManager;
  /** Lockfile name, null when there is none. */
  lockfile: string | null;
  /** `file:` dependencies, which must be in the image before the install. */
  fileDeps: string[];
  scripts: string[];
}

interface PackageJson {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  scripts?: Record<string, string>;
  packageManager?: string;
}

const LOCKFILES: [string, PackageManager][] = [
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
  ['yarn.lock', 'yarn'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
];

/** Tools that check or format and leave nothing in the build. */
const LINT_ONLY = /^(@?(eslint|prettier|stylelint|commitlint|trivago\/prettier|biomejs|playwright|typescript-eslint|types)([-/]|$)|.*(eslint|prettier|stylelint|commitlint|husky|lint-staged|playwright|cypress|jest|vitest|semantic-release|release-it)|typescript$|jsdom$|globals$)/;

/** package.json files at the app's root and in assets folders; those that only lint are reported in `notes`. */
export function readNodePackages(tree: Tree, webAppDir: string, deploySteps: readonly string[], notes: string[]): NodePackage[] {
  const prefix = webAppDir === '.' ? '' : `${webAppDir}/`;
  const candidates = [...new Set([`${prefix}package.json`, `${prefix}assets/package.json`, 'package.json', 'assets/package.json'])];
  return candidates.flatMap((file): NodePackage[] => {
    const text = tree.read(file);
    if (text === undefined) return [];
    const dir = file === 'package.json' ? '.' : file.replace(/\/package\.json$/, '');
    const json = parse(text);
    if (!json) {
      notes.push(`${file} is not valid JSON, so its packages were left out of the image.`);
      return [];
    }
    const runtime = Object.entries({ ...json.dependencies, ...json.optionalDependencies });
    const development = Object.keys(json.devDependencies ?? {}).filter((name) => !LINT_ONLY.test(name));
    const called = deploySteps.some((step) => /\b(npm|npx|yarn|pnpm|bun|node|webpack|vite)\b/.test(step));
    if (runtime.length === 0 && development.length === 0 && !(called && dir !== '.')) {
      if (Object.keys(json.devDependencies ?? {}).length) notes.push(`${file} holds only checking tools, so the image does without Node for it.`);
      return [];
    }
    const here = dir === '.' ? '' : `${dir}/`;
    const lock = LOCKFILES.find(([name]) => tree.paths.has(here + name));
    const manager = lock?.[1] ?? (/^(npm|yarn|pnpm|bun)@/.exec(json.packageManager ?? '')?.[1] as PackageManager | undefined) ?? 'npm';
    if (!lock) notes.push(`${file} has no lockfile, so its packages are not pinned; run \`${manager} install\` and commit the lockfile.`);
    const fileDeps = Object.values({ ...json.dependencies, ...json.devDependencies }).filter((spec) => spec.startsWith('file:')).map((spec) => spec.slice(5));
    return [{ file, dir, manager, lockfile: lock?.[0] ?? null, fileDeps, scripts: Object.keys(json.scripts ?? {}) }];
  });
}

function parse(text: string): PackageJson | undefined {
  try {
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}
