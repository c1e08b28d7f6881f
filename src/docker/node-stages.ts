import type { Project } from '../facts/detect.ts';
import type { NodePackage, PackageManager } from '../facts/node-packages.ts';
import { copyPaths, shellWord } from '../quote.ts';
import { below } from '../tree.ts';
import { copyByFolder, inImage } from './copy-lines.ts';

/** Newest long-term release (nodejs/Release schedule, 2026-11); corepack comes with Node up to 24. */
const NODE = 24;

const CACHES: Readonly<Record<PackageManager, string>> = {
  npm: '/root/.npm',
  yarn: '/usr/local/share/.cache/yarn',
  pnpm: '/root/.local/share/pnpm/store',
  bun: '/root/.bun/install/cache',
};

/**
 * The stages that install packages, beside the Elixir stages and in parallel with them: one for each package.json, or for
 * those of a workspace together.
 */
export function nodeStages(project: Project) {
  const { nodePackages } = project.assets;
  const homes = [...new Set(nodePackages.map(homeOf))];
  return homes.map((home, index) => {
    const packages = nodePackages.filter((nodePackage) => homeOf(nodePackage) === home);
    const members = packageFolders(packages).filter((dir) => dir !== home);
    const [first] = packages as [NodePackage];
    // A workspace may keep all packages at its top, and COPY wants every folder to be there
    const mkdir = `mkdir -p ${members.map(modulesOf).map(shellWord).join(' ')}`;
    return {
      /** The stage's name in the Dockerfile. */
      name: index === 0 ? 'node' : `node-${index + 1}`,
      /** The folder of the packages, as in the builder: /app/assets. */
      workdir: inImage(home),
      copies: stageCopies(packages, home),
      cache: first.berry ? '/root/.yarn/berry/cache' : CACHES[first.manager],
      install: [installCommand(project, first), ...(members.length ? [mkdir] : [])].join(' && '),
      /** Folders of a workspace's packages, which the top's node_modules links to. */
      members,
      /** The folders node_modules that the builder copies from it. */
      modules: [home, ...members].map(modulesOf),
    };
  });
}

/** The folder that an install runs in. */
const homeOf = ({ dir, workspaceDir }: NodePackage): string => workspaceDir ?? dir;

const modulesOf = (dir: string): string => `${inImage(dir)}/node_modules`;

/** Files of the repo, and folders that `mix deps.get` brings and package.json refers to, such as deps/phoenix. */
function stageCopies(packages: readonly NodePackage[], home: string): string[] {
  const linked = [...new Set(packages.flatMap(({ fileDeps }) => fileDeps))];
  const inApp = linked.filter((path) => !path.startsWith('..'));
  const isFetched = (path: string) => /^deps(\/|$)/.test(path);
  const homeFolder = home === '.' ? '' : `${home}/`;
  return [
    ...inApp
      .filter(isFetched)
      .map((path) => `--from=deps ${copyPaths([inImage(path), inImage(path)])}`),
    ...copyByFolder(
      packages.flatMap(({ installFiles }) => installFiles),
      (folder) => (folder === homeFolder ? './' : `/app/${folder}`),
    ),
    ...inApp.filter((path) => !isFetched(path)).map((path) => copyPaths([path, inImage(path)])),
  ];
}

/** Folders of the package.json files that are installed, without those of Mix's dependencies. */
function packageFolders(packages: readonly NodePackage[]): string[] {
  const files = packages.flatMap(({ installFiles }) => installFiles);
  const members = files.flatMap((file) => /^(?!deps\/)(.+)\/package\.json$/.exec(file)?.[1] ?? []);
  return [...new Set([...packages.map(({ dir }) => dir), ...members])];
}

/** Image and version of the stages: Bun's where everything is Bun's, else Node's, in the major version that the repo pins. */
export function nodeImage({ assets: { nodePackages } }: Project) {
  if (nodePackages.every(({ manager }) => manager === 'bun'))
    return { arg: 'BUN_VERSION', version: 1, image: 'oven/bun' };
  const pinned = nodePackages.find(({ nodeVersion }) => nodeVersion)?.nodeVersion;
  const version = Number.parseInt(pinned ?? '', 10) || NODE;
  return { arg: 'NODE_VERSION', version, image: 'node' };
}

/** A stage that has Node, and not Bun alone. */
export const hasNodeStage = (project: Project): boolean => nodeImage(project).image === 'node';

/** The shell command that installs the packages, after a manager that Node's image lacks. */
function installCommand(project: Project, nodePackage: NodePackage): string {
  const { berry, lockfile, manager } = nodePackage;
  const { image, version } = nodeImage(project);
  if (manager === 'npm') return `npm ${lockfile === null ? 'install' : 'ci'} --no-audit --no-fund`;
  // The builder looks for node_modules, which Yarn 2 and later leave out unless told
  if (berry)
    return `${version > NODE ? 'npm install --global corepack && ' : ''}corepack enable && YARN_NODE_LINKER=node-modules yarn install --immutable`;
  const install = `${manager} install${lockfile === null ? '' : ' --frozen-lockfile'}`;
  if (manager === 'bun' && image !== 'node') return install;
  // --force: the Yarn that older Node images bring lies in /opt, where the builder would have to look for it
  const managers = {
    bun: 'bun',
    pnpm: `pnpm@${pnpmVersion(project, nodePackage)}`,
    yarn: '--force yarn@1',
  };
  return `npm install --global ${managers[manager]} && ${install}`;
}

/** What package.json names, else the newest pnpm that reads the lockfile's format (pnpm.io, 2026-11). */
function pnpmVersion({ tree }: Project, nodePackage: NodePackage): string {
  const [, named] = /^pnpm@(\d[\w.-]*)/.exec(nodePackage.packageManager ?? '') ?? [];
  const lock = tree.read(below(homeOf(nodePackage), 'pnpm-lock.yaml')) ?? '';
  const [, format = '9'] = /^lockfileVersion:\s*'?(\d+)/m.exec(lock) ?? [];
  return named ?? ({ 5: '7', 6: '8' }[format] || '10');
}
