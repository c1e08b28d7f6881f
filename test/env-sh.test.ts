import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { envSh } from '../generators/env-sh.ts';
import {
  afterFly,
  FLAGS,
  notesOf,
  projectOf,
  shop,
  type Texts,
  writtenTo,
} from './support/fixture.ts';
import { findingsOf, resultFor } from './support/traps.ts';

const ENV_SH = 'rel/env.sh.eex';
const script = (changes: Texts = {}): string => writtenTo(ENV_SH, shop(changes));
const findings = (texts: Texts): string => findingsOf(texts, 'B10');

const FLY = {
  FLY_APP_NAME: 'shop',
  FLY_IMAGE_REF: 'registry.fly.io/shop:deployment-01JABC@sha256:0123',
  FLY_PRIVATE_IP: 'fdaa:0:1::2',
};
/** The environment of a release after each script, sourced as a release does it. */
function allSourced(scripts: readonly string[], given: Texts = FLY): Texts[] {
  const program = scripts.map((text) => `(\n${text}\nenv\necho ---\n)\n`).join('');
  const out = execFileSync('sh', ['-ec', program], {
    env: { PATH: process.env.PATH ?? '', ...given },
    encoding: 'utf8',
  });
  return out
    .split(/^---\n/m)
    .slice(0, -1)
    .map((lines) => Object.fromEntries(lines.split('\n').map((line) => line.split(/=(.*)/s))));
}
const sourced = (text: string, given?: Texts): Texts => allSourced([text], given)[0] ?? {};

test('on Fly the node has a name, and off Fly nothing changes', () => {
  const { RELEASE_NODE, RELEASE_DISTRIBUTION, ERL_AFLAGS, ECTO_IPV6, DNS_CLUSTER_QUERY } = sourced(
    script(),
  );
  assert.equal(
    [RELEASE_NODE, RELEASE_DISTRIBUTION, ERL_AFLAGS?.trim(), ECTO_IPV6, DNS_CLUSTER_QUERY],
    ['shop-01JABC@fdaa:0:1::2', 'name', '-proto_dist inet6_tcp', 'true', 'shop.internal'],
  );
  const off = sourced(script(), {});
  for (const name of ['RELEASE_NODE', 'RELEASE_DISTRIBUTION', 'ERL_AFLAGS', 'ECTO_IPV6'])
    assert.is(off[name], undefined);
});

test("a value of the owner's wins, in any spelling, above our block and below it", () => {
  const values: Record<string, string> = {
    RELEASE_NODE: 'mine@host.internal',
    RELEASE_DISTRIBUTION: 'name',
    ECTO_IPV6: 'false',
    DNS_CLUSTER_QUERY: 'mine.internal',
    ERL_AFLAGS: '-proto_dist inet6_tls',
  };
  const spellings = [
    (name: string, value: string) => `export ${name}="${value}"`,
    (name: string, value: string) => `${name}='${value}'\nexport ${name}`,
    (name: string, value: string) => `export "${name}=${value}"`,
    (name: string, value: string) => `: "\${${name}:=${value}}"; export ${name}`,
    (name: string, value: string) => `export ${name}="\${${name}:-${value}}"`,
    (name: string, value: string) =>
      `if [ -n "$FLY_APP_NAME" ]; then\n  export ${name}="${value}"\nfi`,
  ];
  const ours = script();
  for (const [name, value] of Object.entries(values)) {
    const texts = spellings
      .map((spell) => spell(name, value))
      .flatMap((own) => [`#!/bin/sh\n${own}\n`, `${ours}${own}\n`])
      .map((text) => script({ [ENV_SH]: text }));
    for (const [index, seen] of allSourced(texts).entries())
      assert.is(seen[name], value, texts[index]);
  }
});

test('a value for another platform leaves the name on Fly to us', () => {
  const text = script({
    [ENV_SH]: '#!/bin/sh\nif [ -n "$POD_IP" ]; then\n  export RELEASE_NODE="shop@$POD_IP"\nfi\n',
  });
  assert.is(sourced(text).RELEASE_NODE, 'shop-01JABC@fdaa:0:1::2');
  assert.is(sourced(text, { ...FLY, POD_IP: '10.0.0.1' }).RELEASE_NODE, 'shop@10.0.0.1');
});

