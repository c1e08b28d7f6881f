import { test } from 'uvu';
import { FLAGS } from './support.ts';
import { generated, leavingOut, spoil, type Trap, testTraps } from './traps.ts';

const FLY = 'fly.toml';
const RUNTIME = 'config/runtime.exs';
const ENV_SH = 'rel/env.sh.eex';
const SETTINGS = {
  'config/prod.exs': 'import Config\n\nconfig :shop, ShopWeb.Endpoint, force_ssl: [hsts: true]\n',
};

const OWN_HOST = { ...FLAGS, host: 'shop.example.com' };
const ORIGINS = 'check_origin: ["//#{host}", "//#{fly_host}"]';

testTraps([
  [
    'a key that flyctl rejects (C3)',
    () => spoil(generated(), FLY, 'method = "GET"', 'type = "http"'),
    'R2.1',
    'fly.toml: type = "http"',
    /remove it/,
  ],
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
    return [
      `a slip: ${lines}`,
      () => ({ ...generated(), [FLY]: `app = "shop"\nprimary_region = "lhr"\n${lines}\n` }),
      'R2.1',
      `fly.toml: ${slip.trim()}`,
      new RegExp(`(did you mean|belongs below) ${meant.replace('[', '\\[')}`),
    ];
  }),
  [
    'a retired region (C1)',
    () => spoil(generated(), FLY, '"lhr"', '"sea"'),
    'R2.1',
    'fly.toml: primary_region',
    /change it/,
  ],
  ...['image = "x"', 'builder = "heroku/buildpacks"', 'buildpacks = ["x"]', 'builtin = "node"'].map(
    (line): Trap => [
      `built elsewhere: ${line}`,
      () => spoil(generated(), FLY, '[deploy]', `[build]\n  ${line}\n\n[deploy]`),
      'B12',
      `fly.toml: ${line}`,
      /--conflict replace/,
    ],
  ),
  ...[
    'dockerfile = "Other"',
    'dockerfile = "mix.exs"',
    'build-target = "nope"',
    'build-target = "deps"',
  ].map(
    (line): Trap => [
      `built otherwise: ${line}`,
      () => spoil(generated(), FLY, '[deploy]', `[build]\n  ${line}\n\n[deploy]`),
      'B12',
      `fly.toml: ${line}`,
      /^remove (dockerfile|build-target)/,
    ],
  ),
  [
    'two at once, and a volume that one holds (A36)',
    () =>
      spoil(
        spoil(generated(), FLY, '"rolling"', '"canary"'),
        FLY,
        '[[vm]]',
        '[[mounts]]\n  source = "data"\n  destination = "/data"\n\n[[vm]]',
      ),
    'R2.1',
    'fly.toml: strategy',
    /rolling/,
  ],
  [
    'no [[vm]] (A21)',
    () => spoil(generated(), FLY, '[[vm]]', '[experimental]'),
    'R2.2',
    'fly.toml: ',
    /memory = "1gb"/,
  ],
  [
    'a machine that Fly does not sell (C6)',
    () => spoil(generated(), FLY, 'shared-cpu-1x', 'shared-cpu-3x'),
    'R2.2',
    'fly.toml: size',
    /shared-cpu-1x/,
  ],
  [
    'memory that the machine can not have (C6)',
    () => spoil(generated(), FLY, '"1gb"', '"4gb"'),
    'R2.2',
    'fly.toml: memory',
    /1gb/,
  ],
  [
    '256 MB (A21)',
    () => spoil(generated(), FLY, '"1gb"', '"256mb"'),
    'R2.2',
    'fly.toml: memory',
    /1gb/,
  ],
  [
    'IPv4 to a private name (A2)',
    () => spoil(generated(), FLY, 'ECTO_IPV6 = "true"', 'ECTO_IPV6 = "false"'),
    'R2.3',
    'fly.toml: [env]',
    /ECTO_IPV6 = "true"/,
  ],
  [
    'a pool too large (A7)',
    () => spoil(generated(), FLY, 'POOL_SIZE = "10"', 'POOL_SIZE = "100"'),
    'R2.3',
    'fly.toml: POOL_SIZE',
    /POOL_SIZE = "10"/,
  ],
  [
    'plain HTTP',
    () => spoil(generated(), FLY, 'force_https = true', 'force_https = false'),
    'R2.4',
    'fly.toml: force_https',
    /force_https = true/,
  ],
  [
    'a check that force_ssl redirects (A1)',
    () => spoil(generated(), FLY, 'X-Forwarded-Proto', 'X-Other'),
    'R2.5',
    'fly.toml: [http_service.checks.headers]',
    /X-Forwarded-Proto/,
  ],
  [
    'force_ssl without rewrite_on (A1)',
    () => ({ ...generated(), ...SETTINGS }),
    'R2.5',
    'config/prod.exs: config :shop',
    /force_ssl: \[rewrite_on: \[:x_forwarded_proto\], hsts: true\]/,
  ],
  [
    'the start page checked',
    () => spoil(generated(), FLY, 'path = "/health"', 'path = "/"'),
    'R2.5',
    'fly.toml: path',
    /path = "\/health"/,
  ],
  [
    'an interval in milliseconds (C3)',
    () => spoil(generated(), FLY, 'interval = "15s"', 'interval = 15'),
    'R2.5',
    'fly.toml: interval',
    /"15s"/,
  ],
  [
    'another port inside (A3)',
    () => spoil(generated(), FLY, 'internal_port = 4000', 'internal_port = 8080'),
    'R2.6',
    'fly.toml: internal_port',
    /internal_port = 4000/,
  ],
  [
    'sockets throttled (A33)',
    () => spoil(generated(), FLY, 'soft_limit = 1000', 'soft_limit = 20'),
    'R2.6',
    'fly.toml: soft_limit',
    /1000/,
  ],
  [
    'a secret in [env]',
    () => spoil(generated(), FLY, '[env]\n', '[env]\n  STRIPE_API_KEY = "sk_live_1"\n'),
    'R2.7',
    'fly.toml: STRIPE_API_KEY',
    /fly secrets set STRIPE_API_KEY/,
  ],
  [
    'workers stopped when idle (A9)',
    () =>
      spoil(
        spoil(generated(), FLY, 'auto_stop_machines = "off"', 'auto_stop_machines = "stop"'),
        FLY,
        'min_machines_running = 1',
        'min_machines_running = 0',
      ),
    'B7',
    'fly.toml: auto_stop_machines',
    /"off"/,
  ],
  [
    'workers twice during a deploy',
    () => spoil(generated(), FLY, '"rolling"', '"bluegreen"'),
    'B7',
    'fly.toml: strategy',
    /rolling/,
  ],
  [
    'SIGINT (A22)',
    () => spoil(generated(), FLY, 'kill_signal = "SIGTERM"', ''),
    'B8',
    'fly.toml: app',
    /SIGTERM/,
  ],
  [
    'release_command without bin/migrate (A5)',
    () =>
      leavingOut(
        spoil(generated(), FLY, '[deploy]\n', '[deploy]\n  release_command = "/app/bin/migrate"\n'),
        'rel/overlays/bin/migrate',
      ),
    'B9',
    'fly.toml: release_command',
    /phx.gen.release/,
  ],
  [
    'env.sh unguarded (A23)',
    () =>
      spoil(
        generated(),
        ENV_SH,
        '#!/bin/sh\n',
        '#!/bin/sh\nexport ERL_AFLAGS="-proto_dist inet6_tcp"\n',
      ),
    'B10',
    'rel/env.sh.eex: export ERL_AFLAGS',
    /if \[ -n/,
  ],
  [
    "flyctl's node name (A23)",
    () => ({
      ...generated(),
      [ENV_SH]:
        'if [ -n "$FLY_APP_NAME" ]; then\n  export ERL_AFLAGS="-proto_dist inet6_tcp"\n  export RELEASE_NODE="${FLY_APP_NAME}-${FLY_IMAGE_REF##*-}@${FLY_PRIVATE_IP}"\nfi\n',
    }),
    'B10',
    'rel/env.sh.eex: export RELEASE_NODE',
    /tr -cd/,
  ],
  [
    'a test as the last line, under set -e (A23)',
    () => spoil(generated(), ENV_SH, '# <<< phoenix-fly', '[ -n "$DEBUG" ] && export VERBOSE=1'),
    'B10',
    'rel/env.sh.eex: [ -n "$DEBUG" ]',
    /if/,
  ],
  [
    'no web server in the release',
    () =>
      spoil(
        generated(),
        RUNTIME,
        'server: System.get_env("PHX_SERVER") in ~w(true 1) and not eval?',
        'server: false',
      ),
    'R3.1',
    'config/runtime.exs: ',
    /PHX_SERVER/,
  ],
  [
    'ECTO_IPV6 tested for presence (A2)',
    () =>
      spoil(
        generated(),
        RUNTIME,
        'if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])',
        'if(System.get_env("ECTO_IPV6"), do: [:inet6], else: [])',
      ),
    'R3.2',
    'config/runtime.exs: socket_options',
    /~w\(true 1\)/,
  ],
  [
    'named statements on Managed Postgres (A6)',
    () => spoil(generated({ ...FLAGS, postgres: 'managed' }), RUNTIME, 'prepare: :unnamed,', ''),
    'R3.2',
    'config/runtime.exs: ',
    /prepare: :unnamed/,
  ],
  [
    'a pool of fixed size',
    () => spoil(generated(), RUNTIME, 'String.to_integer(System.get_env("POOL_SIZE", "10"))', '10'),
    'R3.2',
    'config/runtime.exs: ',
    /POOL_SIZE/,
  ],
  [
    'check_origin: false (A4)',
    () => spoil(generated(OWN_HOST), RUNTIME, ORIGINS, 'check_origin: false'),
    'R3.3',
    'config/runtime.exs: ',
    /check_origin: \["\/\/#\{host\}"\]/,
  ],
  [
    'check_origin without the host (A4)',
    () => spoil(generated(OWN_HOST), RUNTIME, ORIGINS, 'check_origin: ["//example.com"]'),
    'R3.3',
    'config/runtime.exs: ',
    /check_origin/,
  ],
  [
    'a host made up (A4)',
    () =>
      spoil(
        generated(),
        RUNTIME,
        'host = System.get_env("PHX_HOST", fly_host)',
        'host = System.get_env("PHX_HOST") || "example.com"',
      ),
    'R3.3',
    'config/runtime.exs: host = System',
    /FLY_APP_NAME/,
  ],
  [
    'IPv4 only',
    () => spoil(generated(), RUNTIME, '{0, 0, 0, 0, 0, 0, 0, 0}', '{0, 0, 0, 0}'),
    'R3.3',
    'config/runtime.exs: ',
    /\{0, 0, 0, 0, 0, 0, 0, 0\}/,
  ],
  [
    'any certificate',
    () => spoil(generated(), RUNTIME, 'verify: :verify_peer', 'verify: :verify_none'),
    'R3.4',
    'config/runtime.exs: ',
    /verify_peer/,
  ],
  [
    'a level that stays',
    () => spoil(generated(), RUNTIME, 'level: String.to_existing_atom(log_level)', 'level: :info'),
    'R3.5',
    'config/runtime.exs: if log_level',
    /LOG_LEVEL/,
  ],
  [
    'no request id',
    () => spoil(generated(), RUNTIME, '[:request_id]', '[:pid]'),
    'R3.5',
    'config/runtime.exs: ',
    /metadata: \[:request_id\]/,
  ],
  [
    'workers that can not be left out',
    () =>
      spoil(
        generated(),
        RUNTIME,
        'System.get_env("BACKGROUND_ENABLED", "true") in ~w(true 1) and not eval?',
        'true',
      ),
    'B11',
    'config/runtime.exs: ',
    /BACKGROUND_ENABLED/,
  ],
  [
    'CRLF in env.sh (A29)',
    () => ({ ...generated(), [ENV_SH]: (generated()[ENV_SH] ?? '').replaceAll('\n', '\r\n') }),
    'B10',
    'rel/env.sh.eex: #!/bin/sh',
    /LF/,
  ],
  [
    'machines without a name',
    () => ({ ...generated(), [ENV_SH]: '#!/bin/sh\n' }),
    'B10',
    'rel/env.sh.eex: ',
    /RELEASE_NODE="\$\{FLY_APP_NAME\}/,
  ],
  [
    'nodes over IPv4 (A23)',
    () => ({ ...generated(), [ENV_SH]: '#!/bin/sh\n' }),
    'B10',
    'rel/env.sh.eex: ',
    /-proto_dist inet6_tcp/,
  ],
  [
    'dns_cluster without a name to look for (A23)',
    () =>
      spoil(
        { ...generated(), [ENV_SH]: '#!/bin/sh\n' },
        'mix.exs',
        '{:bandit, "~> 1.5"}',
        '{:bandit, "~> 1.5"}, {:dns_cluster, "~> 0.2"}',
      ),
    'B10',
    'rel/env.sh.eex: ',
    /DNS_CLUSTER_QUERY/,
  ],
  [
    'an app name that Fly refuses',
    () => spoil(generated(), FLY, 'app = "shop"', 'app = "My_Shop"'),
    'R2.1',
    'fly.toml: app',
    /lower-case/,
  ],
  [
    'no region',
    () => spoil(generated(), FLY, 'primary_region = "lhr"\n', ''),
    'R2.1',
    'fly.toml: app',
    /primary_region = "lhr"/,
  ],
  [
    "a name that is Fly's own",
    () => spoil(generated(), FLY, '[env]\n', '[env]\n  FLY_REGION = "lhr"\n'),
    'R2.1',
    'fly.toml: FLY_REGION',
    /remove it/,
  ],
  [
    'a strategy that does not exist',
    () => spoil(generated(), FLY, '"rolling"', '"blue"'),
    'R2.1',
    'fly.toml: strategy',
    /rolling/,
  ],
  [
    'process groups, and a service of none',
    () =>
      spoil(generated(), FLY, '[env]\n', '[processes]\n  app = "/app/bin/shop start"\n\n[env]\n'),
    'R2.1',
    'fly.toml: [http_service]',
    /processes = \["app"\]/,
  ],
  [
    'IPv6 to a database outside (A2)',
    () =>
      spoil(
        generated({ ...FLAGS, postgres: 'external' }),
        FLY,
        'ECTO_IPV6 = "false"',
        'ECTO_IPV6 = "true"',
      ),
    'R2.3',
    'fly.toml: ECTO_IPV6',
    /ECTO_IPV6 = "false"/,
  ],
  [
    'no pool size (A7)',
    () => spoil(generated(), FLY, '  POOL_SIZE = "10"\n', ''),
    'R2.3',
    'fly.toml: [env]',
    /POOL_SIZE = "10"/,
  ],
  [
    'no concurrency (A33)',
    () => spoil(generated(), FLY, '[http_service.concurrency]', '[http_service.http_options]'),
    'R2.6',
    'fly.toml: [http_service]',
    /type = "connections"/,
  ],
  [
    'requests counted (A33)',
    () => spoil(generated(), FLY, 'type = "connections"', 'type = "requests"'),
    'R2.6',
    'fly.toml: type',
    /"connections"/,
  ],
  [
    'no check',
    () =>
      spoil(
        spoil(generated(), FLY, '[[http_service.checks]]', '[[http_service.machine_checks]]'),
        FLY,
        '[http_service.checks.headers]',
        '[http_service.machine_checks.headers]',
      ),
    'R2.5',
    'fly.toml: [http_service]',
    /\[\[http_service.checks\]\]/,
  ],
  [
    'no route that answers',
    () => spoil(generated(), 'lib/shop_web/plugs/health.ex', '"/health"', '"/other"'),
    'R2.5',
    'lib/shop_web/endpoint.ex: ',
    /npx plop health/,
  ],
  [
    'a check of another path',
    () => spoil(generated(), FLY, 'path = "/health"', 'path = "/ok"'),
    'R2.5',
    'fly.toml: path',
    /"\/health"/,
  ],
  [
    'suspended with swap (A9)',
    () =>
      spoil(
        generated({ ...FLAGS, background: 'no' }),
        FLY,
        'kill_signal',
        'swap_size_mb = 512\nkill_signal',
      ),
    'B7',
    'fly.toml: swap_size_mb',
    /"stop"/,
  ],
  [
    'suspended with much memory (A9)',
    () => spoil(spoil(generated(), FLY, '"off"', '"suspend"'), FLY, '"1gb"', '"8gb"'),
    'B7',
    'fly.toml: auto_stop_machines',
    /^write: auto_stop_machines = "stop"$/,
  ],
  [
    'stopped and never started',
    () => spoil(spoil(generated(), FLY, '"off"', '"stop"'), FLY, '= 1\n', '= 0\n'),
    'B7',
    'fly.toml: auto_start_machines',
    /auto_start_machines = true/,
  ],
  [
    'no time to shut down (A22)',
    () => spoil(generated(), FLY, '"30s"\n\n', '"5s"\n\n'),
    'B8',
    'fly.toml: kill_timeout',
    /30s/,
  ],
  [
    'release_command of a module that is not there (A5)',
    () =>
      spoil(
        generated(),
        FLY,
        '[deploy]\n',
        '[deploy]\n  release_command = "/app/bin/shop eval Shop.Release.migrate"\n',
      ),
    'B9',
    'fly.toml: release_command',
    /phx.gen.release/,
  ],
  [
    'migrations through the pooler (A6)',
    () => ({
      ...spoil(
        generated({ ...FLAGS, postgres: 'managed', migrate: 'yes' }),
        RUNTIME,
        'DIRECT_DATABASE_URL',
        'OTHER_URL',
      ),
    }),
    'B9',
    'fly.toml: release_command',
    /DATABASE_URL=\$DIRECT_DATABASE_URL/,
  ],
  [
    'debug pages in production',
    () => spoil(generated(), 'config/prod.exs', 'force_ssl:', 'debug_errors: true, force_ssl:'),
    'R3.1',
    'config/prod.exs: config :shop',
    /remove debug_errors/,
  ],
  [
    'no queue settings',
    () =>
      spoil(
        spoil(generated(), RUNTIME, 'queue_target: 500,', ''),
        RUNTIME,
        'queue_interval: 2_000,',
        '',
      ),
    'R3.2',
    'config/runtime.exs: ',
    /queue_target: 500/,
  ],
  [
    'IPv4 whatever ECTO_IPV6 says (A2)',
    () =>
      spoil(
        generated(),
        RUNTIME,
        'if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])',
        '[]',
      ),
    'R3.2',
    'config/runtime.exs: ',
    /socket_options: if/,
  ],
  [
    'a pool that gives up',
    () =>
      spoil(generated(), RUNTIME, 'queue_target: 500,', 'queue_target: 500, backoff_type: :stop,'),
    'R3.2',
    'config/runtime.exs: ',
    /remove backoff_type/,
  ],
  [
    'connections that the proxy cuts (A6)',
    () =>
      spoil(
        generated({ ...FLAGS, postgres: 'managed' }),
        RUNTIME,
        'max_lifetime: 480_000..540_000,',
        '',
      ),
    'R3.2',
    'config/runtime.exs: ',
    /max_lifetime/,
  ],
  [
    'the host of another app (A4)',
    () => spoil(generated(), RUNTIME, 'url: [host: host,', 'url: [host: "example.com",'),
    'R3.3',
    'config/runtime.exs: host = System',
    /url: \[host: System.get_env\("PHX_HOST"\)/,
  ],
  [
    'a database address in the code',
    () =>
      spoil(generated(), RUNTIME, '    url: database_url,', '    url: "ecto://localhost/shop",'),
    'R3.3',
    'config/runtime.exs: database_url = require_env',
    /url: System.get_env\("DATABASE_URL"\)/,
  ],
  [
    'plain links',
    () => spoil(generated(), RUNTIME, 'scheme: "https"', 'scheme: "http"'),
    'R3.3',
    'config/runtime.exs: ',
    /scheme: "https"/,
  ],
  [
    'a port of its own (A3)',
    () => spoil(generated(), RUNTIME, 'http: [port: 4000]', 'http: [port: 4001]'),
    'R3.3',
    'config/runtime.exs: config :shop',
    /System.get_env\("PORT"/,
  ],
  [
    'a key in the code',
    () =>
      spoil(
        spoil(generated(), RUNTIME, 'secret_key_base:', 'other:'),
        'config/prod.exs',
        'force_ssl:',
        'secret_key_base: "abc", force_ssl:',
      ),
    'R3.3',
    'config/prod.exs: config :shop',
    /remove it from config.exs/,
  ],
  [
    'an error that names nothing',
    () =>
      spoil(
        generated(),
        RUNTIME,
        '"environment variable #{name} is missing; set it with: #{set_it}"',
        '"a variable is missing"',
      ),
    'R3.3',
    'config/runtime.exs: database_url = require_env',
    /raise "DATABASE_URL is missing/,
  ],
  [
    'no TLS options',
    () =>
      spoil(generated(), RUNTIME, ':tls,', ':other,\n    unused: true\n\n  config :else, :tls,'),
    'R3.4',
    'config/runtime.exs: ',
    /config :shop, :tls/,
  ],
  [
    'old TLS',
    () => spoil(generated(), RUNTIME, '[:"tlsv1.3", :"tlsv1.2"]', '[:"tlsv1.2", :"tlsv1.1"]'),
    'R3.4',
    'config/runtime.exs: ',
    /tlsv1.3/,
  ],
  [
    'wildcard certificates refused',
    () => spoil(generated(), RUNTIME, 'customize_hostname_check:', 'other:'),
    'R3.4',
    'config/runtime.exs: ',
    /match_fun/,
  ],
  [
    'a format under a key that older Elixir does not read',
    () => spoil(generated(), 'Dockerfile', 'ELIXIR_VERSION=1.18', 'ELIXIR_VERSION=1.14'),
    'R3.5',
    'config/runtime.exs: ',
    /:console, format/,
  ],
  [
    'an event of two lines',
    () => spoil(generated(), RUNTIME, '$message\\n"', '\\n$message\\n"'),
    'R3.5',
    'config/runtime.exs: ',
    /format: "\$time/,
  ],
  [
    'colours',
    () =>
      spoil(
        generated(),
        RUNTIME,
        'metadata: [:request_id]',
        'metadata: [:request_id], colors: [enabled: true]',
      ),
    'R3.5',
    'config/runtime.exs: ',
    /colors: \[enabled: false\]/,
  ],
  [
    'SQLite without a volume (A35)',
    () =>
      spoil(
        spoil(generated(), 'lib/shop/repo.ex', 'Ecto.Adapters.Postgres', 'Ecto.Adapters.SQLite3'),
        'mix.exs',
        ':postgrex',
        ':ecto_sqlite3',
      ),
    'R2.3',
    'fly.toml: ',
    /\[\[mounts\]\]/,
  ],
  [
    'migrations without the volume (A35)',
    () =>
      spoil(
        spoil(generated(), 'lib/shop/repo.ex', 'Ecto.Adapters.Postgres', 'Ecto.Adapters.SQLite3'),
        FLY,
        '[deploy]\n',
        '[deploy]\n  release_command = "/app/bin/shop eval Ecto.migrate"\n',
      ),
    'B9',
    'fly.toml: release_command',
    /when the app starts/,
  ],
  [
    'migrations without a repo',
    () =>
      spoil(
        spoil(
          spoil(generated(), 'lib/shop/repo.ex', 'use Ecto.Repo', 'use Other'),
          'config/config.exs',
          'ecto_repos: [Shop.Repo]',
          'ecto_repos: []',
        ),
        FLY,
        '[deploy]\n',
        '[deploy]\n  release_command = "/app/bin/shop eval Ecto.migrate"\n',
      ),
    'B9',
    'fly.toml: release_command',
    /^remove it$/,
  ],
]);

test.run();
