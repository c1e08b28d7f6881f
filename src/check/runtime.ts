import semver from 'semver';
import { lineAt, parseElixir, walk } from '../elixir/syntax.ts';
import {
  Atom,
  atomName,
  get,
  isKeyword,
  pairs,
  show,
  Tuple,
  Unknown,
  type Value,
} from '../elixir/value.ts';
import type { Setting } from '../facts/config.ts';
import { type Boot, setting } from './boot.ts';
import { builderElixir } from './dockerfile-base.ts';
import { placeholder, type Read, type Repo } from './repo.ts';
import { type Findings, found, type Missing } from './verdict.ts';

type File = Read<string>;
/** An environment in which every setting can be told from its default. */
const PROBE = {
  PHX_HOST: 'probe.example.com',
  PORT: '4321',
  POOL_SIZE: '7',
  LOG_LEVEL: 'warning',
  PHX_SERVER: 'true',
  ECTO_IPV6: 'true',
};

/** Collects what is wrong with the settings of one file; a value that only the running release knows is no finding. */
class Judge {
  readonly missing: Missing[] = [];
  readonly unknown: string[] = [];
  readonly notes: string[] = [];
  private readonly repo: Repo;
  private readonly file: File;

  constructor(repo: Repo, file: File) {
    this.repo = repo;
    this.file = file;
  }

  /** A setting of that start; one that only a branch nobody can judge would make is unknown. */
  value(start: Boot, app: string, ...keys: string[]): Value | undefined {
    const value = setting(start, app, ...keys);
    const maybe =
      value === undefined
        ? setting({ apps: this.repo.settings.all, stops: [] }, app, ...keys)
        : undefined;
    return maybe === undefined || maybe === null
      ? value
      : new Unknown('a condition that only the running release knows');
  }

  /** @param value what the setting comes out as @param good whether that is right; @param variable whose reading is the place to edit @param place the setting to edit */
  expect(
    value: Value | undefined,
    good: (value: Value | undefined) => boolean,
    what: string,
    edit: string,
    variable?: string,
    place?: Setting,
  ): void {
    if (value instanceof Unknown) this.unknown.push(`${what}? That is decided by ${value.why}`);
    else if (!good(value))
      this.missing.push({
        what,
        edit,
        file: place?.file ?? this.file.path,
        line:
          place?.line ?? (variable === undefined ? undefined : readsAt(this.file.text, variable)),
      });
  }

  /** Where the app's own code sets something of its endpoint. */
  placeOf(name: string): Setting | undefined {
    const { config, endpoint } = this.repo.project;
    return config.settings.findLast(
      (one) => one.key === endpoint.module && get(one.value, name) !== undefined,
    );
  }

  get findings(): Findings {
    return found(this.missing, this.unknown, this.notes);
  }
}

/** The line that reads an environment variable. */
function readsAt(text: string, variable: string): number | undefined {
  let line: number | undefined;
  walk(parseElixir(text).body, (expr) => {
    if (
      expr.is === 'call' &&
      expr.args.some(
        (arg) => arg.is === 'string' && arg.parts.length === 1 && arg.parts[0] === variable,
      )
    )
      line ??= lineAt(text, expr.at);
  });
  return line;
}

const config = (app: string, rest: string): string =>
  `add: config :${app}, ${rest}; \`npx plop runtime-exs\` writes it`;

/** R3.1: it is read in production, can be read, and turns the web server on. */
export function releaseMode(repo: Repo, file: File): Findings {
  const { project } = repo;
  const judge = new Judge(repo, file);
  const { problem } = parseElixir(file.text);
  const { otpApp } = project.app;
  const endpointModule = project.endpoint.module;
  if (problem) judge.unknown.push(`line ${problem.line} can't be followed: ${problem.text}`);
  if (file.path.endsWith('releases.exs'))
    judge.notes.push(
      'config/releases.exs still works, and a config/runtime.exs would silence it; rename it to config/runtime.exs, with `import Config` and `if config_env() == :prod do` around it',
    );
  const started = repo.boot(PROBE);
  judge.expect(
    judge.value(started, otpApp, endpointModule, 'server'),
    (value) => value === true,
    'with PHX_SERVER=true the release still does not serve HTTP',
    config(otpApp, `${endpointModule}, server: System.get_env("PHX_SERVER") in ~w(true 1)`),
    'PHX_SERVER',
  );
  for (const key of ['code_reloader', 'debug_errors'])
    judge.expect(
      judge.value(started, otpApp, endpointModule, key) ?? false,
      (value) => value === false,
      `${key} is on in production`,
      `remove ${key}; it belongs in dev.exs`,
      undefined,
      judge.placeOf(key),
    );
  return judge.findings;
}

