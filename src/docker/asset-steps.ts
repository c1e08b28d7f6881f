import type { Project } from '../facts/detect.ts';
import { aliasSteps, type MixProject } from '../facts/mix-project.ts';
import { shellWord } from '../quote.ts';
import { below, exists } from '../tree.ts';
import { hasNodeStage } from './node-stages.ts';

/** `npm --prefix assets ci`; not `npm run ci:build` */
const NPM_INSTALL =
  /\b(npm|yarn|pnpm|bun)\s+(\S+\s+){0,8}?(ci|i|install|clean-install|add)(?![\w:-])/;
/** `yarn` alone; not `apk add nodejs yarn` or `corepack enable yarn` */
const YARN = /^(?!.*\b(add|enable|install)\b).*\b(yarn|pnpm)\s*$/;

/** Whether a command installs a project's packages; `npm install -g pnpm` and `yarn global add x` don't. */
export const isNpmInstall = (command: string): boolean =>
  (NPM_INSTALL.test(command) || YARN.test(command)) && !/\s(-g|--global|global)\b/.test(command);

/** A step that installs packages, which a Node stage has done already. */
export const isNodeStageStep = (step: string): boolean => /^cmd\b/.test(step) && isNpmInstall(step);

/** `cmd --cd assets node build.js`, `npm run deploy` */
const USES_NODE =
  /\bcmd\b.*\b(npm|npx|yarn|pnpm|bun|bunx|node|webpack|vite)\b|\b(npm|yarn|pnpm|bun) run\b/;

/** Scripts of package.json that build for production, the likeliest first. */
const BUILD_SCRIPTS = ['deploy', 'build:prod', 'production', 'prod', 'build'];

/** How the image builds the assets. */
export function assetSteps(project: Project) {
  const { released, umbrella } = project;
  const withAlias = released.filter(({ aliases }) => aliases.has('assets.deploy'));
  const atRoot = withAlias.filter(({ dir }) => dir === '.');
  const owners = atRoot.length ? atRoot : withAlias;
  const { build, notes } = owners.length
    ? { build: owners.flatMap((owner) => tasksOf(owner, 'assets.deploy')), notes: [] }
    : stepsWithoutAlias(project);
  const steps = owners.flatMap((owner) => aliasSteps(owner, 'assets.deploy'));
  return {
    /** Mix tasks that download the asset tools, together with the dependencies; an umbrella's tools come when they are called. */
    setup: umbrella
      ? []
      : released.flatMap((owner) => tasksOf(owner, 'assets.setup', /\.install\b/)),
    /** Mix tasks that run one after the other once the code is compiled; empty when there are no assets. */
    build,
    /** Whether they call Node or a package manager. */
    needsNode: needsNode(project, owners.length ? steps : build),
    notes,
  };
}

function needsNode(project: Project, steps: readonly string[]): boolean {
  if (steps.some((step) => USES_NODE.test(step) && !isNodeStageStep(step))) return true;
  // What a function runs is not known, but there are packages for it
  if (steps.includes('(a function)') && hasNodeStage(project)) return true;
  // These aliases are run as they are, their installs too
  const aliases = project.projects.flatMap((owner) =>
    ['compile', 'release'].flatMap((alias) => owner.aliases.get(alias) ?? []),
  );
  return aliases.some((step) => USES_NODE.test(step));
}

/** An alias as tasks; without the steps that a Node stage has done, and only those that match. */
function tasksOf(owner: MixProject, alias: string, pattern = /./): string[] {
  const steps = owner.aliases.get(alias)?.flatMap((step) => {
    const inner = aliasSteps(owner, step);
    return inner.some(isNodeStageStep) ? inner : step;
  });
  if (!steps) return [];
  const left = steps.filter((step) => !isNodeStageStep(step) && pattern.test(step));
  if (left.length === steps.length || steps.includes('(a function)')) return [inApp(owner, alias)];
  return left.map((step) => inApp(owner, wordsOf(step).map(shellWord).join(' ')));
}

/** The words of a step, as OptionParser.split/1 of Elixir takes them. */
function wordsOf(step: string): string[] {
  const words = step.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

/** A task in the folder of one app: an alias of an umbrella's app is known there alone. */
const inApp = ({ dir, app }: MixProject, task: string): string =>
  dir === '.' ? task : `do --app ${shellWord(app ?? '')} cmd mix ${task}`;

/** No assets.deploy: the build script of each package.json, and the digest. */
function stepsWithoutAlias(project: Project): { build: string[]; notes: string[] } {
  const { app, projects, umbrella } = project;
  const { hexTools, nodePackages, packageJsons } = project.assets;
  const web = projects.find(({ dir }) => dir === app.webDir) ?? projects[0];
  const folders = ['priv/static', 'assets'].map((name) => below(app.webDir, name));
  if (!web || !folders.some((folder) => exists(project.tree, folder)))
    return { build: [], notes: [] };
  // A command of an umbrella would run in each of its apps
  const command = umbrella ? `do --app ${shellWord(web.app ?? '')} cmd --cd /app/` : 'cmd --cd ';
  const scripts = nodePackages.flatMap((nodePackage) => {
    const script = BUILD_SCRIPTS.find((name) => nodePackage.scripts.includes(name));
    const { dir, manager } = nodePackage;
    return script ? [`${command}${shellWord(dir)} ${manager} run ${script}`] : [];
  });
  const build = [...scripts, inApp(web, 'phx.digest')];
  const lacks = 'mix.exs has no assets.deploy alias';
  const notes: string[] = [];
  if (scripts.length)
    notes.push(
      `${lacks}, so the image builds the assets with: mix do ${scripts.join(' + ')}. Write the alias if your build differs, then run again.`,
    );
  else if (packageJsons.length || hexTools.length)
    notes.push(
      `${lacks} and no package.json has a build script, so the image holds only the assets that are in priv/static; write the alias, then run again.`,
    );
  return { build, notes };
}
