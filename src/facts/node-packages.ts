import { LOCKS } from 'package-manager-detector';
import { matches, normalize, type Tree } from '../tree.ts';
import { numberIn, pinned } from './versions.ts';

export type PackageManager = 'npm' | 'yarn' | 'pnpm' | 'bun';

/** A package.json that the asset build needs. */
export type NodePackage = ReturnType<typeof nodePackage>;

/** Tools that check or format and leave nothing in the build. */
const LINT_ONLY =
  /^(@?(eslint|prettier|stylelint|commitlint|trivago\/prettier|biomejs|playwright|typescript-eslint|types)([-/]|$)|.*(eslint|prettier|stylelint|commitlint|husky|lint-staged|playwright|cypress|jest|vitest|semantic-release|release-it)|typescript$|jsdom$|globals$)/;

/** Tools that turn sources into assets: their presence is what an asset build looks like. */
const BUNDLER =
  /^(vite|webpack|esbuild|rollup|parcel|tailwindcss|postcss|sass|gulp|grunt|brunch|ember-cli|react-scripts|@vitejs\/.*|@tailwindcss\/.*|laravel-mix|snowpack)$/;
const BUILD_SCRIPT = /^(build|deploy|compile|dist|prod|production|assets)([:.-]|$)/;
const CALLS_NODE = /\b(npm|npx|yarn|pnpm|bun|node|webpack|vite)\b/;
const FOLDERS = ['', 'assets/', 'client/', 'frontend/', 'webapp/'];

/** The package.json files that an asset build needs; those that only check code are reported in `notes`. */
export function readNodePackages(
  tree: Tree,
  projects: readonly { dir: string }[],
  deploySteps: readonly string[],
  notes: string[],
): NodePackage[] {
  const folders = projects.flatMap(({ dir }) =>
    FOLDERS.map((folder) => (dir === '.' ? folder : `${dir}/${folder}`)),
  );
  const callsNode = deploySteps.some((step) => CALLS_NODE.test(step));
  return [...new Set(folders)].flatMap((folder): NodePackage[] => {
    const file = `${folder}package.json`;
    if (!tree.paths.has(file)) return [];
    const json = manifest(tree, folder);
    // Above an assets/ folder with its own package.json, one serves tests and tools unless it bundles
    const isBeside = tree.paths.has(`${folder}assets/package.json`);
    if (!json) notes.push(`${file} is not valid JSON, so its packages were left out of the image.`);
    else if (isBeside ? bundles(json) || json.workspaces.length : builds(json, folder, callsNode))
      return [nodePackage(tree, folder, json, notes)];
    else if (Object.keys(json.devDependencies).length)
      notes.push(
        `${file} has only tools for checking and developing, so the image needs no Node for it.`,
      );
    return [];
  });
}

function nodePackage(tree: Tree, here: string, json: Manifest, notes: string[]) {
  const file = `${here}package.json`;
  const home =
    [here, ...foldersAbove(here)].find(
      (folder) =>
        lockIn(tree, folder) &&
        (folder === here ||
          members(tree, folder).some((member) => matches(member, file.slice(folder.length)))),
    ) ?? here;
  const lockfile = lockIn(tree, home) ?? null;
  const [, named] = /^(npm|yarn|pnpm|bun)@/.exec(json.packageManager ?? '') ?? [];
  const manager = (lockfile ? LOCKS[lockfile] : (named ?? 'npm')) as PackageManager;
  if (!lockfile)
    notes.push(
      `${file} has no lockfile, so its packages are not pinned; run \`${manager} install\` and commit the lockfile.`,
    );
  return {
    /** Relative to the app. */
    file,
    dir: folderName(here),
    manager,
    /** Lockfile name, null when there is none. It lies in `workspaceDir` where there is one. */
    lockfile,
    /** Folder of the workspace that this package belongs to and that holds its lockfile, relative to the app. */
    workspaceDir: home === here ? null : folderName(home),
    /** Folders, relative to the app, that must be in the image before the install: `file:` dependencies, a workspace's below deps/. */
    fileDeps: [
      ...Object.values({ ...json.dependencies, ...json.devDependencies })
        .flatMap((spec) => /^(?:file|link|portal):(.*)/.exec(spec)?.[1] ?? [])
        .map((path) => normalize(here + path)),
      ...members(tree, home)
        .map((pattern) => normalize(home + pattern.replace(/(\/\*.*)?\/[^/]*$/, '')))
        .filter((path) => /^deps(\/|$)/.test(path)),
    ],
    scripts: Object.keys(json.scripts),
    /** Yarn 2 and later, which read .yarnrc.yml and want `yarn install --immutable`. */
    berry: lockfile === 'yarn.lock' && /^__metadata:/m.test(tree.read(home + lockfile) ?? ''),
    /** `packageManager` of package.json, what corepack installs, e.g. "pnpm@9.1.0". */
    packageManager: json.packageManager ?? null,
    /** What the install reads, relative to the app: package.json, lockfile, settings, Yarn itself, patches, package.json of workspaces. */
    installFiles: installFiles(tree, home, lockfile),
    /** Node as pinned beside it or above (.nvmrc, .node-version, .tool-versions, mise.toml, package.json), e.g. "22.11.0" or "20". */
    nodeVersion: nodeVersion(tree, here, json),
  };
}

