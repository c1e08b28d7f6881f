import { LOCKS } from 'package-manager-detector';
import { matches, normalize, type Tree } from '../tree.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';
import { numberIn, pinned } from './versions.ts';

export type PackageManager = 'npm' | 'yarn' | 'pnpm' | 'bun';

/** A package.json that the asset build needs. */
export type NodePackage = ReturnType<typeof nodePackage>;

/** Tools that check or format and leave nothing in the build, as a part of their names or as the whole. */
const LINT_ONLY = [
  /eslint|prettier|stylelint|commitlint|husky|lint-staged|semantic-release|release-it/,
  /playwright|cypress|jest|vitest/,
  /^@?(biomejs|types)([-/]|$)/,
  /^(typescript|jsdom|globals)$/,
];

/** Tools that turn sources into assets: their presence is what an asset build looks like. */
const BUNDLER =
  /^(vite|webpack|esbuild|rollup|parcel|tailwindcss|postcss|sass|gulp|grunt|brunch|ember-cli|react-scripts|@vitejs\/.*|@tailwindcss\/.*|laravel-mix|snowpack)$/;
const BUILD_SCRIPT = /^(build|deploy|compile|dist|prod|production|assets)([:.-]|$)/;
const CALLS_NODE = /\b(npm|npx|yarn|pnpm|bun|node|webpack|vite)\b/;
const FOLDERS = ['', 'assets/', 'client/', 'frontend/', 'webapp/'];

/** The package.json files that an asset build needs; those that only check code are reported in `notes`. */
export function readNodePackages(repo: PhoenixRepo, deploySteps: readonly string[]): NodePackage[] {
  const { tree, released, notes } = repo;
  const folders = released.flatMap(({ dir }) =>
    FOLDERS.map((folder) => (dir === '.' ? folder : `${dir}/${folder}`)),
  );
  const callsNode = deploySteps.some((step) => CALLS_NODE.test(step));
  return [...new Set(folders)].flatMap((folder): NodePackage[] => {
    const file = `${folder}package.json`;
    if (!tree.paths.has(file)) return [];
    const manifest = readManifest(tree, folder);
    if (!manifest) {
      notes.push(`${file} is not valid JSON, so its packages were left out of the image.`);
      return [];
    }
    // Above an assets/ folder with its own package.json, one serves tests and tools unless it bundles
    const isAboveAssets = tree.paths.has(`${folder}assets/package.json`);
    const isNeeded = isAboveAssets
      ? bundles(manifest) || manifest.workspaces.length > 0
      : builds(manifest, folder, callsNode);
    if (isNeeded) return [nodePackage(tree, folder, manifest, notes)];
    if (Object.keys(manifest.devDependencies).length)
      notes.push(
        `${file} has only tools for checking and developing, so the image needs no Node for it.`,
      );
    return [];
  });
}

