import type { Project } from '../facts/detect.ts';
import type { NodePackage, PackageManager } from '../facts/node-packages.ts';
import { copyPaths, shellWord } from '../quote.ts';
import { below } from '../tree.ts';
import { byFolder, inImage } from './copies.ts';

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
    const packages = nodePackages.filter((one) => homeOf(one) === home);
    const members = foldersOf(packages).filter((dir) => dir !== home);
    const [first] = packages as [NodePackage];
    return {
      /** In the Dockerfile. */
      name: index === 0 ? 'node' : `node-${index + 1}`,
      /** Of its packages, as in the builder: /app/assets. */
      workdir: inImage(home),
      copies: stageCopies(packages, home),
      cache: first.berry ? '/root/.yarn/berry/cache' : CACHES[first.manager],
      // A workspace may keep all packages at its top, and COPY wants every folder to be there
      install: [
        install(project, first),
        ...(members.length ? [`mkdir -p ${members.map(modulesOf).map(shellWord).join(' ')}`] : []),
      ].join(' && '),
      /** Folders of a workspace's packages, which the top's node_modules links to. */
      members,
      /** What it leaves. */
      modules: [home, ...members].map(modulesOf),
    };
  });
}

/** Files of the repo, and folders that `mix deps.get` brings and package.json refers to, such as deps/phoenix. */
function stageCopies(packages: readonly NodePackage[], home: string): string[] {
  const linked = packages.flatMap(({ fileDeps }) => fileDeps);
  const inApp = [...new Set(linked)].filter((path) => !path.startsWith('..'));
  const fetched = inApp.filter((path) => /^deps(\/|$)/.test(path));
  const own = inApp.filter((path) => !fetched.includes(path));
  const here = home === '.' ? '' : `${home}/`;
  return [
    ...fetched.map((path) => `--from=deps ${copyPaths([inImage(path), inImage(path)])}`),
    ...byFolder(
      packages.flatMap(({ installFiles }) => installFiles),
      (folder) => (folder === here ? './' : `/app/${folder}`),
    ),
    ...own.map((path) => copyPaths([path, inImage(path)])),
  ];
}

/** Folders of the package.json files that are installed, without those of Mix's dependencies. */
const foldersOf = (packages: readonly NodePackage[]): string[] => {
  const read = packages.flatMap(({ installFiles }) => installFiles);
  const others = read.map((path) => /^(?!deps\/)(.+)\/package\.json$/.exec(path)?.[1]);
  return [...new Set([...packages.map(({ dir }) => dir), ...others.flatMap((dir) => dir ?? [])])];
};

const modulesOf = (dir: string): string => `${inImage(dir)}/node_modules`;

const homeOf = (one: NodePackage): string => one.workspaceDir ?? one.dir;

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

/** The shell's command that installs the packages, and before them a manager that Node's image lacks. */
function install(project: Project, one: NodePackage): string {
  const { image, version } = nodeImage(project);
  const frozen = one.lockfile === null ? '' : ' --frozen-lockfile';
  if (one.manager === 'npm')
    return `npm ${one.lockfile === null ? 'install' : 'ci'} --no-audit --no-fund`;
  if (one.manager === 'bun' && image !== 'node') return `bun install${frozen}`;
  // The builder looks for node_modules, which Yarn 2 and later leave out unless told
  if (one.berry)
    return `${version > NODE ? 'npm install --global corepack && ' : ''}corepack enable && YARN_NODE_LINKER=node-modules yarn install --immutable`;
  // Not the Yarn that older Node images bring: it lies in /opt, where the builder would have to look for it
  const tool = { bun: 'bun', pnpm: `pnpm@${pnpmVersion(project, one)}`, yarn: '--force yarn@1' };
  return `npm install --global ${tool[one.manager]} && ${one.manager} install${frozen}`;
}

/** What package.json names, else the newest pnpm that reads the lockfile's format (pnpm.io, 2026-11). */
function pnpmVersion({ tree }: Project, one: NodePackage): string {
  const [, named] = /^pnpm@(\d[\w.-]*)/.exec(one.packageManager ?? '') ?? [];
  const lock = tree.read(below(homeOf(one), 'pnpm-lock.yaml')) ?? '';
  const [, format = '9'] = /^lockfileVersion:\s*'?(\d+)/m.exec(lock) ?? [];
  return named ?? ({ 5: '7', 6: '8' }[format] || '10');
}
