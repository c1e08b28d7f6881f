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

const rule = rulesFor(RUNTIME_EXS);
type OfApp = Place & { app: string };
type Named = Place & { name: string };
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
  rule<OfApp>({
    id: 'R3.4',
    weight: 'should',
    find: (_, repo) => {
      const app = repo.project.app.otpApp;
      return tlsLists(repo).length || compiledKeyOf(repo.project, [app, 'tls']) ? [] : [{ app }];
    },
    say: () => 'no list of TLS options that WebSocket and HTTP clients could use',
    mend: ({ app }) =>
      written(
        app,
        ':tls, verify: :verify_peer, cacertfile: "/etc/ssl/certs/ca-certificates.crt", customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)], versions: [:"tlsv1.3", :"tlsv1.2"]',
      ),
  }),
  rule<Named>({
    id: 'R3.4',
    weight: 'must',
    find: wrongTls((options) => atomName(get(options, 'verify')) !== 'verify_peer'),
    say: ({ name }) => `${name} takes any certificate`,
    mend: () => 'write: verify: :verify_peer',
  }),
  rule<Named>({
    id: 'R3.4',
    weight: 'should',
    find: wrongTls((options) =>
      /tlsv1["']?[,\]]|tlsv1\.1|sslv3/.test(show(get(options, 'versions'))),
    ),
    say: ({ name }) => `${name} allows old TLS versions`,
    mend: () => 'write: versions: [:"tlsv1.3", :"tlsv1.2"]',
  }),
  rule<Named>({
    id: 'R3.4',
    weight: 'should',
    find: wrongTls(
      (options, { project, runtimePath }) =>
        !project.release.rebootAfterConfig &&
        !runtimePath.endsWith('releases.exs') &&
        !get(options, 'customize_hostname_check'),
    ),
    say: ({ name }) => `${name} refuses wildcard certificates`,
    mend: () =>
      'add: customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)]',
  }),
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
  rule<LineFault>({
    id: 'R3.5',
    weight,
    find: (_, repo) => find(repo),
    say: ({ what }) => what,
    mend: ({ key, setting }) =>
      weight === 'should'
        ? written('logger', `:${key}, ${setting}`)
        : `add: config :logger, :${key}, ${setting}`,
  });

/** R3.5: level from LOG_LEVEL; one plain line for each event, with the request's id. */
export const logger: readonly Rule<string>[] = [
  rule({
    id: 'R3.5',
    weight: 'should',
    find: (_, repo) => {
      const [level, other] = logLevels(repo);
      if (level instanceof Unknown && other instanceof Unknown)
        return [new Doubt(`the level does not follow LOG_LEVEL? That is decided by ${level.why}`)];
      const line = repo.runtime && readsAt(repo.runtime.text, 'LOG_LEVEL');
      return missingLogLevel(repo) ? [{ line }] : [];
    },
    say: () => 'the level does not follow LOG_LEVEL',
    mend: () =>
      written('logger', 'level: String.to_existing_atom(System.get_env("LOG_LEVEL", "info"))'),
  }),
  lineRule('should', lackingLines),
  lineRule('advice', ownLines),
];

/** B11: workers can be left out, by one setting of the app's that follows BACKGROUND_ENABLED. */
export const backgroundSwitch: readonly Rule<string>[] = [
  rule<OfApp & { workers: string }>({
    id: 'B11',
    weight: 'should',
    find: (_, repo) => {
      const { app, background } = repo.project;
      const isCompiled = compiledKeyOf(repo.project, [app.otpApp, 'background']) !== undefined;
      return background.length && !isCompiled && !hasBackgroundSwitch(repo)
        ? [{ app: app.otpApp, workers: background.join(', ') }]
        : [];
    },
    say: ({ workers }) =>
      `these workers run on every machine, and in a one-off console too: ${workers}`,
    mend: ({ app }) =>
      written(
        app,
        ':background, enabled: System.get_env("BACKGROUND_ENABLED", "true") in ~w(true 1)',
      ),
  }),
];
