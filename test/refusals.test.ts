import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { refuseAnswers, refuseUnsupported } from '../src/answers/refusals.ts';
import { complete, FLAGS, planFor, projectOf, shop, type Texts } from './support/fixture.ts';
import { committed, dep, mix, SECRET, umbrella } from './support/shop-changes.ts';

const repoOn = (adapter: string) => ({
  'lib/shop/repo.ex': `defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.${adapter}\nend\n`,
});
const REFUSED: [string, Texts, RegExp][] = [
  ['a dependency above the app', shop(mix(dep('{:x, path: "../x"}'))), /x is above the app/],
  [
    'a private repository of an unknown address',
    shop(mix(dep('{:x, "~> 1.0", repo: "elsewhere"}'))),
    /private Hex repository "elsewhere"/,
  ],
  ['SQLite', shop(repoOn('SQLite3')), /SQLite/],
  ['MySQL in a Fly Postgres app', shop(repoOn('MyXQL')), /MySQL/],
  ['an import of secrets', shop(SECRET), /prod\.secret\.exs/],
  [
    'committed secrets',
    shop(committed('secret_key_base: "abc", http: [port: System.get_env("PORT")]')),
    /prod\.secret\.exs/,
  ],
  [
    'an import of secrets in an app of an umbrella',
    { ...umbrella(), 'apps/shop/config/prod.exs': SECRET['config/prod.exs'] },
    /apps\/shop\/config\/prod\.exs imports prod\.secret\.exs/,
  ],
];
const attempt = (texts: Texts) => () => {
  const project = projectOf(texts);
  refuseUnsupported(project);
  refuseAnswers(project, complete(FLAGS, project));
  planFor(texts);
};
test("apps and answers that can't be served are refused with the reason", () => {
  for (const [name, texts, message] of REFUSED) assert.throws(attempt(texts), message, name);
  const reads = 'secret_key_base: System.get_env("SECRET_KEY_BASE") || raise("none")';
  assert.not.throws(attempt(shop(committed(reads))));
  const mysql = projectOf(shop(repoOn('MyXQL')));
  assert.is(complete({ app: 'shop', region: 'lhr' }, mysql).postgres.kind, 'external');
});

test.run();
