import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { app, mixExs, type Texts } from './support/fixture.ts';

const requiredNames = (files: Texts) => app(files).env.required.map(({ name }) => name);

/** What a runtime.exs demands. */
const assertRequired = (expected: string[], source: string, more?: Texts) =>
  assert.equal(
    requiredNames({ 'config/runtime.exs': `import Config\n${source}\n`, ...more }),
    expected,
    source,
  );

test('fetch_env! and each way to raise for a missing variable', () => {
  assertRequired(
    ['A', 'B'],
    'if config_env() == :prod do\n  config :shop, a: System.fetch_env!("A"), b: String.to_integer(System.get_env("B") || raise("no b"))\nend',
  );
  assertRequired(
    ['C'],
    'x =\n  case System.get_env("C") do\n    nil -> raise "no"\n    found -> found\n  end\nconfig :shop, x: x',
  );
  assertRequired(['Q'], 'if System.get_env("RELEASE_MODE"), do: System.fetch_env!("Q")');
  assertRequired(
    ['R'],
    'on = Enum.member?(["", "true"], System.get_env("ON", "true"))\nif on, do: System.fetch_env!("R")',
  );
  assertRequired(['D'], 'd = System.get_env("D")\nif d == nil, do: raise("set it")');
  assertRequired(['E'], 'unless System.get_env("E"), do: System.halt(1)');
  assertRequired(['F'], 'cond do\n  is_nil(System.get_env("F")) -> raise "no"\n  true -> :ok\nend');
  assertRequired(['G'], '"G" |> System.fetch_env!() |> String.trim()');
  assertRequired(
    ['H'],
    '{a, b} = {System.get_env("H") || raise("no"), 1}\nconfig :shop, a: a, b: b',
  );
});

test('defaults, other environments and branches that an empty environment does not take', () => {
  assertRequired(
    [],
    'config :shop, port: System.get_env("PORT", "4000"), ip: System.get_env("IP") || "::"',
  );
  assertRequired([], 'if config_env() == :test, do: System.fetch_env!("A")');
  assertRequired([], 'if System.get_env("SMTP"), do: System.fetch_env!("SMTP_PASSWORD")');
  assertRequired(
    ['HOST'],
    'mode =\n  case System.get_env("MODE") do\n    m when m in [nil, "web"] -> :web\n    "worker" -> :worker\n    other -> raise "bad #{other}"\n  end\nif mode == :web, do: System.fetch_env!("HOST")\nif mode == :worker, do: System.fetch_env!("QUEUE")',
  );
});

test('of several possible variables, the first that the message names is required', () => {
  assertRequired(
    ['NAME'],
    'first = System.get_env("FIRST")\nname = System.get_env("NAME", "")\nlast = System.get_env("LAST")\nif name == "", do: raise("NAME is missing")',
  );
  assertRequired(
    ['SITE'],
    'System.get_env("SITE") || System.get_env("HOST") || raise("set SITE or HOST")\nSystem.get_env("API") || System.get_env("SITE") || raise("set API or SITE")',
  );
  assertRequired(
    ['KEY'],
    'key =\n  if System.get_env("KEY") do\n    System.get_env("KEY")\n  else\n    if System.get_env("MODE") == "demo", do: "demo", else: raise("KEY is missing")\n  end\nconfig :shop, key: key',
  );
});

test('where a raise names no variable, the variables of its conditions are required', () => {
  assertRequired(
    ['S3_KEY'],
    'if System.get_env("DEBUG"), do: config(:shop, debug: true)\nkey = System.get_env("S3_KEY", "")\nif key == "", do: raise("object storage has no credentials")',
  );
  assertRequired(
    ['SECRET'],
    'secret = System.get_env("SECRET")\nconfig :shop, dsn: System.get_env("DSN")\nunless secret, do: raise("set it")',
  );
});

test('own wrappers: closures, functions in the config file, imported modules', () => {
  assertRequired(
    ['A'],
    'env = fn name, default -> if config_env() == :prod, do: System.fetch_env!(name), else: default end\nenv.("A", "x")',
  );
  assertRequired(
    ['B'],
    'defmodule Env do\n  def need!(name, opts \\\\ []), do: System.get_env(name) || raise("no #{name}")\nend\nconfig :shop, b: Env.need!("B")',
  );
  const helper = {
    'lib/shop/settings.ex':
      'defmodule Shop.Settings do\n  def get_env!(key, type \\\\ :string), do: cast(System.fetch_env!(key), type)\n  def get_env(key, default \\\\ nil), do: System.get_env(key) || default\n  defp cast(value, _), do: value\nend',
  };
  assertRequired(
    ['A', 'B'],
    'import Shop.Settings\nconfig :shop, a: get_env!("A"), b: get_env!("B", :integer), c: get_env("C")',
    helper,
  );
  assertRequired(
    ['D'],
    'alias Shop.Settings\ncase Settings.get_env("D") do\n  nil when config_env() == :prod -> raise "no D"\n  d -> config :shop, d: d\nend',
    helper,
  );
});

