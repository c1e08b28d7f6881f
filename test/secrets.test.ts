import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { secretsToSet } from '../src/fly/secrets.ts';

const missing = (names: string, set: string[] = []) =>
  secretsToSet(
    names.split(' ').map((name) => ({ name, compileTime: false })),
    set,
  ).map(({ name }) => name);

test('variables that Fly, the release or the system sets are not asked for', () => {
  const provided =
    'FLY_REGION FLY_APP_NAME FLY_MACHINE_ID FLY_VM_MEMORY_MB PRIMARY_REGION RELEASE_VSN RELEASE_COOKIE RELEASE_NODE HOSTNAME HOME PATH ROOTDIR';
  assert.equal(missing(provided), []);
  assert.equal(missing('EXCHANGE_API_KEY HOMEPAGE MY_FLY_REGION PATH_TO_KEY RELEASED'), [
    'EXCHANGE_API_KEY',
    'HOMEPAGE',
    'MY_FLY_REGION',
    'PATH_TO_KEY',
    'RELEASED',
  ]);
  assert.equal(missing('FLY_API_TOKEN'), ['FLY_API_TOKEN']);
});

test('variables that the files set, or that the build reads, are not asked for', () => {
  assert.equal(missing('PORT PHX_SERVER SMTP_HOST', ['PORT', 'PHX_SERVER']), ['SMTP_HOST']);
  assert.equal(secretsToSet([{ name: 'BUILD_ID', compileTime: true }], []), []);
});

test.run();
