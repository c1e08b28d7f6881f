import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PACKAGES = 12;
const MODULES_PER_PACKAGE = 30;
/** Where `git daemon` serves the repositories. */
const GIT_HOST = 'git://127.0.0.1:9419';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A module that takes the compiler some time: records, pattern matches, a macro. */
function moduleSource(name: string): string {
  const fields = numbers(20).map((index) => `:field_${index}`);
  const functions = numbers(40).map((index) => {
    const [field, next, later] = [0, 1, 2].map((step) => `field_${(index + step) % 20}`);
    return `  def handle(%__MODULE__{${field}: value} = state, {:event_${index}, list}) when is_list(list) do
    for item <- list, item > value, reduce: state do
      acc -> %{acc | ${next}: "#{item}:#{inspect(acc.${later})}:${index}"}
    end
  end
`;
  });
  return `defmodule ${name} do
  @moduledoc "Version 1"
  defstruct [${fields.join(',')}]

${functions.join('\n')}
end
`;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function edit(path: string, pattern: string | RegExp, replacement: string): void {
  writeFileSync(path, readFileSync(path, 'utf8').replace(pattern, replacement));
}

function writeModules(folder: string, prefix: string, count: number): void {
  for (const index of numbers(count))
    write(join(folder, `part_${index}.ex`), moduleSource(`${prefix}.Part${index}`));
}

const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

/** Commits all files of a folder. @returns the commit */
function commit(folder: string): string {
  git(folder, 'init', '-q');
  git(folder, 'add', '.');
  git(folder, 'commit', '-qm', 'bench');
  return git(folder, 'rev-parse', 'HEAD');
}

/** Makes the repository of a package of our own. */
function makePackage(folder: string, name: string, module: string): void {
  write(
    join(folder, 'mix.exs'),
    `defmodule ${module}.MixProject do\n  use Mix.Project\n  def project, do: [app: :${name}, version: "1.0.0"]\n  def application, do: []\nend\n`,
  );
  writeModules(join(folder, 'lib'), module, MODULES_PER_PACKAGE);
}

function depRow(name: string): string {
  const override = name === 'plug' ? ', override: true' : '';
  return `      {:${name}, git: "${GIT_HOST}/${name}"${override}}`;
}

function lockText(commits: ReadonlyMap<string, string>): string {
  const rows = [...commits].map(
    ([name, sha]) => `  "${name}": {:git, "${GIT_HOST}/${name}", "${sha}", []},\n`,
  );
  return `%{\n${rows.join('')}}\n`;
}

/**
 * Makes the test app with git dependencies of some size in place of Hex packages.
 * @param repos the folder that gets their repositories, for `git daemon` to serve
 * @param modules how many modules the app itself gets
 * @returns the lock after an update of one dependency
 */
export function makeApp(
  fixture: string,
  app: string,
  repos: string,
  modules: number,
): { lock: string } {
  cpSync(fixture, app, { recursive: true });
  const commits = new Map<string, string>();
  for (const name of ['phoenix', 'plug', 'ecto_sql']) {
    const folder = join(repos, name);
    cpSync(join(app, 'vendor', name), folder, { recursive: true });
    edit(join(folder, 'mix.exs'), 'path: "../plug"', `git: "${GIT_HOST}/plug"`);
    commits.set(name, commit(folder));
  }
  for (const index of numbers(PACKAGES)) {
    const name = `package_${index}`;
    const folder = join(repos, name);
    makePackage(folder, name, `Package${index}`);
    commits.set(name, commit(folder));
  }
  rmSync(join(app, 'vendor'), { recursive: true });
  const deps = [...commits.keys()].map(depRow).join(',\n');
  // The list in deps/0
  edit(join(app, 'mix.exs'), /(?<= {4}\[\n)[^\]]*(?=\n {4}\]\n {2}end)/, deps);
  writeModules(join(app, 'lib/shop'), 'Shop', modules);
  writeFileSync(join(app, 'mix.lock'), lockText(commits));

  const updated = join(repos, 'package_3');
  appendFileSync(join(updated, 'lib/part_0.ex'), '# changed\n');
  commits.set('package_3', commit(updated));
  return { lock: lockText(commits) };
}
