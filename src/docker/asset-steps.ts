import { pairs } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';
import type { MixProject } from '../facts/mix-project.ts';
import type { PackageManager } from '../facts/node-packages.ts';
import { shellWord } from '../quote.ts';
import { hasFolder, inImage } from './copies.ts';

/** How the image builds the assets. */
export interface Assets {
  /** Mix tasks that download the asset tools, together with the dependencies; an umbrella's tools come when they are called. */
  setup: string[];
  /** Mix tasks that run one after the other once the code is compiled; empty when there are no assets. */
  build: string[];
  /** Whether they call Node or a package manager. */
  needsNode: boolean;
  notes: string[];
}

/** Installs that the Node stage has done already. */
const INSTALL = /^cmd\b.*\b(npm|yarn|pnpm|bun)\b.*\b(ci|i|install|add)\b|^cmd\b.*\b(yarn|pnpm)\s*$/;
export const installsNode = (step: string): boolean => INSTALL.test(step);
const NODE =
  /\bcmd\b.*\b(npm|npx|yarn|pnpm|bun|bunx|node|webpack|vite)\b|\b(npm|yarn|pnpm|bun) run\b/;
/** How each manager is told to work in a folder. */
const IN_FOLDER: Readonly<Record<PackageManager, string>> = {
  npm: '--prefix',
  yarn: '--cwd',
  pnpm: '--dir',
  bun: '--cwd',
};
/** Scripts of package.json that build for production, the likeliest first. */
const BUILD_SCRIPTS = ['deploy', 'build:prod', 'production', 'prod', 'build'];

export function assets(project: Project): Assets {
  const owners = deployOwners(project);
  const setups = (owners.length ? owners : [project.projects[0]]).flatMap((owner) =>
    owner?.aliases.has('assets.setup') ? run(owner, 'assets.setup', /\.install\b/) : [],
  );
  const digest =
    hasFolder(project, `${webFolder(project)}priv/static`) ||
    hasFolder(project, `${webFolder(project)}assets`)
      ? inWeb(project, 'phx.digest')
      : null;
  const byHand = owners.length ? { tasks: [], notes: [] } : withoutAlias(project, digest !== null);
  const build = owners.length
    ? owners.flatMap((owner) => run(owner, 'assets.deploy'))
    : [...byHand.tasks, ...(digest ? [digest] : [])];
  const used = owners.flatMap((owner) => resolved(owner, owner.aliases.get('assets.deploy') ?? []));
  return {
    setup: project.umbrella ? [] : setups,
    build,
    needsNode:
      used.some((step) => NODE.test(step) && !INSTALL.test(step)) ||
      byHand.tasks.some((task) => NODE.test(task)),
    notes: byHand.notes,
  };
}

const webFolder = (project: Project): string =>
  project.app.webDir === '.' ? '' : `${project.app.webDir}/`;

/** The projects whose `assets.deploy` builds: the root, else every app of the umbrella that has one. */
function deployOwners(project: Project): MixProject[] {
  const having = project.projects.filter((one) => one.aliases.has('assets.deploy'));
  const root = having.find((one) => one.dir === '.');
  return root ? [root] : having;
}

/** An alias as tasks; without the steps that a Node stage has done, and only those that `keep` lets through. */
function run(owner: MixProject, alias: string, keep = /./): string[] {
  const steps = owner.aliases.get(alias) ?? [];
  const left = steps.filter((step) => !INSTALL.test(step) && keep.test(step));
  if (left.length === steps.length || steps.includes('(a function)')) return [inApp(owner, alias)];
  return left.map((step) => inApp(owner, step.split(/\s+/).map(shellWord).join(' ')));
}

/** The steps with aliases among them followed. */
const resolved = (owner: MixProject, steps: readonly string[], depth = 0): string[] =>
  steps.flatMap((step) =>
    depth < 4 && owner.aliases.has(step)
      ? resolved(owner, owner.aliases.get(step) ?? [], depth + 1)
      : step,
  );

/** A task in the folder of one app: an alias of an umbrella's app is known there alone. */
const inApp = ({ dir, app }: MixProject, task: string): string =>
  dir === '.' ? task : `do --app ${shellWord(app ?? '')} cmd mix ${task}`;

const inWeb = (project: Project, task: string): string => {
  const web = project.projects.find(({ dir }) => dir === project.app.webDir) ?? project.projects[0];
  return web ? inApp(web, task) : task;
};

/** No assets.deploy: the build script of each package.json, the profiles of the hex tools. */
function withoutAlias(project: Project, hasAssets: boolean): { tasks: string[]; notes: string[] } {
  if (!hasAssets) return { tasks: [], notes: [] };
  const scripts = project.assets.nodePackages.flatMap(({ dir, manager, scripts: known }) => {
    const script = BUILD_SCRIPTS.find((name) => known.includes(name));
    const folder = project.umbrella ? inImage(dir) : dir;
    const where = folder === '.' ? '' : ` ${IN_FOLDER[manager]} ${shellWord(folder)}`;
    return script ? [inShell(project, `${manager}${where} run ${script}`)] : [];
  });
  const tools = project.assets.hexTools
    .filter((tool) => tool === 'tailwind' || tool === 'esbuild')
    .flatMap((tool) =>
      profiles(project, tool).map((profile) =>
        inWeb(project, `${tool} ${shellWord(profile)} --minify`),
      ),
    );
  const tasks = [...tools, ...scripts];
  return { tasks, notes: note(project, tasks) };
}

/** Any command as a task; that of an umbrella would run in each of its apps. */
const inShell = (project: Project, command: string): string => {
  const web = project.projects.find(({ dir }) => dir === project.app.webDir);
  return project.umbrella && web?.app
    ? `do --app ${shellWord(web.app)} cmd ${command}`
    : `cmd ${command}`;
};

function note(project: Project, tasks: readonly string[]): string[] {
  if (tasks.length)
    return [
      `mix.exs has no assets.deploy alias, so the image builds the assets with: mix do ${tasks.join(' + ')}. Write the alias if your build differs, then run again.`,
    ];
  if (project.assets.nodePackages.length === 0) return [];
  return [
    `mix.exs has no assets.deploy alias and ${project.assets.packageJsons.join(', ')} no build script, so the image holds only the assets that are in priv/static; write the alias, then run again.`,
  ];
}

const profiles = (project: Project, tool: string): string[] =>
  pairs(project.config.apps.get(tool))
    .map(([name]) => name)
    .filter(
      (name) => !['version', 'version_check', 'path', 'target', 'install_path'].includes(name),
    );
