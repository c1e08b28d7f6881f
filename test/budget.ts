/** Elixir that costs a reader without bounds minutes, gigabytes or its stack: what a repo can hold, by what is wrong with it. */
export interface Costly {
  files: Record<string, string>;
  /** Whether the run is expected to end at its budget; otherwise it is read to its end or left out at a glance. */
  beyond: boolean;
}

const times = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');
const MEGABYTE = 1 << 20;
const fill = (text: string, size = MEGABYTE): string => text.repeat(Math.floor(size / text.length));

const config = (code: string): Record<string, string> => ({
  'config/config.exs': `import Config\n${code}\nconfig :shop, after: true\n`,
});
const runtime = (code: string): Record<string, string> => ({
  'config/runtime.exs': `import Config\n${code}\n`,
});
const source = (code: string): Record<string, string> => ({ 'lib/shop/costly.ex': code });
const endpoint = 'use Phoenix.Endpoint, otp_app: :shop';
const within = (files: Record<string, string>): Costly => ({ files, beyond: false });
const beyond = (files: Record<string, string>): Costly => ({ files, beyond: true });
const doubling = (count: number, step: string) =>
  `a0 = ${step === '<>' ? '"x"' : '[1]'}\n${times(count, (n) => `a${n + 1} = a${n} ${step} a${n}`)}`;
const letters = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]';
const nested = (depth: number, body: string): string =>
  depth ? `for x${depth} <- ${letters} do\n${nested(depth - 1, body)}\nend` : body;