const folderName = (folder: string): string => folder.replace(/\/$/, '') || '.';

const MANAGERS = /^(npm|yarn|pnpm|bun)$/;
/** npm's come first: where there are several, it is the one that Node brings. */
const LOCKFILES = Object.keys(LOCKS)
  .filter((name) => MANAGERS.test(LOCKS[name] ?? '') && name !== 'pnpm-workspace.yaml')
  .reverse();

const lockIn = (tree: Tree, folder: string): string | undefined =>
  LOCKFILES.find((name) => tree.paths.has(folder + name));

/** By what it holds and what it can do: packages that ship, a bundler, or a script that a build calls. */
function builds(json: Manifest, folder: string, callsNode: boolean): boolean {
  const ships = Object.keys({ ...json.dependencies, ...json.optionalDependencies }).length > 0;
  const isCalled = callsNode || developing(json).length > 0;
  return ships || bundles(json) || (/(^|\/)assets\/$/.test(folder) && isCalled);
}

const developing = (json: Manifest): string[] =>
  Object.keys(json.devDependencies).filter((name) => !LINT_ONLY.test(name));

/** It holds a bundler, or packages and a script that builds. */
function bundles(json: Manifest): boolean {
  const development = developing(json);
  return (
    [...development, ...Object.keys(json.dependencies)].some((name) => BUNDLER.test(name)) ||
    (development.length > 0 && Object.keys(json.scripts).some((name) => BUILD_SCRIPT.test(name)))
  );
}

/** `assets/js/` → `assets/`, the app's folder. */
function foldersAbove(folder: string): string[] {
  const outer = folder.replace(/[^/]+\/$/, '');
  return folder ? [outer, ...foldersAbove(outer)] : [];
}

/** Patterns of the package.json files that the workspace of a folder takes in, as seen from there. */
function members(tree: Tree, folder: string): string[] {
  const listed = manifest(tree, folder)?.workspaces ?? [];
  const yaml = tree.read(`${folder}pnpm-workspace.yaml`) ?? '';
  const items = [...yaml.matchAll(/^[ \t]*-[ \t]*['"]?([^'"\s]+)/gm)].map(([, item = '']) => item);
  return (listed.length ? listed : items).map(
    (glob) => `${glob.replace(/^\.\//, '').replace(/\/$/, '')}/package.json`,
  );
}

const BESIDE =
  /^(\.npmrc|\.yarnrc(\.yml)?|\.pnpmfile\.cjs|pnpm-workspace\.yaml|bunfig\.toml|\.yarn\/(releases|plugins|patches)\/.*|patches\/.*)$/;

const PINS = ['.nvmrc', '.node-version', '.tool-versions', 'mise.toml', '.mise.toml'];

function installFiles(tree: Tree, home: string, lockfile: string | null): string[] {
  const packages = members(tree, home);
  const beside = [...tree.paths].filter((path) => {
    const name = path.startsWith(home) ? path.slice(home.length) : '';
    return BESIDE.test(name) || packages.some((pattern) => matches(pattern, name));
  });
  const own = ['package.json', lockfile ?? ''].map((name) => home + name);
  return [...own.filter((path) => tree.paths.has(path)), ...beside];
}

function nodeVersion(tree: Tree, here: string, { volta, engines }: Manifest): string | null {
  const pins = [here, ...foldersAbove(here)].flatMap((folder) => {
    const [nvm, node, ...tools] = PINS.map((name) => tree.read(folder + name) ?? '');
    return [nvm, node, ...tools.map((text) => pinned(text, 'node(?:js)?'))];
  });
  const wanted = [...pins, volta.node, engines.node];
  return wanted.map((text) => numberIn(text)).find(Boolean) ?? null;
}

type Texts = Readonly<Record<string, string>>;
type Manifest = NonNullable<ReturnType<typeof manifest>>;

/** A package.json with its fields as npm means them; undefined when it is no JSON, or no object. */
function manifest(tree: Tree, folder: string) {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse((tree.read(`${folder}package.json`) ?? '').replace(/^\uFEFF/, ''));
    if (Object(json) !== json || Array.isArray(json)) return undefined;
  } catch {
    return undefined;
  }
  const texts = (key: string): Texts =>
    Object.fromEntries(
      Object.entries(Object(json[key])).filter((entry): entry is [string, string] =>
        isText(entry[1]),
      ),
    );
  const members = Object(json.workspaces).packages ?? json.workspaces;
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

const isText = (value: unknown): value is string => typeof value === 'string';
