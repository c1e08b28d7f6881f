import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '../generators/index.ts';
import { BUDGET, monthlyCost, PRICES_AS_OF } from '../src/fly/cost.ts';
import { parsePostgres } from '../src/fly/postgres.ts';
import { presentIn } from '../src/plan/plan.ts';
import type { Account } from '../src/run/account.ts';
import { costLines, stepLines } from '../src/run/report.ts';
import { complete, FLAGS, projectOf, shop } from './support.ts';

const way = { command: 'npx plop', dashes: true, from: '/work' } as const;
const silent: Account = { flyctl: 'silent', apps: undefined };

/** The steps after a run on the fixture, in which `changes` were made before. */
function steps(
  flags: typeof FLAGS = {},
  changes: Record<string, string> = {},
  account: Account & { secrets?: string[] } = silent,
): string {
  const project = projectOf(shop(changes));
  const answers = complete({ ...FLAGS, ...flags }, project);
  return stepLines({
    project,
    answers,
    present: presentIn(files, project),
    steps: undefined,
    root: '/work/shop',
    way,
    secrets: undefined,
    ...account,
  });
}

const cost = (flags: typeof FLAGS, changes: Record<string, string> = {}): string => {
  const project = projectOf(shop(changes));
  return costLines({ project, answers: complete({ ...FLAGS, ...flags }, project) }).join('\n');
};

test('machine and database are in the total, with the date of the prices', () => {
  const text = cost({});
  assert.match(
    text,
    `About $8.09 a month (prices of ${PRICES_AS_OF}): $5.92 app machine (shared-cpu-1x, 1024 MB) + $2.17 Postgres app`,
  );
  assert.not.match(text, 'more than $20');
  assert.not.match(text, 'for the time it sleeps');
});

test('past $20 it says what brings it under, and that does', () => {
  const text = cost({ postgres: 'managed' });
  assert.match(text, 'About $46.72 a month');
  assert.match(
    text,
    'That is more than $20 a month; a Postgres app that you look after yourself (--postgres NAME) instead makes it $8.09.',
  );
  assert.ok(monthlyCost(1024, parsePostgres('shop-db')).total < BUDGET);
});

test('what the total leaves out is said', () => {
  assert.match(cost({ postgres: 'external' }), 'the database outside Fly comes on top');
  assert.match(cost({ background: 'no' }), 'the machine costs less for the time it sleeps');
  assert.match(
    cost({}, { 'fly.toml': 'app = "shop"\n[[vm]]\n  size = "performance-2x"\n' }),
    'What performance-2x costs is not in the table',
  );
});

const inOrder = (text: string, parts: string[]) => {
  const places = parts.map((part) => text.indexOf(part));
  assert.equal(
    places,
    [...places].sort((left, right) => left - right),
    text,
  );
  assert.not(places.includes(-1), text);
};

test('the first steps name, in order, what the app needs', () => {
  const demands = {
    'config/prod.exs': 'import Config\nconfig :shop, key: System.fetch_env!("LICENCE")\n',
    'config/runtime.exs': `${shop()['config/runtime.exs'] ?? ''}\nconfig :shop, :stripe, System.fetch_env!("STRIPE_SECRET")\n`,
  };
  inOrder(steps({ host: 'shop.example.com' }, demands), [
    '  cd shop\n',
    'fly apps create shop --org personal\n',
    'SECRET_KEY_BASE=$(openssl',
    'fly postgres create --name shop-db --org personal --region lhr',
    'fly postgres attach shop-db --app shop',
    'STRIPE_SECRET  config/runtime.exs:',
    'fly secrets import --stage --app shop',
    'LICENCE  read while',
    'fly deploy --ha=false --build-secret LICENCE="$LICENCE"',
    'fly certs add shop.example.com',
    'fly ssh console --app shop -C',
    'remote"',
  ]);
});

test.run();
