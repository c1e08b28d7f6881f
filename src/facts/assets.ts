import type { MixProject } from './mix-project.ts';
import { readNodePackages } from './node-packages.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';

const HEX_TOOLS = ['esbuild', 'tailwind', 'dart_sass', 'bun'];

/** Tools and steps of the asset build. */
export function assets(repo: PhoenixRepo, web: MixProject) {
  const { root, deps, lock } = repo;
  const owner = [web, root].find(({ aliases }) => aliases.has('assets.deploy'));
  const deploy = owner?.aliases.get('assets.deploy') ?? null;
  const nodePackages = readNodePackages(repo, deploy ?? []);
  const hexTools = HEX_TOOLS.filter(
    (tool) => lock.has(tool) && deps.some((dep) => dep.name === tool),
  );
  return {
    tools: [...new Set([...hexTools, ...nodePackages.map(({ manager }) => manager)])],
    /** Asset tools that come as hex packages. */
    hexTools,
    packageJsons: nodePackages.map(({ file }) => file),
    nodePackages,
    /** The steps of the `assets.deploy` alias. */
    deploy,
    /** Folder of the mix.exs with that alias, where mix runs it. */
    appDir: owner?.dir ?? null,
  };
}
