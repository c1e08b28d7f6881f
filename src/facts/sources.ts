import { modulesIn } from '../elixir/modules.ts';
import { moduleScope, type Scope } from '../elixir/scope.ts';
import { type Expr, parseElixir } from '../elixir/syntax.ts';
import type { Tree } from '../tree.ts';

export interface SourceModule {
  name: string;
  file: string;
  text: string;
  body: Expr[];
  scope: Scope;
}

/** The project's own .ex files, parsed only when somebody asks for a module in them. */
export class Sources {
  readonly files: string[];
  private readonly tree: Tree;
  private readonly parsed = new Map<string, SourceModule[]>();
  private index: Map<string, string> | undefined;

  constructor(tree: Tree, folders: readonly string[]) {
    this.tree = tree;
    this.files = [...tree.paths].filter(
      (file) => file.endsWith('.ex') && folders.some((folder) => file.startsWith(`${folder}/`)),
    );
  }

  text(file: string): string {
    return this.tree.read(file) ?? '';
  }

  /** The files whose text has one of the words: a cheap look before a file is parsed. */
  mentioning(words: readonly string[]): string[] {
    return this.files.filter((file) => {
      const text = this.text(file);
      return words.some((word) => text.includes(word));
    });
  }

  matching(pattern: RegExp): string[] {
    return this.files.filter((file) => pattern.test(this.text(file)));
  }

  /** The modules that a file defines. */
  modules(file: string): SourceModule[] {
    const known = this.parsed.get(file);
    if (known) return known;
    const text = this.text(file);
    const { body } = parseElixir(text);
    const found = modulesIn(body).map((one) => ({
      name: one.name,
      file,
      text,
      body: one.body,
      scope: moduleScope(one.body, one.name),
    }));
    this.parsed.set(file, found);
    return found;
  }

  /** A module of the project by its full name. */
  module(name: string): SourceModule | undefined {
    const file = this.fileOf(name);
    return file === undefined ? undefined : this.modules(file).find((one) => one.name === name);
  }

  /** The file that seems to define a module, going by its text alone. */
  fileOf(name: string): string | undefined {
    return (
      this.candidates().get(name) ?? this.candidates().get(name.split('.').slice(0, -1).join('.'))
    );
  }

  /** Which file to parse for a name; what the text only seems to say is sorted out by the parser. */
  private candidates(): Map<string, string> {
    if (this.index) return this.index;
    this.index = new Map();
    for (const file of this.files) {
      const text = this.text(file);
      for (let at = text.indexOf('defmodule '); at >= 0; at = text.indexOf('defmodule ', at + 1)) {
        const name = /^[\w.]+/.exec(text.slice(at + 10, at + 200).trimStart())?.[0];
        if (name && !this.index.has(name)) this.index.set(name, file);
      }
    }
    return this.index;
  }
}
