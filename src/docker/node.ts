import semver from 'semver';
import type { NodePackage, PackageManager } from '../facts/assets.ts';
import type { Project } from '../facts/detect.ts';
import { normalize } from '../facts/paths.ts';
import { copyPaths } from '../quote.ts';
import { hasFolder, type Copy } from './copies.ts';

/** The stage that installs one package.json, beside the Elixir stages and in parallel with them. */
export interface NodeStage {
  /** Its name in the Dockerfile: node, node-2. */
  name: string;
  /** Of its packages, as in the builder: /app/assets. */
  workdir: string;
  copies: Copy[];
  /** Folders that `mix deps.get` brings and package.json refers to, such as deps/phoenix. */
  fromDeps: string[];
  cache: string;
  install: string;
}

/** Newest long-term release (nodejs/Release schedule, 2026-11); corepack comes with Node up to 24. */
const NODE = 24;

const CACHES: Readonly<Record<PackageManager, string>> = { npm: '/root/.npm', yarn: '/usr/local/share/.cache/yarn', pnpm: '/root/.local/share/pnpm/store', bun: '/root/.bun/install/cache' };

/** Settings of the package managers that an install reads. */
const SETTINGS = ['.npmrc', '.yarnrc', '.yarnrc.yml', 'pnpm-workspace.yaml', 'bunfig.toml'];

export function nodeStages(project: Project): NodeStage[] {
  return project.nodePackages.map((one, index) => {
    const at = (file: string) => (one.dir === '.' ? file : `${one.dir}/${file}`);
    const files = [one.file, ...(one.lockfile ? [at(one.lockfile)] : []), ...SETTINGS.map(at).filter((file) => project.tree.paths.has(file))];
    const inRepo = one.fileDeps.map((path) => normalize(`${one.dir}/${path}`)).filter((path) => !path.startsWith('..'));
    const releases = at('.yarn/releases');
    return {
      name: index === 0 ? 'node' : `node-${index + 1}`,
      workdir: one.dir === '.' ? '/app' : `/app/${one.dir}`,
      copies: [
        copyPaths([...files, './']),
        ...(hasFolder(project, releases) ? [copyPaths([releases, '.yarn/releases'])] : []),
        ...inRepo.filter((path) => !path.startsWith('deps/')).map((path) => copyPaths([path, `/app/${path}`])),
      ],
      fromDeps: inRepo.filter((path) => path.startsWith('deps/')),
      cache: isBerry(project, one) ? '/root/.yarn/berry/cache' : CACHES[one.manager],
      install: install(project, one),
    };
  });
}

/** Image and version of the stages: Bun's where everything is Bun's, else Node's. */
export function nodeImage(project: Project): { arg: string; version: number; image: string } {
  const bun = project.nodePackages.every((one) => one.manager === 'bun');
  return bun ? { arg: 'BUN_VERSION', version: 1, image: 'oven/bun' } : { arg: 'NODE_VERSION', version: nodeMajor(project), image: 'node' };
}

/** The major version that the repo pins, else the newest long-term one. */
function nodeMajor(project: Project): number {
  const pins = [
    /^\s*nodejs\s+v?(\d+)/m.exec(project.tree.read('.tool-versions') ?? '')?.[1],
    /^\s*node(?:js)?\s*=\s*["']v?(\d+)/m.exec(project.tree.read('mise.toml') ?? project.tree.read('.mise.toml') ?? '')?.[1],
    ...['.nvmrc', '.node-version', ...project.nodePackages.flatMap(({ dir }) => [`${dir}/.nvmrc`, `${dir}/.node-version`])].map((file) => /^v?(\d+)/.exec(project.tree.read(file)?.trim() ?? '')?.[1]),
  ];
  return Number(pins.find(Boolean) ?? NODE);
}

const isBerry = (project: Project, one: NodePackage): boolean => one.manager === 'yarn' && /^__metadata:/m.test(project.tree.read(one.dir === '.' ? 'yarn.lock' : `${one.dir}/yarn.lock`) ?? '');

function install(project: Project, one: NodePackage): string {
  const frozen = one.lockfile !== null;
  const corepack = nodeMajor(project) > NODE ? 'npm install --global corepack && corepack enable' : 'corepack enable';
  if (one.manager === 'bun') return `${nodeImage(project).image === 'node' ? 'npm install --global bun && ' : ''}bun install${frozen ? ' --frozen-lockfile' : ''}`;
  if (one.manager === 'pnpm') return `npm install --global pnpm@${pnpmVersion(project, one)} && pnpm install${frozen ? ' --frozen-lockfile' : ''}`;
  // The builder looks for node_modules, which Yarn 2 and later leave out unless told
  if (isBerry(project, one)) return `${corepack} && YARN_NODE_LINKER=node-modules yarn install --immutable`;
  if (one.manager === 'yarn') return `yarn install${frozen ? ' --frozen-lockfile' : ''}`;
  return frozen ? 'npm ci --no-audit --no-fund' : 'npm install --no-audit --no-fund';
}

/** What package.json names, else the newest pnpm that reads the lockfile's format (pnpm.io, 2026-11). */
function pnpmVersion(project: Project, one: NodePackage): string {
  const [, named] = /"packageManager"\s*:\s*"pnpm@(\d[\w.-]*)/.exec(project.tree.read(one.file) ?? '') ?? [];
  if (named) return named;
  const lock = project.tree.read(one.dir === '.' ? 'pnpm-lock.yaml' : `${one.dir}/pnpm-lock.yaml`) ?? '';
  const format = semver.coerce(/^lockfileVersion:\s*'?([\d.]+)/m.exec(lock)?.[1] ?? '9')?.major ?? 9;
  return format >= 9 ? '10' : format >= 6 ? '8' : '7';
}