/** @param folder '' or `assets/` */
function nodePackage(tree: Tree, folder: string, manifest: Manifest, notes: string[]) {
  const file = `${folder}package.json`;
  const home = installFolder(tree, folder);
  const lockfile = lockIn(tree, home) ?? null;
  const [, named = 'npm'] = /^(npm|yarn|pnpm|bun)@/.exec(manifest.packageManager ?? '') ?? [];
  const manager = (lockfile ? LOCKS[lockfile] : named) as PackageManager;
  if (!lockfile)
    notes.push(
      `${file} has no lockfile, so its packages are not pinned; run \`${manager} install\` and commit the lockfile.`,
    );
  return {
    /** Relative to the app. */
    file,
    dir: folderName(folder),
    manager,
    /** Lockfile name, null when there is none. It lies in `workspaceDir` where there is one. */
    lockfile,
    /** Folder of the workspace that this package belongs to and that holds its lockfile, relative to the app. */
    workspaceDir: home === folder ? null : folderName(home),
    /** Folders, relative to the app, that must be in the image before the install: `file:` dependencies, a workspace's below deps/. */
    fileDeps: [
      ...Object.values({ ...manifest.dependencies, ...manifest.devDependencies })
        .flatMap((spec) => /^(?:file|link|portal):(.*)/.exec(spec)?.[1] ?? [])
        .map((path) => normalize(folder + path)),
      ...members(tree, home)
        .map((pattern) => normalize(home + pattern.replace(/(\/\*.*)?\/[^/]*$/, '')))
        .filter((path) => /^deps(\/|$)/.test(path)),
    ],
    scripts: Object.keys(manifest.scripts),
    /** Yarn 2 and later, which read .yarnrc.yml and want `yarn install --immutable`. */
    berry: lockfile === 'yarn.lock' && /^__metadata:/m.test(tree.read(home + lockfile) ?? ''),
    /** `packageManager` of package.json, what corepack installs, e.g. "pnpm@9.1.0". */
    packageManager: manifest.packageManager ?? null,
    /** What the install reads, relative to the app: package.json, lockfile, settings, Yarn itself, patches, package.json of workspaces. */
    installFiles: installFiles(tree, home, lockfile),
    /** Node as pinned beside it or above (.nvmrc, .node-version, .tool-versions, mise.toml, package.json), else as the Dockerfile has it or old packages need it, e.g. "22.11.0" or "20". */
    nodeVersion: nodeVersion(tree, folder, manifest),
  };
}

const folderName = (folder: string): string => folder.replace(/\/$/, '') || '.';

/** The folder whose lockfile holds for a package: its own, or that of a workspace that takes it in. */
function installFolder(tree: Tree, folder: string): string {
  if (lockIn(tree, folder)) return folder;
  const workspace = foldersAbove(folder).find((outer) => {
    const file = `${folder}package.json`.slice(outer.length);
    return lockIn(tree, outer) && members(tree, outer).some((pattern) => matches(pattern, file));
  });
  return workspace ?? folder;
}

const MANAGERS = /^(npm|yarn|pnpm|bun)$/;
/** npm's come first: where there are several, it is the one that Node brings. */
const LOCKFILES = Object.keys(LOCKS)
  .filter((name) => MANAGERS.test(LOCKS[name] ?? '') && name !== 'pnpm-workspace.yaml')
  .reverse();

const lockIn = (tree: Tree, folder: string): string | undefined =>
  LOCKFILES.find((name) => tree.paths.has(folder + name));

/** By what it holds and what it can do: packages that ship, a bundler, or a script that a build calls. */
function builds(manifest: Manifest, folder: string, callsNode: boolean): boolean {
  const { dependencies, optionalDependencies } = manifest;
  const ships = Object.keys({ ...dependencies, ...optionalDependencies }).length > 0;
  const isCalled = callsNode || buildTools(manifest).length > 0;
  return ships || bundles(manifest) || (/(^|\/)assets\/$/.test(folder) && isCalled);
}

const buildTools = ({ devDependencies }: Manifest): string[] =>
  Object.keys(devDependencies).filter((name) => !LINT_ONLY.some((pattern) => pattern.test(name)));

/** It holds a bundler, or packages and a script that builds. */
function bundles(manifest: Manifest): boolean {
  const tools = buildTools(manifest);
  const packages = [...tools, ...Object.keys(manifest.dependencies)];
  const hasBuildScript = Object.keys(manifest.scripts).some((name) => BUILD_SCRIPT.test(name));
  return packages.some((name) => BUNDLER.test(name)) || (tools.length > 0 && hasBuildScript);
}

/** `assets/js/` → `assets/`, the app's folder. */
function foldersAbove(folder: string): string[] {
  const outer = folder.replace(/[^/]+\/$/, '');
  return folder ? [outer, ...foldersAbove(outer)] : [];
}

