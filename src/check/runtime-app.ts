import { atomName, get, show, Unknown, type Value } from '../elixir/value.ts';
import { compiledKeyOf } from './compiled-keys.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { Doubt, type Place, type Rule, rulesFor } from './rule.ts';
import {
  hasBackgroundSwitch,
  logLevels,
  logLines,
  missingLogLevel,
  tlsLists,
} from './runtime-missing.ts';
import { readsAt, settingAt } from './runtime-probe.ts';

const r34 = rulesFor(RUNTIME_EXS, 'R3.4');
const r35 = rulesFor(RUNTIME_EXS, 'R3.5');
const b11 = rulesFor(RUNTIME_EXS, 'B11');
const written = (app: string, rest: string): string =>
  `add: config :${app}, ${rest}; \`npx plop runtime-exs\` writes it`;

/** The list that is used, and what is wrong with it. */
const wrongTls = (isWrong: (options: Value, repo: Repo) => boolean) => (_: string, repo: Repo) => {
  const lists = tlsLists(repo);
  const [name, options] =
    lists.find(([, list]) => atomName(get(list, 'verify')) === 'verify_peer') ?? lists[0] ?? [];
  return name && options !== undefined && isWrong(options, repo) ? [{ name }] : [];
};

/** R3.4: one list of TLS options for connections to the outside. */
export const tls: readonly Rule<string>[] = [
  r34.should(
    (_, repo) => {
      const app = repo.project.app.otpApp;
      return tlsLists(repo).length || compiledKeyOf(repo.project, [app, 'tls']) ? [] : [{ app }];
    },
    'no list of TLS options that WebSocket and HTTP clients could use',
    ({ app }) =>
      written(
        app,
        ':tls, verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt", customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)], versions: [:"tlsv1.3", :"tlsv1.2"]',
      ),
  ),
  r34.must(
    wrongTls((options) => atomName(get(options, 'verify')) !== 'verify_peer'),
    ({ name }) => `${name} takes any certificate`,
    'write: verify: :verify_peer',
  ),
  r34.should(
    wrongTls((options) => /tlsv1["']?[,\]]|tlsv1\.1|sslv3/.test(show(get(options, 'versions')))),
    ({ name }) => `${name} allows old TLS versions`,
    'write: versions: [:"tlsv1.3", :"tlsv1.2"]',
  ),
  r34.should(
    wrongTls(
      (options, { project, runtimePath }) =>
        !project.release.rebootAfterConfig &&
        !runtimePath.endsWith('releases.exs') &&
        !get(options, 'customize_hostname_check'),
    ),
    ({ name }) => `${name} refuses wildcard certificates`,
    'add: customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)]',
  ),
];

interface LineFault extends Place {
  key: string;
  what: string;
  setting: string;
}

const ONE_LINE = {
  what: 'an event is not one plain line',
  setting: 'format: "$time $metadata[$level] $message\\n"',
};
const REQUEST_ID = {
  what: 'lines do not say which request they belong to',
  setting: 'metadata: [:request_id]',
};
const COLOURS = {
  what: 'lines have colours, which `fly logs` shows as codes',
  setting: 'colors: [enabled: false]',
};

/** What Logger's lines lack; nothing where a formatter or a backend of the owner's makes them. */
function lackingLines(repo: Repo): (LineFault | Doubt)[] {
  const { key, own, format, metadata } = logLines(repo);
  if (own instanceof Unknown) return [new Doubt(`how lines look (decided by ${own.why})`)];
  if (own !== undefined) return [];
  return [...(format ? [ONE_LINE] : []), ...(metadata ? [REQUEST_ID] : [])].map((fault) => ({
    ...fault,
    key,
  }));
}

/** What the owner's own choice makes harder to read. */
function ownLines(repo: Repo): LineFault[] {
  const { key, own } = logLines(repo);
  const [format, ids, colours] = ['format', 'metadata', 'colors'].map((name) =>
    settingAt(repo, ['logger', key, name]),
  );
  const isIn = (list: Value[]) => list.some((one) => atomName(one) === 'request_id');
  const faults = [
    ...(typeof format === 'string' && !isOneLine(format) ? [ONE_LINE] : []),
    ...(Array.isArray(ids) && !isIn(ids) ? [REQUEST_ID] : []),
    ...(get(colours, 'enabled') === true ? [COLOURS] : []),
  ];
  return own === undefined ? faults.map((fault) => ({ ...fault, key })) : [];
}

const isOneLine = (format: string): boolean =>
  format.includes('$message') && format.indexOf('\n') === format.length - 1;

const lineRule = (
  weight: 'should' | 'advice',
  find: (repo: Repo) => readonly (LineFault | Doubt)[],
) =>
  r35[weight](
    (_, repo) => find(repo),
    ({ what }) => what,
    ({ key, setting }) =>
      weight === 'should'
        ? written('logger', `:${key}, ${setting}`)
        : `add: config :logger, :${key}, ${setting}`,
  );

/** R3.5: level from LOG_LEVEL; one plain line for each event, with the request's id. */
export const logger: readonly Rule<string>[] = [
  r35.should(
    (_, repo) => {
      const [level, other] = logLevels(repo);
      if (level instanceof Unknown && other instanceof Unknown)
        return [new Doubt(`the level does not follow LOG_LEVEL? That is decided by ${level.why}`)];
      const line = repo.runtime && readsAt(repo.runtime.text, 'LOG_LEVEL');
      return missingLogLevel(repo) ? [{ line }] : [];
    },
    'the level does not follow LOG_LEVEL',
    written('logger', 'level: String.to_existing_atom(System.get_env("LOG_LEVEL", "info"))'),
  ),
  lineRule('should', lackingLines),
  lineRule('advice', ownLines),
];

/** B11: workers can be left out, by one setting of the app's that follows BACKGROUND_ENABLED. */
export const backgroundSwitch: readonly Rule<string>[] = [
  b11.should(
    (_, repo) => {
      const { app, background } = repo.project;
      const isCompiled = compiledKeyOf(repo.project, [app.otpApp, 'background']) !== undefined;
      return background.length && !isCompiled && !hasBackgroundSwitch(repo)
        ? [{ app: app.otpApp, workers: background.join(', ') }]
        : [];
    },
    ({ workers }) => `these workers run on every machine, and in a one-off console too: ${workers}`,
    ({ app }) =>
      written(
        app,
        ':background, enabled: System.get_env("BACKGROUND_ENABLED", "true") in ~w(true 1)',
      ),
  ),
];
