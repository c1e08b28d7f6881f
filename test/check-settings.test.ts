import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { afterFly, shop } from './support/fixture.ts';
import { findingsOf, testTraps } from './support/traps.ts';

testTraps(`
R2.1 a key that flyctl rejects
- method = "GET"
+ type = "http"
fly.toml: type = "http" => remove it

R2.2 no [[vm]]
- [[vm]]
+ [experimental]
fly.toml:  => memory = "1gb"

R2.2 a machine that Fly does not sell
- shared-cpu-1x
+ shared-cpu-3x
fly.toml: size => shared-cpu-1x

R2.2 memory that the machine can not have
- "1gb"
+ "4gb"
fly.toml: memory => 1gb

R2.2 256 MB
- "1gb"
+ "256mb"
fly.toml: memory => 1gb

R2.3 IPv4 to a private name
- ECTO_IPV6 = "true"
+ ECTO_IPV6 = "false"
fly.toml: [env] => ECTO_IPV6 = "true"

R2.3 a pool too large
- POOL_SIZE = "10"
+ POOL_SIZE = "100"
fly.toml: POOL_SIZE => POOL_SIZE = "10"

R2.4 plain HTTP
- force_https = true
+ force_https = false
fly.toml: force_https => force_https = true

R2.5 a check that force_ssl redirects
- X-Forwarded-Proto
+ X-Other
fly.toml: [http_service.checks.headers] => X-Forwarded-Proto

R2.5 the start page checked
- path = "/health"
+ path = "/"
fly.toml: path => path = "/health"

R2.5 an interval in milliseconds
- interval = "15s"
+ interval = 15
fly.toml: interval => "15s"

R2.5 a check once in two minutes
- interval = "15s"
+ interval = "2m"
fly.toml: interval => write: interval = "15s"

R2.6 another port inside
- internal_port = 4000
+ internal_port = 8080
fly.toml: internal_port => internal_port = 4000

R2.6 sockets throttled
- soft_limit = 1000
+ soft_limit = 20
fly.toml: soft_limit => 1000

R2.7 a secret in [env]
- [env]
+ [env]
+   STRIPE_API_KEY = "sk_live_1"
fly.toml: STRIPE_API_KEY => fly secrets set STRIPE_API_KEY

B7 workers twice during a deploy
- "rolling"
+ "bluegreen"
fly.toml: strategy => rolling

B8 SIGINT
- kill_signal = "SIGTERM"
+
fly.toml: app => SIGTERM

B10 env.sh unguarded
- #!/bin/sh
+ #!/bin/sh
+ export ERL_AFLAGS="-proto_dist inet6_tcp"
rel/env.sh.eex: export ERL_AFLAGS => if [ -n

B10 a test as the last line, under set -e
- # <<< phoenix-fly
+ [ -n "$DEBUG" ] && export VERBOSE=1
rel/env.sh.eex: [ -n "$DEBUG" ] => if

R3.1 no web server in the release
- server: System.get_env("PHX_SERVER") in ~w(true 1) and not eval?
+ server: false
config/runtime.exs:  => PHX_SERVER

R3.2 ECTO_IPV6 tested for presence
- if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])
+ if(System.get_env("ECTO_IPV6"), do: [:inet6], else: [])
config/runtime.exs: socket_options => ~w(true 1)

R3.2 a pool of fixed size
- String.to_integer(System.get_env("POOL_SIZE", "10"))
+ 10
config/runtime.exs:  => POOL_SIZE

R3.3 a host made up
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
+
fly.toml: app => primary_region = "lhr"

R2.1 a name that is Fly's own
- [env]
+ [env]
+   FLY_REGION = "lhr"
fly.toml: FLY_REGION => remove it

R2.1 a strategy that does not exist
- "rolling"
+ "blue"
fly.toml: strategy => rolling

R2.1 process groups, and a service of none
- [env]
+ [processes]
+   app = "/app/bin/shop start"
+
+ [env]
fly.toml: [http_service] => processes = ["app"]

R2.3 no pool size
-   POOL_SIZE = "10"
+
fly.toml: [env] => POOL_SIZE = "10"

R2.3 no pool size, where the code takes another
--- fly.toml
-   POOL_SIZE = "10"
+
--- config/runtime.exs
- System.get_env("POOL_SIZE", "10")
+ System.get_env("POOL_SIZE", "25")
fly.toml: [env] => POOL_SIZE = "25"

R2.6 no concurrency
- [http_service.concurrency]
+ [http_service.http_options]
fly.toml: [http_service] => type = "connections"

R2.6 requests counted
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

B8 no time to shut down
- "30s"
+ "5s"
fly.toml: kill_timeout => 30s

B9 release_command of a module that is not there, while the module around it is
--- lib/shop.ex
+ defmodule Shop do
+ end
--- fly.toml
- [deploy]
+ [deploy]
+   release_command = "/app/bin/shop eval Shop.Release.migrate"
fly.toml: release_command => phx.gen.release

R3.2 IPv4 whatever ECTO_IPV6 says
- if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])
+ []
config/runtime.exs:  => socket_options: if

R3.2 a pool that gives up
- queue_target: 500,
+ queue_target: 500, backoff_type: :stop,
config/runtime.exs:  => remove backoff_type

R3.3 the host of another app
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

R3.3 a port of its own
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
--- .tool-versions
- elixir 1.18
+ elixir 1.14
config/runtime.exs:  => :console, format

R3.5 an event of two lines
- $message\\n"
+ \\n$message\\n"
config/runtime.exs:  => format: "$time

R3.5 colours
- metadata: [:request_id]
+ metadata: [:request_id], colors: [enabled: true]
config/runtime.exs:  => colors: [enabled: false]

R2.1 a retired region
- "lhr"
+ "sea"
fly.toml: primary_region => change it

R2.1 two at once, and a volume that one holds
- "rolling"
+ "canary"
--- fly.toml
- [[vm]]
+ [[mounts]]
+   source = "data"
+   destination = "/data"
+
+ [[vm]]
fly.toml: strategy => rolling

R2.5 force_ssl without rewrite_on
+ import Config
+
+ config :shop, ShopWeb.Endpoint, force_ssl: [hsts: true]
config/prod.exs: config :shop => add rewrite_on: [:x_forwarded_proto] to it

B7 workers stopped when idle
- auto_stop_machines = "off"
+ auto_stop_machines = "stop"
--- fly.toml
- min_machines_running = 1
+ min_machines_running = 0
fly.toml: auto_stop_machines => "off"

B9 release_command of another folder than the release's
- [deploy]
+ [deploy]
+   release_command = "/app/bin/migrate"
--- Dockerfile
- WORKDIR /app
- # Code may
+ WORKDIR /srv/shop
+ # Code may
fly.toml: release_command => write /srv/shop/bin/migrate

B9 release_command behind an ENTRYPOINT whose script takes no arguments
- [deploy]
+ [deploy]
+   release_command = "/app/bin/migrate"
--- start.sh
+ #!/bin/sh
+ exec /app/bin/shop start
--- Dockerfile
- CMD ["/app/bin/shop", "start"]
+ ENTRYPOINT ["/app/start.sh"]
fly.toml: release_command => CMD in place of ENTRYPOINT

B9 release_command behind the release as ENTRYPOINT
- [deploy]
+ [deploy]
+   release_command = "/app/bin/migrate"
--- Dockerfile
- CMD ["/app/bin/shop", "start"]
+ ENTRYPOINT ["/app/bin/shop"]
+ CMD ["start"]
fly.toml: release_command => CMD in place of ENTRYPOINT

B9 bin/migrate with a function that ecto_sql lacks
--- mix.lock
- :ecto_sql, "3.13.2"
+ :ecto_sql, "3.0.5"
rel/overlays/bin/migrate:  => update ecto_sql

B9 release_command without bin/migrate
- [deploy]
+ [deploy]
+   release_command = "/app/bin/migrate"
--- rel/overlays/bin/migrate
fly.toml: release_command => phx.gen.release

B10 flyctl's node name
+ if [ -n "$FLY_APP_NAME" ]; then
+   export ERL_AFLAGS="-proto_dist inet6_tcp"
+   export RELEASE_NODE="\${FLY_APP_NAME}-\${FLY_IMAGE_REF##*-}@\${FLY_PRIVATE_IP}"
+ fi
rel/env.sh.eex: export RELEASE_NODE => tr -cd

R3.2 named statements on Managed Postgres
--postgres managed
- prepare: :unnamed,
+
config/runtime.exs:  => prepare: :unnamed

R3.3 check_origin: false
--host shop.example.com
- check_origin: ["//#{host}", "//#{fly_host}"]
+ check_origin: false
config/runtime.exs:  => check_origin: ["//#{host}"]

R3.3 check_origin without the host
--host shop.example.com
- check_origin: ["//#{host}", "//#{fly_host}"]
+ check_origin: ["//example.com"]
config/runtime.exs:  => check_origin

R3.3 advice: check_origin without the host, where no page is a LiveView
--host shop.example.com
- check_origin: ["//#{host}", "//#{fly_host}"]
+ check_origin: ["//front-end.example.com"]
--- mix.exs
-       {:phoenix_live_view, "~> 1.1"},
+
--- mix.lock
- phoenix_live_view
+ other
config/runtime.exs:  => (in config/runtime.exs, where

R3.3 should: an event store beside the developer's database
--- config/prod.exs
- import Config
+ import Config
+ config :shop, Shop.EventStore, username: "shop", hostname: "localhost"
config/prod.exs: config :shop, Shop.EventStore => in config/runtime.exs, read its address

R3.3 should: a store by an address of docker-compose.yml
--- config/prod.exs
- import Config
+ import Config
+ config :shop, Shop.Queue, url: "amqp://guest:guest@localhost:5672"
+ config :shop, Shop.Search, url: "http://localhost:9200"
+ config :shop, Shop.Other, hostname: System.get_env("OTHER_HOST", "localhost")
config/prod.exs: config :shop, Shop.Queue => in config/runtime.exs, read its address

B10 CRLF in env.sh
+ #!/bin/sh\r
+ export MINE=1\r
rel/env.sh.eex: #!/bin/sh => LF

B10 machines without a name
+ #!/bin/sh
rel/env.sh.eex:  => RELEASE_NODE="\${FLY_APP_NAME}

B10 nodes over IPv4
+ #!/bin/sh
rel/env.sh.eex:  => -proto_dist inet6_tcp

B10 dns_cluster without a name to look for
+ #!/bin/sh
--- mix.exs
- {:bandit, "~> 1.5"}
+ {:bandit, "~> 1.5"}, {:dns_cluster, "~> 0.2"}
rel/env.sh.eex:  => DNS_CLUSTER_QUERY

R2.3 IPv6 to a database outside
--postgres external
- ECTO_IPV6 = "false"
+ ECTO_IPV6 = "true"
fly.toml: ECTO_IPV6 => ECTO_IPV6 = "false"

R2.5 no check
- [[http_service.checks]]
+ [[http_service.machine_checks]]
--- fly.toml
- [http_service.checks.headers]
+ [http_service.machine_checks.headers]
fly.toml: [http_service] => [[http_service.checks]]

B7 suspended with swap
--background no
- kill_signal
+ swap_size_mb = 512
+ kill_signal
fly.toml: auto_stop_machines => write: auto_stop_machines = "stop"

B7 suspended with much memory
- "off"
+ "suspend"
--- fly.toml
- "1gb"
+ "8gb"
fly.toml: auto_stop_machines => write: auto_stop_machines = "stop"

B7 stopped and never started
- "off"
+ "stop"
--- fly.toml
- min_machines_running = 1
+ min_machines_running = 0
fly.toml: auto_start_machines => auto_start_machines = true

B9 migrations through the pooler
--postgres managed
--migrate yes
--- config/runtime.exs
- DIRECT_DATABASE_URL
+ OTHER_URL
fly.toml: release_command => DATABASE_URL=$DIRECT_DATABASE_URL

B9 migrations through the pooler, with an address of the app's own name
--postgres managed
--migrate yes
--- config/runtime.exs
- DIRECT_DATABASE_URL
+ OTHER_URL
--- config/runtime.exs
- url: database_url,
+
--- config/runtime.exs
- import Config
+ import Config
+ config :shop, Shop.Repo, url: System.fetch_env!("PG_URL")
fly.toml: release_command => 'PG_URL=$DIRECT_DATABASE_URL

R3.2 no queue settings
- queue_target: 500,
+
--- config/runtime.exs
- queue_interval: 2_000,
+
config/runtime.exs:  => queue_target: 500

R3.2 connections that the proxy cuts
--postgres managed
- max_lifetime: 480_000..540_000,
+
config/runtime.exs:  => max_lifetime

R3.3 a key in the code
--- config/runtime.exs
- secret_key_base:
+ other:
--- config/prod.exs
- force_ssl:
+ secret_key_base: "abc", force_ssl:
config/prod.exs: config :shop => System.get_env("SECRET_KEY_BASE")

R2.3 SQLite without a volume
--- lib/shop/repo.ex
- Ecto.Adapters.Postgres
+ Ecto.Adapters.SQLite3
--- mix.exs
- :postgrex
+ :ecto_sqlite3
fly.toml:  => [[mounts]]

B9 migrations without the volume
- [deploy]
+ [deploy]
+   release_command = "/app/bin/shop eval Ecto.migrate"
--- lib/shop/repo.ex
- Ecto.Adapters.Postgres
+ Ecto.Adapters.SQLite3
fly.toml: release_command => when the app starts
`);

