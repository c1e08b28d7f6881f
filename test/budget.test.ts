import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runtimeExs } from '../generators/runtime-exs.ts';
import { check } from '../src/check/check.ts';
import { budgetNotes, LIMITS, spend } from '../src/elixir/budget.ts';
import { isEqual } from '../src/elixir/value.ts';
import { detect } from '../src/facts/detect.ts';
import { factsOf } from '../src/facts/facts-json.ts';
import { plan } from '../src/plan/plan.ts';
import { notesOf } from '../src/run/report.ts';
import { treeOf } from '../src/tree.ts';
import { COSTLY } from './support/costly.ts';
import { app, complete, FLAGS, shop } from './support/fixture.ts';

const limits = { ...LIMITS };

// A smaller budget shows the same: that every cost is counted
test.before(() => {
  Object.assign(LIMITS, { parsing: 60_000, evaluation: 20_000 });
});
test.after(() => {
  Object.assign(LIMITS, limits);
});

for (const [name, { files, exceeds }] of Object.entries(COSTLY))
  test(`bounded: ${name}`, () => {
    const project = app(files);
    assert.equal(
      project.notes.filter((note) => /here than is read/.test(note)),
      budgetNotes(),
    );
    if (exceeds) assert.is(budgetNotes().length, 1, 'the run is told to have ended at its budget');
    assert.ok(JSON.stringify(factsOf(project)).length < 200_000);
    assert.type(project.app.otpApp, 'string');
  });

test('a small value is told from a large one without a look at its parts', () => {
  const large = Array.from({ length: 10_000 }, (_, index) => index);
  const start = Date.now();
  for (let round = 0; round < 10_000; round++) isEqual(1, large);
  assert.ok(Date.now() - start < 3000);
});

test('settings before the budget ends are known, later ones are not', () => {
  const calls = Array.from({ length: 30 }, (_, n) => `f${n + 1} = fn -> [f${n}.(), f${n}.()] end`);
  const project = app({
    'config/config.exs': `import Config\nconfig :shop, early: 1\nf0 = fn -> 1 end\n${calls.join('\n')}\nconfig :shop, x: f30.()\n`,
  });
  assert.match(JSON.stringify(project.config.settings), '"early"');
  assert.is(budgetNotes().length, 1);
});

test("where the budget ends, nothing of the owner's is replaced, and a note says so", () => {
  const project = detect(treeOf(shop()));
  spend('evaluation', LIMITS.evaluation);
  const context = { project, answers: complete(FLAGS, project) };
  assert.not.match(plan([runtimeExs], context)[0]?.after ?? '', /secret_key_base|pool_size/);
  assert.match(
    notesOf([{ ...runtimeExs, name: 'runtime-exs', asks: [] }], context, []).join(),
    'more Elixir code',
  );
});

test('of the files that mention sockets, only the endpoint is parsed for its own', () => {
  const live = `defmodule ShopWeb.Live do\n${'  def a(socket), do: {:ok, socket}\n'.repeat(20_000)}end\n`;
  check(detect(treeOf(shop({ 'lib/shop_web/live.ex': live }))));
  assert.equal(budgetNotes(), []);
});

test('of the modules that a start calls, those without variables are not parsed', () => {
  const functions = '  def a(list), do: {:ok, list}\n'.repeat(20_000);
  const start =
    'def start(_type, _args) do\n    Shop.Large.a([])\n    Supervisor.start_link([ShopWeb.Endpoint], [])\n  end';
  app({
    'lib/shop/application.ex': `defmodule Shop.Application do\n  use Application\n  ${start}\nend\n`,
    'lib/shop/large.ex': `defmodule Shop.Large do\n${functions}end\n`,
  });
  assert.equal(budgetNotes(), []);
});

test('each run has a budget of its own', () => {
  app(COSTLY['a closure that is given itself']?.files);
  assert.is(budgetNotes().length, 1);
  app();
  assert.equal(budgetNotes(), []);
});

test.run();
