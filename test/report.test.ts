import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '../generators/index.ts';
import { complete } from '../src/answers/questions.ts';
import { BUDGET, monthlyCost, PRICES_AS_OF } from '../src/fly/cost.ts';
import { parsePostgres } from '../src/fly/postgres.ts';
import { report } from '../src/run/report.ts';
import { FLAGS, projectOf, shop } from './support.ts';

const lines = (flags: typeof FLAGS, changes: Record<string, string> = {}): string => {
  const project = projectOf(shop(changes));
  return report(
    { name: 'fly', files },
    'npx plop fly --',
    project,
    complete({ ...FLAGS, ...flags }, project),
  ).join('\n');
};

test('machine and database are in the total, with the date of the prices', () => {
  const text = lines({});
  assert.match(
    text,
    `About $8.09 a month (prices of ${PRICES_AS_OF}): $5.92 app machine (shared-cpu-1x, 1024 MB) + $2.17 Postgres app`,
  );
  assert.not.match(text, 'more than $20');
  assert.not.match(text, 'for the time it sleeps');
});

test('past $20 it says what brings it under, and that does', () => {
  const text = lines({ postgres: 'managed' });
  assert.match(text, 'About $46.72 a month');
  assert.match(
    text,
    'That is more than $20 a month; a Postgres app that you look after yourself (--postgres NAME) instead makes it $8.09.',
  );
  assert.ok(monthlyCost(1024, parsePostgres('shop-db')).total < BUDGET);
});

test('what the total leaves out is said', () => {
  assert.match(lines({ postgres: 'external' }), 'the database outside Fly comes on top');
  assert.match(lines({ background: 'no' }), 'the machine costs less for the time it sleeps');
  assert.match(
    lines({}, { 'fly.toml': 'app = "shop"\n[[vm]]\n  size = "performance-2x"\n' }),
    'What performance-2x costs is not in the table',
  );
});

test('the next steps name, in order, what the app needs: folder, database, secrets, build secrets, deploy, certificate, migration', () => {
  const texts = shop({
    'config/prod.exs': 'import Config\nconfig :shop, key: System.fetch_env!("LICENCE")\n',
    'config/runtime.exs': `${shop()['config/runtime.exs'] ?? ''}\nconfig :shop, :stripe, System.fetch_env!("STRIPE_SECRET")\n`,
  });
  const project = projectOf(
    Object.fromEntries(Object.entries(texts).map(([path, text]) => [`server/${path}`, text])),
  );
  const steps = report(
    { name: 'fly', files },
    'npx plop fly --',
    project,
    complete({ ...FLAGS, host: 'shop.example.com' }, project),
  ).join('\n');
  const places = [
    '  cd server\n',
    'fly apps create shop\n',
    'fly postgres create --name shop-db --region lhr',
    'fly postgres attach shop-db --app shop',
    'SECRET_KEY_BASE=$(openssl',
    'fly secrets set STRIPE_SECRET=- --stage',
    'export LICENCE=...',
    'fly deploy --ha=false --build-secret LICENCE="$LICENCE"',
    'fly certs add shop.example.com',
    'Ecto.Migrator',
    'remote"',
  ].map((part) => steps.indexOf(part));
  assert.equal(
    places,
    [...places].sort((left, right) => left - right),
    steps,
  );
  assert.not(places.includes(-1), steps);
});

test.run();
