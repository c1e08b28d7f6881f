import TOML from '@iarna/toml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '../generators/descriptors.ts';
import type { QuestionName } from '../src/answers/questions.ts';
import { forceSslAdvice } from '../src/facts/force-ssl.ts';
import { plan } from '../src/plan/plan.ts';
import {
  afterFly,
  complete,
  FLAGS,
  projectOf,
  shop,
  type Texts,
  writtenTo,
} from './support/fixture.ts';

const IDLE = {
  'lib/shop/application.ex':
    'defmodule Shop.Application do\n  use Application\n  def start(_, _), do: Supervisor.start_link([Shop.Repo, ShopWeb.Endpoint], [])\nend\n',
};
test('background work keeps one machine on; without it the machine sleeps', () => {
  const { http_service: on } = TOML.parse(writtenTo('fly.toml', shop()));
  const { http_service: idle } = TOML.parse(writtenTo('fly.toml', shop(IDLE)));
  assert.match(JSON.stringify(on), /"auto_stop_machines":"off".*"min_machines_running":1/);
  assert.match(JSON.stringify(idle), '"auto_stop_machines":"suspend"');
});

test('background work is on after fly launch, off after an answer of ours', () => {
  const launched = shop({
    'fly.toml':
      'app = "shop"\nprimary_region = "lhr"\n\n[http_service]\n  internal_port = 8080\n  auto_stop_machines = "stop"\n  min_machines_running = 0\n',
  });
  assert.is(complete(FLAGS, projectOf(launched)).background, true);
  const answered = afterFly(launched, { ...FLAGS, background: 'no' });
  assert.is(complete({}, projectOf(answered)).background, false);
});

test('an existing runtime.exs, env.sh.eex and .dockerignore keep every byte of theirs', () => {
  const texts = shop({
    'rel/env.sh.eex': '#!/bin/sh\nexport MINE=1',
    '.dockerignore': '!.env.build\nmine',
  });
  for (const path of ['config/runtime.exs', 'rel/env.sh.eex', '.dockerignore'])
    assert.ok(writtenTo(path, texts).includes(texts[path] ?? '?'), path);
});

test("the app's own health route is used and no plug is added", () => {
  const texts = shop({
    'lib/shop_web/router.ex':
      'defmodule ShopWeb.Router do\n  use Phoenix.Router\n  scope "/api" do\n    get "/healthz", ShopWeb.HealthController, :show\n  end\nend\n',
  });
  assert.is(writtenTo('lib/shop_web/endpoint.ex', texts), '');
  assert.match(writtenTo('fly.toml', texts), 'path = "/api/healthz"');
});

test('runtime.exs: max_lifetime where db_connection has it, closures where nothing reboots', () => {
  const runtime = (path: string, from: string, to: string) => {
    const changes = { [path]: (shop()[path] ?? '').replace(from, to) };
    return writtenTo('config/runtime.exs', shop(changes), { ...FLAGS, postgres: 'managed' });
  };
  const ours = runtime('mix.lock', '', '');
  assert.match(ours, 'max_lifetime: 480_000..540_000');
  assert.match(ours, 'match_fun');
  assert.not.match(runtime('mix.lock', '2.10.2', '2.7.0'), 'max_lifetime');
  const reboots = 'releases: [shop: [reboot_system_after_config: true]], version:';
  assert.not.match(runtime('mix.exs', 'version:', reboots), 'match_fun');
});

test('each file is planned from the answers that it asks for', () => {
  const project = projectOf(shop());
  for (const file of files) {
    const flags = Object.fromEntries(
      Object.entries(FLAGS).filter(([name]) => file.asks.includes(name as QuestionName)),
    );
    for (const change of plan([file], {
      project,
      answers: complete(flags, project, file.asks),
    }))
      assert.not.match(change.after, 'undefined', change.path);
  }
});

const PLUG_1_18 = { 'mix.lock': (shop()['mix.lock'] ?? '').replace('1.19.1', '1.18.0') };
const RIGHT =
  'force_ssl: [rewrite_on: [:x_forwarded_proto], exclude: [paths: ["/health"], hosts: ["localhost", "127.0.0.1"]]]';
/** Settings of the endpoint in prod.exs, what is said of them, other files. */
const FORCE_SSL: [string, string, Texts?][] = [
  [RIGHT, ''],
  ['force_ssl: [hsts: true]', 'config/prod.exs:3: force_ssl has no rewrite_on'],
  ['force_ssl: []', 'add rewrite_on: [:x_forwarded_proto] to it'],
  [
    'force_ssl: [rewrite_on: [:x_forwarded_proto]], exclude: [paths: ["/health"]]',
    'config/prod.exs:3: exclude is beside force_ssl',
  ],
  [RIGHT, 'needs plug 1.19.0, mix.lock has 1.18.0', PLUG_1_18],
  [
    'force_ssl: [rewrite_on: [:x_forwarded_proto], exclude: [paths: ["/health"]]]',
    'add hosts: ["localhost", "127.0.0.1"]',
  ],
  ...[
    ['plug Plug.SSL, hsts: true', 'lib/shop_web/endpoint.ex:3: Plug.SSL has no rewrite_on'],
    ['plug Plug.SSL', 'lib/shop_web/endpoint.ex:3: Plug.SSL has no rewrite_on'],
    ['plug Plug.SSL, rewrite_on: [:x_forwarded_proto]', ''],
    ['plug Plug.RewriteOn, [:x_forwarded_proto]; plug Plug.SSL', ''],
    ['# plug Plug.SSL', ''],
  ].map(([plug = '', advice = '']): [string, string, Texts] => [
    RIGHT,
    advice,
    {
      'lib/shop_web/endpoint.ex': `defmodule ShopWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :shop
  ${plug}
end
`,
    },
  ]),
  // The release stops at boot, which the rules of runtime.exs say
  [
    'url: [port: 443]',
    '',
    {
      'config/runtime.exs':
        'import Config\nconfig :shop, ShopWeb.Endpoint, force_ssl: [hsts: true]\n',
    },
  ],
];
test('force_ssl in each of its wrong shapes is answered with the edit; the right one with nothing', () => {
  for (const [setting, said, files] of FORCE_SSL) {
    const prod = `import Config\n\nconfig :shop, ShopWeb.Endpoint, ${setting}\n`;
    const advice = forceSslAdvice(projectOf(shop({ 'config/prod.exs': prod, ...files })));
    if (said) assert.match(advice.join(), said, setting);
    else assert.equal(advice, [], setting);
  }
});

test.run();
