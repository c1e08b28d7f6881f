import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { files } from '../generators/all.ts';
import {
  type Answers,
  complete as completeWith,
  type QuestionName,
} from '../src/answers/questions.ts';
import type { OnConflict } from '../src/edit/conflict.ts';
import { detect, type Project } from '../src/facts/detect.ts';
import type { Change } from '../src/plan/file.ts';
import { plan, presentIn } from '../src/plan/plan.ts';
import { openTree, type Tree, treeOf } from '../src/tree.ts';

export const SHOP = fileURLToPath(new URL('projects/shop/before', import.meta.url));

/** Writes files into a folder. */
export function put(folder: string, texts: Record<string, string>): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const tree = openTree(SHOP);
const texts = Object.fromEntries([...tree.paths].map((path) => [path, tree.read(path) ?? '']));

/** The fixture project as {path: text}, with changes; undefined leaves a file out. */
export const shop = (changes: Record<string, string | undefined> = {}): Record<string, string> =>
  definedIn({ ...texts, ...changes });

export const definedIn = (all: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** Facts and plans of the same texts are the same: tests ask for them again and again. */
function remembered<T>(known: Map<string, T>, key: unknown, make: () => T): T {
  const name = JSON.stringify(key);
  const value = known.get(name) ?? make();
  known.set(name, value);
  return value;
}
const projects = new Map<string, Project>();
const plans = new Map<string, Change[]>();

export const projectOf = (texts: Record<string, string>): Project =>
  remembered(projects, texts, () => detect(treeOf(texts)));

export const FLAGS: Partial<Record<QuestionName, string>> = {
  app: 'shop',
  region: 'lhr',
  postgres: 'shop-db',
};

/** Answers from flags, from what the files say, and from defaults. */
export const complete = (
  flags: Partial<Record<QuestionName, string>>,
  project: Project,
  asks?: readonly QuestionName[],
): Answers => completeWith(flags, project, presentIn(files, project), asks);

export function planFor(
  texts: Record<string, string>,
  flags: Partial<Record<QuestionName, string>> = FLAGS,
  onConflict?: OnConflict,
  only?: string,
): Change[] {
  return remembered(plans, [texts, flags, onConflict, only], () => {
    const project = projectOf(texts);
    const wanted = files.filter(({ name }) => only === undefined || name === only);
    return plan(wanted, { project, answers: complete(flags, project) }, onConflict);
  });
}

export const after = (
  texts: Record<string, string>,
  changes: readonly Change[],
): Record<string, string> => ({
  ...texts,
  ...Object.fromEntries(changes.map((change) => [change.path, change.after])),
});

/** The facts of a small Phoenix app; `files` replaces or adds, undefined takes a file away. */
export function app(files: Record<string, string | undefined> = {}, deps = ''): Project {
  const all: Record<string, string | undefined> = {
    'mix.exs': `defmodule Shop.MixProject do
      use Mix.Project
      def project, do: [app: :shop, elixir: "~> 1.15", deps: deps(), aliases: aliases()]
      def application, do: [mod: {Shop.Application, []}]
      defp deps, do: [{:phoenix, "~> 1.8"}, {:bandit, "~> 1.5"}${deps}]
      defp aliases, do: []
    end`,
    'mix.lock': lock({}),
    'config/config.exs':
      'import Config\nconfig :shop, ShopWeb.Endpoint, url: [host: "localhost"]\nimport_config "#{config_env()}.exs"\n',
    'config/prod.exs': 'import Config\n',
    'lib/shop/application.ex':
      'defmodule Shop.Application do\n  use Application\n  def start(_type, _args), do: Supervisor.start_link([ShopWeb.Endpoint], [])\nend\n',
    'lib/shop_web/endpoint.ex':
      'defmodule ShopWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\nend\n',
    ...files,
  };
  return detect(treeOf(definedIn(all)));
}

/** A mix.exs with these fields of project/0 and other functions. */
export const mix = (fields: string, more = '', name = 'Shop'): string =>
  `defmodule ${name}.MixProject do\n  use Mix.Project\n${more}\n  def project, do: [${fields}]\nend`;

/** mix.lock with phoenix and the given packages, each with the packages it needs. */
export function lock(packages: Record<string, string[]>): string {
  const lines = Object.entries<string[]>({ phoenix: [], ...packages }).map(
    ([name, needs]) =>
      `  "${name}": {:hex, :${name}, "1.0.0", "sum", [:mix], [${needs.map((need) => `{:${need.replace('?', '')}, ">= 0.0.0", [hex: :x, repo: "hexpm", optional: ${need.endsWith('?')}]}`).join(', ')}], "hexpm", "sum"},`,
  );
  return `%{\n${lines.join('\n')}\n}\n`;
}

export type { Tree };
