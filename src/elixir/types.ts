import type { Scope } from './scope.ts';
import type { Value } from './value.ts';

/** Where something stands in the tree. */
export interface Position {
  file: string;
  /** 1-based. */
  line: number;
}

/** Where an environment variable is read. */
export interface VariableRead extends Position {
  name: string;
}

/** `config :app, …` or `config :app, key, …`, as written. */
export interface Setting extends Position {
  app: string;
  key: string | null;
  value: Value;
}

/** What a run of config files and functions starts from. */
export interface RunOptions {
  /** All variables that are set. 'any': no variable is known, and both branches of a condition on one are run. */
  environment: Readonly<Record<string, string>> | 'any';
  /** Runs both branches of a condition that stays unknown, also where all variables are known. */
  everyBranch?: boolean | undefined;
  /** Settings from before the run, by app. */
  settings?: ReadonlyMap<string, Value>;
  /**
   * Functions of packages that read the variable named by their first argument, e.g. `{ 'Dotenvy.env!': 2 }`: called with
   * up to 2 arguments it stops the program without the variable, a third is the default.
   */
  readers?: Readonly<Record<string, number>>;
  /** Folder that relative paths are resolved from; the tree's root when left out. */
  folder?: string;
  /** Looks up a module that the run files neither define nor load. */
  module?(name: string, args: readonly Value[]): Scope | undefined;
}

/** A module with its source. */
export interface ModuleSource {
  file: string;
  text: string;
  scope: Scope;
}