/** Repos that connect over the network; SQLite opens a file. */
const networked = ({ project }: Repo): string[] =>
  project.database.adapter === 'sqlite' ? [] : project.database.repos;

/** R3.2: each repo's pool follows the environment, waits before it drops requests, and finds the database over IPv6. */
export function pool(repo: Repo, file: File): Findings {
  const { project, fly } = repo;
  const judge = new Judge(repo, file);
  const managed =
    /fly mpg attach|flympg/.test(project.tree.read('fly.toml') ?? '') && fly !== undefined;
  const [on, off] = [repo.boot(PROBE), repo.boot({ ...PROBE, ECTO_IPV6: 'false' })];
  const inet6 = (value: Value | undefined) =>
    Array.isArray(value) && value.some((one) => atomName(one) === 'inet6');
  for (const module of networked(repo)) {
    const app = project.database.repoApps.get(module) ?? project.app.otpApp;
    const of = (key: string, started = on) => judge.value(started, app, module, key);
    const set = (line: string) => config(app, `${module}, ${line}`);
    judge.expect(
      of('pool_size'),
      (value) => value === 7,
      `${module}: pool_size does not follow POOL_SIZE`,
      set('pool_size: String.to_integer(System.get_env("POOL_SIZE", "10"))'),
      'POOL_SIZE',
    );
    for (const [key, wanted] of [
      ['queue_target', '500'],
      ['queue_interval', '2_000'],
    ] as const)
      judge.expect(
        of(key),
        (value) => typeof value === 'number',
        `${module}: no ${key}, so a busy pool drops requests after 50 ms`,
        set(`${key}: ${wanted}`),
      );
    judge.expect(
      of('socket_options'),
      inet6,
      `${module}: with ECTO_IPV6=true it still connects over IPv4, and Fly's private names have IPv6 addresses only`,
      set('socket_options: if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])'),
      'ECTO_IPV6',
    );
    judge.expect(
      of('socket_options', off),
      (value) => !inet6(value),
      `${module}: ECTO_IPV6=false turns IPv6 on too, because only its presence is tested`,
      'write: System.get_env("ECTO_IPV6") in ~w(true 1)',
      'ECTO_IPV6',
    );
    judge.expect(
      of('backoff_type') ?? null,
      (value) => atomName(value) !== 'stop',
      `${module}: backoff_type: :stop gives up when the database restarts`,
      'remove backoff_type',
    );
    if (!managed) continue;
    judge.expect(
      of('prepare'),
      (value) => atomName(value) === 'unnamed',
      `${module}: Managed Postgres hands each transaction to another connection, which loses prepared statements`,
      set('prepare: :unnamed'),
    );
    if (semver.gte(project.database.dbConnectionVersion ?? '0.0.0', '2.10.1'))
      judge.expect(
        of('max_lifetime') !== undefined,
        (value) => value === true,
        `${module}: Fly's proxy cuts connections after ten minutes`,
        set('max_lifetime: 480_000..540_000'),
      );
  }
  return judge.findings;
}

