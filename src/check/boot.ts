import { Run } from '../elixir/run.ts';
import { get, type Value } from '../elixir/value.ts';
import { configFile } from '../facts/config.ts';
import type { Tree } from '../tree.ts';

/** The configuration that a release would start with. */
export interface Boot {
  /** Settings by OTP app, compiled ones included. */
  apps: ReadonlyMap<string, Value>;
  /** What it stopped with, in the order met (a real start ends at the first); '' where only the running release knows. */
  stops: string[];
}

/** `get_in(config, [app, key, name, …])`; undefined when nobody sets it. */
export const setting = (boot: Boot, app: string, ...keys: string[]): Value | undefined =>
  keys.reduce<Value | undefined>((value, key) => get(value, key), boot.apps.get(app));

/**
 * Runs runtime.exs in thought, on top of what config.exs compiled in, with exactly the environment given. So a setting is
 * judged by what it does, however it is written. Pure; what only a running system knows is Unknown in the result.
 */
export const booter =
  (tree: Tree, runtime: string, compiled: ReadonlyMap<string, Value>) =>
  (environment: Readonly<Record<string, string>>): Boot => {
    const run = new Run(tree, { environment, settings: compiled });
    run.runFile(runtime);
    return { apps: run.apps, stops: run.stops.map(({ message }) => message) };
  };

/**
 * What the code alone sets in production: `compiled` into the image, whose build sees no variable, and `all` with every
 * branch of runtime.exs, taken or not.
 */
export function possible(
  tree: Tree,
  runtime: string,
  folders: readonly string[],
): { compiled: ReadonlyMap<string, Value>; all: ReadonlyMap<string, Value> } {
  const build = new Run(tree, { environment: {} });
  for (const folder of folders) build.runFile(configFile(folder));
  const compiled = build.apps;
  const every = new Run(tree, { environment: 'any', settings: compiled });
  every.runFile(runtime);
  return { compiled, all: every.apps };
}
