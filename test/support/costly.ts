/** Repos whose Elixir would cost a reader without a budget minutes, gigabytes or its stack. */
export interface Costly {
  files: Record<string, string>;
  /** Whether the budget ends the reading; otherwise the files are read to their end, or left out at once. */
  exceeds: boolean;
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');
const MEGABYTE = 1 << 20;
const repeated = (text: string, size = MEGABYTE): string =>
  text.repeat(Math.floor(size / text.length));

const config = (code: string): Record<string, string> => ({
  'config/config.exs': `import Config\n${code}\nconfig :shop, after: true\n`,
});
const runtime = (code: string): Record<string, string> => ({
  'config/runtime.exs': `import Config\n${code}\n`,
});
const source = (code: string): Record<string, string> => ({ 'lib/shop/costly.ex': code });
const endpoint = 'use Phoenix.Endpoint, otp_app: :shop';
const bounded = (files: Record<string, string>): Costly => ({ files, exceeds: false });
const exceeding = (files: Record<string, string>): Costly => ({ files, exceeds: true });
const doubling = (count: number, step: string) =>
  `a0 = ${step === '<>' ? '"x"' : '[1]'}\n${lines(count, (n) => `a${n + 1} = a${n} ${step} a${n}`)}`;
const letters = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]';
const nested = (depth: number, body: string): string =>
  depth ? `for x${depth} <- ${letters} do\n${nested(depth - 1, body)}\nend` : body;

/** Repos from code, by name. @param fileWith puts the code into a file */
const casesOf = (costly: typeof bounded, fileWith: typeof config, cases: Record<string, string>) =>
  Object.fromEntries(Object.entries(cases).map(([name, code]) => [name, costly(fileWith(code))]));

