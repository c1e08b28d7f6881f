import type { Project } from '../facts/detect.ts';
import { followed, type MixProject } from '../facts/mix-project.ts';
import { shellWord } from '../quote.ts';
import { below, exists } from '../tree.ts';
import { hasNodeStage } from './node-stages.ts';

/** An install of packages, which a Node stage has done already. */
export const installsNode = (step: string): boolean =>
  /^cmd\b.*\b(npm|yarn|pnpm|bun)\b.*\b(ci|i|install|add)\b|^cmd\b.*\b(yarn|pnpm)\s*$/.test(step);
const NODE =
  /\bcmd\b.*\b(npm|npx|yarn|pnpm|bun|bunx|node|webpack|vite)\b|\b(npm|yarn|pnpm|bun) run\b/;
/** Scripts of package.json that build for production, the likeliest first. */
const BUILD_SCRIPTS = ['deploy', 'build:prod', 'production', 'prod', 'build'];

/** How the image builds the assets. */
export type Assets = ReturnType<typeof assets>;

export function assets(project: Project) {
  const { projects, released, umbrella } = project;
  const having = released.filter(({ aliases }) => aliases.has('assets.deploy'));
  const root = having.filter(({ dir }) => dir === '.');
  const owners = root.length ? root : having;
  const byHand = owners.length ? undefined : withoutAlias(project);
  const steps = owners.flatMap((owner) => followed(owner, 'assets.deploy'));
  return {
    /** Mix tasks that download the asset tools, together with the dependencies; an umbrella's tools come when they are called. */
    setup: umbrella ? [] : released.flatMap((owner) => run(owner, 'assets.setup', /\.install\b/)),
    /** Mix tasks that run one after the other once the code is compiled; empty when there are no assets. */
    build: byHand?.build ?? owners.flatMap((owner) => run(owner, 'assets.deploy')),
    /** Whether they call Node or a package manager. */
    needsNode:
      [...steps, ...(byHand?.build ?? [])].some((step) => NODE.test(step) && !installsNode(step)) ||
      // What a function runs is not known, but there are packages for it
      (steps.includes('(a function)') && hasNodeStage(project)) ||
      // These aliases are run as they are, their installs too
      projects.some(({ aliases }) =>
        ['compile', 'release'].some((name) => aliases.get(name)?.some((step) => NODE.test(step))),
      ),
    notes: byHand?.notes ?? [],
  };
}

/** An alias as tasks; without the steps that a Node stage has done, and only those that `keep` lets through. */
function run(owner: MixProject, alias: string, keep = /./): string[] {
  const steps = owner.aliases.get(alias)?.flatMap((step) => {
    const inside = followed(owner, step);
    return inside.some(installsNode) ? inside : step;
  });
  if (!steps) return [];
  const left = steps.filter((step) => !installsNode(step) && keep.test(step));
  if (left.length === steps.length || steps.includes('(a function)')) return [inApp(owner, alias)];
  return left.map((step) => inApp(owner, wordsOf(step).map(shellWord).join(' ')));
}

/** The words of a step, as OptionParser.split/1 of Elixir takes them. */
const wordsOf = (step: string): string[] =>
  (step.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  );

/** A task in the folder of one app: an alias of an umbrella's app is known there alone. */
const inApp = ({ dir, app }: MixProject, task: string): string =>
  dir === '.' ? task : `do --app ${shellWord(app ?? '')} cmd mix ${task}`;

/** No assets.deploy: the build script of each package.json, and the digest. */
function withoutAlias(project: Project): { build: string[]; notes: string[] } {
  const { app, projects, umbrella } = project;
  const { hexTools, nodePackages, packageJsons } = project.assets;
  const web = projects.find(({ dir }) => dir === app.webDir) ?? projects[0];
  const folders = ['priv/static', 'assets'].map((name) => below(app.webDir, name));
  if (!web || !folders.some((folder) => exists(project.tree, folder)))
    return { build: [], notes: [] };
  // A command of an umbrella would run in each of its apps
  const shell = umbrella ? `do --app ${shellWord(web.app ?? '')} cmd --cd /app/` : 'cmd --cd ';
  const scripts = nodePackages.flatMap(({ dir, manager, scripts: known }) => {
    const script = BUILD_SCRIPTS.find((name) => known.includes(name));
    return script ? [`${shell}${shellWord(dir)} ${manager} run ${script}`] : [];
  });
  const lacks = 'mix.exs has no assets.deploy alias';
  const notes = scripts.length
    ? [
        `${lacks}, so the image builds the assets with: mix do ${scripts.join(' + ')}. Write the alias if your build differs, then run again.`,
      ]
    : [
        `${lacks} and no package.json has a build script, so the image holds only the assets that are in priv/static; write the alias, then run again.`,
      ];
  const isSilent = !scripts.length && !packageJsons.length && !hexTools.length;
  return { build: [...scripts, inApp(web, 'phx.digest')], notes: isSilent ? [] : notes };
}