test('the Erlang VM hears -proto_dist once, also where the image gives it', () => {
  const given = { ...FLY, ERL_AFLAGS: '-proto_dist inet6_tcp' };
  assert.is(sourced(script(), given).ERL_AFLAGS, '-proto_dist inet6_tcp');
  assert.match(
    sourced(script(), { ...FLY, ERL_AFLAGS: '+S 1' }).ERL_AFLAGS ?? '',
    'inet6_tcp +S 1',
  );
  const vmArgs = { 'rel/vm.args.eex': '-proto_dist inet6_tcp\n' };
  assert.is(sourced(script(vmArgs)).ERL_AFLAGS, undefined);
});

test("the older variable for the Erlang VM's options counts too", () => {
  const given = { ...FLY, ELIXIR_ERL_OPTIONS: '-proto_dist inet6_tcp' };
  assert.is(sourced(script(), given).ERL_AFLAGS, undefined);
});

test('a node whose address is of another platform is named, and stays', () => {
  for (const [host, names] of [
    ['$(hostname -f)', 'hostname'],
    ['$(echo $POD_IP | tr . -).$NAMESPACE.pod.cluster.local', 'POD_IP, NAMESPACE'],
    ['$ADDRESS"\nADDRESS="$ECS_IP', 'ECS_IP'],
  ]) {
    const own = `#!/bin/sh\nexport RELEASE_DISTRIBUTION=name\nexport RELEASE_NODE="shop@${host}"\n`;
    const texts = shop({ [ENV_SH]: own });
    assert.match(
      findings(afterFly(texts)),
      `should rel/env.sh.eex:3 RELEASE_NODE is made of ${names}, by which`,
    );
    assert.match(
      notesOf(envSh, projectOf(texts)),
      `line 3: your RELEASE_NODE stays, and is made of ${names}`,
    );
    assert.match(script({ [ENV_SH]: own }), own);
  }
  for (const host of [
    '$FLY_PRIVATE_IP',
    '127.0.0.1',
    '${FLY_MACHINE_ID}.vm.$FLY_APP_NAME.internal',
    '$(hostname).vm.$FLY_APP_NAME.internal',
  ])
    assert.not.match(
      findings(afterFly(shop({ [ENV_SH]: `#!/bin/sh\nexport RELEASE_NODE="shop@${host}"\n` }))),
      'is made of',
    );
});

test('a variable that the script sets whatever fly.toml says is named', () => {
  const texts = shop({ [ENV_SH]: '#!/bin/sh\nexport ECTO_IPV6="true"\n' });
  const outside = { ...FLAGS, postgres: 'external' };
  const written = afterFly(texts, outside);
  assert.match(findings(written), 'should rel/env.sh.eex:2 ECTO_IPV6 is set here, whatever');
  const [network] = resultFor(written, 'R2.3').findings;
  assert.match(network?.edit ?? '', 'in rel/env.sh.eex, leave ECTO_IPV6');
  assert.match(notesOf(envSh, projectOf(texts), outside), 'line 2: your ECTO_IPV6 stays');
  assert.not.match(notesOf(envSh, projectOf(texts)), 'ECTO_IPV6');
  assert.not.match(findings(afterFly(texts)), 'ECTO_IPV6');
});

test('the loopback address is no name in a cluster', () => {
  const texts = shop({
    'mix.exs': (shop()['mix.exs'] ?? '').replace('{:bandit', '{:dns_cluster, "~> 0.2"}, {:bandit'),
    [ENV_SH]: '#!/bin/sh\nexport RELEASE_NODE=<%= @release.name %>@127.0.0.1\n',
  });
  assert.match(findings(afterFly(texts)), 'RELEASE_NODE is made of 127.0.0.1, by which');
});