export const COSTLY: Record<string, Costly> = {
  ...casesOf(bounded, config, {
    'a text that doubles': `${doubling(60, '<>')}\nconfig :shop, x: a60`,
    'a list that doubles': `${doubling(60, '++')}\nconfig :shop, x: a60`,
    'a list that holds itself twice': `a0 = [1]\n${lines(60, (n) => `a${n + 1} = [a${n}, a${n}]`)}\nconfig :shop, x: a60`,
    'a text that is interpolated twice': `a0 = "x"\n${lines(60, (n) => `a${n + 1} = "#{a${n}}#{a${n}}"`)}\nconfig :shop, x: a60`,
    'doubled and flattened': `a0 = [1]\n${lines(40, (n) => `a${n + 1} = [a${n}, a${n}]`)}\nx = List.flatten(a40)\nconfig :shop, x: x`,
    'String.duplicate': 'config :shop, x: String.duplicate("x", 10_000_000_000)',
    'powers and shifts':
      'config :shop, x: Integer.pow(9, 999_999_999), y: 9 ** 999_999_999, z: 1 <<< 99_999_999_999',
    'a range of ten million':
      'for n <- 1..10_000_000, do: config(:shop, n: n)\nEnum.each(1..10_000_000, fn n -> config(:shop, n: n) end)',
    'a recursive function':
      'defmodule R do\n def f(x), do: [f([x | x]), f(x)]\nend\nconfig :shop, x: fn -> R.f(1) end',
    'a config file that imports itself': 'import_config "config.exs"\nimport_config "*.exs"',
    'a long sum': `config :shop, x: 1${' + 1'.repeat(50_000)}`,
    'a long chain of calls': `config :shop, x: a${'.b'.repeat(50_000)}`,
  }),
  ...casesOf(exceeding, config, {
    'keywords that hold themselves twice': `a0 = [a: 1]\n${lines(60, (n) => `a${n + 1} = [a: a${n}, b: a${n}]\nconfig :shop, :key, a${n + 1}`)}`,
    'doubled and compared': `${doubling(15, '++')}\n${lines(500, () => 'if a15 == a15 -- [2], do: config(:shop, x: 1)')}`,
    'nested comprehensions': nested(8, 'config :shop, x: x1'),
    'nested Enum.map': `l = ${letters}\n${'Enum.each(l, fn _ -> '.repeat(9)}config(:shop, x: 1)${' end)'.repeat(9)}`,
    'a fan of closures': `f0 = fn -> 1 end\n${lines(40, (n) => `f${n + 1} = fn -> f${n}.()\nf${n}.() end`)}\nconfig :shop, x: f40.()`,
    'a fan of functions': `defmodule F do\n def f0, do: 1\n${lines(30, (n) => ` def f${n + 1}, do: [f${n}(), f${n}()]`)}\nend\nconfig :shop, x: F.f30()`,
    'a function that calls itself twice':
      'defmodule R do\n def f(x), do: [f([x]), f([x])]\nend\nconfig :shop, x: R.f(1)',
    'a closure that is given itself': 'f = fn f -> [f.(f), f.(f)] end\nconfig :shop, x: f.(f)',
    'many imports and calls': `${lines(4000, (n) => `import M${n}`)}\n${lines(4000, (n) => `f${n}()`)}`,
    'many variables in blocks': `${lines(5000, (n) => `v${n} = ${n}`)}\n${lines(5000, () => 'if true do\n 1\nend')}`,
    'a megabyte of [': repeated('['),
    'a megabyte of %{': repeated('%{'),
    'parentheses in each other': `${'('.repeat(100_000)}1${')'.repeat(100_000)}`,
    'blocks in each other': repeated('if true do\n'),
    'functions in each other': repeated('fn -> '),
    'interpolations in each other': repeated('"#{'),
    'a megabyte of -': repeated('- '),
    'a megabyte of not': repeated('not ', MEGABYTE / 4),
    'a megabyte of @': repeated('@'),
    'a megabyte of ]': repeated(']'),
    'a megabyte of commas': repeated(','),
    'a megabyte of end': repeated('end '),
    'a megabyte of words': repeated('a '),
    'a megabyte of quotes': repeated('"'),
    'a megabyte of atoms': repeated(':a'),
    'brackets that cross': repeated('[(])'),
    'a long pipe': `config :shop, x: 1${' |> f()'.repeat(50_000)}`,
    'a long list of ++': `config :shop, x: [1]${' ++ [1]'.repeat(20_000)}`,
    'an inline if in an inline if': `config :shop, x: ${'if true, do: '.repeat(10_000)}1`,
    'blank lines in a row': repeated('\n', 100_000),
    'slashes in a row': repeated('/', 100_000),
    'a megabyte of settings': lines(40_000, (n) => `config :shop, k${n}: ${n}`),
  }),
  ...casesOf(exceeding, source, {
    'a fan of attributes': `defmodule A do\n ${endpoint}, x: @a30\n @a0 1\n${lines(30, (n) => ` @a${n + 1} [@a${n}, @a${n}]`)}\nend`,
    'ten thousand modules': lines(
      10_000,
      (n) => `defmodule M${n} do\n use Ecto.Repo, otp_app: :o\nend`,
    ),
    'ten thousand endpoints': lines(10_000, (n) => `defmodule M${n} do\n ${endpoint}\nend`),
    'functions without an end': `@external_resource\n${lines(20_000, () => 'def a do')}`,
  }),
  ...casesOf(bounded, source, {
    'a macro that uses itself': `defmodule A do\n defmacro __using__(_) do\n  quote do\n   use A\n   ${endpoint}\n  end\n end\nend\ndefmodule B do\n use A\nend`,
    'a fan of macros': `defmodule A do\n defmacro __using__(_) do\n  quote do\n${lines(1000, () => `   ${endpoint}`)}\n  end\n end\nend\n${lines(1000, (n) => `defmodule B${n} do\n use A\nend`)}`,
    'a chain of aliases': `defmodule A do\n${lines(20_000, () => ' alias B.B')}\n ${endpoint}\nend`,
    'a chain of growing aliases': `defmodule A do\n${lines(5000, (n) => ` alias B${n}.B${n}.B${n}, as: B${n + 1}`)}\n ${endpoint}\nend`,
    'a chain of names without arguments': `use ${repeated('a.', 40_000)}a`,
    'a long word behind use': `use A, ${repeated('a')}`,
    'forwards that fan out': lines(
      6,
      (n) =>
        `defmodule R${n} do\n use Phoenix.Router\n${lines(60, (m) => ` forward "/a${m}", R${n + 1}`)}\n get "/health", X, :y\nend`,
    ),
    'words that a search begins at': `${repeated('.Repo')}\n@a ${repeated('use ')}\n${repeated('"/')}`,
    'spaces before nothing': repeated(' ') + repeated('@a '),
  }),
  'reads and stops at the start': exceeding({
    'lib/shop/application.ex': `defmodule Shop.Application do\n def start(_, _) do\n${nested(4, 'System.get_env("V#{x1}x#{x2}x#{x3}x#{x4}", "")\nraise "no"')}\n end\nend`,
  }),
  'a fan of functions in mix.exs': exceeding({
    'mix.exs': `defmodule Shop.MixProject do\n use Mix.Project\n def project, do: [app: :shop, deps: [{:phoenix, "~> 1.8"}], x: f18()]\n def f0, do: 1\n${lines(18, (n) => ` def f${n + 1}, do: [f${n}(), f${n}()]\n`)}end`,
  }),
  'config files that import each other': bounded({
    ...config('import_config "a.exs"'),
    'config/a.exs': 'import Config\nimport_config "b.exs"\nconfig :shop, a: 1\n',
    'config/b.exs': 'import Config\nimport_config "a.exs"\nimport_config "config.exs"\n',
    ...runtime('import_config "runtime.exs"'),
  }),
  'a thousand config files in a row': bounded({
    ...config('import_config "c0.exs"'),
    ...Object.fromEntries(
      Array.from({ length: 1000 }, (_, n) => [
        `config/c${n}.exs`,
        `import Config\nimport_config "c${n + 1}.exs"\n`,
      ]),
    ),
  }),
  'a pattern of many stars': bounded({
    ...config(`import_config "${'*a'.repeat(40)}.exs"`),
    [`config/${'a'.repeat(200)}.ex`]: '',
  }),
  'a file that requires itself': bounded({
    ...config('Code.require_file("config/h.exs")'),
    'config/h.exs': 'Code.require_file("config/h.exs")\ndefmodule H do\nend',
  }),
  'prefix operators in a row': exceeding({ 'config/config.exs': repeated('&', 100_000) }),
  'openings of a binary': exceeding({ 'config/config.exs': repeated('<<', 100_000) }),
  'many large modules': exceeding(
    Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [
        `lib/m${n}.ex`,
        `defmodule M${n} do\n ${endpoint}\n${lines(5000, (line) => ` def f${line}(x), do: {x, ${n}}`)}\nend`,
      ]),
    ),
  ),
  'a large mix.lock': bounded({
    'mix.lock': `%{\n  "phoenix": {:hex, :phoenix, "1.8.0", "s", [:mix], [], "hexpm", "s"},\n${lines(10_000, (n) => `  "p${n}": {:hex, :p${n}, "1.0.0", "s", [:mix], [{:p${n + 1}, "~> 1.0", [hex: :x]}], "hexpm", "s"},`)}\n}\n`,
  }),
  'a deep mix.lock': bounded({ 'mix.lock': `%{"phoenix": ${'['.repeat(100_000)}` }),
  'blank lines in .tool-versions': bounded({ '.tool-versions': repeated('\n') }),
  'blank lines in a Dockerfile': bounded({ Dockerfile: repeated('\n ') }),
  'names of the prototype': bounded({
    ...config(
      'config :constructor, __proto__: [constructor: 1]\nconfig :shop, x: constructor(__proto__)\n__proto__.constructor(1)\ntoString',
    ),
    ...runtime('config :shop, x: System.get_env("constructor") || raise("__proto__")'),
  }),
};
