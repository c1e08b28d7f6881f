import { type Call, type Expr, walk } from '../elixir/expr.ts';
import { modulesIn } from '../elixir/modules.ts';
import { moduleScope } from '../elixir/scope.ts';
import { lineAt, parseElixir } from '../elixir/syntax.ts';
import type { ModuleSource, Position } from '../elixir/types.ts';
import { below, type Tree } from '../tree.ts';
import type { MixProject } from './mix-project.ts';

/** A module of the project, parsed. */
export interface SourceModule extends ModuleSource {
  name: string;
  body: Expr[];
}

type Find<Fact> = (
  call: Call,
  module: SourceModule,
  ancestors: readonly Expr[],
) => Fact | undefined;

const isModule = (expr: Expr): boolean => expr.is === 'call' && expr.name === 'defmodule';

/** Whether a file holds a Mix task, which no release runs. */
export const isMixTask = (file: string, text: string): boolean =>
  /(^|\/)mix\//.test(file) || /^ *use Mix\.Task\b/m.test(text);

/** `findCalls` in one module. */
export function findInModule<Fact>(module: SourceModule, find: Find<Fact>): (Fact & Position)[] {
  const facts: (Fact & Position)[] = [];
  walk(module.body, (expr, ancestors) => {
    // A nested module is among the file's modules itself
    if (expr.is !== 'call' || ancestors.some(isModule)) return;
    const fact = find(expr, module, ancestors);
    const { file, text } = module;
    if (fact !== undefined) facts.push({ ...fact, file, line: lineAt(text, expr.offset) });
  });
  return facts;
}

/** The .ex files of projects, each parsed when it is first asked for. */
export class Sources {
  readonly files: string[];
  private readonly tree: Tree;
  private readonly parsed = new Map<string, SourceModule[]>();
  private index: ReadonlyMap<string, string[]> | undefined;

  constructor(tree: Tree, projects: readonly MixProject[]) {
    const folders = projects.flatMap(({ dir, sourceFolders }) =>
      sourceFolders.map((folder) => `${below(dir, folder)}/`),
    );
    this.tree = tree;
    this.files = [...tree.paths].filter(
      (file) => file.endsWith('.ex') && folders.some((folder) => file.startsWith(folder)),
    );
  }

  text(file: string): string {
    return this.tree.read(file) ?? '';
  }

  /** The files whose text matches, which is much faster to see than to parse them all. */
  matching(pattern: RegExp): string[] {
    return this.files.filter((file) => pattern.test(this.text(file)));
  }

  /** The modules that a file defines. */
  modules(file: string): SourceModule[] {
    const parsed = this.parsed.get(file);
    if (parsed) return parsed;
    const text = this.text(file);
    const modules = modulesIn(parseElixir(text).body).map(({ name, body }) => {
      return { name, file, text, body, scope: moduleScope(body, name) };
    });
    this.parsed.set(file, modules);
    return modules;
  }

  /**
   * Asks `find` about every call in the files whose text matches.
   * @param find what a call tells, or undefined; `ancestors` are the expressions that it lies in
   * @returns what was found, with file and line
   */
  findCalls<Fact>(pattern: RegExp, find: Find<Fact>): (Fact & Position)[] {
    const modules = this.matching(pattern).flatMap((file) => this.modules(file));
    return modules.flatMap((module) => findInModule(module, find));
  }

  /**
   * A module of the project by its full name; a nested one lies in a file of the one around it.
   * @param pattern what the text of its file has to match; others are not parsed
   */
  module(name: string, pattern = /^/): SourceModule | undefined {
    this.index ??= this.indexFiles();
    const outerName = name.replace(/\.[^.]*$/, '');
    const files = [name, outerName].flatMap((defined) => this.index?.get(defined) ?? []);
    for (const file of files.filter((file) => pattern.test(this.text(file)))) {
      const module = this.modules(file).find((module) => module.name === name);
      if (module) return module;
    }
    return undefined;
  }

  /** Files by the names after their `defmodule`, which for a nested module is not the full name. */
  private indexFiles(): Map<string, string[]> {
    const index = new Map<string, string[]>();
    for (const file of this.files)
      for (const [, name = ''] of this.text(file).matchAll(/defmodule +([\w.]+)/g))
        index.set(name, [...(index.get(name) ?? []), file]);
    return index;
  }
}
