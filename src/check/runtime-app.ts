import semver from 'semver';
import { atomName, get, isKeyword, pairs, show, Unknown, type Value } from '../elixir/value.ts';
import { builderElixir } from './dockerfile-image.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';
import {
  isSet,
  lacks,
  lineReading,
  PLOP_WRITES_IT,
  PROBE,
  settingAt,
  textOf,
} from './runtime-settings.ts';

const r34 = rulesFor(RUNTIME_EXS, 'R3.4');
const r35 = rulesFor(RUNTIME_EXS, 'R3.5');
const b11 = rulesFor(RUNTIME_EXS, 'B11');

type Options = readonly [name: string, options: Value];

/** Lists of TLS options below the app's settings; those of an endpoint or a repo are for their own connections. */
function tlsLists(repo: Repo): Options[] {
  const settings = pairs(repo.boot(PROBE).apps.get(repo.project.app.otpApp));
  const inner = settings.flatMap(([key, value]) =>
    /^[A-Z]/.test(key) ? [] : pairs(value).map(([name, list]): Options => [`${key}.${name}`, list]),
  );
  return [...settings, ...inner].filter(
    ([, list]) =>
      isKeyword(list) &&
      get(list, 'verify') !== undefined &&
      (get(list, 'cacertfile') ?? get(list, 'cacerts')) !== undefined,
  );
}

/** Nothing that WebSocket and HTTP clients could use, and our block may write it. */
export const missingTls = (repo: Repo): boolean =>
  tlsLists(repo).length === 0 && !repo.compiledKey([repo.project.app.otpApp, 'tls']);

const verifies = (list: Value): boolean => atomName(get(list, 'verify')) === 'verify_peer';
/** The list that is used, where something is wrong with it. */
const wrongTls = (isWrong: (options: Value, repo: Repo) => boolean) => (_: string, repo: Repo) => {
  const lists = tlsLists(repo);
  const used = lists.find(([, list]) => verifies(list)) ?? lists[0];
  return used && isWrong(used[1], repo) && { name: used[0] };
};

/** A closure can't be written to disk, which a release that reboots after configuration does. */
export const takesClosures = ({ project, runtimePath }: Repo): boolean =>
  !project.release.rebootAfterConfig && !runtimePath.endsWith('releases.exs');

/** How Logger's lines are set. `own`: a formatter, handler or backend of the owner's, which decides alone. */
export function logLines(repo: Repo) {
  const { project, dockerfile } = repo;
  const elixir = (dockerfile && builderElixir(dockerfile.file)) ?? project.elixir.version;
  // Elixir before 1.15 reads :console; later ones too, unless :default_formatter is there (logger/app.ex of 1.20)
  const modern = semver.gte(semver.coerce(elixir) ?? '1.15.0', '1.15.0');
  const open = (...keys: string[]) => lacks(repo, ['logger', ...keys]);
  const key =
    modern && (!open('default_formatter') || open('console')) ? 'default_formatter' : 'console';
  const backends = settingAt(repo, ['logger', 'backends']);
  const handler = settingAt(repo, ['logger', 'default_handler']);
  const elsewhere = backends !== undefined && !show(backends).includes(':console');
  const own =
    handler === false ? handler : (get(handler, 'formatter') ?? (elsewhere ? backends : undefined));
  const isOpen = own === undefined;
  return {
    key,
    own,
    format: isOpen && open(key, 'format'),
    metadata: isOpen && open(key, 'metadata'),
  };
}

/** A setting of Logger's lines that nobody makes, or that the owner's own choice makes hard to read. */
const logLine =
  (name: 'format' | 'metadata' | 'colors', isWrong: RegExp) => (_: string, repo: Repo) => {
    const { key, own, ...missing } = logLines(repo);
    if (own instanceof Unknown) return new Doubt(`how lines look is decided by ${own.why}`);
    const isMissing = name !== 'colors' && missing[name];
    const isFault = isMissing || isWrong.test(show(settingAt(repo, ['logger', key, name])));
    const ours = isMissing ? PLOP_WRITES_IT : '';
    return own === undefined && isFault && { weight: isMissing ? 'should' : 'advice', key, ours };
  };

