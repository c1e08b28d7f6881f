import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CONTEXTS = 222;

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('');

const lockRow = (name: string, version: string, need: string): string =>
  `  "${name}": {:hex, :${name}, "${version}", "${'a'.repeat(64)}", [:mix], [{:${need}, "~> 1.0", [hex: :${need}, repo: "hexpm", optional: false]}], "hexpm", "${'b'.repeat(64)}"},`;

/** A Phoenix app of about 2,000 files: five modules and three tests for each of its contexts, and pictures. */
function largeApp(): Record<string, string> {
  const files: Record<string, string> = {
    'mix.exs': `defmodule Big.MixProject do
  use Mix.Project
  def project, do: [app: :big, elixir: "~> 1.18", deps: deps(), aliases: ["assets.deploy": ["phx.digest"]]]
  def application, do: [mod: {Big.Application, []}]
  defp deps, do: [{:phoenix, "~> 1.8"}, {:ecto_sql, "~> 3.13"}, {:postgrex, "~> 0.20"}, {:bandit, "~> 1.7"}]
end
`,
    'mix.lock': `%{
${lines(120, (index) => lockRow(`package_${index}`, `1.0.${index}`, `package_${index + 1}`))}  "phoenix": {:hex, :phoenix, "1.8.1", "a", [:mix], [], "hexpm", "b"},
}
`,
    'config/config.exs': `import Config
config :big, ecto_repos: [Big.Repo]
config :big, BigWeb.Endpoint, url: [host: "localhost"], adapter: Bandit.PhoenixAdapter
${lines(60, (index) => `config :big, Big.Context${index}, limit: ${index}, hosts: ~w(a b c), on: true`)}import_config "#{config_env()}.exs"
`,
    'config/prod.exs': `import Config
config :big, BigWeb.Endpoint, force_ssl: [rewrite_on: [:x_forwarded_proto]]
`,
    'config/runtime.exs': `import Config
if config_env() == :prod do
  url = System.get_env("DATABASE_URL") || raise("DATABASE_URL is missing")
  config :big, Big.Repo, url: url
${lines(60, (index) => `  config :big, :flag_${index}, System.get_env("FLAG_${index}", "off") == "on"`)}end
`,
    'lib/big/application.ex': `defmodule Big.Application do
  use Application
  def start(_, _), do: Supervisor.start_link([Big.Repo, Big.Context0.Worker, BigWeb.Endpoint], strategy: :one_for_one)
end
`,
    'lib/big/repo.ex': `defmodule Big.Repo do
  use Ecto.Repo, otp_app: :big, adapter: Ecto.Adapters.Postgres
end
`,
    'lib/big_web/endpoint.ex': `defmodule BigWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :big
  plug BigWeb.Router
end
`,
    'lib/big_web/router.ex': `defmodule BigWeb.Router do
  use Phoenix.Router
  get "/health", BigWeb.HealthController, :show
${lines(CONTEXTS, scope)}end
`,
  };
  for (let index = 0; index < CONTEXTS; index++) Object.assign(files, contextFiles(index));
  return files;
}

const scope = (index: number): string => `  scope "/context_${index}", BigWeb do
    resources "/things", Thing${index}Controller, only: [:index, :show]
  end`;

const FUNCTIONS = lines(
  40,
  (number) => `  def list_${number}(opts) when is_list(opts) do
    from(t in Thing, where: t.owner == ^opts[:owner]) |> Repo.all()
  end
`,
);

function contextFiles(index: number): Record<string, string> {
  const folder = `big/context_${index}`;
  const source = (name: string) => `defmodule Big.Context${index}${name} do\n${FUNCTIONS}end\n`;
  const files = {
    [`lib/${folder}.ex`]: source(''),
    [`lib/${folder}/worker.ex`]: source('.Worker'),
    [`priv/static/images/${index}.svg`]: '<svg/>',
  };
  for (const part of ['Thing', 'Policy', 'Query']) {
    files[`lib/${folder}/${part.toLowerCase()}.ex`] = source(`.${part}`);
    files[`test/${folder}/${part.toLowerCase()}_test.exs`] = FUNCTIONS;
  }
  return files;
}

/** Prints the milliseconds to load the modules, then those to detect the facts, three times. Arguments: src, folder. */
const DETECT = `
let started = performance.now();
const { openTree } = await import(process.argv[1] + '/tree.ts');
const { detect } = await import(process.argv[1] + '/facts/detect.ts');
const times = [performance.now() - started];
for (let round = 0; round < 3; round++) {
  started = performance.now();
  detect(openTree(process.argv[2]));
  times.push(performance.now() - started);
}
console.log(JSON.stringify(times));`;

/** Prints how long the facts of a large repo take in a fresh process (milliseconds, the best of five). */
export function benchFacts(): void {
  const files = Object.entries(largeApp());
  const app = mkdtempSync(join(tmpdir(), 'facts-'));
  try {
    for (const [path, text] of files) {
      mkdirSync(dirname(join(app, path)), { recursive: true });
      writeFileSync(join(app, path), text);
    }
    const source = fileURLToPath(new URL('../src', import.meta.url));
    const args = ['--import', 'tsx', '--input-type=module', '-e', DETECT, source, app];
    const runs = Array.from(
      { length: 5 },
      () => JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as number[],
    );
    const [load, first, , again] = [0, 1, 2, 3].map((index) =>
      Math.min(...runs.map((times) => times[index] ?? Infinity)).toFixed(0),
    );
    console.log(
      `Facts of ${files.length} files: ${first} ms in a fresh process (after ${load} ms to load), ${again} ms again in the same one.`,
    );
  } finally {
    rmSync(app, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) benchFacts();