const builds: [line: string, mend: string][] = [
  ['image = "x"', '--conflict replace'],
  ['builder = "heroku/buildpacks"', 'remove builder under [build]; npx plop'],
  ['buildpacks = ["x"]', '--conflict replace'],
  ['builtin = "node"', '--conflict replace'],
  ['dockerfile = "Other"', 'remove dockerfile'],
  ['dockerfile = "mix.exs"', 'remove dockerfile'],
  ['build-target = "nope"', 'remove build-target'],
  ['build-target = "deps"', 'remove build-target under [build], unless it is what you want; npx'],
];
for (const [line, mend] of builds)
  testTraps(`B12 built otherwise: ${line}
- [deploy]
+ [build]
+   ${line}
+
+ [deploy]
fly.toml: ${line} => ${mend}`);

test('a release_command that the image can run is no fault', () => {
  const texts = afterFly(shop());
  const start = '["/app/bin/shop", "start"]';
  for (const [command, steps] of [
    ['/usr/bin/env bin/migrate', `CMD ${start}`],
    ['/app/_build/prod/rel/shop/bin/shop eval 1', `CMD ${start}`],
    ['/app/bin/migrate', 'ENTRYPOINT ["/bin/sh", "-c"]\nCMD ["exec /app/bin/shop start"]'],
    ['eval Ecto.migrate', 'ENTRYPOINT ["/app/bin/shop"]\nCMD ["start"]'],
  ] as const) {
    const flyToml = (texts['fly.toml'] ?? '').replace(
      '[deploy]',
      `[deploy]\n  release_command = "${command}"`,
    );
    const Dockerfile = (texts.Dockerfile ?? '').replace(`CMD ${start}`, steps);
    const found = findingsOf({ ...texts, 'fly.toml': flyToml, Dockerfile }, 'B9');
    assert.not.match(found, /there is no|ENTRYPOINT/, command);
  }
});

test.run();
