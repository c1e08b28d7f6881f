import type { Scope } from './scope.ts';
import type { Value } from './value.ts';

export interface Position {
  file: string;
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

export interface World {
  /** What is set and nothing else; 'any': no variable is known, and both branches of a condition on one are run. */
  environment: Readonly<Record<string, string>> | 'any';
  /** Also where all variables are known, both branches of a condition that stays unknown are run. */
  everyBranch?: boolean | undefined;
  /** Settings that are there already, by app. */
  settings?: ReadonlyMap<string, Value>;
  /** Functions of packages that read a variable, by the number of arguments up to which they demand it; one more is the default. */
  readers?: Readonly<Record<string, number>>;
  /** Folder that relative paths are seen from; the tree's root. */
  folder?: string;
  /** Modules beside those that the run files define or load. */
  module?(name: string, args: readonly Value[]): Scope | undefined;
}

/** A module with its source. */
export interface ModuleSource {
  file: string;
  text: string;
  scope: Scope;
}