/** R3.3: host, scheme, address and origins; secrets from the environment, each missing one named. */
export function hostAndSecrets(repo: Repo, file: File): Findings {
  const { project, settings } = repo;
  const judge = new Judge(repo, file);
  const { otpApp } = project.app;
  const endpointModule = project.endpoint.module;
  const started = repo.boot(PROBE);
  const of = (...keys: string[]) => judge.value(started, otpApp, endpointModule, ...keys);
  const set = (line: string) => config(otpApp, `${endpointModule}, ${line}`);
  judge.expect(
    of('url', 'host'),
    (value) => value === PROBE.PHX_HOST,
    'links and LiveView sockets do not use PHX_HOST',
    set('url: [host: System.get_env("PHX_HOST"), port: 443, scheme: "https"]'),
    'PHX_HOST',
  );
  judge.expect(
    of('url', 'scheme'),
    (value) => value === 'https',
    'links are not https',
    set('url: [scheme: "https", port: 443]'),
  );
  const http = of('http');
  judge.expect(
    http instanceof Unknown ? http : get(http, 'port'),
    (value) => value === 4321 || value === '4321',
    'it does not listen on PORT',
    set('http: [port: String.to_integer(System.get_env("PORT", "4000"))]'),
    'PORT',
  );
  const ip = get(http, 'ip') ?? null;
  const options = show(get(http, 'transport_options') ?? null);
  judge.expect(
    ip,
    (value) =>
      (value instanceof Tuple && value.items.length === 8) ||
      atomName(value) === 'any6' ||
      /:inet6/.test(options),
    'it listens on IPv4 only',
    set('http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}]'),
  );
  const origin = of('check_origin') ?? true;
  const [wrong, why] =
    origin === false
      ? ['false', 'lets every site open LiveView sockets']
      : atomName(origin) === 'conn'
        ? [':conn', 'compares the scheme too, which is http behind the proxy']
        : ['', 'does not list PHX_HOST, so LiveView sockets get 403'];
  const lists = (value: Value | undefined) =>
    !Array.isArray(value) ||
    value.some((one) => one instanceof Unknown) ||
    show(value).includes(PROBE.PHX_HOST);
  judge.expect(
    origin,
    (value) => !wrong && lists(value),
    `check_origin${wrong ? `: ${wrong}` : ''} ${why}`,
    wrong
      ? set('check_origin: ["//#{host}"]')
      : 'add "//#{host}" to check_origin (in config/runtime.exs, where PHX_HOST is known)',
    undefined,
    judge.placeOf('check_origin'),
  );
  const secrets: [string, Value | undefined][] = [
    ['SECRET_KEY_BASE', of('secret_key_base')],
    ...networked(repo).map((module): [string, Value | undefined] => [
      'DATABASE_URL',
      judge.value(started, project.database.repoApps.get(module) ?? otpApp, module, 'url'),
    ]),
  ];
  for (const [name, value] of secrets)
    judge.expect(
      value,
      (one) => one === placeholder(name),
      `${name} is not read from the environment`,
      name === 'DATABASE_URL'
        ? `add to the repo: url: System.get_env("DATABASE_URL") || raise "DATABASE_URL is missing; set it with: fly postgres attach"`
        : set(
            'secret_key_base: System.get_env("SECRET_KEY_BASE") || raise "SECRET_KEY_BASE is missing"',
          ),
      name,
    );
  const compiledKey = get(get(settings.compiled.get(otpApp), endpointModule), 'secret_key_base');
  if (
    typeof compiledKey === 'string' &&
    !started.stops.length &&
    of('secret_key_base') === compiledKey
  )
    judge.missing.push({
      what: 'secret_key_base stands in the code',
      edit: 'remove it from config.exs and prod.exs',
      file: file.path,
      line: undefined,
    });
  for (const name of new Set([...secrets.map(([one]) => one), 'PHX_HOST'])) {
    const { stops } = repo.boot({ ...PROBE, [name]: undefined });
    const known = repo.boot(PROBE).stops;
    const stop = stops.find((one) => !known.includes(one));
    const value = secrets.find(([one]) => one === name)?.[1] ?? of('url', 'host');
    if (stop === undefined && value instanceof Unknown) continue;
    if (stop === undefined)
      judge.missing.push({
        what: `without ${name} it starts all the same, with something made up`,
        edit: `write: System.get_env("${name}") || raise "${name} is missing; set it with: ${name === 'PHX_HOST' ? 'PHX_HOST under [env] in fly.toml' : `fly secrets set ${name}=…`}"`,
        file: file.path,
        line: readsAt(file.text, name),
      });
    else if (stop === '') judge.unknown.push(`whether the error names ${name} when it is missing`);
    else if (!stop.includes(name))
      judge.missing.push({
        what: `without ${name} it stops, but does not say that ${name} is missing`,
        edit: `name it in the error: raise "${name} is missing; …"`,
        file: file.path,
        line: readsAt(file.text, name),
      });
  }
  return judge.findings;
}

