import { evaluate } from '../elixir/evaluate.ts';
import { type Expr, moduleOf, walk } from '../elixir/expr.ts';
import { Run, type Setting, type VariableRead } from '../elixir/run.ts';
import { emptyScope } from '../elixir/scope.ts';
import { parseElixir } from '../elixir/syntax.ts';
import type { Value } from '../elixir/value.ts';
import { below, type Tree } from '../tree.ts';

export type { Setting, VariableRead } from '../elixir/run.ts';

/** An environment variable that production insists on. */
export interface RequiredEnv extends VariableRead {
  /** Read while the image is built (config.exs, prod.exs), not when it boots. */
  compileTime: boolean;
}

/** The production configuration as Config.Reader would see it, as far as it can be known. */
export interface Config {
  /** What is compiled into the image, by app. */
  compiled: ReadonlyMap<string, Value>;
  /** The same with what runtime.exs may set, whichever branch it takes. */
  apps: ReadonlyMap<string, Value>;
  settings: readonly Setting[];
  /** Config files read, in order (imports included). */
  files: readonly string[];
  /** Every environment variable that is read at all. */
  env: ReadonlySet<string>;
  /** Files that each config file reads (`Code.require_file`, `File.read!`), wherever they are. */
  reads: ReadonlyMap<string, ReadonlySet<string>>;
}

export const configFile = (folder: string): string => below(folder, 'config/config.exs');

/**
 * Reads the settings of the config files in `folders`, of what they import and of runtime.exs. Where only
 * the running system can choose a branch, all count. Missing files are skipped.
 */
export function readConfig(
  tree: Tree,
  folders: readonly string[],
  runtime: string | undefined,
): Config {
  const run = new Run(tree, { environment: 'any' });
  for (const folder of folders) run.runFile(configFile(folder));
  const compiled = run.apps;
  if (runtime) run.runFile(runtime);
  const { apps, settings, files, inputs } = run;
  const named = files.flatMap((file) => variablesIn(parseElixir(tree.read(file) ?? '').body));
  return { compiled, apps, settings, files, env: new Set([...run.reads, ...named]), reads: inputs };
}

/** Variables that are read by name, be it where the run doesn't come to. */
function variablesIn(body: readonly Expr[]): string[] {
  const names: string[] = [];
  walk(body, (expr) => {
    if (expr.is !== 'call' || moduleOf(expr) !== 'System' || !/^(get|fetch)_env!?$/.test(expr.name))
      return;
    const name = evaluate(expr.args[0], emptyScope());
    if (typeof name === 'string') names.push(name);
  });
  return names;
}
