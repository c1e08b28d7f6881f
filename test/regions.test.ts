import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { refuseAnswers } from '../src/answers/refusals.ts';
import { parseRegion, REGIONS, refuseUnmanaged, searchRegions } from '../src/fly/regions.ts';
import { complete, FLAGS, type Flags, projectOf, shop } from './support/fixture.ts';

const codes = (text: string) => searchRegions(text).map(({ code }) => code);

test('a region is found by code, city, country, state or a big city nearby, with or without accents', () => {
  for (const line of `lhr: LHR, uk, England
ewr: new york
iad: washington
gru: São Paulo, sao  paulo, Brasil
fra: Zürich, münchen
dfw: texas
sjc: San Francisco
bom: india
ord: Indiana
syd: new zealand
nrt: korea
jnb: cape town`.split('\n')) {
    const [code = '', words = ''] = line.split(': ');
    for (const text of words.split(', ')) {
      assert.ok(codes(text).includes(code), text);
      assert.is(parseRegion(text), code, text);
    }
  }
  assert.equal(codes('usa'), ['dfw', 'ewr', 'iad', 'lax', 'ord', 'sjc']);
  assert.throws(
    () => parseRegion('usa'),
    /matches several regions: dfw \(Dallas, Texas \(US\)\), ewr/,
  );
  assert.equal(
    codes(''),
    REGIONS.map(({ code }) => code),
  );
  assert.equal(codes('atlantis'), []);
});

test('regions that begin with the text come first; it matches no middle of a word', () => {
  assert.is(codes('s')[0], 'sin');
  assert.is(codes('san')[0], 'sjc');
  assert.not.ok(codes('us').includes('gru'));
  assert.not.ok(codes('ork').includes('ewr'));
});

test('the account knows regions that the table does not', () => {
  const regions = [{ code: 'zzz', city: 'Zürich, Switzerland', mpg: true }];
  assert.is(parseRegion('zurich', regions), 'zzz');
  refuseUnmanaged('zzz', regions);
});

test('retired and unknown regions are refused', () => {
  assert.throws(() => parseRegion('sea'), 'use sjc (San Jose');
  assert.throws(() => parseRegion(''), /not a Fly region/);
  assert.throws(() => parseRegion('xxx'), /not a Fly region; there are ams arn/);
});

test('Managed Postgres is offered in twelve regions, and elsewhere they are named', () => {
  const managed = REGIONS.filter(({ mpg }) => mpg).map(({ code }) => code);
  assert.is(managed.join(' '), 'ams fra gru iad lax lhr nrt ord sin sjc syd yyz');
  for (const { code, mpg } of REGIONS)
    if (mpg) refuseUnmanaged(code);
    else assert.throws(() => refuseUnmanaged(code), 'answer one of ams fra gru');
});

test('answers that contradict the app or each other are refused', () => {
  const project = projectOf(shop());
  const refuse = (flags: Flags) =>
    refuseAnswers(project, complete({ ...FLAGS, ...flags }, project));
  assert.throws(() => refuse({ region: 'ewr', postgres: 'managed' }), 'in ewr; answer one');
  assert.throws(() => refuse({ postgres: 'none' }), /--postgres none: .*Shop\.Repo/);
  refuse({ region: 'ewr', postgres: 'managed:abc' });
  refuse({ region: 'ewr' });
  refuse({ postgres: 'external' });
});

test.run();
