import coerce from 'semver/functions/coerce.js';
import type { Project } from '../facts/detect.ts';
import type { NodePackage, PackageManager } from '../facts/node-packages.ts';
import { copyPaths, shellWord } from '../quote.ts';
import { normalize } from '../tree.ts';
import { byFolder, type Copy, inImage } from './copies.ts';

/** The stage that installs one package.json, beside the Elixir stages and in parallel with them. */
export interface NodeStage {
  /** Its name in the Dockerfile: node, node-2. */
  name: string;
  /** Of its packages, as in the builder: /app/assets. */
  workdir: string;
  /** Files of the repo, and folders that `mix deps.get` brings and package.json refers to, such as deps/phoenix. */
  copies: Copy[];
  cache: string;
  install: string;
  /** The node_modules that it leaves. */
  modules: string[];
}

/** Newest long-term release (nodejs/Release schedule, 2026-11); corepack comes with Node up to 24. */
const NODE = 24;

const CACHES: Readonly<Record<PackageManager, string>> = {
  npm: '/root/.npm',
  yarn: '/usr/local/share/.cache/yarn',
  pnpm: '/root/.local/share/pnpm/store',
  bun: '/root/.bun/install/cache',
};

export function nodeStages(project: Project): NodeStage[] {
  const homes = new Map<string, NodePackage[]>();
  for (const one of project.assets.nodePackages)
    homes.set(homeOf(one), [...(homes.get(homeOf(one)) ?? []), one]);
  return [...homes].flatMap(([home, packages], index) => {
    const [first] = packages;
    if (!first) return [];
    const inRepo = [
      ...new Set(
        packages.flatMap((one) => one.fileDeps.map((path) => normalize(`${one.dir}/${path}`))),
      ),
    ].filter((path) => !path.startsWith('..'));
    const members = packages.map(({ dir }) => dir).filter((dir) => dir !== home);
    return {
      name: index === 0 ? 'node' : `node-${index + 1}`,
      workdir: inImage(home),
      copies: [
        ...inRepo
          .filter((path) => path.startsWith('deps/'))
          .map((path) => `--from=deps ${copyPaths([inImage(path), inImage(path)])}`),
        ...byFolder(
          packages.flatMap((one) => one.installFiles),
          (folder) => ((folder.replace(/\/$/, '') || '.') === home ? './' : `/app/${folder}`),
        ),
        ...inRepo
          .filter((path) => !path.startsWith('deps/'))
          .map((path) => copyPaths([path, `/app/${path}`])),
      ],
      cache: first.berry ? '/root/.yarn/berry/cache' : CACHES[first.manager],
      // A workspace may keep all packages at its top, and COPY wants every folder to be there
      install: [
        install(project, first),
        ...members.map((dir) => `mkdir -p ${shellWord(`${inImage(dir)}/node_modules`)}`),
      ].join(' && '),
      modules: [home, ...members].map((dir) => `${inImage(dir)}/node_modules`),
    };
  });
}

const homeOf = (one: NodePackage): string => one.workspaceDir ?? one.dir;

/** Image and version of the stages: Bun's where everything is Bun's, else Node's. */
export function nodeImage(project: Project): { arg: string; version: number; image: string } {
  const bun = project.assets.nodePackages.every((one) => one.manager === 'bun');
  return bun
    ? { arg: 'BUN_VERSION', version: 1, image: 'oven/bun' }
    : { arg: 'NODE_VERSION', version: nodeMajor(project), image: 'node' };
}

/** A stage that has Node, and not Bun alone. */
export const hasNodeStage = (project: Project): boolean =>
  project.assets.nodePackages.length > 0 && nodeImage(project).image === 'node';

/** The major version that the repo pins, else the newest long-term one. */
const nodeMajor = (project: Project): number =>
  Number.parseInt(
    project.assets.nodePackages.map((one) => one.nodeVersion).find(Boolean) ?? '',
    10,
  ) || NODE;

function install(project: Project, one: NodePackage): string {
  const frozen = one.lockfile === null ? '' : ' --frozen-lockfile';
  if (one.manager === 'bun')
    return `${nodeImage(project).image === 'node' ? 'npm install --global bun && ' : ''}bun install${frozen}`;
  if (one.manager === 'pnpm')
    return `npm install --global pnpm@${pnpmVersion(project, one)} && pnpm install${frozen}`;
  // The builder looks for node_modules, which Yarn 2 and later leave out unless told
  if (one.berry)
    return `${nodeMajor(project) > NODE ? 'npm install --global corepack && ' : ''}corepack enable && YARN_NODE_LINKER=node-modules yarn install --immutable`;
  // Not the one that older Node images bring: it lies in /opt, where the builder would have to look for it
  if (one.manager === 'yarn') return `npm install --global --force yarn@1 && yarn install${frozen}`;
  return one.lockfile === null ? 'npm install --no-audit --no-fund' : 'npm ci --no-audit --no-fund';
}

/** What package.json names, else the newest pnpm that reads the lockfile's format (pnpm.io, 2026-11). */
function pnpmVersion(project: Project, one: NodePackage): string {
  const [, named] = /^pnpm@(\d[\w.-]*)/.exec(one.packageManager ?? '') ?? [];
  if (named) return named;
  const lock =
    project.tree.read(homeOf(one) === '.' ? 'pnpm-lock.yaml' : `${homeOf(one)}/pnpm-lock.yaml`) ??
    '';
  const format = coerce(/^lockfileVersion:\s*'?([\d.]+)/m.exec(lock)?.[1] ?? '9')?.major ?? 9;
  if (format >= 9) return '10';
  return format >= 6 ? '8' : '7';
}
