import { atomName, get, show, type Value } from '../elixir/value.ts';
import { forceSslRewrites } from '../facts/force-ssl.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { type Rule, rulesFor } from './rule.ts';
import {
  isLoopback,
  isNoHost,
  type MissingEndpoint,
  missingEndpoint,
  speaksIpv6,
} from './runtime-missing.ts';
import { type Path, PROBE, readsAt, settingAt, variableOf } from './runtime-probe.ts';
import { endpointOf, type Row, settingRules } from './setting-rule.ts';

/** The host that fly.toml gives the machines. */
const flyHost = ({ fly }: Repo): string => fly?.env.PHX_HOST ?? PROBE.PHX_HOST;
const onFly = (repo: Repo, key: string): Value | undefined => {
  const { app, module } = endpointOf(repo);
  return settingAt(repo, [app, module, ...key.split('.')], { PHX_HOST: flyHost(repo) });
};

const IP = 'http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}]';
const URL_HOST = 'url: [host: System.get_env("PHX_HOST"), port: 443, scheme: "https"]';
const SECRET =
  'secret_key_base: System.get_env("SECRET_KEY_BASE") || raise "SECRET_KEY_BASE is missing"';

const SERVES: readonly Row<keyof MissingEndpoint>[] = [
  {
    id: 'R3.1',
    key: 'server',
    weight: 'must',
    variable: 'PHX_SERVER',
    missing: 'server',
    what: 'with PHX_SERVER=true the release still does not serve HTTP',
    line: 'server: System.get_env("PHX_SERVER") in ~w(true 1)',
  },
  ...['code_reloader', 'debug_errors'].map(
    (key): Row<never> => ({
      id: 'R3.1',
      key,
      weight: 'must',
      isWrong: (value) => value === true,
      what: `${key} is on in production`,
      edit: `remove ${key}; it belongs in dev.exs`,
    }),
  ),
];

const ADDRESS: readonly Row<keyof MissingEndpoint>[] = [
  {
    id: 'R3.3',
    key: 'url.host',
    weight: 'must',
    variable: 'PHX_HOST',
    missing: 'host',
    what: 'links and LiveView sockets do not use PHX_HOST',
    line: URL_HOST,
  },
  {
    id: 'R3.3',
    key: 'url.host',
    weight: 'should',
    variable: 'PHX_HOST',
    missing: 'hostFallback',
    what: 'machines without the [env] of fly.toml (FLAME, `fly machine run`) make links to a placeholder host',
    line: 'url: [host: System.get_env("PHX_HOST") || System.get_env("FLY_APP_NAME") <> ".fly.dev"]',
  },
  {
    id: 'R3.3',
    key: 'url.host',
    weight: 'should',
    matters: ({ project }) => project.lock.has('flame'),
    isWrong: (_, repo) =>
      repo.boot({ ...PROBE, PHX_HOST: undefined }).stops.some((stop) => stop.includes('PHX_HOST')),
    variable: 'PHX_HOST',
    what: "FLAME's machines don't get the [env] of fly.toml, and stop without PHX_HOST",
    edit: 'config :flame, FLAME.FlyBackend, env: %{"PHX_HOST" => System.fetch_env!("PHX_HOST")}, or a default',
  },
  {
    id: 'R3.3',
    key: 'url.scheme',
    weight: 'should',
    isWrong: (value) => value !== 'https',
    missing: 'scheme',
    what: 'links are not https',
    line: 'url: [scheme: "https", port: 443]',
  },
  {
    id: 'R3.3',
    key: 'http.port',
    weight: 'must',
    variable: 'PORT',
    missing: 'port',
    what: 'it does not listen on PORT',
    line: 'http: [port: String.to_integer(System.get_env("PORT", "4000"))]',
  },
  {
    id: 'R3.3',
    key: 'http',
    weight: 'must',
    isWrong: (http) => isLoopback(get(http, 'ip')),
    missing: 'ip',
    what: 'it listens on localhost only, where nobody reaches it',
    line: IP,
  },
  {
    id: 'R3.3',
    key: 'http',
    weight: 'should',
    isWrong: (http) => !speaksIpv6(http) && get(http, 'ip') === undefined,
    missing: 'ip',
    what: "it listens on IPv4 only: Fly's proxy reaches it, other machines do not",
    line: IP,
  },
  {
    id: 'R3.3',
    key: 'http',
    weight: 'advice',
    isWrong: (http) =>
      !speaksIpv6(http) && !isLoopback(get(http, 'ip')) && get(http, 'ip') !== undefined,
    what: "it listens on IPv4 only: Fly's proxy reaches it, other machines do not",
    line: IP,
  },
  {
    id: 'R3.3',
    key: 'secret_key_base',
    weight: 'must',
    isWrong: (value, repo) => !value && missingEndpoint(repo).secretKeyBase,
    missing: 'secretKeyBase',
    what: 'SECRET_KEY_BASE is not read from the environment',
    line: SECRET,
  },
  {
    id: 'R3.3',
    key: 'secret_key_base',
    weight: 'must',
    isWrong: (value, repo) => Boolean(value) && missingEndpoint(repo).secretKeyBase,
    what: 'secret_key_base is in the code',
    edit: 'remove it from config.exs and prod.exs, and read it from the environment; `npx plop runtime-exs` writes that',
  },
];