test('a command that the image lacks is a must where it runs on Fly', () => {
  const missing = (own: string, base = 'alpine', to = 'openssl') => {
    const texts = afterFly(shop({ [ENV_SH]: `#!/bin/sh\n${own}\n` }), { ...FLAGS, base });
    const Dockerfile = (texts.Dockerfile ?? '').replace('openssl', to);
    const found = findings({ ...texts, Dockerfile });
    return /must rel\/env.sh.eex:2 (.*): not in the image/.exec(found)?.[1];
  };
  assert.is(missing('IP=$(ip link | grep -oP "x" | head -1)'), 'grep -oP');
  assert.is(missing('IP=$(hostname -I | head -1)'), 'hostname -I');
  assert.is(missing('export IP=`curl http://x/ip`'), 'curl');
  assert.is(missing('IP=$(ip link | head -1)', 'debian'), 'ip');
  for (const own of [
    'IP=$(curl http://x/ip) || true',
    'if [ -n "$ECS_URI" ]; then IP=$(curl $ECS_URI | jq -r .ip); fi',
    'IP=$(hostname -i)',
    'CURL="no curl here"',
  ])
    assert.is(missing(own), undefined, own);
  assert.is(missing('IP=$(curl x)', 'alpine', 'openssl curl'), undefined);
  // buildpack-deps, on which this image stands, has curl
  const Dockerfile = 'FROM elixir:1.18\nCMD ["/app/bin/shop", "start"]\n';
  const onFull = { Dockerfile, [ENV_SH]: 'IP=$(curl x)\n' };
  assert.not.match(findings(shop(onFull)), 'not in the image');
  assert.match(
    findings(shop({ ...onFull, Dockerfile: `${Dockerfile}`.replace('18', '18-slim') })),
    'curl: not',
  );
});

test('a node that has its name elsewhere, or from several places, is no fault on Fly', () => {
  for (const own of [
    'ip=$(grep fly-local-6pn /etc/hosts | cut -f 1)\nif [ -n "$POD_IP" ]; then\n  ip=$POD_IP\nfi\nexport RELEASE_NODE=shop@$ip',
    'ip=$(ip -6 addr show eth0 | cut -d/ -f1)\nif [ -n "$POD_IP" ]; then\n  ip=$POD_IP\nfi\nexport RELEASE_NODE=shop@$ip',
    'if [ -n "$FLY_APP_NAME" ]; then\n  export RELEASE_NODE=shop@$FLY_PRIVATE_IP\nelse\n  export RELEASE_NODE=shop@$(hostname)\nfi',
    'if [ -z "$FLY_APP_NAME" ]; then\n  export RELEASE_NODE=shop@$(hostname)\nfi',
    "export RELEASE_NODE=shop@$(cat /etc/hosts | awk '{print $NF}')",
    'export RELEASE_NODE=shop@${POD_IP:-$FLY_PRIVATE_IP}',
  ])
    assert.not.match(findings(shop({ [ENV_SH]: `#!/bin/sh\n${own}\n` })), 'is made of', own);
  for (const own of [
    'export RELEASE_NODE=shop@$IP\nIP=$POD_IP\nIP=$NODE_IP',
    'export RELEASE_NODE=shop@${IP:-$(hostname)}',
    'if [ ! -z "$FLY_APP_NAME" ]; then\n  export RELEASE_NODE=shop@$(hostname)\nfi',
  ])
    assert.match(findings(shop({ [ENV_SH]: `#!/bin/sh\n${own}\n` })), 'is made of', own);
  const off = '#!/bin/sh\nif [ -z "$FLY_APP_NAME" ]; then\n  export RELEASE_NODE=shop@here\nfi\n';
  assert.is(sourced(script({ [ENV_SH]: off })).RELEASE_NODE, 'shop-01JABC@fdaa:0:1::2');
});

test('a short or hidden node of the owner gets no long name', () => {
  for (const kind of ['sname', 'none']) {
    const { RELEASE_NODE, RELEASE_DISTRIBUTION } = sourced(
      script({ [ENV_SH]: `#!/bin/sh\nexport RELEASE_DISTRIBUTION=${kind}\n` }),
    );
    assert.equal([RELEASE_NODE, RELEASE_DISTRIBUTION], [undefined, kind]);
  }
  for (const [node, kind] of Object.entries({ mine: undefined, 'mine@host.internal': 'name' })) {
    const named = script({ [ENV_SH]: `#!/bin/sh\nexport RELEASE_NODE=${node}\n` });
    assert.is(sourced(named).RELEASE_DISTRIBUTION, kind);
  }
});

