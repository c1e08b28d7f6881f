import { get, isKeyword, show, type Value } from '../elixir/value.ts';
import { placeholder } from './machine-env.ts';
import type { Repo } from './repo.ts';
import { type Rule, rulesFor } from './rule.ts';
import {
  endpointOf,
  finder,
  lineReading,
  PROBE,
  type Settings,
  settingsOf,
  type Target,
} from './runtime-settings.ts';

/** Hosts that generators leave behind, and domains of other platforms: nobody reaches the app on Fly by them. */
const PLACEHOLDER = /^(localhost|127\.0\.0\.1|0\.0\.0\.0|(www\.)?example\.(com|org|net))$/;
const ELSEWHERE =
  /\.(localhost|herokuapp\.com|gigalixirapp\.com|onrender\.com|ondigitalocean\.app|railway\.app)$/;
export const isNoHost = (host: Value | undefined): boolean =>
  (host ?? null) === null ||
  (typeof host === 'string' && (PLACEHOLDER.test(host) || ELSEWHERE.test(host)));

/** An address of eight parts, or `http: [:inet6, port: 4000]` of Phoenix 1.5. */
function speaksIpv6(http: Value | undefined): boolean {
  const ip = show(get(http, 'ip'));
  const isLong = ip.startsWith('{') && ip.split(', ').length === 8;
  return isLong || ip === ':any6' || show(http).includes(':inet6');
}

const isLoopback = (ip: Value | undefined): boolean =>
  /^(\{127, 0, 0, 1\}|\{(0, ){7}1\}|:loopback|"127\.0\.0\.1"|"::1")$/.test(show(ip));

/** A fixed port is right as long as fly.toml doesn't name another. */
function isOtherPort({ fly }: Repo, value: Value): boolean {
  const port = Number(value);
  const isFixed = Number.isInteger(port) && port !== Number(PROBE.PORT);
  return isFixed && port !== (fly?.service?.internalPort ?? port);
}

/** A port that no visitor types; Phoenix takes the one it listens on where the url has none. */
const isListeningPort = ({ value }: Settings, port: Value | undefined): boolean =>
  port === undefined || port === 80 || port === value('http.port');

const demandsHost = (repo: Repo): boolean =>
  repo.boot({ ...PROBE, PHX_HOST: undefined }).stops.some((stop) => stop.includes('PHX_HOST'));

/** The endpoint with what our block sets because nobody does. */
export function endpointTarget(repo: Repo): Target {
  const settings = endpointOf(repo);
  const { lacks, value, isBuiltIn } = settings;
  const http = value('http');
  // In place of a list that mixes plain atoms in, our keyword list would stand alone
  const isMergeable = http === undefined || http === null || isKeyword(http);
  const host = lacks('url.host', isNoHost);
  // Phoenix's older switch, for all endpoints
  const servesAlways = settingsOf(repo, 'phoenix').value('serve_endpoints') === true;
  const secret = value('secret_key_base');
  const hasSecret = secret === placeholder('SECRET_KEY_BASE');
  const missing = {
    server: !servesAlways && lacks('server', (on) => on === false),
    'url.host': host,
    /** Without PHX_HOST the host is made up. */
    hostFallback:
      !host &&
      value('url.host') === PROBE.PHX_HOST &&
      isNoHost(value('url.host', { PHX_HOST: undefined })) &&
      !demandsHost(repo),
    'url.scheme': lacks('url.scheme'),
    'url.port': lacks('url.port', (port) => isListeningPort(settings, port)),
    'http.ip': isMergeable && !speaksIpv6(http) && lacks('http.ip', isLoopback),
    'http.port': isMergeable && lacks('http.port', (port) => isOtherPort(repo, port)),
    secret_key_base:
      (!hasSecret && lacks('secret_key_base', (key) => typeof key === 'string')) ||
      isBuiltIn('secret_key_base'),
  };
  return { ...settings, missing };
}

/** The host that fly.toml gives the machines. */
export const flyHost = ({ fly }: Repo): string => fly?.env.PHX_HOST ?? PROBE.PHX_HOST;
export const withFlyHost = ({ repo, value }: Settings, key: string): Value | undefined =>
  value(key, { PHX_HOST: flyHost(repo) });

