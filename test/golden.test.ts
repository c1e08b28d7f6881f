/** Whole repos before and after `fly`: a reviewer reads each change of output in the diff. `UPDATE=1 npm test` renews them. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { refuseUnsupported } from '../src/answers/refusals.ts';
import { factsOf } from '../src/facts/facts-json.ts';
import { Problem } from '../src/problem.ts';
import { planFor, projectOf, writeFiles } from './support/fixture.ts';
import {
  type Golden,
  goldenOf,
  PROJECTS,
  type Texts,
  textsBefore,
  textsIn,
} from './support/projects.ts';

const REFUSAL = 'refusal.txt';

/** The files that a run writes; for a repo that is refused, the message as refusal.txt. */
function written(texts: Texts, { flags, conflict }: Golden): Texts {
  try {
    refuseUnsupported(projectOf(texts));
  } catch (error) {
    if (error instanceof Problem) return { [REFUSAL]: `${error.message}\n` };
    throw error;
  }
  const changes = planFor(texts, flags, conflict).filter(
    (change) => change.before !== change.after,
  );
  return Object.fromEntries(changes.map(({ path, after }) => [path, after]));
}

for (const name of readdirSync(PROJECTS)) {
  const folder = join(PROJECTS, name, 'after');
  const golden = goldenOf(name);
  const before = textsBefore(name);

  test(`${name}: what fly writes is what after/ holds`, () => {
    const texts = written(before, golden);
    if (process.env.UPDATE) {
      rmSync(folder, { recursive: true, force: true });
      writeFiles(folder, texts);
    }
    const expected = textsIn(folder);
    assert.equal(Object.keys(texts).sort(), Object.keys(expected).sort());
    for (const [path, text] of Object.entries(texts)) assert.fixture(text, expected[path] ?? '');
  });

  test(`${name}: a second run changes nothing`, () => {
    const { [REFUSAL]: refusal, ...after } = textsIn(folder);
    if (refusal === undefined) assert.equal(written({ ...before, ...after }, golden), {});
  });
}

test('AGENTS.md names each fact', () => {
  const text = readFileSync(new URL('../AGENTS.md', import.meta.url), 'utf8');
  const facts = Object.keys(factsOf(projectOf(textsBefore('stock-1.8'))));
  assert.equal(
    facts.filter((name) => !text.includes(`\`${name}\``)),
    [],
  );
});

test.run();