test('an env.sh that already sets everything stays as it is', () => {
  const own =
    '#!/bin/sh\nif [ -n "${FLY_APP_NAME:-}" ]; then\n  export ERL_AFLAGS="-proto_dist inet6_tcp"\n  export ECTO_IPV6=true\n  export DNS_CLUSTER_QUERY="${FLY_APP_NAME}.internal"\n  export RELEASE_DISTRIBUTION=name\n  export RELEASE_NODE="shop@${FLY_PRIVATE_IP}"\nfi\n';
  assert.is(script({ [ENV_SH]: own }), own);
  const ours = script();
  const withOwn = script({ [ENV_SH]: `${ours}${own}` });
  assert.match(withOwn, '# All of it is set outside this block');
  assert.is(sourced(withOwn).RELEASE_NODE, 'shop@fdaa:0:1::2');
});

test('libcluster finds the nodes by its node_basename, wherever that is set', () => {
  const topologies = (base: string) =>
    `[fly: [strategy: Cluster.Strategy.DNSPoll, config: [query: "shop.internal", node_basename: ${base}]]]`;
  const runtime = (lines: string) => ({ 'config/runtime.exs': `import Config\n${lines}\n` });
  for (const [changes, node] of [
    [
      runtime(
        `app = System.fetch_env!("FLY_APP_NAME")\nconfig :libcluster, topologies: ${topologies('app')}`,
      ),
      'shop@fdaa:0:1::2',
    ],
    [runtime(`config :libcluster, topologies: ${topologies('"pears"')}`), 'pears@fdaa:0:1::2'],
    [
      {
        'lib/shop/cluster.ex': `defmodule Shop.Cluster do\n  def all, do: ${topologies('System.get_env("FLY_APP_NAME")')}\nend\n`,
      },
      'shop@fdaa:0:1::2',
    ],
  ] as const)
    assert.is(sourced(script(changes)).RELEASE_NODE, node);
  const misnamed = afterFly(
    shop({
      ...runtime(`config :libcluster, topologies: ${topologies('"pears"')}`),
      [ENV_SH]: '#!/bin/sh\nexport RELEASE_NODE="plum@${FLY_PRIVATE_IP}"\n',
    }),
  );
  assert.match(
    findings(misnamed),
    'should rel/env.sh.eex:2 libcluster looks for nodes named pears@',
  );
});

test('Mnesia keeps its files: the name of the node stays through deploys', () => {
  const mnesia = {
    'config/config.exs': `${shop()['config/config.exs']}\nconfig :mnesia, dir: ~c"/data"\n`,
  };
  const name = (ref: string) =>
    sourced(script(mnesia), { ...FLY, FLY_IMAGE_REF: ref }).RELEASE_NODE;
  assert.is(name('a:deployment-1'), name('a:deployment-2'));
  assert.match(notesOf(envSh, projectOf(shop(mnesia))), 'keep its dir on a volume');
  const changing = afterFly(
    shop({
      ...mnesia,
      [ENV_SH]: '#!/bin/sh\nexport RELEASE_NODE="shop-${FLY_IMAGE_REF##*-}@${FLY_PRIVATE_IP}"\n',
    }),
  );
  assert.match(findings(changing), 'must rel/env.sh.eex:2 the files of Mnesia');
});

test('CRLF becomes LF, with a note', () => {
  const text = script({ [ENV_SH]: '#!/bin/sh\r\nexport MINE=1\r\n' });
  assert.not.match(text, '\r');
  assert.is(sourced(text).MINE, '1');
  const project = projectOf(shop({ [ENV_SH]: '#!/bin/sh\r\nexport MINE=1\r\n' }));
  assert.match(notesOf(envSh, project), 'ended in CRLF');
});

test.run();
