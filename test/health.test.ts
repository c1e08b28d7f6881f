import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { afterFly, projectOf, shop } from './support/fixture.ts';
import { findingsOf, resultFor } from './support/traps.ts';

const ENDPOINT = 'lib/shop_web/endpoint.ex';
const endpoint = (plugs: string): string =>
  `defmodule ShopWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\n\n${plugs}\n  plug ShopWeb.Router\nend\n`;
const PLUG = /^ {2}plug ShopWeb\.Plugs\.Health$/m;

test('the plug is added where the code has none, whatever its text says', () => {
  for (const plugs of [
    '  plug ShopWeb.Plugs.HealthHeaders',
    '  # plug ShopWeb.Plugs.Health',
    '  @moduledoc "plug ShopWeb.Plugs.Health"',
    '',
  ]) {
    const written = afterFly(shop({ [ENDPOINT]: endpoint(plugs) }));
    assert.match(written[ENDPOINT] ?? '', PLUG, plugs);
    assert.is(resultFor(written, 'R2.5').verdict, 'met', plugs);
    assert.equal(afterFly(written), written);
  }
});

test('the plug is not added again: under an alias, with options', () => {
  for (const plugs of [
    '  plug ShopWeb.Plugs.Health',
    '  plug(ShopWeb.Plugs.Health, [])',
    '  alias ShopWeb.Plugs.Health\n  plug Health',
    '  plug __MODULE__.Other\n  plug ShopWeb.Plugs.Health',
  ]) {
    const text = endpoint(plugs);
    assert.is(afterFly(shop({ [ENDPOINT]: text }))[ENDPOINT], text);
  }
});

test('a health module that is not plugged in does not count', () => {
  const { 'lib/shop_web/plugs/health.ex': plug = '' } = afterFly(shop());
  const alone = shop({ 'lib/shop_web/plugs/health.ex': plug });
  assert.is(projectOf(alone).endpoint.healthPath, null);
  assert.match(afterFly(alone)[ENDPOINT] ?? '', PLUG);
  const commented = { ...afterFly(shop()), [ENDPOINT]: endpoint('  # plug ShopWeb.Plugs.Health') };
  assert.match(
    findingsOf(commented, 'R2.5'),
    /^must \S+ nothing in the app answers a health check/m,
  );
});

test('a module of that name which does something else stays, and ours gets another', () => {
  const own =
    'defmodule ShopWeb.Plugs.Health do\n  def init(o), do: o\n  def call(c, _), do: c\nend\n';
  const done = afterFly(shop({ 'lib/shop_web/plugs/health.ex': own }));
  assert.is(done['lib/shop_web/plugs/health.ex'], own);
  assert.match(done[ENDPOINT] ?? '', 'plug ShopWeb.Plugs.FlyHealth');
  assert.is(resultFor(done, 'R2.5').verdict, 'met');
  assert.equal(afterFly(done), done);
});

test('force_ssl that redirects for ever is a must also without a health check', () => {
  const texts = shop({
    'config/prod.exs': 'import Config\nconfig :shop, ShopWeb.Endpoint, force_ssl: [hsts: true]\n',
    'fly.toml': 'app = "shop"\n[http_service]\ninternal_port = 4000\n',
  });
  assert.match(findingsOf(texts, 'R2.5'), 'must config/prod.exs:2 force_ssl has no rewrite_on');
});

test.run();
