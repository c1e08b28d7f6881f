import type { MixProject } from './mix-project.ts';
import { readNodePackages } from './node-packages.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';

/** Tools and steps of the asset build. */
export function assets(repo: PhoenixRepo, web: MixProject) {
  const { tree, root, released, deps, lock, notes } = repo;
  const deploy = web.aliases.get('assets.deploy') ?? root.aliases.get('assets.deploy') ?? null;
  const nodePackages = readNodePackages(tree, released, deploy ?? [], notes);
  const hexTools = ['esbuild', 'tailwind', 'dart_sass', 'bun'].filter(
    (tool) => lock.has(tool) && deps.some((dep) => dep.name === tool),
  );
  const holders = ['assets.deploy', 'assets.setup', 'assets.build'].flatMap((alias) =>
    released.filter(({ aliases }) => aliases.has(alias)),
  );
  return {
    tools: [...new Set([...hexTools, ...nodePackages.map(({ manager }) => manager)])],
    /** Asset tools that come as hex packages. */
    hexTools,
    packageJsons: nodePackages.map(({ file }) => file),
    nodePackages,
    /** The steps of the `assets.deploy` alias. */
    deploy,
    /** Folder of the mix.exs that has it (else assets.setup, assets.build): mix runs there. */
    appDir: (holders.find(({ dir }) => dir !== '.') ?? holders[0])?.dir ?? null,
  };
}
