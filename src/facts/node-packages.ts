import { matches, type Tree } from '../tree.ts';
import { shortLines } from './versions.ts';

export type PackageManager = 'npm' | 'yarn' | 'pnpm' | 'bun';

/** A package.json that the asset build needs. */
export interface NodePackage {
  /** Relative to the app. */
  file: string;
  dir: string;
  manager: PackageManager;
  /** Lockfile name, null when there is none. It lies in `workspaceDir` where there is one. */
  lockfile: string | null;
  /** Folder of the workspace that this package belongs to and that holds its lockfile, relative to the app. */
  workspaceDir: string | null;
  /** `file:` dependencies, which must be in the image before the install. */
  fileDeps: string[];
  scripts: string[];
  /** Yarn 2 and later, which read .yarnrc.yml and want `yarn install --immutable`. */
  berry: boolean;
  /** `packageManager` of package.json, what corepack installs, e.g. "pnpm@9.1.0". */
  packageManager: string | null;
  /** What the install reads, relative to the app: package.json, lockfile, settings, Yarn itself, patches, package.json of workspaces. */
  installFiles: string[];
  /** Node as pinned beside it or above (.nvmrc, .node-version, .tool-versions, mise.toml, package.json), e.g. "22.11.0" or "20". */
  nodeVersion: string | null;
}

