import { test } from 'uvu';
import { FLAGS } from './support.ts';
import { generated, leavingOut, spoil, type Trap, testTraps, trapsIn } from './traps.ts';

const FLY = 'fly.toml';
const RUNTIME = 'config/runtime.exs';
const ENV_SH = 'rel/env.sh.eex';
const SETTINGS = {
  'config/prod.exs': 'import Config\n\nconfig :shop, ShopWeb.Endpoint, force_ssl: [hsts: true]\n',
};

const OWN_HOST = { ...FLAGS, host: 'shop.example.com' };
const ORIGINS = 'check_origin: ["//#{host}", "//#{fly_host}"]';

testTraps(
  trapsIn(`
R2.1 a key that flyctl rejects (C3)
- method = "GET"
+ type = "http"
fly.toml: type = "http" => remove it

R2.2 no [[vm]] (A21)
- [[vm]]
+ [experimental]
fly.toml:  => memory = "1gb"

R2.2 a machine that Fly does not sell (C6)
- shared-cpu-1x
+ shared-cpu-3x
fly.toml: size => shared-cpu-1x

R2.2 memory that the machine can not have (C6)
- "1gb"
+ "4gb"
fly.toml: memory => 1gb

R2.2 256 MB (A21)
- "1gb"
+ "256mb"
fly.toml: memory => 1gb

R2.3 IPv4 to a private name (A2)
- ECTO_IPV6 = "true"
+ ECTO_IPV6 = "false"
fly.toml: [env] => ECTO_IPV6 = "true"

R2.3 a pool too large (A7)
- POOL_SIZE = "10"
+ POOL_SIZE = "100"
fly.toml: POOL_SIZE => POOL_SIZE = "10"

R2.4 plain HTTP
- force_https = true
+ force_https = false
fly.toml: force_https => force_https = true

R2.5 a check that force_ssl redirects (A1)
- X-Forwarded-Proto
+ X-Other
fly.toml: [http_service.checks.headers] => X-Forwarded-Proto

R2.5 the start page checked
- path = "/health"
+ path = "/"
fly.toml: path => path = "/health"

R2.5 an interval in milliseconds (C3)
- interval = "15s"
+ interval = 15
fly.toml: interval => "15s"

R2.6 another port inside (A3)
- internal_port = 4000
+ internal_port = 8080
fly.toml: internal_port => internal_port = 4000

R2.6 sockets throttled (A33)
- soft_limit = 1000
+ soft_limit = 20
fly.toml: soft_limit => 1000

R2.7 a secret in [env]
- [env]
-
+ [env]
+   STRIPE_API_KEY = "sk_live_1"
+
fly.toml: STRIPE_API_KEY => fly secrets set STRIPE_API_KEY

B7 workers twice during a deploy
- "rolling"
+ "bluegreen"
fly.toml: strategy => rolling

B8 SIGINT (A22)
- kill_signal = "SIGTERM"
+
fly.toml: app => SIGTERM

B10 env.sh unguarded (A23)
- #!/bin/sh
-
+ #!/bin/sh
+ export ERL_AFLAGS="-proto_dist inet6_tcp"
+
rel/env.sh.eex: export ERL_AFLAGS => if [ -n

B10 a test as the last line, under set -e (A23)
- # <<< phoenix-fly
+ [ -n "$DEBUG" ] && export VERBOSE=1
rel/env.sh.eex: [ -n "$DEBUG" ] => if

R3.1 no web server in the release
- server: System.get_env("PHX_SERVER") in ~w(true 1) and not eval?
+ server: false
config/runtime.exs:  => PHX_SERVER

R3.2 ECTO_IPV6 tested for presence (A2)
- if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])
+ if(System.get_env("ECTO_IPV6"), do: [:inet6], else: [])
config/runtime.exs: socket_options => ~w(true 1)

R3.2 a pool of fixed size
- String.to_integer(System.get_env("POOL_SIZE", "10"))
+ 10
config/runtime.exs:  => POOL_SIZE

R3.3 a host made up (A4)
- host = System.get_env("PHX_HOST", fly_host)
+ host = System.get_env("PHX_HOST") || "example.com"
config/runtime.exs: host = System => FLY_APP_NAME

R3.3 IPv4 only
- {0, 0, 0, 0, 0, 0, 0, 0}
+ {0, 0, 0, 0}
config/runtime.exs:  => {0, 0, 0, 0, 0, 0, 0, 0}

R3.4 any certificate
- verify: :verify_peer
+ verify: :verify_none
config/runtime.exs:  => verify_peer

R3.5 a level that stays
- level: String.to_existing_atom(log_level)
+ level: :info
config/runtime.exs: if log_level => LOG_LEVEL

R3.5 no request id
- [:request_id]
+ [:pid]
config/runtime.exs:  => metadata: [:request_id]

B11 workers that can not be left out
- System.get_env("BACKGROUND_ENABLED", "true") in ~w(true 1) and not eval?
+ true
config/runtime.exs:  => BACKGROUND_ENABLED

R2.1 an app name that Fly refuses
- app = "shop"
+ app = "My_Shop"
fly.toml: app => lower-case

R2.1 no region
- primary_region = "lhr"
-
+
fly.toml: app => primary_region = "lhr"

R2.1 a name that is Fly's own
- [env]
-
+ [env]
+   FLY_REGION = "lhr"
+
fly.toml: FLY_REGION => remove it

R2.1 a strategy that does not exist
- "rolling"
+ "blue"
fly.toml: strategy => rolling

R2.1 process groups, and a service of none
- [env]
-
+ [processes]
+   app = "/app/bin/shop start"
+
+ [env]
+
fly.toml: [http_service] => processes = ["app"]

R2.3 no pool size (A7)
-   POOL_SIZE = "10"
-
+
fly.toml: [env] => POOL_SIZE = "10"

R2.6 no concurrency (A33)
- [http_service.concurrency]
+ [http_service.http_options]
fly.toml: [http_service] => type = "connections"

R2.6 requests counted (A33)
- type = "connections"
+ type = "requests"
fly.toml: type => "connections"

R2.5 no route that answers
--- lib/shop_web/plugs/health.ex
- "/health"
+ "/other"
lib/shop_web/endpoint.ex:  => npx plop health

R2.5 a check of another path
- path = "/health"
+ path = "/ok"
fly.toml: path => "/health"

B8 no time to shut down (A22)
- "30s"
-
-
+ "5s"
+
+
fly.toml: kill_timeout => 30s

B9 release_command of a module that is not there (A5)
- [deploy]
-
+ [deploy]
+   release_command = "/app/bin/shop eval Shop.Release.migrate"
+
fly.toml: release_command => phx.gen.release

R3.2 IPv4 whatever ECTO_IPV6 says (A2)
- if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])
+ []
config/runtime.exs:  => socket_options: if

R3.2 a pool that gives up
- queue_target: 500,
+ queue_target: 500, backoff_type: :stop,
config/runtime.exs:  => remove backoff_type

R3.3 the host of another app (A4)
- url: [host: host,
+ url: [host: "example.com",
config/runtime.exs: host = System => url: [host: System.get_env("PHX_HOST")

R3.3 a database address in the code
-     url: database_url,
+     url: "ecto://localhost/shop",
config/runtime.exs: database_url = require_env => url: System.get_env("DATABASE_URL")

R3.3 plain links
- scheme: "https"
+ scheme: "http"
config/runtime.exs:  => scheme: "https"

R3.3 a port of its own (A3)
- http: [port: 4000]
+ http: [port: 4001]
config/runtime.exs: config :shop => System.get_env("PORT"

R3.3 an error that names nothing
- "environment variable #{name} is missing; set it with: #{set_it}"
+ "a variable is missing"
config/runtime.exs: database_url = require_env => raise "DATABASE_URL is missing

R3.4 no TLS options
- :tls,
+ :other,
+     unused: true
+
+   config :else, :tls,
config/runtime.exs:  => config :shop, :tls

R3.4 old TLS
- [:"tlsv1.3", :"tlsv1.2"]
+ [:"tlsv1.2", :"tlsv1.1"]
config/runtime.exs:  => tlsv1.3

R3.4 wildcard certificates refused
- customize_hostname_check:
+ other:
config/runtime.exs:  => match_fun

R3.5 a format under a key that older Elixir does not read
--- Dockerfile
- ELIXIR_VERSION=1.18
+ ELIXIR_VERSION=1.14
config/runtime.exs:  => :console, format

R3.5 an event of two lines
- $message\\n"
+ \\n$message\\n"
config/runtime.exs:  => format: "$time

R3.5 colours
- metadata: [:request_id]
+ metadata: [:request_id], colors: [enabled: true]
config/runtime.exs:  => colors: [enabled: false]
`),
);

