import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { files } from '../../generators/descriptors.ts';
import {
  type Answers,
  complete as completeWith,
  type QuestionName,
} from '../../src/answers/questions.ts';
import type { OnConflict } from '../../src/edit/conflict.ts';
import { detect, type Project } from '../../src/facts/detect.ts';
import type { Change, Descriptor } from '../../src/plan/file.ts';
import { plan, presentIn } from '../../src/plan/plan.ts';
import { treeOf } from '../../src/tree.ts';
import { type Texts, textsIn } from './projects.ts';

export type { Texts } from './projects.ts';
export type Flags = Partial<Record<QuestionName, string>>;

/** The folder of the fixture project. */
export const SHOP = fileURLToPath(new URL('../projects/shop/before', import.meta.url));

/** Writes files into a folder. */
export function writeFiles(folder: string, texts: Texts): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const shopTexts = textsIn(SHOP);

/** The fixture project as {path: text}, with changes; undefined takes a file away. */
export const shop = (changes: Record<string, string | undefined> = {}): Texts =>
  withoutUndefined({ ...shopTexts, ...changes });

export const withoutUndefined = (texts: Record<string, string | undefined>): Texts =>
  Object.fromEntries(
    Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** Tests ask for the facts and plans of the same texts again and again, so they are computed once. */
function cached<T>(cache: Map<string, T>, input: unknown, compute: () => T): T {
  const key = JSON.stringify(input);
  const value = cache.get(key) ?? compute();
  cache.set(key, value);
  return value;
}
const projects = new Map<string, Project>();
const plans = new Map<string, Change[]>();

/** The facts of a repo. */
export const projectOf = (texts: Texts): Project =>
  cached(projects, texts, () => detect(treeOf(texts)));

/** What is answered where a test is not about the answers. */
export const FLAGS: Flags = {
  app: 'shop',
  region: 'lhr',
  postgres: 'shop-db',
};

/** Answers from flags, from what the files say, and from defaults. */
export const complete = (flags: Flags, project: Project, asks?: readonly QuestionName[]): Answers =>
  completeWith(flags, project, presentIn(files, project), asks);

/** What `fly` would write. @param only the command of one file, such as `dockerfile` */
export function planFor(
  texts: Texts,
  flags: Flags = FLAGS,
  onConflict?: OnConflict,
  only?: string,
): Change[] {
  return cached(plans, [texts, flags, onConflict, only], () => {
    const project = projectOf(texts);
    const generators = files.filter(({ name }) => only === undefined || name === only);
    return plan(generators, { project, answers: complete(flags, project) }, onConflict);
  });
}

/** The repo after the changes are written. */
export const withChanges = (texts: Texts, changes: readonly Change[]): Texts => ({
  ...texts,
  ...Object.fromEntries(changes.map((change) => [change.path, change.after])),
});

/** The repo after `fly`. */
export const afterFly = (texts: Texts, flags?: Flags, onConflict?: OnConflict): Texts =>
  withChanges(texts, planFor(texts, flags, onConflict));

/** What `fly` writes into one file; '' where it leaves that out. */
export const writtenTo = (path: string, texts: Texts, flags?: Flags): string =>
  planFor(texts, flags).find((change) => change.path === path)?.after ?? '';

/** What a generator says before it writes. */
export function notesOf({ notes }: Descriptor, project: Project, flags = FLAGS): string {
  return (notes?.({ project, answers: complete(flags, project) }) ?? []).join('\n');
}

/** Rows of mix.lock: `name` or `name 1.2.3`, each with the packages it needs; `need?` is an optional one. */
function lockRows(packages: Record<string, string[]>): string {
  const rows = Object.entries(packages).map(([key, needs]) => {
    const [name, version = '11.0.0'] = key.split(' ');
    const list = needs.map((need) => {
      const options = `[hex: :x, repo: "hexpm", optional: ${need.endsWith('?')}]`;
      return `{:${need.replace('?', '')}, ">= 0.0.0", ${options}}`;
    });
    return `  "${name}": {:hex, :${name}, "${version}", "0", [:mix], [${list.join(', ')}], "hexpm", "0"},\n`;
  });
  return rows.join('');
}

/** The fixture's mix.lock with more packages. */
export const shopLock = (packages: Record<string, string[]>): string =>
  (shopTexts['mix.lock'] ?? '').replace(/}\s*$/, `${lockRows(packages)}}\n`);

/** mix.lock with phoenix and other packages. */
export const mixLock = (packages: Record<string, string[]>): string =>
  `%{\n${lockRows({ phoenix: [], ...packages })}}\n`;

/** The facts of a small Phoenix app. @param files replace or add files; undefined takes one away */
export function app(files: Record<string, string | undefined> = {}, deps = ''): Project {
  const texts: Record<string, string | undefined> = {
    'mix.exs': `defmodule Shop.MixProject do
      use Mix.Project
      def project, do: [app: :shop, elixir: "~> 1.15", deps: deps(), aliases: aliases()]
      def application, do: [mod: {Shop.Application, []}]
      defp deps, do: [{:phoenix, "~> 1.8"}, {:bandit, "~> 1.5"}${deps}]
      defp aliases, do: []
    end`,
    'mix.lock': mixLock({}),
    'config/config.exs':
      'import Config\nconfig :shop, ShopWeb.Endpoint, url: [host: "localhost"]\nimport_config "#{config_env()}.exs"\n',
    'config/prod.exs': 'import Config\n',
    'lib/shop/application.ex':
      'defmodule Shop.Application do\n  use Application\n  def start(_type, _args), do: Supervisor.start_link([ShopWeb.Endpoint], [])\nend\n',
    'lib/shop_web/endpoint.ex':
      'defmodule ShopWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\nend\n',
    ...files,
  };
  return detect(treeOf(withoutUndefined(texts)));
}

/** A mix.exs with these fields of project/0 and other functions. */
export const mixExs = (fields: string, functions = '', name = 'Shop'): string =>
  `defmodule ${name}.MixProject do\n  use Mix.Project\n${functions}\n  def project, do: [${fields}]\nend`;