test('the line that is named is the one in the config file', () => {
  const facts = app({
    'config/runtime.exs':
      'import Config\nimport Shop.Env\n\nconfig :shop, a: need!("A")\n\n\n\n\n\n\n',
    'lib/shop/env.ex':
      'defmodule Shop.Env do\n  @moduledoc "Long enough to lie past the line that is meant."\n  def need!(name), do: System.fetch_env!(name)\nend',
  });
  const [read] = facts.env.required;
  assert.equal([read?.name, read?.file, read?.line], ['A', 'config/runtime.exs', 4]);
});

test('wrappers of packages', () => {
  assertRequired(
    ['SMTP_KEY', 'A'],
    'use Envious\nadapter = optional("ADAPTER", "Shop.Smtp") |> String.split(".") |> Enum.map(&String.to_atom/1) |> Module.concat()\ncase adapter do\n  Shop.Smtp -> required!("SMTP_KEY")\n  _ -> :ok\nend\nconfig :shop, a: required!("A")',
  );
});

test('computed names get a note; names from a list are known', () => {
  assertRequired(['A', 'B'], 'for name <- ["A", "B"], do: System.fetch_env!(name)');
  assertRequired(
    ['X_C', 'X_D'],
    'Enum.each(~w(c d), fn name -> System.fetch_env!("X_#{String.upcase(name)}") end)',
  );
  const facts = app({
    'config/runtime.exs': 'import Config\nconfig :shop, a: System.fetch_env!(Shop.name())\n',
  });
  assert.match(facts.notes.join('\n'), 'computed names');
});

test('variables read while building are told from those read at boot', () => {
  const facts = app({
    'config/prod.exs': 'import Config\nconfig :shop, a: System.fetch_env!("BAKED")\n',
    'config/runtime.exs': 'import Config\nSystem.fetch_env!("BOOT")\n',
  });
  assert.equal(
    facts.env.required.map(({ name, compileTime }) => `${name} ${compileTime}`),
    ['BAKED true', 'BOOT false'],
  );
  const application =
    '\n  def application, do: [env: [region: System.fetch_env!("REGION"), key: System.get_env("KEY")]]';
  const { required, buildReads } = app({
    'mix.exs': mixExs('app: :shop, deps: [{:phoenix, "~> 1.8"}]', application),
  }).env;
  assert.equal(required, [{ name: 'REGION', file: 'mix.exs', line: 4, compileTime: true }]);
  assert.equal(buildReads, [{ name: 'KEY', file: 'mix.exs', line: 4 }]);
});

test('releases.exs is read, unless there is a runtime.exs', () => {
  const old = { 'config/releases.exs': 'import Config\nSystem.fetch_env!("OLD")\n' };
  assert.equal(requiredNames(old), ['OLD']);
  assertRequired([], '', old);
});

test('variables of the code are required unconditionally, not in mix tasks or under a condition', () => {
  const start = (body: string) =>
    requiredNames({
      'lib/shop/application.ex': `defmodule Shop.Application do\n  use Application\n  def start(_type, _args) do\n    Supervisor.start_link([spec()], [])\n  end\n  if Mix.env() == :prod do\n    defp spec, do: {Shop.Worker, ${body}}\n  else\n    defp spec, do: {Shop.Worker, System.fetch_env!("DEV")}\n  end\nend`,
    });
  assert.equal(start('System.fetch_env!("A")'), ['A']);
  assert.equal(start('if(Mix.env() == :prod, do: System.fetch_env!("B"), else: nil)'), ['B']);
  const code = (body: string, file = 'lib/shop/x.ex') =>
    requiredNames({ [file]: `defmodule Shop.X do\n  def run do\n    ${body}\n  end\nend` });
  assert.equal(code('"B" |> System.fetch_env!()'), ['B']);
  assert.equal(code('if System.get_env("B"), do: System.fetch_env!("B")'), []);
  assert.equal(code('System.get_env("A") || System.fetch_env!("B")'), []);
  assert.equal(code('System.fetch_env!("A") || System.fetch_env!("B")'), ['A']);
  assert.equal(code('case System.fetch_env!("A") do _ -> System.fetch_env!("B") end'), ['A']);
  assert.equal(code('if System.fetch_env!("A") == "a", do: System.fetch_env!("B")'), ['A']);
  for (const never of [
    'fn -> A end',
    'quote do: A',
    'quote(do: A)',
    'try(do: A, rescue: (_ -> 1))',
  ])
    assert.equal(code(never.replace('A', 'System.fetch_env!("A")')), [], never);
  assert.equal(
    requiredNames({ 'lib/x.ex': 'defmodule X do\n  @role System.fetch_env!("A")\nend' }),
    ['A'],
  );
  assert.equal(code('System.fetch_env!("B")', 'lib/mix/tasks/x.ex'), []);
});