testTraps([
  ...[
    ['kill_sgnal = "SIGTERM"', 'kill_signal'],
    ['release_command = "bin/migrate"', '[deploy]'],
    ['[deploy]\n  stratgy = "rolling"', 'strategy'],
    ['[deploy]\n  release_command_time_out = "5m"', 'release_command_timeout'],
    ['[[vm]]\n  sise = "shared-cpu-1x"', 'size'],
    ['[http_service.concurrency]\n  softlimit = 5', 'soft_limit'],
    ['[http_service.tls_options]\n  alpns = ["h2"]', 'alpn'],
    ['[[http_service.check]]\n  path = "/"', 'checks'],
    ['[[mounts]]\n  sources = "data"', 'source'],
    ['[[files]]\n  guestpath = "/a"', 'guest_path'],
    ['[build]\n  docker_file = "Dockerfile"', 'dockerfile'],
    ['[checks.up]\n  intervall = "10s"', 'interval'],
  ].map(([lines = '', meant = '']): Trap => {
    const slip = lines.split('\n').at(lines.includes('http_service.check]]') ? 0 : -1) ?? '';
    return {
      name: `a slip: ${lines}`,
      rule: 'R2.1',
      repo: () => ({ ...generated(), [FLY]: `app = "shop"\nprimary_region = "lhr"\n${lines}\n` }),
      expect: {
        place: `fly.toml: ${slip.trim()}`,
        mend: new RegExp(`(did you mean|belongs below) ${meant.replace('[', '\\[')}`),
      },
    };
  }),
  {
    name: 'a retired region (C1)',
    rule: 'R2.1',
    file: FLY,
    change: ['"lhr"', '"sea"'],
    expect: { place: 'fly.toml: primary_region', mend: /change it/ },
  },
  ...['image = "x"', 'builder = "heroku/buildpacks"', 'buildpacks = ["x"]', 'builtin = "node"'].map(
    (line): Trap => ({
      name: `built elsewhere: ${line}`,
      rule: 'B12',
      file: FLY,
      change: ['[deploy]', `[build]\n  ${line}\n\n[deploy]`],
      expect: { place: `fly.toml: ${line}`, mend: /--conflict replace/ },
    }),
  ),
  ...[
    'dockerfile = "Other"',
    'dockerfile = "mix.exs"',
    'build-target = "nope"',
    'build-target = "deps"',
  ].map(
    (line): Trap => ({
      name: `built otherwise: ${line}`,
      rule: 'B12',
      file: FLY,
      change: ['[deploy]', `[build]\n  ${line}\n\n[deploy]`],
      expect: { place: `fly.toml: ${line}`, mend: /^remove (dockerfile|build-target)/ },
    }),
  ),
  {
    name: 'two at once, and a volume that one holds (A36)',
    rule: 'R2.1',
    repo: () => spoil(generated(), FLY, '"rolling"', '"canary"'),
    file: FLY,
    change: ['[[vm]]', '[[mounts]]\n  source = "data"\n  destination = "/data"\n\n[[vm]]'],
    expect: { place: 'fly.toml: strategy', mend: /rolling/ },
  },
  {
    name: 'force_ssl without rewrite_on (A1)',
    rule: 'R2.5',
    repo: () => ({ ...generated(), ...SETTINGS }),
    expect: {
      place: 'config/prod.exs: config :shop',
      mend: /force_ssl: \[rewrite_on: \[:x_forwarded_proto\], hsts: true\]/,
    },
  },
  {
    name: 'workers stopped when idle (A9)',
    rule: 'B7',
    repo: () =>
      spoil(generated(), FLY, 'auto_stop_machines = "off"', 'auto_stop_machines = "stop"'),
    file: FLY,
    change: ['min_machines_running = 1', 'min_machines_running = 0'],
    expect: { place: 'fly.toml: auto_stop_machines', mend: /"off"/ },
  },
  {
    name: 'release_command without bin/migrate (A5)',
    rule: 'B9',
    repo: () =>
      leavingOut(
        spoil(generated(), FLY, '[deploy]\n', '[deploy]\n  release_command = "/app/bin/migrate"\n'),
        'rel/overlays/bin/migrate',
      ),
    expect: { place: 'fly.toml: release_command', mend: /phx.gen.release/ },
  },
  {
    name: "flyctl's node name (A23)",
    rule: 'B10',
    repo: () => ({
      ...generated(),
      [ENV_SH]:
        'if [ -n "$FLY_APP_NAME" ]; then\n  export ERL_AFLAGS="-proto_dist inet6_tcp"\n  export RELEASE_NODE="${FLY_APP_NAME}-${FLY_IMAGE_REF##*-}@${FLY_PRIVATE_IP}"\nfi\n',
    }),
    expect: { place: 'rel/env.sh.eex: export RELEASE_NODE', mend: /tr -cd/ },
  },
  {
    name: 'named statements on Managed Postgres (A6)',
    rule: 'R3.2',
    repo: () => generated({ ...FLAGS, postgres: 'managed' }),
    file: RUNTIME,
    change: ['prepare: :unnamed,', ''],
    expect: { place: 'config/runtime.exs: ', mend: /prepare: :unnamed/ },
  },
  {
    name: 'check_origin: false (A4)',
    rule: 'R3.3',
    repo: () => generated(OWN_HOST),
    file: RUNTIME,
    change: [ORIGINS, 'check_origin: false'],
    expect: { place: 'config/runtime.exs: ', mend: /check_origin: \["\/\/#\{host\}"\]/ },
  },
  {
    name: 'check_origin without the host (A4)',
    rule: 'R3.3',
    repo: () => generated(OWN_HOST),
    file: RUNTIME,
    change: [ORIGINS, 'check_origin: ["//example.com"]'],
    expect: { place: 'config/runtime.exs: ', mend: /check_origin/ },
  },
  {
    name: 'CRLF in env.sh (A29)',
    rule: 'B10',
    repo: () => ({
      ...generated(),
      [ENV_SH]: (generated()[ENV_SH] ?? '').replaceAll('\n', '\r\n'),
    }),
    expect: { place: 'rel/env.sh.eex: #!/bin/sh', mend: /LF/ },
  },
  {
    name: 'machines without a name',
    rule: 'B10',
    repo: () => ({ ...generated(), [ENV_SH]: '#!/bin/sh\n' }),
    expect: { place: 'rel/env.sh.eex: ', mend: /RELEASE_NODE="\$\{FLY_APP_NAME\}/ },
  },
  {
    name: 'nodes over IPv4 (A23)',
    rule: 'B10',
    repo: () => ({ ...generated(), [ENV_SH]: '#!/bin/sh\n' }),
    expect: { place: 'rel/env.sh.eex: ', mend: /-proto_dist inet6_tcp/ },
  },
  {
    name: 'dns_cluster without a name to look for (A23)',
    rule: 'B10',
    repo: () => ({ ...generated(), [ENV_SH]: '#!/bin/sh\n' }),
    file: 'mix.exs',
    change: ['{:bandit, "~> 1.5"}', '{:bandit, "~> 1.5"}, {:dns_cluster, "~> 0.2"}'],
    expect: { place: 'rel/env.sh.eex: ', mend: /DNS_CLUSTER_QUERY/ },
  },
  {
    name: 'IPv6 to a database outside (A2)',
    rule: 'R2.3',
    repo: () => generated({ ...FLAGS, postgres: 'external' }),
    file: FLY,
    change: ['ECTO_IPV6 = "false"', 'ECTO_IPV6 = "true"'],
    expect: { place: 'fly.toml: ECTO_IPV6', mend: /ECTO_IPV6 = "false"/ },
  },
  {
    name: 'no check',
    rule: 'R2.5',
    repo: () =>
      spoil(generated(), FLY, '[[http_service.checks]]', '[[http_service.machine_checks]]'),
    file: FLY,
    change: ['[http_service.checks.headers]', '[http_service.machine_checks.headers]'],
    expect: { place: 'fly.toml: [http_service]', mend: /\[\[http_service.checks\]\]/ },
  },
  {
    name: 'suspended with swap (A9)',
    rule: 'B7',
    repo: () => generated({ ...FLAGS, background: 'no' }),
    file: FLY,
    change: ['kill_signal', 'swap_size_mb = 512\nkill_signal'],
    expect: { place: 'fly.toml: swap_size_mb', mend: /"stop"/ },
  },
  {
    name: 'suspended with much memory (A9)',
    rule: 'B7',
    repo: () => spoil(generated(), FLY, '"off"', '"suspend"'),
    file: FLY,
    change: ['"1gb"', '"8gb"'],
    expect: { place: 'fly.toml: auto_stop_machines', mend: /^write: auto_stop_machines = "stop"$/ },
  },
  {
    name: 'stopped and never started',
    rule: 'B7',
    repo: () => spoil(generated(), FLY, '"off"', '"stop"'),
    file: FLY,
    change: ['= 1\n', '= 0\n'],
    expect: { place: 'fly.toml: auto_start_machines', mend: /auto_start_machines = true/ },
  },
  {
    name: 'migrations through the pooler (A6)',
    rule: 'B9',
    repo: () => ({
      ...spoil(
        generated({ ...FLAGS, postgres: 'managed', migrate: 'yes' }),
        RUNTIME,
        'DIRECT_DATABASE_URL',
        'OTHER_URL',
      ),
    }),
    expect: { place: 'fly.toml: release_command', mend: /DATABASE_URL=\$DIRECT_DATABASE_URL/ },
  },
  {
    name: 'no queue settings',
    rule: 'R3.2',
    repo: () => spoil(generated(), RUNTIME, 'queue_target: 500,', ''),
    file: RUNTIME,
    change: ['queue_interval: 2_000,', ''],
    expect: { place: 'config/runtime.exs: ', mend: /queue_target: 500/ },
  },
  {
    name: 'connections that the proxy cuts (A6)',
    rule: 'R3.2',
    repo: () => generated({ ...FLAGS, postgres: 'managed' }),
    file: RUNTIME,
    change: ['max_lifetime: 480_000..540_000,', ''],
    expect: { place: 'config/runtime.exs: ', mend: /max_lifetime/ },
  },
  {
    name: 'a key in the code',
    rule: 'R3.3',
    repo: () => spoil(generated(), RUNTIME, 'secret_key_base:', 'other:'),
    file: 'config/prod.exs',
    change: ['force_ssl:', 'secret_key_base: "abc", force_ssl:'],
    expect: { place: 'config/prod.exs: config :shop', mend: /System.get_env\("SECRET_KEY_BASE"\)/ },
  },
  {
    name: 'SQLite without a volume (A35)',
    rule: 'R2.3',
    repo: () =>
      spoil(generated(), 'lib/shop/repo.ex', 'Ecto.Adapters.Postgres', 'Ecto.Adapters.SQLite3'),
    file: 'mix.exs',
    change: [':postgrex', ':ecto_sqlite3'],
    expect: { place: 'fly.toml: ', mend: /\[\[mounts\]\]/ },
  },
  {
    name: 'migrations without the volume (A35)',
    rule: 'B9',
    repo: () =>
      spoil(generated(), 'lib/shop/repo.ex', 'Ecto.Adapters.Postgres', 'Ecto.Adapters.SQLite3'),
    file: FLY,
    change: ['[deploy]\n', '[deploy]\n  release_command = "/app/bin/shop eval Ecto.migrate"\n'],
    expect: { place: 'fly.toml: release_command', mend: /when the app starts/ },
  },
  {
    name: 'migrations without a repo',
    rule: 'B9',
    repo: () =>
      spoil(
        spoil(generated(), 'lib/shop/repo.ex', 'use Ecto.Repo', 'use Other'),
        'config/config.exs',
        'ecto_repos: [Shop.Repo]',
        'ecto_repos: []',
      ),
    file: FLY,
    change: ['[deploy]\n', '[deploy]\n  release_command = "/app/bin/shop eval Ecto.migrate"\n'],
    expect: { place: 'fly.toml: release_command', mend: /^remove it$/ },
  },
]);

test.run();