const ORIGINS: readonly Row<never>[] = [
  {
    id: 'R3.3',
    key: 'check_origin',
    weight: 'must',
    isWrong: (value, repo, path) =>
      Array.isArray(value) && variableOf(repo, path) === undefined && !isListed(repo),
    what: 'check_origin does not list PHX_HOST, so LiveView sockets get 403',
    edit: 'add "//#{host}" to check_origin (in config/runtime.exs, where PHX_HOST is known)',
  },
  {
    id: 'R3.3',
    key: 'check_origin',
    weight: 'must',
    isWrong: (value, repo, path) => isOtherHost(value, repo, path),
    what: "LiveView sockets may connect from url's host only, which is not PHX_HOST: from there they get 403",
    line: 'check_origin: ["//#{host}", …]',
  },
  {
    id: 'R3.3',
    key: 'check_origin',
    weight: 'must',
    // Plug.SSL puts the scheme right where force_ssl tells it to
    isWrong: (value, { project }) => atomName(value) === 'conn' && !forceSslRewrites(project),
    what: 'check_origin: :conn compares the scheme too, which is http behind the proxy',
    line: 'check_origin: ["//#{host}"]',
  },
  {
    id: 'R3.3',
    key: 'check_origin',
    weight: 'advice',
    isWrong: (value) => value === false,
    what: 'check_origin: false lets every site open LiveView sockets: right for a widget on other sites only',
    line: 'check_origin: ["//#{host}"]',
  },
];

function isListed(repo: Repo): boolean {
  const list = onFly(repo, 'check_origin');
  if (!Array.isArray(list)) return true;
  // Before there is a fly.toml the app's name is not known
  const isOnFly =
    repo.fly === undefined && list.some((origin) => /\.fly\.dev\b/.test(show(origin)));
  return isOnFly || list.some((origin) => allows(origin, flyHost(repo)));
}

/** `//host`, `https://host:443`, `//*.example.com`; a regular expression or what can't be known is trusted. */
function allows(origin: Value, host: string): boolean {
  if (typeof origin !== 'string') return true;
  const [, listed = ''] = /^(?:https?:)?\/\/([^:/]+)/.exec(origin) ?? [];
  return listed === host || (listed.startsWith('*.') && host.endsWith(listed.slice(1)));
}

/** Without a list the url's host counts, which the owner has fixed to another one than fly.toml names. */
function isOtherHost(origins: Value | undefined, repo: Repo, [app, module = '']: Path): boolean {
  const host = onFly(repo, 'url.host');
  const isDefault = origins === undefined || origins === true;
  const isFixed = variableOf(repo, [app, module, 'url', 'host']) === undefined && !isNoHost(host);
  return (
    isDefault &&
    isFixed &&
    repo.fly?.env.PHX_HOST !== undefined &&
    typeof host === 'string' &&
    host !== flyHost(repo)
  );
}

/** R3.3: the host comes from a variable of the app's own that nobody sets. */
const ownVariable = rulesFor(RUNTIME_EXS, 'R3.3').must(
  (_, repo) => {
    const { app, module } = endpointOf(repo);
    const variable = variableOf(repo, [app, module, 'url', 'host']);
    const line = repo.runtime && readsAt(repo.runtime.text, variable || 'PHX_HOST');
    return variable && isNoHost(onFly(repo, 'url.host')) ? [{ variable, line }] : [];
  },
  ({ variable }) =>
    `links and LiveView sockets take their host from ${variable}, which fly.toml doesn't set`,
  ({ variable }) => `in fly.toml below [env], add ${variable} with the value of PHX_HOST`,
);

const targets = (repo: Repo) => [{ ...endpointOf(repo), ...missingEndpoint(repo) }];

export const endpointRules: readonly Rule<string>[] = [
  ...settingRules(targets, SERVES),
  ...settingRules(targets, ADDRESS),
  ownVariable,
  ...settingRules(targets, ORIGINS),
];