/** Patterns of the package.json files that the workspace of a folder takes in, as seen from there. */
function members(tree: Tree, folder: string): string[] {
  const globs = readManifest(tree, folder)?.workspaces ?? [];
  const yaml = tree.read(`${folder}pnpm-workspace.yaml`) ?? '';
  const items = [...yaml.matchAll(/^[ \t]*-[ \t]*['"]?([^'"\s]+)/gm)].map(([, item = '']) => item);
  return (globs.length ? globs : items).map(
    (glob) => `${glob.replace(/^\.\//, '').replace(/\/$/, '')}/package.json`,
  );
}

/** Settings, Yarn itself and patches, beside a package.json. */
const SETTINGS =
  /^(\.npmrc|\.yarnrc(\.yml)?|\.pnpmfile\.cjs|pnpm-workspace\.yaml|bunfig\.toml|\.yarn\/(releases|plugins|patches)\/.*|patches\/.*)$/;

function installFiles(tree: Tree, home: string, lockfile: string | null): string[] {
  const patterns = members(tree, home);
  const settings = [...tree.paths].filter((path) => {
    const name = path.startsWith(home) ? path.slice(home.length) : '';
    return SETTINGS.test(name) || patterns.some((pattern) => matches(pattern, name));
  });
  const own = ['package.json', lockfile ?? ''].map((name) => home + name);
  return [...own.filter((path) => tree.paths.has(path)), ...settings];
}

const VERSION_FILES = ['.nvmrc', '.node-version', '.tool-versions', 'mise.toml', '.mise.toml'];

/** The newest long-term Node for old packages: node-sass' own table; OpenSSL 3 lacks the hash of webpack 4 (webpack#14532). */
const NEWEST_NODE: Record<string, number> = {
  'node-sass 4': 14,
  'node-sass 5': 14,
  'node-sass 6': 16,
  'node-sass 7': 16,
  'node-sass 8': 18,
  'node-sass 9': 20,
  'webpack 4': 16,
};

function nodeVersion(tree: Tree, folder: string, manifest: Manifest): string | null {
  const pins = [folder, ...foldersAbove(folder)].flatMap((dir) => {
    const [nvm, node, ...tools] = VERSION_FILES.map((name) => tree.read(dir + name) ?? '');
    return [nvm, node, ...tools.map((text) => pinned(text, 'node(?:js)?'))];
  });
  const pin = [...pins, manifest.volta.node, manifest.engines.node]
    .map((text) => numberIn(text))
    .find(Boolean);
  // "curl https://deb.nodesource.com/setup_20.x", "FROM node:22-alpine", "ARG NODE_VERSION=22"
  const image = /(?:\bsetup_|^FROM .*\bnode:|^ARG NODE_VERSION=)(\d+)/im;
  const [, inDockerfile] = image.exec(tree.read('Dockerfile') ?? '') ?? [];
  const packages = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  const newest = packages.map(([name, range]) => NEWEST_NODE[`${name} ${/\d+/.exec(range)?.[0]}`]);
  const known = [Number(inDockerfile), ...newest].flatMap((version) => version || []);
  const [least] = known.sort((left, right) => left - right);
  return pin ?? least?.toString() ?? null;
}

type Manifest = NonNullable<ReturnType<typeof readManifest>>;

/** A package.json with its fields as npm means them; undefined when it is no JSON, or no object. */
function readManifest(tree: Tree, folder: string) {
  let json: unknown;
  try {
    json = JSON.parse((tree.read(`${folder}package.json`) ?? '').replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
  if (!isRecord(json)) return undefined;
  const { packageManager, workspaces } = json;
  const globs = isRecord(workspaces) ? workspaces.packages : workspaces;
  return {
    dependencies: textsOf(json.dependencies),
    devDependencies: textsOf(json.devDependencies),
    optionalDependencies: textsOf(json.optionalDependencies),
    scripts: textsOf(json.scripts),
    engines: textsOf(json.engines),
    volta: textsOf(json.volta),
    packageManager: isText(packageManager) ? packageManager : undefined,
    workspaces: Array.isArray(globs) ? globs.filter(isText) : [],
  };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isRecord = (value: unknown): value is Record<string, unknown> =>
  Object(value) === value && !Array.isArray(value);

const textsOf = (value: unknown): Readonly<Record<string, string>> => {
  const entries = Object.entries(isRecord(value) ? value : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => isText(entry[1])));
};
