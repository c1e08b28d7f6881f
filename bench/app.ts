import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PACKAGES = 12;
const MODULES = 30;

/** A module that takes the compiler some time: records, pattern matches, a macro. */
const source = (name: string, version: number): string => `defmodule ${name} do
  @moduledoc "Version ${version}"
  defstruct ${JSON.stringify(Array.from({ length: 20 }, (_, index) => `field_${index}`)).replace(/"(\w+)"/g, ':$1')}

${Array.from(
  { length: 40 },
  (
    _,
    index,
  ) => `  def handle(%__MODULE__{field_${index % 20}: value} = state, {:event_${index}, list}) when is_list(list) do
    for item <- list, item > value, reduce: state do
      acc -> %{acc | field_${(index + 1) % 20}: "#{item}:#{inspect(acc.field_${(index + 2) % 20})}:${index}"}
    end
  end
`,
).join('\n')}
end
`;

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

/**
 * The test app with git dependencies of some size, served by `git daemon` from the returned folder: Hex is not needed.
 * @returns the folder of repositories, and the lock as it is after an update of one dependency
 */
export function makeApp(
  fixture: string,
  app: string,
  repos: string,
  modules: number,
): { lock: string } {
  cpSync(fixture, app, { recursive: true });
  const names = Array.from({ length: PACKAGES }, (_, index) => `package_${index}`);
  const refs = new Map<string, string>();
  const publish = (name: string, from?: string): void => {
    const folder = join(repos, name);
    if (from) cpSync(from, folder, { recursive: true });
    git(folder, 'init', '-q');
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', name);
    refs.set(name, git(folder, 'rev-parse', 'HEAD'));
  };
  for (const name of ['plug', 'ecto_sql', 'phoenix']) {
    const folder = join(app, 'vendor', name);
    writeFileSync(
      join(folder, 'mix.exs'),
      readFileSync(join(folder, 'mix.exs'), 'utf8').replace(
        'path: "../plug"',
        'git: "git://127.0.0.1:9419/plug"',
      ),
    );
    publish(name, folder);
  }
  names.forEach((name, index) => {
    const module = `Package${index}`;
    write(
      join(repos, name, 'mix.exs'),
      `defmodule ${module}.MixProject do\n  use Mix.Project\n  def project, do: [app: :${name}, version: "1.0.0"]\n  def application, do: []\nend\n`,
    );
    for (let part = 0; part < MODULES; part++)
      write(join(repos, name, `lib/part_${part}.ex`), source(`${module}.Part${part}`, 1));
    publish(name);
  });
  rmSync(join(app, 'vendor'), { recursive: true });
  const all = ['phoenix', 'plug', 'ecto_sql', ...names];
  const mix = join(app, 'mix.exs');
  const deps = all
    .map(
      (name) =>
        `      {:${name}, git: "git://127.0.0.1:9419/${name}"${name === 'plug' ? ', override: true' : ''}}`,
    )
    .join(',\n');
  writeFileSync(
    mix,
    readFileSync(mix, 'utf8').replace(
      /( {4}\[\n)[^\]]*(\n {4}\]\n {2}end)/,
      (_, open: string, close: string) => open + deps + close,
    ),
  );
  for (let part = 0; part < modules; part++)
    write(join(app, `lib/shop/part_${part}.ex`), source(`Shop.Part${part}`, 1));
  const lock = (): string =>
    `%{\n${all.map((name) => `  "${name}": {:git, "git://127.0.0.1:9419/${name}", "${refs.get(name)}", []},\n`).join('')}}\n`;
  writeFileSync(join(app, 'mix.lock'), lock());
  // A later version of one package, which the app moves to in one of the measurements
  const changed = join(repos, 'package_3');
  appendFileSync(join(changed, 'lib/part_0.ex'), '# changed\n');
  publish('package_3');
  return { lock: lock() };
}