/** The level under two values of LOG_LEVEL. */
const levels = (repo: Repo): (Value | undefined)[] =>
  ['warning', 'error'].map((LOG_LEVEL) =>
    settingAt(repo, ['logger', 'level'], { ...PROBE, LOG_LEVEL }),
  );

/** LOG_LEVEL has no effect, and may have one. */
export function missingLogLevel(repo: Repo): boolean {
  const [level, other] = levels(repo);
  const isCompiled = repo.compiledKey(['logger', 'level']) !== undefined;
  return !isCompiled && !(level instanceof Unknown) && show(level) === show(other);
}

/** No setting of the app's follows BACKGROUND_ENABLED, and ours may. */
export function missingSwitch(repo: Repo): boolean {
  const app = repo.project.app.otpApp;
  const [on, off] = ['true', 'false'].map((BACKGROUND_ENABLED) =>
    textOf(repo.boot({ ...PROBE, BACKGROUND_ENABLED }).apps.get(app)),
  );
  return on === off && !repo.compiledKey([app, 'background']);
}

/** tzdata would write new releases of the time zones below /app, which it may not. */
export const missingTzdata = (repo: Repo): boolean =>
  repo.project.lock.has('tzdata') &&
  !isSet(repo, ['tzdata', 'autoupdate']) &&
  !isSet(repo, ['tzdata', 'data_dir']);

/** Settings for the code of the app, and Logger. */
export const appRules: readonly Rule<string>[] = [
  r34.should((_, repo) => missingTls(repo) && { app: repo.project.app.otpApp })`
    no list of TLS options that WebSocket and HTTP clients could use
    => add: config :${'app'}, :tls, verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt", customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)], versions: [:"tlsv1.3", :"tlsv1.2"]; \`npx plop runtime-exs\` writes it`,
  r34.must(wrongTls((options) => !verifies(options)))`${'name'} takes any certificate
    => write: verify: :verify_peer`,
  r34.should(
    wrongTls((options) => /tlsv1["']?[,\]]|tlsv1\.1|sslv3/.test(show(get(options, 'versions')))),
  )`${'name'} allows old TLS versions
    => write: versions: [:"tlsv1.3", :"tlsv1.2"]`,
  r34.should(
    wrongTls((options, repo) => takesClosures(repo) && !get(options, 'customize_hostname_check')),
  )`${'name'} refuses wildcard certificates
    => add: customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)]`,
  r35.should((_, repo) => {
    const [level] = levels(repo);
    if (level instanceof Unknown) return new Doubt(`the level is decided by ${level.why}`);
    return missingLogLevel(repo) && { line: lineReading(repo, 'LOG_LEVEL') };
  })`the level does not follow LOG_LEVEL
    => add: config :logger, level: String.to_existing_atom(System.get_env("LOG_LEVEL", "info")); \`npx plop runtime-exs\` writes it`,
  // Without the message, or with a newline elsewhere than at its end
  r35.should(logLine('format', /^"(?!.*\$message.*\\n"$)|^".*\\n(?!"$)/))`
    an event is not one plain line
    => add: config :logger, :${'key'}, format: "$time $metadata[$level] $message\\n"${'ours'}`,
  r35.should(logLine('metadata', /^\[(?!.*:request_id\b)/))`
    lines do not say which request they belong to
    => add: config :logger, :${'key'}, metadata: [:request_id]${'ours'}`,
  r35.should(logLine('colors', /enabled: true/))`
    lines have colours, which \`fly logs\` shows as codes
    => add: config :logger, :${'key'}, colors: [enabled: false]${'ours'}`,
  b11.should((_, repo) => {
    const { app, background } = repo.project;
    const workers = background.join(', ');
    return workers && missingSwitch(repo) && { app: app.otpApp, workers };
  })`these workers run on every machine, and in a one-off console too: ${'workers'}
    => add: config :${'app'}, :background, enabled: System.get_env("BACKGROUND_ENABLED", "true") in ~w(true 1); \`npx plop runtime-exs\` writes it`,
];