test('a variable is required where nil would crash', () => {
  assertRequired(
    ['KEYS', 'TOP', 'RATE'],
    'config :shop, keys: Jason.decode!(System.get_env("KEYS")), top: Path.expand(System.get_env("TOP")), rate: Float.parse(System.get_env("RATE"))',
  );
  // Functions of other modules may take nil
  assertRequired([], 'config :shop, level: Shop.Level.parse(System.get_env("LEVEL"))');
  assertRequired(
    ['PORT', 'DIR', 'HOST'],
    'port = System.get_env("PORT") |> String.to_integer()\nFile.read(Path.join(System.get_env("DIR"), "x"))\nurl = System.get_env("HOST") <> "/"\nconfig :shop, port: port, url: url',
  );
  assertRequired(
    [],
    'if level = System.get_env("LEVEL"), do: config(:logger, level: String.to_atom(level))\nconfig :shop, a: to_string(System.get_env("A")), b: "#{System.get_env("B")}", c: String.split(System.get_env("C", ""), ",")',
  );
});

test('all variables as one map: looked up, fetched, matched', () => {
  const parser = {
    'lib/shop/parser.ex':
      'defmodule Shop.Parser do\n  def key(env), do: must(env["KEY"], "KEY")\n  def redis(%{"REDIS" => url}), do: url\n  def redis(_env), do: raise("no REDIS")\n  def port(env), do: Map.get(env, "PORT") || "1"\n  defp must(value, name), do: if(is_nil(value), do: raise("no #{name}"), else: value)\nend',
  };
  assertRequired(
    ['KEY', 'REDIS', 'HOST'],
    'env = System.get_env()\nconfig :shop, key: Shop.Parser.key(env), redis: Shop.Parser.redis(env), port: Shop.Parser.port(env), host: Map.fetch!(env, "HOST")',
    parser,
  );
});

test('compile_env decides which branch runs at boot', () => {
  const source =
    'if Application.compile_env(:shop, :hosted) do\n  System.fetch_env!("HOSTED")\nelse\n  System.fetch_env!("OWN")\nend';
  assertRequired(['OWN'], source, {
    'config/config.exs':
      'import Config\nconfig :shop, hosted: System.get_env("HOSTING", "0") in ~w(1 true)\n',
  });
  assertRequired(['HOSTED'], source, {
    'config/config.exs': 'import Config\nconfig :shop, hosted: true\n',
  });
});

test("an endpoint's init sees its own configuration", () => {
  const endpoint = {
    'lib/shop_web/endpoint.ex':
      'defmodule ShopWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\n  def init(_, config), do: if(config[:from_env], do: {:ok, [port: System.get_env("PORT") || raise("PORT?")]}, else: {:ok, config})\nend',
  };
  assertRequired([], '', endpoint);
  assertRequired(['PORT'], '', {
    ...endpoint,
    'config/prod.exs': 'import Config\nconfig :shop, ShopWeb.Endpoint, from_env: true\n',
  });
});

test('a variable that runtime.exs reads again is not called nil', () => {
  const { notes } = app({
    'config/prod.exs':
      'import Config\nconfig :shop, a: System.get_env("A"), b: System.get_env("B")\n',
    'config/runtime.exs': 'import Config\nconfig :shop, a: System.get_env("A")\n',
  });
  assert.match(
    notes.join('\n'),
    /where config\/runtime\.exs doesn't set the same, the release keeps nil, or the default in the code: B \(config\/prod\.exs:2\)\. Read/,
  );
});

test('secrets with a default in the code, which the build bakes in, are named', () => {
  const config = `import Config
# System.get_env("OLD_SECRET") || "x"
config :shop, a: System.get_env("SIGNING_SECRET") ||
  "Lu8xpRC9"
config :shop, b: System.get_env("API_KEY", "abc"), level: System.get_env("LEVEL") || "info"
config :shop, c: System.get_env("ADMIN_PASSWORD") || "x"
import_config "prod.exs"
`;
  const { env } = app({
    'config/config.exs': config,
    'config/prod.exs': 'import Config\n',
    'config/runtime.exs': 'import Config\nconfig :shop, c: System.get_env("ADMIN_PASSWORD")\n',
  });
  assert.equal(
    env.buildReads.map(({ name, line }) => `${name} ${line}`),
    ['SIGNING_SECRET 3', 'API_KEY 5', 'ADMIN_PASSWORD 6'],
  );
});

test.run();