const releaseMode = rulesFor<string>('R3.1');
const addresses = rulesFor<string>('R3.3');
/** Finds a setting of the endpoint that is wrong. */
export const endpointFinder = finder((repo) => [endpointTarget(repo)]);

/** R3.1, R3.3: the release serves HTTP, at the address and by the names that Fly knows. */
export const endpointRules: readonly Rule<string>[] = [
  releaseMode.must({
    find: endpointFinder('server'),
    what: 'with PHX_SERVER=true the release still does not serve HTTP',
    edit: ({ config, ours }) =>
      `add: ${config}, server: System.get_env("PHX_SERVER") in ~w(true 1)${ours}`,
  }),
  addresses.must({
    find: endpointFinder('url.host'),
    what: 'links and LiveView sockets do not use PHX_HOST',
    edit: ({ config, ours }) =>
      `add: ${config}, url: [host: System.get_env("PHX_HOST"), port: 443, scheme: "https"]${ours}`,
  }),
  addresses.should({
    find: endpointFinder('url.host', (_, { missing }) => missing.hostFallback === true),
    what: 'machines without the [env] of fly.toml (FLAME, `fly machine run`) make links to a placeholder host',
    edit: 'write: System.get_env("PHX_HOST") || System.get_env("FLY_APP_NAME") <> ".fly.dev"; `npx plop runtime-exs` does',
  }),
  addresses.should({
    find: (_, repo) =>
      repo.project.lock.has('flame') &&
      demandsHost(repo) && { line: lineReading(repo, 'PHX_HOST') },
    what: "FLAME's machines don't get the [env] of fly.toml, and stop without PHX_HOST",
    edit: 'config :flame, FLAME.FlyBackend, env: %{"PHX_HOST" => System.fetch_env!("PHX_HOST")}, or a default',
  }),
  addresses.should({
    find: endpointFinder('url.scheme', (scheme) => scheme !== 'https'),
    what: 'links are not https',
    edit: ({ config, ours }) => `add: ${config}, url: [scheme: "https", port: 443]${ours}`,
  }),
  addresses.should({
    find: endpointFinder(
      'url.port',
      (port, settings) =>
        settings.value('url.scheme') === 'https' && isListeningPort(settings, port),
    ),
    what: 'links name the port that it listens on, and visitors come to 443',
    edit: ({ config, ours }) => `add: ${config}, url: [port: 443]${ours}`,
  }),
  addresses.must({
    find: endpointFinder('http.port'),
    what: 'it does not listen on PORT',
    edit: ({ config, ours }) =>
      `add: ${config}, http: [port: String.to_integer(System.get_env("PORT", "4000"))]${ours}`,
  }),
  addresses.must({
    find: endpointFinder('http.ip', isLoopback),
    what: 'it listens on localhost only, where nobody reaches it',
    edit: ({ config, ours }) => `add: ${config}, http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}]${ours}`,
  }),
  addresses.should({
    find: endpointFinder('http.ip', (ip, { value }) => {
      const isIpv4 = !speaksIpv6(value('http')) && !isLoopback(ip);
      return isIpv4 && (ip === undefined || 'advice');
    }),
    what: "it listens on IPv4 only: Fly's proxy reaches it, other machines do not",
    edit: ({ config, ours }) => `add: ${config}, http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}]${ours}`,
  }),
  addresses.must({
    find: endpointFinder('secret_key_base'),
    what: 'SECRET_KEY_BASE is not read from the environment (a key in the code is no secret)',
    edit: ({ config, ours }) =>
      `add: ${config}, secret_key_base: System.get_env("SECRET_KEY_BASE") || raise "SECRET_KEY_BASE is missing"${ours}`,
  }),
  addresses.must({
    find: (_, repo) => {
      const settings = endpointOf(repo);
      const variable = settings.variable('url.host');
      if (!variable || !isNoHost(withFlyHost(settings, 'url.host'))) return undefined;
      return { variable, line: lineReading(repo, variable) };
    },
    what: ({ variable }) =>
      `links and LiveView sockets take their host from ${variable}, which fly.toml doesn't set`,
    edit: ({ variable }) => `in fly.toml below [env], add ${variable} with the value of PHX_HOST`,
  }),
];
