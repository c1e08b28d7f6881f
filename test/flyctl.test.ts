import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FlyctlFailure } from '../src/fly/flyctl.ts';
import { askAccount, askSecrets } from '../src/fly/live.ts';
import { parsePostgres, postgresChoices } from '../src/fly/postgres.ts';
import { PHOENIX_FLY, run, type Started, startInCopy } from './support/commands.ts';
import { fakeFlyctl, loggedOut, typeAnswers } from './support/terminal.ts';

const PATH = process.env.PATH;
test.after.each(() => {
  process.env.PATH = PATH;
});

const REGIONS = `'[{"code":"lhr","name":"London, United Kingdom","mpg_available":true},{"code":"zzz","name":"Zedville","mpg_available":false},{"code":"old","name":"Oldtown","deprecated":true}]'`;
const ACCOUNT = `"platform regions --json") echo ${REGIONS};;
"postgres list --json") echo "a notice" >&2; echo '[{"ID":"1","Name":"acme-pg","Status":"deployed","Organization":{"Slug":"acme"}},{"Name":"../bad"}]';;
"orgs list --json") echo '{"acme":"Acme Inc"}';;
"mpg list --org acme --json") echo '[{"id":"k1v53olm","name":"main","region":"lhr","status":"ready","plan":"basic"},{"id":"x y"}]';;
"config validate --strict --config "*/fly.toml) printf 'Validating fly.toml\n✓ Configuration is valid\n\n\nStrict validation found unrecognised sections or keys:\n  - kill_sgnal\n'; exit 1;;
*) echo "unexpected" >&2; exit 1;;`;

const short = (call: string): string => call.replace(/\/.*\//, '');
const answering = fakeFlyctl(ACCOUNT);
const validating = fakeFlyctl(ACCOUNT);
let answered: Started;
let flagged: Started;

// Beside the tests up to their own
test.before(() => {
  const keys: [RegExp, string][] = [
    [/app name/, '\r'],
    [/Region/, 'zed'],
    [/zzz {2}Zedville/, '\r'],
    [/acme-pg {2}Fly Postgres app of acme/, 'main'],
    [/Managed Postgres main in lhr \(basic, ready\)/, '\r'],
    [/Write \d files/, 'y\r'],
  ];
  answered = startInCopy((app) =>
    typeAnswers([process.execPath, ...PHOENIX_FLY, 'fly'], app, keys, answering.path),
  );
  flagged = startInCopy((app) =>
    run(PHOENIX_FLY, ['fly', '--dest', app, '--region', 'lhr', '--write', 'yes'], {
      PATH: validating.path,
    }),
  );
});

const silent: Record<string, [path: () => string, state: FlyctlFailure]> = {
  'no flyctl': [() => '/nowhere', 'absent'],
  'not logged in': [loggedOut, 'logged out'],
  'broken answers': [() => fakeFlyctl(`*) echo '[{"code":';;`).path, 'silent'],
  'answers that come late': [
    () =>
      fakeFlyctl(
        `"orgs list --json") sleep 1; echo '{"a":"A"}';;\n"mpg list"*) sleep 2; echo '[{"id":"k1"}]';;\n*) sleep 4; echo ${REGIONS};;`,
      ).path,
    'silent',
  ],
};
for (const [name, [path, state]] of Object.entries(silent)) {
  test(`${name}: the table stands in, without an error`, async () => {
    process.env.PATH = path();
    const live = await askAccount('.', true);
    assert.is(live.regions, undefined);
    assert.is(live.databases?.length ?? 0, 0);
    assert.is(live.flyctl, state);
  });
}

test('an account without databases, for which flyctl prints sentences, offers none', async () => {
  process.env.PATH = fakeFlyctl(
    `"postgres list --json") echo "No postgres clusters found";;\n"orgs list --json") echo '{"a":"A"}';;\n"mpg list"*) echo "No managed postgres clusters found in organization a";;\n*) echo ${REGIONS};;`,
  ).path;
  const live = await askAccount('.', true);
  assert.equal(live.databases, []);
  assert.equal(
    live.regions?.map(({ code }) => code),
    ['lhr', 'zzz'],
  );
});

test("where an older flyctl doesn't say which regions have Managed Postgres, the table does", async () => {
  const regions = `'[{"code":"ams","name":"Amsterdam"},{"code":"arn","name":"Stockholm"}]'`;
  process.env.PATH = fakeFlyctl(`*) echo ${regions};;`).path;
  const live = await askAccount('.', true);
  assert.equal(
    live.regions?.map(({ mpg }) => mpg),
    [true, false],
  );
});

test('a typed name is offered as a new database, unless it exists', () => {
  const existing = [{ answer: 'shop-db', label: 'shop-db  Fly Postgres app of acme' }];
  assert.equal(
    postgresChoices('shop', 'shop-db', existing).map(({ name }) => name),
    [
      'shop-db  Fly Postgres app of acme',
      'shop  new Fly Postgres app, you look after it (about $2 a month)',
    ],
  );
  assert.equal(
    postgresChoices('', 'shop-db').map(({ value }) => value),
    ['shop-db', 'managed', 'external', 'none'],
  );
});

test('common names of databases outside Fly are no app names', () => {
  for (const said of ['neon', 'Supabase', 'rds', 'postgres://user:pass@db.example.com/shop'])
    assert.equal(parsePostgres(said), { kind: 'external' });
  assert.equal(parsePostgres('neon-db'), { kind: 'app', name: 'neon-db' });
  assert.equal(
    postgresChoices('neon', 'shop-db').map(({ value }) => value),
    ['external'],
  );
});

test("the app's secrets are names, whose key flyctl writes one way or the other", async () => {
  process.env.PATH = fakeFlyctl(
    `"secrets list --app shop --json") echo '[{"Name":"ONE"},{"name":"TWO"}]';;`,
  ).path;
  const apps = [{ name: 'shop', organization: 'acme', deployed: true }];
  const names = await askSecrets('.', 'shop', { flyctl: 'logged in', apps, organizations: [] });
  assert.equal(names, ['ONE', 'TWO']);
});

test('with flyctl logged in: its regions and databases are the choices, and its complaints are shown', async () => {
  const { code, out } = await answered.exit;
  assert.is(code, 0, out);
  const written = readFileSync(join(answered.app, 'fly.toml'), 'utf8');
  assert.match(written, 'primary_region = "zzz"');
  assert.match(written, 'fly mpg attach k1v53olm --app shop');
  assert.match(out, 'fly config validate --strict says about fly.toml: it knows no kill_sgnal');
  assert.equal(answering.calls().map(short).sort(), [
    'apps list --json',
    'config validate --strict --config fly.toml',
    'mpg list --org acme --json',
    'orgs list --json',
    'platform regions --json',
    'postgres list --json',
  ]);
});

test('a run by flags asks flyctl for the apps, and to validate what was written', async () => {
  const { code, out, err } = await flagged.exit;
  assert.is(code, 0, err);
  assert.match(out, 'kill_sgnal');
  assert.equal(validating.calls().map(short).sort(), [
    'apps list --json',
    'config validate --strict --config fly.toml',
    'orgs list --json',
  ]);
});

test.run();
