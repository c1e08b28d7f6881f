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

test('literals, lists with a tail, quoted atoms and sigils', () => {
  assert.is(value('[a: 1, b: nil]'), '[a: 1, b: nil]');
  assert.is(value('[:a | [:b, :c]]'), '[:a, :b, :c]');
  assert.is(
    value('[:a | if(System.get_env("MIX_ENV") == "prod", do: [:b], else: [])]'),
    '[:a, :b]',
  );
  assert.is(value('~w(a b)a'), '[:a, :b]');
  assert.is(value('[:"two words"]'), '[:two words]');
});

test('a variable that is nil is known, not unknown', () => {
  assert.is(value('x = nil\nif x == nil, do: :absent, else: :present'), ':absent');
});

test('guards decide between clauses', () => {
  const source = 'case "web" do\n  x when x in [nil, "worker"] -> :worker\n  _ -> :web\nend';
  assert.is(value(source), ':web');
});

test('patterns take tuples and lists apart', () => {
  assert.is(
    value('case {:ok, [1, 2]} do\n  {:error, _} -> :no\n  {:ok, [first, _]} -> first\nend'),
    '1',
  );
});

test('functions: default arguments, captures, closures', () => {
  assert.is(called('def f(a, b \\\\ :second), do: [a, b]', 'f(:first)'), '[:first, :second]');
  assert.is(value('double = fn x -> [x, x] end\ndouble.(:a)'), '[:a, :a]');
  assert.is(value('["A", "B"] |> Enum.map(&String.downcase/1)'), '["a", "b"]');
});

test('default arguments: the first ones given count, a head without a body may hold them', () => {
  const source = 'def f(a \\\\ :x, b, c \\\\ :z), do: [a, b, c]';
  assert.is(called(source, 'f(1)'), '[:x, 1, :z]');
  assert.is(called(source, 'f(1, 2)'), '[1, 2, :z]');
  assert.is(called(source, 'f(1, 2, 3)'), '[1, 2, 3]');
  assert.is(called(source, 'f(1, 2, 3, 4)'), 'no matching clause');
  assert.is(called('def f(a, b \\\\ :y)\ndef f(:a, b), do: [b]', 'f(:a)'), '[:y]');
});

test('pipes: each step is the first argument of the next, whatever stands at the end', () => {
  assert.is(value('" A " |> String.trim() |> String.downcase |> String.to_atom()'), ':a');
  assert.is(value('"A,B" |> String.split(",") |> Enum.map(&String.downcase/1)'), '["a", "b"]');
  assert.is(value('"a" |> case do\n  "a" -> 1\n  _ -> 2\nend'), '1');
});

test('what only the running system knows stays unknown and never throws', () => {
  assert.is(value('System.get_env("PORT")'), 'System.get_env("PORT")');
  assert.is(value('if System.get_env("X"), do: 1, else: 2'), 'System.get_env("X")');
  assert.is(called('def f, do: f()', 'f()'), 'a recursive definition');
});

test('aliases are written out, groups and `as:` too', () => {
  const scope = moduleScope(
    parseElixir('alias Shop.{Repo, Mailer}\nalias Shop.Web\nalias Web.Endpoint, as: E').body,
  );
  const names = parseElixir('[Repo, Mailer.Smtp, E]').body[0];
  assert.is(show(evaluate(names, scope)), '[Shop.Repo, Shop.Mailer.Smtp, Shop.Web.Endpoint]');
});

test('modules: nested names, the production branch only, nothing out of quotes', () => {
  const source =
    'defmodule A do\n  defmodule B do\n  end\n  defmacro __using__(_) do\n    quote do\n      defmodule No do\n      end\n    end\n  end\nend\nif Mix.env() == :test do\n  defmodule T do\n  end\nend';
  assert.equal(
    modulesIn(parseElixir(source).body).map((one) => one.name),
    ['A', 'A.B'],
  );
});

test('a syntax error is located and the rest is still read', () => {
  const source = parseElixir('a = 1\nb = %{\nc = 3\n');
  assert.ok(source.problem && source.problem.line >= 2);
  assert.is(lineAt('a\nb\nc', 4), 3);
});

test('what follows a sigil is no modifier of it', () => {
  const { body } = parseElixir(
    'on? = fn name -> name in ~w(true 1) end\nif level not in ~w(info) do\n  1\nend\n~w(a b)a\n',
  );
  assert.equal(
    body.map((expr) => ('name' in expr ? expr.name : expr.is)),
    ['=', 'if', 'list'],
  );
});

test.run();
