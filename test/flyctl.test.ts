import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { askAccount, parseApps, parseClusters, parseRegions } from '../src/fly/live.ts';
import { postgresChoices } from '../src/fly/postgres.ts';
import { SHOP } from './support.ts';
import { fakeFlyctl, loggedOut, type } from './terminal.ts';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const PATH = process.env.PATH;
let app = '';

test.before.each(() => {
  app = mkdtempSync(join(tmpdir(), 'phoenix-fly-'));
  cpSync(SHOP, app, { recursive: true });
});
test.after.each(() => {
  rmSync(app, { recursive: true, force: true });
  process.env.PATH = PATH;
});

const REGIONS = `'[{"code":"lhr","name":"London, United Kingdom","mpg_available":true},{"code":"zzz","name":"Zedville","mpg_available":false},{"code":"old","name":"Oldtown","deprecated":true}]'`;
const ACCOUNT = `"platform regions --json") echo ${REGIONS};;
"postgres list --json") echo "a notice" >&2; echo '[{"ID":"1","Name":"acme-pg","Status":"deployed","Organization":{"Slug":"acme"}},{"Name":"../bad"}]';;
"orgs list --json") echo '{"acme":"Acme Inc"}';;
"mpg list --json --org acme") echo '[{"id":"k1v53olm","name":"main","region":"lhr","status":"ready","plan":"basic"},{"id":"x y"}]';;
"config validate --strict --config fly.toml") printf 'Validating fly.toml\n✓ Configuration is valid\n\n\nStrict validation found unrecognised sections or keys:\n  - kill_sgnal\n'; exit 1;;
*) echo "unexpected" >&2; exit 1;;`;

test('with flyctl logged in: its regions and databases are the choices, and its complaints are shown', async () => {
  const fly = fakeFlyctl(ACCOUNT);
  const run = await type(app, [[/app name/, '\r'], [/Region/, 'zed'], [/zzz {2}Zedville/, '\r'], [/acme-pg {2}Fly Postgres app of acme/, 'main'], [/Managed Postgres main in lhr \(basic, ready\)/, '\r'], [/Write \d files/, 'y\r']], fly.path);
  assert.is(run.code, 0, run.out);
  const written = readFileSync(join(app, 'fly.toml'), 'utf8');
  assert.match(written, 'primary_region = "zzz"');
  assert.match(written, 'fly mpg attach k1v53olm --app shop');
  assert.match(run.out, 'fly config validate --strict says about fly.toml: it knows no kill_sgnal');
  assert.equal(fly.calls().sort(), ['config validate --strict --config fly.toml', 'mpg list --json --org acme', 'orgs list --json', 'platform regions --json', 'postgres list --json']);
});

test('a run by flags asks flyctl nothing but to validate what was written', () => {
  const fly = fakeFlyctl(ACCOUNT);
  const run = spawnSync(process.execPath, ['--import', 'tsx', 'bin/phoenix-fly.ts', 'fly', '--dest', app, '--region', 'lhr', '--write', 'yes'], { cwd: HERE, encoding: 'utf8', env: { ...process.env, PATH: fly.path } });
  assert.is(run.status, 0, run.stderr);
  assert.match(run.stdout, 'kill_sgnal');
  assert.equal(fly.calls(), ['config validate --strict --config fly.toml']);
});

const silent: Record<string, [path: () => string, note: boolean]> = {
  'no flyctl': [() => '/nowhere', false],
  'not logged in': [loggedOut, true],
  'broken answers': [() => fakeFlyctl(`*) echo '[{"code":';;`).path, false],
  'answers of another shape': [() => fakeFlyctl(`*) echo '{"regions":[]}';;`).path, false],
  'an answer that never comes': [() => fakeFlyctl(`"orgs list --json") sleep 1; echo '{"a":"A"}';;\n*) exec sleep 60;;`).path, true],
};
for (const [name, [path, note]] of Object.entries(silent)) {
  test(`${name}: the table stands in, within three seconds and without an error`, async () => {
    process.env.PATH = path();
    const start = Date.now();
    const live = await askAccount();
    assert.ok(Date.now() - start < 3000);
    assert.is(live.regions, undefined);
    assert.is(live.databases?.length ?? 0, 0);
    assert.is(live.note !== undefined, note);
  });
}

test('an account without databases answers with sentences', async () => {
  process.env.PATH = fakeFlyctl(`"postgres list --json") echo "No postgres clusters found";;\n"orgs list --json") echo '{"a":"A"}';;\n"mpg list"*) echo "No managed postgres clusters found in organization a";;\n*) echo ${REGIONS};;`).path;
  const live = await askAccount();
  assert.equal(live.databases, []);
  assert.equal(live.regions?.map(({ code }) => code), ['lhr', 'zzz']);
});

test('a name or an id that no command could take is left out', () => {
  assert.equal(parseApps([{ Name: '../bad' }, { Name: 'a; rm' }, 1, null]), []);
  assert.equal(parseClusters([{ id: 'x y' }, {}]), []);
});

test('an older flyctl says nothing of Managed Postgres in a region, and the table does', () => {
  assert.equal(parseRegions([{ code: 'ams', name: 'Amsterdam' }, { code: 'arn', name: 'Stockholm' }])?.map(({ mpg }) => mpg), [true, false]);
});

test('a name that is typed is offered as a new database, one that exists only as itself', () => {
  const existing = [{ answer: 'shop-db', label: 'shop-db  Fly Postgres app of acme' }];
  assert.equal(postgresChoices('shop', 'shop-db', existing).map(({ name }) => name), ['shop-db  Fly Postgres app of acme', 'shop  new Fly Postgres app, you look after it (about $2 a month)']);
  assert.equal(postgresChoices('', 'shop-db').map(({ value }) => value), ['shop-db', 'managed', 'external', 'none']);
});

test.run();
