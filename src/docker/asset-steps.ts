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
  const { app, projects, umbrella } = project;
  const having = projects.filter(({ aliases }) => aliases.has('assets.deploy'));
  const root = having.find(({ dir }) => dir === '.');
  const owners = root ? [root] : having;
  const setup = (owners.length ? owners : projects.slice(0, 1)).flatMap((owner) =>
    run(owner, 'assets.setup', /\.install\b/),
  );
  if (owners.length) {
    const steps = owners.flatMap((owner) => followed(owner, 'assets.deploy'));
    return {
      setup: umbrella ? [] : setup,
      build: owners.flatMap((owner) => run(owner, 'assets.deploy')),
      needsNode: steps.some((step) => NODE.test(step) && !INSTALL.test(step)),
      notes: [],
    };
  }
  const web = app.webDir === '.' ? '' : `${app.webDir}/`;
  const hasAssets = hasFolder(project, `${web}priv/static`) || hasFolder(project, `${web}assets`);
  const tasks = hasAssets ? tasksByHand(project) : [];
  return {
    setup: umbrella ? [] : setup,
    build: [...tasks, ...(hasAssets ? [inWeb(project, 'phx.digest')] : [])],
    needsNode: tasks.some((task) => NODE.test(task)),
    notes: hasAssets ? byHandNotes(project, tasks) : [],
  };
}

/** An alias as tasks; without the steps that a Node stage has done, and only those that `keep` lets through. */
function run(owner: MixProject, alias: string, keep = /./): string[] {
  const steps = owner.aliases.get(alias);
  if (!steps) return [];
  const left = steps.filter((step) => !INSTALL.test(step) && keep.test(step));
  if (left.length === steps.length || steps.includes('(a function)')) return [inApp(owner, alias)];
  return left.map((step) => inApp(owner, step.split(/\s+/).map(shellWord).join(' ')));
}

/** The steps of an alias, with aliases among them followed. */
const followed = (owner: MixProject, step: string, depth = 0): string[] =>
  (depth < 5 && owner.aliases.get(step)?.flatMap((next) => followed(owner, next, depth + 1))) || [
    step,
  ];

/** A task in the folder of one app: an alias of an umbrella's app is known there alone. */
const inApp = ({ dir, app }: MixProject, task: string): string =>
  dir === '.' ? task : `do --app ${shellWord(app ?? '')} cmd mix ${task}`;

const webProject = ({ app, projects }: Project): MixProject | undefined =>
  projects.find(({ dir }) => dir === app.webDir) ?? projects[0];

function inWeb(project: Project, task: string): string {
  const web = webProject(project);
  return web ? inApp(web, task) : task;
}

/** No assets.deploy: the profiles of the hex tools, the build script of each package.json. */
function tasksByHand(project: Project): string[] {
  const { hexTools, nodePackages } = project.assets;
  const tools = hexTools
    .filter((tool) => tool === 'tailwind' || tool === 'esbuild')
    .flatMap((tool) =>
      pairs(project.config.apps.get(tool))
        .filter(([name]) => !SETTINGS.has(name))
        .map(([profile]) => inWeb(project, `${tool} ${shellWord(profile)} --minify`)),
    );
  // A command of an umbrella would run in each of its apps
  const app = project.umbrella ? webProject(project)?.app : undefined;
  const shell = app ? `do --app ${shellWord(app)} cmd` : 'cmd';
  const scripts = nodePackages.flatMap(({ dir, manager, scripts: known }) => {
    const script = BUILD_SCRIPTS.find((name) => known.includes(name));
    const folder = project.umbrella ? inImage(dir) : dir;
    const where = folder === '.' ? '' : ` ${IN_FOLDER[manager]} ${shellWord(folder)}`;
    return script ? [`${shell} ${manager}${where} run ${script}`] : [];
  });
  return [...tools, ...scripts];
}

/** Keys of the hex tools that are no profiles. */
const SETTINGS = new Set(['version', 'version_check', 'path', 'target', 'install_path']);

function byHandNotes({ assets }: Project, tasks: readonly string[]): string[] {
  const none = 'mix.exs has no assets.deploy alias';
  if (tasks.length)
    return [
      `${none}, so the image builds the assets with: mix do ${tasks.join(' + ')}. Write the alias if your build differs, then run again.`,
    ];
  return assets.packageJsons.length
    ? [
        `${none} and ${assets.packageJsons.join(', ')} no build script, so the image holds only the assets that are in priv/static; write the alias, then run again.`,
      ]
    : [];
}