interface PackageJson {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  scripts: Record<string, string>;
  engines: Record<string, string>;
  volta: Record<string, string>;
  packageManager: string | undefined;
  workspaces: string[];
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
const LINT_ONLY =
  /^(@?(eslint|prettier|stylelint|commitlint|trivago\/prettier|biomejs|playwright|typescript-eslint|types)([-/]|$)|.*(eslint|prettier|stylelint|commitlint|husky|lint-staged|playwright|cypress|jest|vitest|semantic-release|release-it)|typescript$|jsdom$|globals$)/;

/** Tools that turn sources into assets: their presence is what an asset build looks like. */
const BUNDLER =
  /^(vite|webpack|esbuild|rollup|parcel|tailwindcss|postcss|sass|gulp|grunt|brunch|ember-cli|react-scripts|@vitejs\/.*|@tailwindcss\/.*|laravel-mix|snowpack)$/;
const BUILD_SCRIPT = /^(build|deploy|compile|dist|prod|production|assets)([:.-]|$)/;
const FOLDERS = ['', 'assets/', 'client/', 'frontend/', 'webapp/'];

/** The package.json files that an asset build needs; those that only check code are reported in `notes`. */
export function readNodePackages(
  tree: Tree,
  projects: readonly { dir: string }[],
  deploySteps: readonly string[],
  notes: string[],
): NodePackage[] {
  const candidates = projects.flatMap(({ dir }) =>
    FOLDERS.map((folder) => `${dir === '.' ? '' : `${dir}/`}${folder}package.json`),
  );
  return [...new Set(candidates)].flatMap((file): NodePackage[] => {
    const text = tree.read(file);
    if (text === undefined) return [];
    const dir = file === 'package.json' ? '.' : file.replace(/\/package\.json$/, '');
    const json = parse(text);
    if (!json) {
      notes.push(`${file} is not valid JSON, so its packages were left out of the image.`);
      return [];
    }
    if (
      !builds(json, file, deploySteps) ||
      (beside(file, candidates, tree) && !bundles(json) && !json.workspaces.length)
    ) {
      if (Object.keys(json.devDependencies).length)
        notes.push(
          `${file} has only tools for checking and developing, so the image needs no Node for it.`,
        );
      return [];
    }
    const here = dir === '.' ? '' : `${dir}/`;
    const lockIn = (folder: string) => LOCKFILES.find(([name]) => tree.paths.has(folder + name));
    const workspace = lockIn(here)
      ? undefined
      : foldersAbove(here).find(
          (folder) =>
            lockIn(folder) &&
            members(tree, folder).some((member) => matches(member, file.slice(folder.length))),
        );
    const home = workspace ?? here;
    const lock = lockIn(home);
    const manager =
      lock?.[1] ??
      (/^(npm|yarn|pnpm|bun)@/.exec(json.packageManager ?? '')?.[1] as
        | PackageManager
        | undefined) ??
      'npm';
    if (!lock)
      notes.push(
        `${file} has no lockfile, so its packages are not pinned; run \`${manager} install\` and commit the lockfile.`,
      );
    const fileDeps = Object.values({ ...json.dependencies, ...json.devDependencies })
      .filter((spec) => spec.startsWith('file:'))
      .map((spec) => spec.slice(5));
    const yarn =
      tree.read(`${home}.yarnrc.yml`) !== undefined ||
      /^yarn@([2-9]|\d\d)/.test(json.packageManager ?? '') ||
      /^__metadata:/m.test((lock?.[0] === 'yarn.lock' && tree.read(home + lock[0])) || '');
    return [
      {
        file,
        dir,
        manager,
        lockfile: lock?.[0] ?? null,
        workspaceDir: workspace === undefined ? null : workspace.replace(/\/$/, '') || '.',
        fileDeps,
        scripts: Object.keys(json.scripts),
        berry: manager === 'yarn' && yarn,
        packageManager: json.packageManager ?? null,
        installFiles: installFiles(tree, home, lock?.[0]),
        nodeVersion: nodeVersion(tree, here, json),
      },
    ];
  });
}

/** By what it holds and what it can do: packages that ship, a bundler, or a script that a build calls. */
function builds(json: PackageJson, file: string, deploySteps: readonly string[]): boolean {
  const ships = Object.keys({ ...json.dependencies, ...json.optionalDependencies }).length > 0;
  const development = developing(json);
  const inAssets = /(^|\/)assets\/package\.json$/.test(file);
  const called =
    inAssets &&
    deploySteps.some((step) => /\b(npm|npx|yarn|pnpm|bun|node|webpack|vite)\b/.test(step));
  return ships || bundles(json) || called || (inAssets && development.length > 0);
}

const developing = (json: PackageJson): string[] =>
  Object.keys(json.devDependencies).filter((name) => !LINT_ONLY.test(name));

/** It holds a bundler, or packages and a script that builds. */
function bundles(json: PackageJson): boolean {
  const development = developing(json);
  return (
    [...development, ...Object.keys(json.dependencies)].some((name) => BUNDLER.test(name)) ||
    (development.length > 0 && Object.keys(json.scripts).some((name) => BUILD_SCRIPT.test(name)))
  );
}

/** Above an assets/ folder with its own package.json, a package.json serves tests and tools unless it bundles. */
const beside = (file: string, candidates: readonly string[], tree: Tree): boolean => {
  const assets = file.replace(/package\.json$/, 'assets/package.json');
  return candidates.includes(assets) && tree.read(assets) !== undefined;
};

const BESIDE =
  /^(\.npmrc|\.yarnrc(\.yml)?|\.pnpmfile\.cjs|pnpm-workspace\.yaml|bunfig\.toml|\.yarn\/(releases|plugins|patches)\/.*|patches\/.*)$/;

/** `assets/js/` → `assets/`, the app's folder. */
const foldersAbove = (here: string): string[] =>
  here
    .split('/')
    .slice(0, -1)
    .map((_, index, parts) =>
      parts
        .slice(0, index)
        .map((part) => `${part}/`)
        .join(''),
    )
    .reverse();

/** Patterns of the package.json files that the workspace of a folder takes in, as seen from there. */
function members(tree: Tree, folder: string): string[] {
  const workspaces = parse(tree.read(`${folder}package.json`) ?? '')?.workspaces ?? [];
  const globs = workspaces.length
    ? workspaces
    : pnpmMembers(tree.read(`${folder}pnpm-workspace.yaml`));
  return globs.map((glob) => `${glob.replace(/^\.\//, '').replace(/\/$/, '')}/package.json`);
}

function installFiles(tree: Tree, home: string, lockfile: string | undefined): string[] {
  const packages = members(tree, home);
  const beside = [...tree.paths].filter((path) => {
    const name = path.startsWith(home) ? path.slice(home.length) : '';
    return BESIDE.test(name) || packages.some((pattern) => matches(pattern, name));
  });
  return [
    ...[`${home}package.json`].filter((path) => tree.paths.has(path)),
    ...(lockfile ? [home + lockfile] : []),
    ...beside,
  ];
}

const pnpmMembers = (yaml = ''): string[] =>
  [
    ...(/^packages:\n((?:\s+-.*\n?|\s*#.*\n?)*)/m.exec(yaml)?.[1] ?? '').matchAll(
      /-\s*['"]?([^'"\s]+)/g,
    ),
  ].map(([, glob = '']) => glob);

function nodeVersion(tree: Tree, here: string, json: PackageJson): string | null {
  const folders = [here, ...foldersAbove(here)];
  const pins = folders.flatMap((folder) => [
    ...['.nvmrc', '.node-version'].map((name) => tree.read(folder + name)),
    /^[ \t]*node(?:js)?[ \t]+(\S+)/m.exec(
      shortLines(tree.read(`${folder}.tool-versions`) ?? ''),
    )?.[1],
    ...['mise.toml', '.mise.toml'].map(
      (name) =>
        /^[ \t]*"?node(?:js)?"?[ \t]*=[ \t]*(.+)$/m.exec(
          shortLines(tree.read(folder + name) ?? ''),
        )?.[1],
    ),
  ]);
  const wanted = [
    ...pins,
    json.volta.node,
    /^\D*\d/.test(json.engines.node ?? '') ? json.engines.node : undefined,
  ];
  return wanted.map((text) => /\d+(\.\d+){0,2}/.exec(text ?? '')?.[0]).find(Boolean) ?? null;
}

function parse(text: string): PackageJson | undefined {
  try {
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return isRecord(json) ? packageJson(json) : undefined;
  } catch {
    return undefined;
  }
}

type Json = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';

/** Its fields as npm means them; what is of another type is left out. */
function packageJson(json: Json): PackageJson {
  const texts = (name: string): Record<string, string> => {
    const value = json[name];
    const entries = isRecord(value) ? Object.entries(value) : [];
    return Object.fromEntries(
      entries.filter((entry): entry is [string, string] => isText(entry[1])),
    );
  };
  const members = isRecord(json.workspaces) ? json.workspaces.packages : json.workspaces;
  return {
    dependencies: texts('dependencies'),
    devDependencies: texts('devDependencies'),
    optionalDependencies: texts('optionalDependencies'),
    scripts: texts('scripts'),
    engines: texts('engines'),
    volta: texts('volta'),
    packageManager: isText(json.packageManager) ? json.packageManager : undefined,
    workspaces: Array.isArray(members) ? members.filter(isText) : [],
  };
}
