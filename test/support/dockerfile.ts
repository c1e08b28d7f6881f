import { validate } from 'dockerfile-utils';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dockerfile } from '../../generators/dockerfile.ts';
import {
  FLAGS,
  type Flags,
  notesOf,
  planFor,
  projectOf,
  shop,
  withoutUndefined,
} from './fixture.ts';
import type { Changes } from './shop-changes.ts';

/** A repo, and what its Dockerfile is like. */
export interface Shape {
  /** Changes of the fixture, or a whole umbrella. */
  texts?: Changes;
  flags?: Flags;
  /** Parts of the Dockerfile; within one, ` … ` stands for any text. Continued lines are joined. */
  has?: string[];
  lacks?: RegExp;
  notes?: RegExp;
}

/** Shapes that are about one part. */
export const withPart = (rows: readonly [texts: Changes, part: string, flags?: Flags][]) =>
  Object.fromEntries(
    rows.map(([texts, part, flags = FLAGS]): [string, Shape] => [
      part,
      { texts, has: [part], flags },
    ]),
  );
export const withoutPart = (rows: readonly [texts: Changes, part: RegExp][]) =>
  Object.fromEntries(
    rows.map(([texts, part]): [string, Shape] => [`no ${part}`, { texts, lacks: part }]),
  );

export function testDockerfiles(shapes: Record<string, Shape>): void {
  for (const [name, { texts, flags = FLAGS, has = [], lacks, notes }] of Object.entries(shapes))
    test(`${name}: a Dockerfile without errors, which a second run leaves as it is`, () => {
      const before = texts && 'apps/shop/mix.exs' in texts ? withoutUndefined(texts) : shop(texts);
      const [change] = planFor(before, flags, undefined, 'dockerfile');
      const text = change?.after ?? '';
      const errors = validate(text).filter(({ severity }) => severity === 1);
      assert.equal(errors, []);
      const rerun = planFor({ ...before, Dockerfile: text }, flags, undefined, 'dockerfile');
      assert.is(rerun[0]?.after, text);
      const joined = text.replaceAll(/ *\\\n */g, ' ');
      assertInOrder(
        joined,
        has.flatMap((part) => part.split(' … ')),
      );
      if (lacks) assert.not.match(joined, lacks);
      if (notes) assert.match(notesOf(dockerfile, projectOf(before), flags), notes);
    });
}

function assertInOrder(text: string, parts: readonly string[]): void {
  let end = 0;
  for (const part of parts) {
    const start = text.indexOf(part, end);
    assert.ok(start >= 0, `${part} behind ${text.slice(0, end)}§${text.slice(end)}`);
    end = start + part.length;
  }
}