/** R3.4: one list of TLS options for connections to the outside. */
export function tls(repo: Repo, file: File): Findings {
  const { project } = repo;
  const judge = new Judge(repo, file);
  const own = repo.boot(PROBE).apps.get(project.app.otpApp);
  const lists = pairs(own)
    .flatMap(([key, value]) => [
      [key, value] as const,
      ...pairs(value).map(([inner, one]) => [`${key}.${inner}`, one] as const),
    ])
    .filter(
      ([, value]) =>
        isKeyword(value) &&
        get(value, 'verify') !== undefined &&
        (get(value, 'cacertfile') ?? get(value, 'cacerts')) !== undefined,
    );
  const good =
    lists.find(([, value]) => atomName(get(value, 'verify')) === 'verify_peer') ?? lists[0];
  const line = config(
    project.app.otpApp,
    ':tls, verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt", customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)], versions: [:"tlsv1.3", :"tlsv1.2"]',
  );
  if (!good)
    judge.missing.push({
      what: 'no list of TLS options that WebSocket and HTTP clients could use',
      edit: line,
      file: file.path,
      line: undefined,
    });
  else {
    judge.expect(
      get(good[1], 'verify'),
      (value) => atomName(value) === 'verify_peer',
      `${good[0]} takes any certificate`,
      'write: verify: :verify_peer',
    );
    judge.expect(
      get(good[1], 'versions') ?? null,
      (value) => value === null || !/tlsv1["']?[,\]]|tlsv1\.1|sslv3/.test(show(value)),
      `${good[0]} allows old TLS versions`,
      'write: versions: [:"tlsv1.3", :"tlsv1.2"]',
    );
    if (!project.release.rebootAfterConfig && !file.path.endsWith('releases.exs'))
      judge.expect(
        get(good[1], 'customize_hostname_check'),
        (value) => value !== undefined && value !== null,
        `${good[0]} refuses wildcard certificates`,
        'add: customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)]',
      );
  }
  return judge.findings;
}

/** R3.5: level from LOG_LEVEL; one plain line for each event, with the request's id. */
export function logger(repo: Repo, file: File): Findings {
  const { project, dockerfile } = repo;
  const judge = new Judge(repo, file);
  const started = repo.boot(PROBE);
  judge.expect(
    judge.value(started, 'logger', 'level'),
    (value) => atomName(value) === 'warning',
    'the level does not follow LOG_LEVEL',
    'add: config :logger, level: String.to_existing_atom(System.get_env("LOG_LEVEL", "info")); `npx plop runtime-exs` writes it',
    'LOG_LEVEL',
  );
  const elixir = dockerfile && builderElixir(dockerfile.file);
  const modern = semver.gte(
    semver.coerce(elixir ?? project.elixir.version ?? '1.15.0') ?? '1.15.0',
    '1.15.0',
  );
  const handler = judge.value(started, 'logger', 'default_handler', 'formatter');
  const key =
    modern && judge.value(started, 'logger', 'default_formatter') !== undefined
      ? 'default_formatter'
      : 'console';
  const backends = judge.value(started, 'logger', 'backends');
  if (
    handler instanceof Tuple ||
    handler instanceof Unknown ||
    (backends !== undefined && !show(backends).includes(':console'))
  ) {
    judge.unknown.push(`how lines look (decided by ${show(handler ?? backends)})`);
    return judge.findings;
  }
  const of = (name: string) => judge.value(started, 'logger', key, name);
  const right = modern ? ':default_formatter' : ':console';
  judge.expect(
    judge.value(started, 'logger', right.slice(1)),
    (value) => value !== undefined,
    `${`Elixir ${elixir ?? project.elixir.version ?? ''}`.trim()} takes the format of its lines from config :logger, ${right}`,
    `add: config :logger, ${right}, format: "$time $metadata[$level] $message\\n", metadata: [:request_id]`,
  );
  judge.expect(
    of('format') ?? null,
    (value) =>
      typeof value === 'string' &&
      value.includes('$message') &&
      value.indexOf('\n') === value.length - 1,
    'an event is not one plain line',
    `add: config :logger, ${right}, format: "$time $metadata[$level] $message\\n"`,
  );
  judge.expect(
    of('metadata') ?? null,
    (value) =>
      atomName(value) === 'all' ||
      (Array.isArray(value) &&
        value.some((one) => one instanceof Atom && one.name === 'request_id')),
    'lines do not say which request they belong to',
    `add: config :logger, ${right}, metadata: [:request_id]`,
  );
  judge.expect(
    get(of('colors') ?? null, 'enabled') ?? false,
    (value) => value === false,
    'lines have colours, which `fly logs` shows as rubbish',
    `add: config :logger, ${right}, colors: [enabled: false]`,
  );
  return judge.findings;
}

/** Workers can be left out: one setting of the app's follows BACKGROUND_ENABLED. */
export function backgroundSwitch(repo: Repo, file: File): Findings {
  const { project } = repo;
  if (project.background.length === 0) return found();
  const [on, off] = [
    repo.boot({ ...PROBE, BACKGROUND_ENABLED: 'true' }),
    repo.boot({ ...PROBE, BACKGROUND_ENABLED: 'false' }),
  ];
  const follows = pairs(on.apps.get(project.app.otpApp)).some(
    ([key, value]) => show(value) !== show(setting(off, project.app.otpApp, key)),
  );
  const edit = config(
    project.app.otpApp,
    ':background, enabled: System.get_env("BACKGROUND_ENABLED", "true") in ~w(true 1)',
  );
  return found(
    follows
      ? []
      : [
          {
            what: `${project.background.join(', ')} run in every process of the release, a second machine and a one-off console too`,
            edit,
            file: file.path,
            line: undefined,
          },
        ],
  );
}