export const COSTLY: Record<string, Costly> = {
  // Values that double
  'a text that doubles': within(config(`${doubling(60, '<>')}\nconfig :shop, x: a60`)),
  'a list that doubles': within(config(`${doubling(60, '++')}\nconfig :shop, x: a60`)),
  'a list that holds itself twice': within(
    config(`a0 = [1]\n${times(60, (n) => `a${n + 1} = [a${n}, a${n}]`)}\nconfig :shop, x: a60`),
  ),
  'keywords that hold themselves twice': beyond(
    config(
      `a0 = [a: 1]\n${times(60, (n) => `a${n + 1} = [a: a${n}, b: a${n}]\nconfig :shop, :key, a${n + 1}`)}`,
    ),
  ),
  'a text that is interpolated twice': within(
    config(`a0 = "x"\n${times(60, (n) => `a${n + 1} = "#{a${n}}#{a${n}}"`)}\nconfig :shop, x: a60`),
  ),
  'doubled and flattened': within(
    config(
      `a0 = [1]\n${times(40, (n) => `a${n + 1} = [a${n}, a${n}]`)}\nx = List.flatten(a40)\nconfig :shop, x: x`,
    ),
  ),
  'doubled and compared': beyond(
    config(
      `${doubling(15, '++')}\n${times(500, () => 'if a15 == a15 -- [2], do: config(:shop, x: 1)')}`,
    ),
  ),
  'String.duplicate': within(config('config :shop, x: String.duplicate("x", 10_000_000_000)')),
  'powers and shifts': within(
    config(
      'config :shop, x: Integer.pow(9, 999_999_999), y: 9 ** 999_999_999, z: 1 <<< 99_999_999_999',
    ),
  ),
  'a range of ten million': within(
    config(
      'for n <- 1..10_000_000, do: config(:shop, n: n)\nEnum.each(1..10_000_000, fn n -> config(:shop, n: n) end)',
    ),
  ),
  // Work that multiplies
  'nested comprehensions': beyond(config(nested(8, 'config :shop, x: x1'))),
  'nested Enum.map': beyond(
    config(
      `l = ${letters}\n${'Enum.each(l, fn _ -> '.repeat(9)}config(:shop, x: 1)${' end)'.repeat(9)}`,
    ),
  ),
  'a fan of closures': beyond(
    config(
      `f0 = fn -> 1 end\n${times(40, (n) => `f${n + 1} = fn -> f${n}.()\nf${n}.() end`)}\nconfig :shop, x: f40.()`,
    ),
  ),
  'a fan of functions': beyond(
    config(
      `defmodule F do\n def f0, do: 1\n${times(30, (n) => ` def f${n + 1}, do: [f${n}(), f${n}()]`)}\nend\nconfig :shop, x: F.f30()`,
    ),
  ),
  'a fan of functions in mix.exs': beyond({
    'mix.exs': `defmodule Shop.MixProject do\n use Mix.Project\n def project, do: [app: :shop, deps: [{:phoenix, "~> 1.8"}], x: f18()]\n def f0, do: 1\n${times(18, (n) => ` def f${n + 1}, do: [f${n}(), f${n}()]\n`)}end`,
  }),
  'a fan of attributes': beyond(
    source(
      `defmodule A do\n ${endpoint}, x: @a30\n @a0 1\n${times(30, (n) => ` @a${n + 1} [@a${n}, @a${n}]`)}\nend`,
    ),
  ),
  'a recursive function': within(
    config(
      'defmodule R do\n def f(x), do: [f([x | x]), f(x)]\nend\nconfig :shop, x: fn -> R.f(1) end',
    ),
  ),
  'a function that calls itself twice': beyond(
    config('defmodule R do\n def f(x), do: [f([x]), f([x])]\nend\nconfig :shop, x: R.f(1)'),
  ),
  'a closure that is given itself': beyond(
    config('f = fn f -> [f.(f), f.(f)] end\nconfig :shop, x: f.(f)'),
  ),
  'a macro that uses itself': within(
    source(
      `defmodule A do\n defmacro __using__(_) do\n  quote do\n   use A\n   ${endpoint}\n  end\n end\nend\ndefmodule B do\n use A\nend`,
    ),
  ),
  'a fan of macros': within(
    source(
      `defmodule A do\n defmacro __using__(_) do\n  quote do\n${times(1000, () => `   ${endpoint}`)}\n  end\n end\nend\n${times(1000, (n) => `defmodule B${n} do\n use A\nend`)}`,
    ),
  ),
  'a chain of aliases': within(
    source(`defmodule A do\n${times(20_000, () => ' alias B.B')}\n ${endpoint}\nend`),
  ),
  'a chain of growing aliases': within(
    source(
      `defmodule A do\n${times(5000, (n) => ` alias B${n}.B${n}.B${n}, as: B${n + 1}`)}\n ${endpoint}\nend`,
    ),
  ),
  'many imports and calls': beyond(
    config(`${times(4000, (n) => `import M${n}`)}\n${times(4000, (n) => `f${n}()`)}`),
  ),
  'many variables in blocks': beyond(
    config(`${times(5000, (n) => `v${n} = ${n}`)}\n${times(5000, () => 'if true do\n 1\nend')}`),
  ),
  // Files that lead to files
  'a config file that imports itself': within(
    config('import_config "config.exs"\nimport_config "*.exs"'),
  ),
  'config files that import each other': within({
    ...config('import_config "a.exs"'),
    'config/a.exs': 'import Config\nimport_config "b.exs"\nconfig :shop, a: 1\n',
    'config/b.exs': 'import Config\nimport_config "a.exs"\nimport_config "config.exs"\n',
    ...runtime('import_config "runtime.exs"'),
  }),
  'a thousand config files in a row': within({
    ...config('import_config "c0.exs"'),
    ...Object.fromEntries(
      Array.from({ length: 1000 }, (_, n) => [
        `config/c${n}.exs`,
        `import Config\nimport_config "c${n + 1}.exs"\n`,
      ]),
    ),
  }),
  'a pattern of many stars': within({
    ...config(`import_config "${'*a'.repeat(40)}.exs"`),
    [`config/${'a'.repeat(200)}.ex`]: '',
  }),
  'a file that requires itself': within({
    ...config('Code.require_file("config/h.exs")'),
    'config/h.exs': 'Code.require_file("config/h.exs")\ndefmodule H do\nend',
  }),
  // Shapes that a parser finds hard
  'a megabyte of [': beyond(config(fill('['))),
  'a megabyte of %{': beyond(config(fill('%{'))),
  'parentheses in each other': beyond(config(`${'('.repeat(100_000)}1${')'.repeat(100_000)}`)),
  'blocks in each other': beyond(config(fill('if true do\n'))),
  'functions in each other': beyond(config(fill('fn -> '))),
  'interpolations in each other': beyond(config(fill('"#{'))),
  'a megabyte of -': beyond(config(fill('- '))),
  'a megabyte of not': beyond(config(fill('not ', MEGABYTE / 4))),
  'a megabyte of @': beyond(config(fill('@'))),
  'a megabyte of ]': beyond(config(fill(']'))),
  'a megabyte of commas': beyond(config(fill(','))),
  'a megabyte of end': beyond(config(fill('end '))),
  'a megabyte of words': beyond(config(fill('a '))),
  'a megabyte of quotes': beyond(config(fill('"'))),
  'a megabyte of atoms': beyond(config(fill(':a'))),
  'brackets that cross': beyond(config(fill('[(])'))),
  'a long pipe': beyond(config(`config :shop, x: 1${' |> f()'.repeat(50_000)}`)),
  'a long sum': within(config(`config :shop, x: 1${' + 1'.repeat(50_000)}`)),
  'a long list of ++': beyond(config(`config :shop, x: [1]${' ++ [1]'.repeat(20_000)}`)),
  'a long chain of calls': within(config(`config :shop, x: a${'.b'.repeat(50_000)}`)),
  'an inline if in an inline if': beyond(
    config(`config :shop, x: ${'if true, do: '.repeat(10_000)}1`),
  ),
  'blank lines in a row': beyond(config(fill('\n', 100_000))),
  'slashes in a row': beyond(config(fill('/', 100_000))),
  'prefix operators in a row': beyond({ 'config/config.exs': fill('&', 100_000) }),
  'openings of a binary': beyond({ 'config/config.exs': fill('<<', 100_000) }),
  'a chain of names without arguments': within(source(`use ${fill('a.', 40_000)}a`)),
  'a long word behind use': within(source(`use A, ${fill('a')}`)),
  // Sheer size
  'a megabyte of settings': beyond(config(times(40_000, (n) => `config :shop, k${n}: ${n}`))),
  'ten thousand modules': beyond(
    source(times(10_000, (n) => `defmodule M${n} do\n use Ecto.Repo, otp_app: :o\nend`)),
  ),
  'ten thousand endpoints': beyond(
    source(times(10_000, (n) => `defmodule M${n} do\n ${endpoint}\nend`)),
  ),
  'many large modules': beyond(
    Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [
        `lib/m${n}.ex`,
        `defmodule M${n} do\n ${endpoint}\n${times(5000, (line) => ` def f${line}(x), do: {x, ${n}}`)}\nend`,
      ]),
    ),
  ),
  'a large mix.lock': within({
    'mix.lock': `%{\n  "phoenix": {:hex, :phoenix, "1.8.0", "s", [:mix], [], "hexpm", "s"},\n${times(10_000, (n) => `  "p${n}": {:hex, :p${n}, "1.0.0", "s", [:mix], [{:p${n + 1}, "~> 1.0", [hex: :x]}], "hexpm", "s"},`)}\n}\n`,
  }),
  'a deep mix.lock': within({ 'mix.lock': `%{"phoenix": ${'['.repeat(100_000)}` }),
  'forwards that fan out': within(
    source(
      times(
        6,
        (n) =>
          `defmodule R${n} do\n use Phoenix.Router\n${times(60, (m) => ` forward "/a${m}", R${n + 1}`)}\n get "/health", X, :y\nend`,
      ),
    ),
  ),
  'blank lines in .tool-versions': within({ '.tool-versions': fill('\n') }),
  'blank lines in a Dockerfile': within({ Dockerfile: fill('\n ') }),
  'words that a search begins at': within(
    source(`${fill('.Repo')}\n@a ${fill('use ')}\n${fill('"/')}`),
  ),
  'functions without an end': beyond(
    source(`@external_resource\n${times(20_000, () => 'def a do')}`),
  ),
  'spaces before nothing': within(source(fill(' ') + fill('@a '))),
  'names of the prototype': within({
    ...config(
      'config :constructor, __proto__: [constructor: 1]\nconfig :shop, x: constructor(__proto__)\n__proto__.constructor(1)\ntoString',
    ),
    ...runtime('config :shop, x: System.get_env("constructor") || raise("__proto__")'),
  }),
};
