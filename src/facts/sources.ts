import { type Call, type Expr, walk } from '../elixir/expr.ts';
import { modulesIn } from '../elixir/modules.ts';
import { moduleScope } from '../elixir/scope.ts';
import { lineAt, parseElixir } from '../elixir/syntax.ts';
import type { ModuleSource, Position } from '../elixir/types.ts';
import { below, type Tree } from '../tree.ts';
import type { MixProject } from './mix-project.ts';

export interface SourceModule extends ModuleSource {
  name: string;
  body: Expr[];
}

/** One in another is a module of its own. */
const isModule = (expr: Expr): boolean => expr.is === 'call' && expr.name === 'defmodule';

/** Of a Mix task, which is in no release. */
export const isTask = (file: string): boolean => /(^|\/)mix\//.test(file);

/** The .ex files of projects, parsed only when somebody asks for a module in them. */
export class Sources {
  readonly files: string[];
  private readonly tree: Tree;
  private readonly parsed = new Map<string, SourceModule[]>();
  /** Files by the names of the modules that their text seems to define; the parser sorts out what only looks so. */
  private index: Map<string, string> | undefined;

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

  /** The files whose text matches: a cheap look before a file is parsed. */
  matching(pattern: RegExp): string[] {
    return this.files.filter((file) => pattern.test(this.text(file)));
  }

  /** The modules that a file defines. */
  modules(file: string): SourceModule[] {
    const known = this.parsed.get(file);
    if (known) return known;
    const text = this.text(file);
    const found = modulesIn(parseElixir(text).body).map(({ name, body }) => {
      return { name, file, text, body, scope: moduleScope(body, name) };
    });
    this.parsed.set(file, found);
    return found;
  }

  /** What is found in calls, of files whose text matches; `around` holds the expressions that a call lies in. */
  inCalls<Fact>(
    pattern: RegExp,
    find: (call: Call, module: SourceModule, around: readonly Expr[]) => Fact | undefined,
  ): (Fact & Position)[] {
    const found: (Fact & Position)[] = [];
    for (const module of this.matching(pattern).flatMap((file) => this.modules(file)))
      walk(module.body, (expr, around) => {
        const fact =
          expr.is === 'call' && !around.some(isModule) ? find(expr, module, around) : undefined;
        const { file, text } = module;
        if (fact !== undefined) found.push({ ...fact, file, line: lineAt(text, expr.offset) });
      });
    return found;
  }

  /** A module of the project by its full name. */
  module(name: string): SourceModule | undefined {
    const file = this.fileOf(name);
    return file === undefined ? undefined : this.modules(file).find((found) => found.name === name);
  }

  /** The file that seems to define a module; a nested one is looked for in the file of the one around it. */
  fileOf(name: string): string | undefined {
    this.index ??= new Map(
      this.files
        .flatMap((file) =>
          [...this.text(file).matchAll(/defmodule +([\w.]+)/g)].map(
            ([, found = '']) => [found, file] as const,
          ),
        )
        .reverse(),
    );
    return this.index.get(name) ?? this.index.get(name.replace(/\.[^.]*$/, ''));
  }
}
