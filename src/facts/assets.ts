import type { MixProject } from './mix-project.ts';
import { readNodePackages } from './node-packages.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';

const HEX_TOOLS = ['esbuild', 'tailwind', 'dart_sass', 'bun'];

/** Tools and steps of the asset build. */
export function assets(repo: PhoenixRepo, web: MixProject) {
  const { root, released, deps, lock } = repo;
  const deploy = web.aliases.get('assets.deploy') ?? root.aliases.get('assets.deploy') ?? null;
  const nodePackages = readNodePackages(repo, deploy ?? []);
  const hexTools = HEX_TOOLS.filter(
    (tool) => lock.has(tool) && deps.some((dep) => dep.name === tool),
  );
  const owners = ['assets.deploy', 'assets.setup', 'assets.build'].flatMap((alias) =>
    released.filter(({ aliases }) => aliases.has(alias)),
  );
  const owner = owners.find(({ dir }) => dir !== '.') ?? owners[0];
  return {
    tools: [...new Set([...hexTools, ...nodePackages.map(({ manager }) => manager)])],
    /** Asset tools that come as hex packages. */
    hexTools,
    packageJsons: nodePackages.map(({ file }) => file),
    nodePackages,
    /** The steps of the `assets.deploy` alias. */
    deploy,
    /** Folder of the mix.exs with that alias (else assets.setup, assets.build), where mix runs it. */
    appDir: owner?.dir ?? null,
  };
}
