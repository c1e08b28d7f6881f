import semver from 'semver';
import { atomName, get, isKeyword, pairs, show, Unknown, type Value } from '../elixir/value.ts';
import type { Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';
import { lineReading, PLOP_WRITES_IT, PROBE, settingsOf, textOf } from './runtime-settings.ts';

const tlsOptions = rulesFor<string>('R3.4');
const loggerLines = rulesFor<string>('R3.5');
const workerSwitch = rulesFor<string>('B11');

/** TLS options below the app's settings, as `tls` or `http.tls`; those of an endpoint or a repo are for their own connections. */
function tlsLists(repo: Repo): [name: string, options: Value][] {
  const settings = pairs(repo.boot(PROBE).apps.get(repo.project.app.otpApp));
  const ofNoModule = settings.filter(([key]) => !/^[A-Z]/.test(key));
  const nested = ofNoModule.flatMap(([key, value]) =>
    pairs(value).map(([name, options]): [string, Value] => [`${key}.${name}`, options]),
  );
  return [...settings, ...nested].filter(([, options]) => isTlsList(options));
}

const isTlsList = (options: Value): boolean =>
  isKeyword(options) &&
  get(options, 'verify') !== undefined &&
  (get(options, 'cacertfile') ?? get(options, 'cacerts')) !== undefined;

/** Nothing that WebSocket and HTTP clients could use, and our block may write it. */
export const missingTls = (repo: Repo): boolean =>
  tlsLists(repo).length === 0 && !repo.compiledKey([repo.project.app.otpApp, 'tls']);

const allowsOldTls = (options: Value): boolean =>
  [get(options, 'versions')].flat().some((name) => /^:(sslv3|tlsv1|tlsv1\.1)$/.test(show(name)));

const verifies = (options: Value): boolean => atomName(get(options, 'verify')) === 'verify_peer';

/** The list that clients most likely use, where something is wrong with it. */
const wrongTls = (isWrong: (options: Value, repo: Repo) => boolean) => (_: string, repo: Repo) => {
  const lists = tlsLists(repo);
  const [name, options] = lists.find(([, list]) => verifies(list)) ?? lists[0] ?? [];
  return options !== undefined && isWrong(options, repo) && { name };
};

/** A closure can't be written to disk, which a release that reboots after configuration does. */
export const takesClosures = ({ project, runtimePath }: Repo): boolean =>
  !project.release.rebootAfterConfig && !runtimePath.endsWith('releases.exs');

/** Elixir before 1.15 reads :console; later ones too, unless :default_formatter is there (logger/app.ex of 1.20). */
function formatterKey(repo: Repo): 'console' | 'default_formatter' {
  const { lacks } = settingsOf(repo, 'logger');
  const isModern = semver.gte(semver.coerce(repo.project.elixir.version) ?? '1.15.0', '1.15.0');
  const isConsole = !isModern || (lacks('default_formatter') && !lacks('console'));
  return isConsole ? 'console' : 'default_formatter';
}

/** The owner's formatter or backends, which alone decide how lines look; false where no handler writes any. */
function ownFormatter(repo: Repo): Value | undefined {
  const { value } = settingsOf(repo, 'logger');
  const [handler, backends] = [value('default_handler'), value('backends')];
  const isElsewhere = backends !== undefined && !show(backends).includes(':console');
  if (handler === false) return handler;
  return get(handler, 'formatter') ?? (isElsewhere ? backends : undefined);
}

/** The key of Logger below which the look of lines is set, and which of its settings our block makes because nobody does. */
export function logLines(repo: Repo) {
  const { lacks } = settingsOf(repo, 'logger');
  const key = formatterKey(repo);
  const formatter = ownFormatter(repo);
  const isMissing = (name: string) => formatter === undefined && lacks(`${key}.${name}`);
  return { key, formatter, format: isMissing('format'), metadata: isMissing('metadata') };
}

/** A setting of Logger's lines that nobody makes, or that the owner's own choice makes hard to read. */
const logLine =
  (name: 'format' | 'metadata' | 'colors', isWrong: (value: Value | undefined) => boolean) =>
  (_: string, repo: Repo) => {
    const { key, formatter, ...missing } = logLines(repo);
    if (formatter instanceof Unknown)
      return new Doubt(`how lines look is decided by ${formatter.why}`);
    if (formatter !== undefined) return undefined;
    if (name !== 'colors' && missing[name]) return { weight: 'should', key, ours: PLOP_WRITES_IT };
    const setting = settingsOf(repo, 'logger').value(`${key}.${name}`);
    return isWrong(setting) && { weight: 'advice', key, ours: '' };
  };

/** A format with the message and one newline, at its end. */
const isPlainLine = (format: string): boolean => /^[^\n]*\$message[^\n]*\n$/.test(format);

/** LOG_LEVEL has no effect, and may have one. */
export function missingLogLevel(repo: Repo): boolean {
  const { value } = settingsOf(repo, 'logger');
  const [level, otherLevel] = [value('level'), value('level', { LOG_LEVEL: 'error' })];
  const isFixed = !(level instanceof Unknown) && show(level) === show(otherLevel);
  return isFixed && !repo.compiledKey(['logger', 'level']);
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
export function missingTzdata(repo: Repo): boolean {
  const { isSet } = settingsOf(repo, 'tzdata');
  return repo.project.lock.has('tzdata') && !isSet('autoupdate') && !isSet('data_dir');
}

/** Settings for the code of the app, and Logger. */
export const appRules: readonly Rule<string>[] = [
  tlsOptions.should({
    find: (_, repo) => missingTls(repo) && { app: repo.project.app.otpApp },
    what: 'no list of TLS options that WebSocket and HTTP clients could use',
    edit: ({ app }) =>
      `add: config :${app}, :tls, verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt", customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)], versions: [:"tlsv1.3", :"tlsv1.2"]; \`npx plop runtime-exs\` writes it`,
  }),
  tlsOptions.must({
    find: wrongTls((options) => !verifies(options)),
    what: ({ name }) => `${name} takes any certificate`,
    edit: 'write: verify: :verify_peer',
  }),
  tlsOptions.should({
    find: wrongTls(allowsOldTls),
    what: ({ name }) => `${name} allows old TLS versions`,
    edit: 'write: versions: [:"tlsv1.3", :"tlsv1.2"]',
  }),
  tlsOptions.should({
    find: wrongTls(
      (options, repo) => takesClosures(repo) && !get(options, 'customize_hostname_check'),
    ),
    what: ({ name }) => `${name} refuses wildcard certificates`,
    edit: 'add: customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)]',
  }),
  loggerLines.should({
    find: (_, repo) => {
      const level = settingsOf(repo, 'logger').value('level');
      if (level instanceof Unknown) return new Doubt(`the level is decided by ${level.why}`);
      return missingLogLevel(repo) && { line: lineReading(repo, 'LOG_LEVEL') };
    },
    what: 'the level does not follow LOG_LEVEL',
    edit: 'add: config :logger, level: String.to_existing_atom(System.get_env("LOG_LEVEL", "info")); `npx plop runtime-exs` writes it',
  }),
  loggerLines.should({
    find: logLine('format', (format) => typeof format === 'string' && !isPlainLine(format)),
    what: 'an event is not one plain line',
    edit: ({ key, ours }) =>
      `add: config :logger, :${key}, format: "$time $metadata[$level] $message\\n"${ours}`,
  }),
  loggerLines.should({
    find: logLine(
      'metadata',
      (metadata) => Array.isArray(metadata) && !show(metadata).includes(':request_id'),
    ),
    what: 'lines do not say which request they belong to',
    edit: ({ key, ours }) => `add: config :logger, :${key}, metadata: [:request_id]${ours}`,
  }),
  loggerLines.should({
    find: logLine('colors', (colors) => get(colors, 'enabled') === true),
    what: 'lines have colours, which `fly logs` shows as codes',
    edit: ({ key, ours }) => `add: config :logger, :${key}, colors: [enabled: false]${ours}`,
  }),
  workerSwitch.should({
    find: (_, repo) => {
      const { app, background } = repo.project;
      const workers = background.join(', ');
      return workers && missingSwitch(repo) && { app: app.otpApp, workers };
    },
    what: ({ workers }) =>
      `these workers run on every machine, and in a one-off console too: ${workers}`,
    edit: ({ app }) =>
      `add: config :${app}, :background, enabled: System.get_env("BACKGROUND_ENABLED", "true") in ~w(true 1); \`npx plop runtime-exs\` writes it`,
  }),
];
