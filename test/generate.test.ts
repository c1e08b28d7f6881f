import TOML from '@iarna/toml';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '../generators/all.ts';
import type { QuestionName } from '../src/answers/questions.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import { kindOf } from '../src/plan/file.ts';
import { plan } from '../src/plan/plan.ts';
import { after, complete, FLAGS, planFor, projectOf, shop } from './support.ts';

const text = (texts: Record<string, string>, path: string, flags = FLAGS): string =>
  planFor(texts, flags).find((change) => change.path === path)?.after ?? '';

const cases: Record<string, [Record<string, string | undefined>, typeof FLAGS]> = {
  ordinary: [{}, FLAGS],
  'managed Postgres on Debian': [
    {},
    { ...FLAGS, postgres: 'managed:abc123', base: 'debian', migrate: 'yes' },
  ],
  'external database': [{}, { ...FLAGS, postgres: 'external', host: 'shop.example.com' }],
  'no runtime.exs, no database': [
    { 'config/runtime.exs': undefined },
    { ...FLAGS, postgres: 'none' },
  ],
  'CRLF files': [{ 'config/runtime.exs': 'import Config\r\n', '.dockerignore': 'mine\r\n' }, FLAGS],
};

for (const [name, [changes, flags]] of Object.entries(cases)) {
  test(`${name}: outputs parse, and a second run changes nothing`, () => {
    const texts = shop(changes);
    const first = planFor(texts, flags);
    assert.equal(
      planFor(after(texts, first), flags)
        .filter((change) => kindOf(change) !== 'same')
        .map((change) => change.path),
      [],
    );
    const of = (path: string) => first.find((change) => change.path === path)?.after ?? '';
    TOML.parse(of('fly.toml'));
    assert.equal(
      validate(of('Dockerfile')).filter((one) => one.severity === 1),
      [],
    );
    for (const path of [
      'config/runtime.exs',
      'lib/shop_web/plugs/health.ex',
      'lib/shop_web/endpoint.ex',
    ])
      assert.is(parseElixir(of(path)).problem, null, path);
    for (const change of first) assert.not.match(change.after, /&#|&quot;|<%/, change.path);
  });
}

test('the Dockerfile exposes the port that fly.toml and the release use', () => {
  const instructions = DockerfileParser.parse(text(shop(), 'Dockerfile')).getInstructions();
  const last = (keyword: string) =>
    instructions
      .filter((one) => one.getKeyword() === keyword)
      .at(-1)
      ?.getArgumentsContent();
  assert.is(last('EXPOSE'), '4000');
  assert.is(last('USER'), '65534:65534');
  assert.is(last('CMD'), '["/app/bin/shop", "start"]');
  const fly = TOML.parse(text(shop(), 'fly.toml')) as {
    http_service: { internal_port: number };
    env: { PORT: string };
  };
  assert.is(fly.http_service.internal_port, 4000);
  assert.is(fly.env.PORT, '4000');
});

test('background work keeps one machine on; without it the machine sleeps', () => {
  const service = (texts: Record<string, string>) =>
    (TOML.parse(text(texts, 'fly.toml')) as { http_service: Record<string, unknown> }).http_service;
  assert.is(service(shop()).auto_stop_machines, 'off');
  assert.is(service(shop()).min_machines_running, 1);
  const idle = shop({
    'lib/shop/application.ex':
      'defmodule Shop.Application do\n  use Application\n  def start(_, _), do: Supervisor.start_link([Shop.Repo, ShopWeb.Endpoint], [])\nend\n',
  });
  assert.is(service(idle).auto_stop_machines, 'suspend');
});

test('an existing runtime.exs, env.sh.eex and .dockerignore keep every byte of theirs', () => {
  const texts = shop({
    'rel/env.sh.eex': '#!/bin/sh\nexport MINE=1',
    '.dockerignore': '!.env.build\nmine',
  });
  const changes = planFor(texts);
  for (const path of ['config/runtime.exs', 'rel/env.sh.eex', '.dockerignore']) {
    const change = changes.find((one) => one.path === path);
    assert.ok(change?.after.includes(texts[path] ?? '?'), path);
  }
});

test("the app's own health route is used and no plug is added", () => {
  const texts = shop({
    'lib/shop_web/router.ex':
      'defmodule ShopWeb.Router do\n  use Phoenix.Router\n  scope "/api" do\n    get "/healthz", ShopWeb.HealthController, :show\n  end\nend\n',
  });
  const changes = planFor(texts);
  assert.not(changes.some((change) => change.path === 'lib/shop_web/endpoint.ex'));
  assert.match(text(texts, 'fly.toml'), 'path = "/api/healthz"');
});

test('an old db_connection gets no max_lifetime', () => {
  const old = shop({ 'mix.lock': (shop()['mix.lock'] ?? '').replace('2.10.2', '2.7.0') });
  const flags = { ...FLAGS, postgres: 'managed' };
  assert.match(text(shop(), 'config/runtime.exs', flags), 'max_lifetime: 480_000..540_000');
  assert.not.match(text(old, 'config/runtime.exs', flags), 'max_lifetime');
});

test('a release that reboots after configuration gets no closure', () => {
  const reboots = shop({
    'mix.exs': (shop()['mix.exs'] ?? '').replace(
      'version:',
      'releases: [shop: [reboot_system_after_config: true]], version:',
    ),
  });
  assert.match(text(shop(), 'config/runtime.exs'), 'match_fun');
  assert.not.match(text(reboots, 'config/runtime.exs'), 'match_fun');
});

test('the health plug goes above the comment of the first plug', () => {
  assert.match(
    text(shop(), 'lib/shop_web/endpoint.ex'),
    '  plug ShopWeb.Plugs.Health\n\n  # Serves files',
  );
});

test('each file is planned from the answers that it asks for', () => {
  const project = projectOf(shop());
  for (const file of files) {
    const flags = Object.fromEntries(
      Object.entries(FLAGS).filter(([name]) => file.asks.includes(name as QuestionName)),
    );
    for (const change of plan([file], { project, answers: complete(flags, project, file.asks) }))
      assert.not.match(change.after, 'undefined', change.path);
  }
});

test.run();
