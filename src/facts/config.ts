import { Run } from '../elixir/run.ts';
import type { VariableRead } from '../elixir/types.ts';
import { below, type Tree } from '../tree.ts';
import type { MixProject } from './mix-project.ts';

/** Functions of packages that read the environment, as `readers` of RunOptions. */
export const READERS = { 'Envious.required!': 1, 'Envious.optional': 0, 'Dotenvy.env!': 2 };

/** An environment variable that production insists on. */
export interface RequiredEnv extends VariableRead {
  /** Read while the image is built (config.exs, prod.exs), not when it boots. */
  compileTime: boolean;
}

/** The production configuration as Config.Reader would see it, as far as it can be known. */
export type Config = ReturnType<typeof readConfig>;

/** The config.exs of a project, by its folder. */
export const configFile = (folder: string): string => below(folder, 'config/config.exs');

/** The environment variables that a text names. */
export const variablesIn = (text: string): string[] =>
  [...text.matchAll(/System\.(?:get|fetch)_env!?\(\s*"([A-Za-z_]\w*)"/g)].map(
    ([, name = '']) => name,
  );

/**
 * Reads the settings of the projects' config.exs, of what it imports and of runtime.exs. Where only
 * the running system can choose a branch, all count. Missing files are skipped.
 */
export function readConfig(tree: Tree, projects: readonly MixProject[], runtime?: string) {
  const run = new Run(tree, { environment: 'any', readers: READERS });
  for (const { dir } of projects) run.runFile(configFile(dir));
  const compiled = run.apps;
  const buildInputs = [...run.inputs];
  run.inputs.clear();
  if (runtime) run.runFile(runtime);
  const { apps, settings, files } = run;
  const code = files.map((file) => (tree.read(file) ?? '').replace(/^ *#.*$/gm, '')).join('\n');
  return {
    /** What is compiled into the image, by app. */
    compiled,
    /** The same with what runtime.exs may set, whichever branch it takes. */
    apps,
    settings,
    /** Config files, in the order they are run (imports included). */
    files,
    /** Every environment variable that these files name, also where the run doesn't get to. */
    env: new Set([...run.variables.reads, ...variablesIn(code)]),
    /** Files that the build's config files read (`Code.require_file`, `File.read!`), those above the app too. */
    buildInputs,
    /** Files that runtime.exs reads. */
    runtimeInputs: [...run.inputs],
  };
}
