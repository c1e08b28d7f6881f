import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CONTEXTS = 222;

/** A Phoenix app of about 2,000 files: five modules and three tests for each of its contexts, and pictures. */
function largeApp(): Record<string, string> {
  const lock = Array.from(
    { length: 120 },
    (_, index) =>
      `  "package_${index}": {:hex, :package_${index}, "1.0.${index}", "${'a'.repeat(64)}", [:mix], [{:package_${index + 1}, "~> 1.0", [hex: :package_${index + 1}, repo: "hexpm", optional: false]}], "hexpm", "${'b'.repeat(64)}"},`,
  );
  const files: Record<string, string> = {
    'mix.exs':
      'defmodule Big.MixProject do\n  use Mix.Project\n  def project, do: [app: :big, elixir: "~> 1.18", deps: deps(), aliases: ["assets.deploy": ["phx.digest"]]]\n  def application, do: [mod: {Big.Application, []}]\n  defp deps, do: [{:phoenix, "~> 1.8"}, {:ecto_sql, "~> 3.13"}, {:postgrex, "~> 0.20"}, {:bandit, "~> 1.7"}]\nend\n',
    'mix.lock': `%{\n${lock.join('\n')}\n  "phoenix": {:hex, :phoenix, "1.8.1", "a", [:mix], [], "hexpm", "b"},\n}\n`,
    'config/config.exs': `import Config\nconfig :big, ecto_repos: [Big.Repo]\nconfig :big, BigWeb.Endpoint, url: [host: "localhost"], adapter: Bandit.PhoenixAdapter\n${Array.from({ length: 60 }, (_, index) => `config :big, Big.Context${index}, limit: ${index}, hosts: ~w(a b c), on: true\n`).join('')}import_config "#{config_env()}.exs"\n`,
    'config/prod.exs':
      'import Config\nconfig :big, BigWeb.Endpoint, force_ssl: [rewrite_on: [:x_forwarded_proto]]\n',
    'config/runtime.exs': `import Config\nif config_env() == :prod do\n  url = System.get_env("DATABASE_URL") || raise("DATABASE_URL is missing")\n  config :big, Big.Repo, url: url\n${Array.from({ length: 60 }, (_, index) => `  config :big, :flag_${index}, System.get_env("FLAG_${index}", "off") == "on"\n`).join('')}end\n`,
    'lib/big/application.ex':
      'defmodule Big.Application do\n  use Application\n  def start(_, _), do: Supervisor.start_link([Big.Repo, Big.Context0.Worker, BigWeb.Endpoint], strategy: :one_for_one)\nend\n',
    'lib/big/repo.ex':
      'defmodule Big.Repo do\n  use Ecto.Repo, otp_app: :big, adapter: Ecto.Adapters.Postgres\nend\n',
    'lib/big_web/endpoint.ex':
      'defmodule BigWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :big\n  plug BigWeb.Router\nend\n',
    'lib/big_web/router.ex': `defmodule BigWeb.Router do\n  use Phoenix.Router\n  get "/health", BigWeb.HealthController, :show\n${Array.from({ length: CONTEXTS }, (_, index) => `  scope "/context_${index}", BigWeb do\n    resources "/things", Thing${index}Controller, only: [:index, :show]\n  end\n`).join('')}end\n`,
  };
  const body = Array.from(
    { length: 40 },
    (_, index) =>
      `  def list_${index}(opts) when is_list(opts) do\n    from(t in Thing, where: t.owner == ^opts[:owner]) |> Repo.all()\n  end\n`,
  ).join('\n');
  for (let index = 0; index < CONTEXTS; index++) {
    for (const part of ['', '/thing', '/policy', '/worker', '/query'])
      files[`lib/big/context_${index}${part}.ex`] =
        `defmodule Big.Context${index}${part && `.${part[1]?.toUpperCase()}${part.slice(2)}`} do\n${body}end\n`;
    for (const part of ['thing', 'policy', 'query'])
      files[`test/big/context_${index}/${part}_test.exs`] = body;
    files[`priv/static/images/${index}.svg`] = '<svg/>';
  }
  return files;
}

const FRESH = `
const started = performance.now();
const { openTree } = await import(process.argv[1] + '/tree.ts');
const { detect } = await import(process.argv[1] + '/facts/detect.ts');
const times = [performance.now() - started];
for (let round = 0; round < 3; round++) {
  const from = performance.now();
  detect(openTree(process.argv[2]));
  times.push(performance.now() - from);
}
console.log(JSON.stringify(times));`;

/** Prints what reading the facts of a large repo costs in a fresh process (milliseconds, the best of five). */
export function benchFacts(): void {
  const files = Object.entries(largeApp());
  const root = mkdtempSync(join(tmpdir(), 'facts-'));
  try {
    for (const [path, text] of files) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const source = fileURLToPath(new URL('../src', import.meta.url));
    const runs = Array.from(
      { length: 5 },
      () =>
        JSON.parse(
          execFileSync(
            process.execPath,
            ['--import', 'tsx', '--input-type=module', '-e', FRESH, source, root],
            { encoding: 'utf8' },
          ),
        ) as number[],
    );
    const best = (index: number): string =>
      Math.min(...runs.map((run) => run[index] ?? Infinity)).toFixed(0);
    console.log(
      `Facts of ${files.length} files: ${best(1)} ms in a fresh process (after ${best(0)} ms to load), ${best(3)} ms again in the same one.`,
    );
  } finally {
    rmSync(root, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) benchFacts();
