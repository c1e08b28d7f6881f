import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluate, evaluateBody } from '../src/elixir/evaluate.ts';
import { modulesIn } from '../src/elixir/modules.ts';
import { moduleScope, Scope } from '../src/elixir/scope.ts';
import { lineAt, parseElixir } from '../src/elixir/syntax.ts';
import { show } from '../src/elixir/value.ts';

const value = (source: string): string => show(evaluateBody(parseElixir(source).body, new Scope()));
const called = (source: string, call: string): string =>
  show(evaluate(parseElixir(call).body[0], moduleScope(parseElixir(source).body)));

const VALUES: Record<string, [source: string, value: string][]> = {
  'literals, lists with a tail, quoted atoms and sigils': [
    ['[a: 1, b: nil]', '[a: 1, b: nil]'],
    ['[:a | [:b, :c]]', '[:a, :b, :c]'],
    ['[:a | if(System.get_env("MIX_ENV") == "prod", do: [:b], else: [])]', '[:a, :b]'],
    ['~w(a b)a', '[:a, :b]'],
    ['[:"two words"]', '[:two words]'],
  ],
  'a variable that is nil is known, not unknown': [
    ['x = nil\nif x == nil, do: :absent, else: :present', ':absent'],
  ],
  'guards decide between clauses': [
    ['case "web" do\n  x when x in [nil, "worker"] -> :worker\n  _ -> :web\nend', ':web'],
  ],
  'patterns take tuples and lists apart': [
    ['case {:ok, [1, 2]} do\n  {:error, _} -> :no\n  {:ok, [first, _]} -> first\nend', '1'],
    ['case [a: 1] do\n  %{:a => 2} -> :no\n  %{a: b} -> b\nend', '1'],
  ],
  'closures and captures': [
    ['double = fn x -> [x, x] end\ndouble.(:a)', '[:a, :a]'],
    ['["A", "B"] |> Enum.map(&String.downcase/1)', '["a", "b"]'],
  ],
  'pipes: each step is the first argument of the next, whatever stands at the end': [
    ['" A " |> String.trim() |> String.downcase |> String.to_atom()', ':a'],
    ['"A,B" |> String.split(",") |> Enum.map(&String.downcase/1)', '["a", "b"]'],
    ['"a" |> case do\n  "a" -> 1\n  _ -> 2\nend', '1'],
  ],
  'options change a result, or make it unknown': [
    ['String.split("a,,b,", ",")', '["a", "", "b", ""]'],
    ['String.split("a,,b,", ",", trim: true)', '["a", "b"]'],
    ['String.split("a=b=c", "=", parts: 2)', 'String.split(…)'],
    ['String.split("a, b", ~r/, */)', 'String.split(…)'],
    ['String.to_integer("12")', '12'],
    ['String.to_integer("12", 16)', 'String.to_integer(…)'],
    ['String.trim("/a/", "/")', 'String.trim(…)'],
  ],
  'paths are joined by one slash': [
    ['Path.join("a", "/b")', '"a/b"'],
    ['Path.join(["/a/", "./b", "", "c/"])', '"/a/b/c"'],
    ['Path.join("https://a.b", "/c")', '"https://a.b/c"'],
    ['Path.join("/", "a")', '"/a"'],
  ],
  'what is merged into keywords replaces': [
    ['Keyword.merge([a: 1, b: 2], a: 3) |> Keyword.get(:a)', '3'],
  ],
  'what only the running system knows stays unknown': [
    ['Enum.member?(["a"], System.get_env("A"))', 'System.get_env("A")'],
    ['System.get_env("PORT")', 'System.get_env("PORT")'],
    ['if System.get_env("X"), do: 1, else: 2', 'System.get_env("X")'],
  ],
};

for (const [name, rows] of Object.entries(VALUES))
  test(name, () => {
    for (const [source, expected] of rows) assert.is(value(source), expected);
  });

test('default arguments, also of a head without a body', () => {
  const source = 'def f(a \\\\ :x, b, c \\\\ :z), do: [a, b, c]';
  assert.is(called(source, 'f(1)'), '[:x, 1, :z]');
  assert.is(called(source, 'f(1, 2)'), '[1, 2, :z]');
  assert.is(called(source, 'f(1, 2, 3)'), '[1, 2, 3]');
  assert.is(called(source, 'f(1, 2, 3, 4)'), 'no matching clause');
  assert.is(called('def f(a, b \\\\ :y)\ndef f(:a, b), do: [b]', 'f(:a)'), '[:y]');
});

test('a function that calls itself ends', () =>
  assert.is(called('def f, do: f()', 'f()'), 'a recursive definition'));

test('aliases are written out, groups and `as:` too', () => {
  const aliases = 'alias Shop.{Repo, Mailer}\nalias Shop.Web\nalias Web.Endpoint, as: E';
  assert.is(
    called(aliases, '[Repo, Mailer.Smtp, E]'),
    '[Shop.Repo, Shop.Mailer.Smtp, Shop.Web.Endpoint]',
  );
});

test('modules: nested ones, those of the production branch only, none in quotes', () => {
  const source =
    'defmodule A do\n  defmodule B do\n  end\n  defmacro __using__(_) do\n    quote do\n      defmodule No do\n      end\n    end\n  end\nend\nif Mix.env() == :test do\n  defmodule T do\n  end\nend';
  const names = modulesIn(parseElixir(source).body).map(({ name }) => name);
  assert.equal(names, ['A', 'A.B']);
});

test('a syntax error is located and the rest is still read', () => {
  const source = parseElixir('a = 1\nb = %{\nc = 3\n');
  assert.ok(source.problem && source.problem.line >= 2);
  assert.is(lineAt('a\nb\nc', 4), 3);
});

test('a word after a sigil is not read as its modifier', () => {
  const { body } = parseElixir(
    'on? = fn name -> name in ~w(true 1) end\nif level not in ~w(info) do\n  1\nend\n~w(a b)a\n',
  );
  const names = body.map((expr) => ('name' in expr ? expr.name : expr.is));
  assert.equal(names, ['=', 'if', 'list']);
});

test.run();
