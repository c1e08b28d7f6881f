import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluation, parsing } from '../src/elixir/budget.ts';
import { factsOf } from '../src/facts/detect.ts';
import { COSTLY } from './budget.ts';
import { app } from './support.ts';

const BEYOND = /here than is read/;
const limits = [parsing.limit, evaluation.limit];

// A smaller budget shows the same: that every cost is counted
test.before(() => {
  parsing.limit = 60_000;
  evaluation.limit = 20_000;
});
test.after(() => {
  [parsing.limit = 0, evaluation.limit = 0] = limits;
});

for (const [name, { files, beyond }] of Object.entries(COSTLY))
  test(`bounded: ${name}`, () => {
    const project = app(files);
    const told = project.notes.some((note) => BEYOND.test(note));
    assert.is(told, parsing.over || parsing.isCut || evaluation.over);
    if (beyond) assert.ok(told, 'the run is told to have ended at its budget');
    assert.ok(JSON.stringify(factsOf(project)).length < 200_000);
    assert.type(project.app.otpApp, 'string');
  });

test('what comes before the budget ends is known, what comes after is not', () => {
  const project = app({
    'config/config.exs': `import Config\nconfig :shop, early: 1\nf0 = fn -> 1 end\n${Array.from({ length: 30 }, (_, n) => `f${n + 1} = fn -> [f${n}.(), f${n}.()] end`).join('\n')}\nconfig :shop, x: f30.()\n`,
  });
  assert.match(JSON.stringify(project.config.settings), '"early"');
  assert.ok(evaluation.over);
});

test('each run has a budget of its own', () => {
  app(COSTLY['a closure that is given itself']?.files);
  assert.ok(evaluation.over);
  app();
  assert.not.ok(evaluation.over);
});

test.run();
