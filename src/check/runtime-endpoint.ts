import { evaluate } from '../elixir/evaluate.ts';
import { walk } from '../elixir/expr.ts';
import { innerScope } from '../elixir/scope.ts';
import { lineAt } from '../elixir/syntax.ts';
import {
  atomName,
  get,
  isKeyword,
  moduleName,
  show,
  Tuple,
  Unknown,
  type Value,
} from '../elixir/value.ts';
import { forceSslRewrites } from '../facts/force-ssl.ts';
import { placeholder } from './boot.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { type Rule, rulesFor } from './rule.ts';
import {
  endpointOf,
  finder,
  lineReading,
  PROBE,
  type Settings,
  settingAt,
} from './runtime-settings.ts';

/** Hosts that generators and other platforms leave behind: nobody reaches the app on Fly by them. */
const NO_HOST =
  /^((.*\.)?localhost|127\.0\.0\.1|0\.0\.0\.0|(www\.)?example\.(com|org|net)|.*\.(herokuapp\.com|gigalixirapp\.com|onrender\.com|ondigitalocean\.app|railway\.app))$/;
const isNoHost = (value: Value | undefined): boolean =>
  value === undefined || value === null || (typeof value === 'string' && NO_HOST.test(value));

/** `http: [:inet6, port: 4000]` of Phoenix 1.5, and an address of eight parts. */
function speaksIpv6(http: Value | undefined): boolean {
  const ip = get(http, 'ip');
  const isLong = ip instanceof Tuple && ip.items.length === 8;
  return (
    http instanceof Unknown || isLong || /^:any6?$/.test(show(ip)) || /:inet6/.test(show(http))
  );
}

const isLoopback = (ip: Value | undefined): boolean =>
  /^(\{127, 0, 0, 1\}|\{0, 0, 0, 0, 0, 0, 0, 1\}|:loopback|"127\.0\.0\.1"|"::1")$/.test(show(ip));

/** A port of the app's own is right as long as fly.toml doesn't name another. */
function isOtherPort({ fly }: Repo, value: Value): boolean {
  const port = Number(value);
  const isOwn = Number.isInteger(port) && port !== Number(PROBE.PORT);
  return isOwn && port !== (fly?.service?.internalPort ?? port);
}

/** A port that no visitor types; Phoenix takes the one it listens on where the url has none. */
const isListening = ({ value }: Settings, port: Value | undefined): boolean =>
  port === undefined || port === 80 || port === value('http.port');

const demandsHost = (repo: Repo): boolean =>
  repo.boot({ ...PROBE, PHX_HOST: undefined }).stops.some((stop) => stop.includes('PHX_HOST'));

/** Which settings of the endpoint our block makes, because nobody does. */
export function missingEndpoint(repo: Repo): Record<string, boolean> {
  const { lacks, value, isBuiltIn } = endpointOf(repo);
  const http = value('http');
  // Our keyword list would take the place of a list that mixes plain atoms in
  const joins = http === undefined || http === null || isKeyword(http);
  const host = lacks('url.host', isNoHost);
  // Phoenix's older switch, for all endpoints
  const servesAlways = settingAt(repo, ['phoenix', 'serve_endpoints']) === true;
  const secret = value('secret_key_base');
  return {
    server: !servesAlways && lacks('server', (on) => on === false),
    'url.host': host,
    /** Without PHX_HOST the host is made up. */
    hostFallback:
      !host &&
      value('url.host') === PROBE.PHX_HOST &&
      isNoHost(value('url.host', { PHX_HOST: undefined })) &&
      !demandsHost(repo),
    'url.scheme': lacks('url.scheme'),
    'url.port': lacks('url.port', (port) => isListening(endpointOf(repo), port)),
    'http.ip': joins && !speaksIpv6(http) && lacks('http.ip', isLoopback),
    'http.port': joins && lacks('http.port', (port) => isOtherPort(repo, port)),
    secret_key_base:
      (secret !== placeholder('SECRET_KEY_BASE') &&
        lacks('secret_key_base', (key) => typeof key === 'string')) ||
      isBuiltIn('secret_key_base'),
  };
}

/** The host that fly.toml gives the machines. */
const flyHost = ({ fly }: Repo): string => fly?.env.PHX_HOST ?? PROBE.PHX_HOST;
const onFly = ({ repo, value }: Settings, key: string): Value | undefined =>
  value(key, { PHX_HOST: flyHost(repo) });

/** Whether sockets from the host that fly.toml names are refused: by a list, else by a host of url's that the owner fixed. */
function refusesHost(origins: Value | undefined, settings: Settings): boolean {
  const { fly } = settings.repo;
  const key = Array.isArray(origins) ? 'check_origin' : 'url.host';
  const allowed = onFly(settings, key);
  const byUrl = key === 'url.host';
  if (byUrl && ((origins ?? true) !== true || isNoHost(allowed) || !fly?.env.PHX_HOST))
    return false;
  if (settings.variable(key) !== undefined) return false;
  const listed = [byUrl && typeof allowed === 'string' ? `//${allowed}` : allowed].flat();
  return !listed.some((origin) => admits(origin, settings.repo));
}

/** A regular expression or what can't be known is trusted. */
function admits(origin: Value | undefined, repo: Repo): boolean {
  if (typeof origin !== 'string') return true;
  const host = flyHost(repo);
  const [, listed = ''] = /^(?:https?:)?\/\/([^:/]+)/.exec(origin) ?? [];
  // Before there is a fly.toml the app's name is not known
  const isEarly = !repo.fly && /\.fly\.dev\b/.test(origin);
  return isEarly || listed === host || (/^\*\./.test(listed) && host.endsWith(listed.slice(1)));
}

/** A list that comes from a variable with a default, where neither that nor fly.toml names the host. */
function variableOrigins(_: string, repo: Repo) {
  const settings = endpointOf(repo);
  const name = settings.variable('check_origin');
  const origins = onFly(settings, 'check_origin');
  const isOpen = (value: Value | undefined) => [value].flat().some((one) => admits(one, repo));
  // A variable without a default gets its value with the others that the app demands
  if (!name || isOpen(origins) || show(origins).includes(placeholder(name))) return false;
  const host = flyHost(repo);
  const whole = `https://${host}`;
  const held = [whole, host].find((one) =>
    isOpen(settings.value('check_origin', { PHX_HOST: host, [name]: one })),
  );
  return { name, line: lineReading(repo, name), held: held ?? whole };
}

/** A socket's own list, which goes before that of the endpoint; of a socket other than LiveView's it may be meant for other sites. */
function socketsElsewhere(_: string, repo: Repo) {
  const { sources, endpoint } = repo.project;
  const module = sources.module(endpoint.module);
  const found: { file: string; line: number; weight: 'must' | 'should' }[] = [];
  walk(module?.body ?? [], (expr) => {
    if (!module || expr.is !== 'call' || expr.name !== 'socket') return;
    const { file, text, scope } = module;
    const [, handler, options] = expr.args.map((arg) => evaluate(arg, innerScope(scope)));
    const refuses = ['websocket', 'longpoll'].some((transport) => {
      const origins = get(get(options, transport), 'check_origin');
      return Array.isArray(origins) && !origins.some((origin) => admits(origin, repo));
    });
    const weight = moduleName(handler) === 'Phoenix.LiveView.Socket' ? 'must' : 'should';
    if (refuses) found.push({ file, line: lineAt(text, expr.offset), weight });
  });
  return found;
}

const r31 = rulesFor(RUNTIME_EXS, 'R3.1');
const r33 = rulesFor(RUNTIME_EXS, 'R3.3');
const endpoint = finder((repo) => [{ ...endpointOf(repo), missing: missingEndpoint(repo) }]);

/** R3.1, R3.3: the release serves HTTP, at the address and by the names that Fly knows. */
export const endpointRules: readonly Rule<string>[] = [
  r31.must(endpoint('server'))`with PHX_SERVER=true the release still does not serve HTTP
    => add: ${'config'}, server: System.get_env("PHX_SERVER") in ~w(true 1)${'ours'}`,
  r33.must(endpoint('url.host'))`links and LiveView sockets do not use PHX_HOST
    => add: ${'config'}, url: [host: System.get_env("PHX_HOST"), port: 443, scheme: "https"]${'ours'}`,
  r33.should(endpoint('url.host', (_, { missing }) => missing.hostFallback === true))`
    machines without the [env] of fly.toml (FLAME, \`fly machine run\`) make links to a placeholder host
    => write: System.get_env("PHX_HOST") || System.get_env("FLY_APP_NAME") <> ".fly.dev"; \`npx plop runtime-exs\` does`,
  r33.should(
    (_, repo) =>
      repo.project.lock.has('flame') &&
      demandsHost(repo) && { line: lineReading(repo, 'PHX_HOST') },
  )`FLAME's machines don't get the [env] of fly.toml, and stop without PHX_HOST
    => config :flame, FLAME.FlyBackend, env: %{"PHX_HOST" => System.fetch_env!("PHX_HOST")}, or a default`,
  r33.should(endpoint('url.scheme', (scheme) => scheme !== 'https'))`links are not https
    => add: ${'config'}, url: [scheme: "https", port: 443]${'ours'}`,
  r33.should(
    endpoint('url.port', (port, settings) => {
      return settings.value('url.scheme') === 'https' && isListening(settings, port);
    }),
  )`links name the port that it listens on, and visitors come to 443
    => add: ${'config'}, url: [port: 443]${'ours'}`,
  r33.must(endpoint('http.port'))`it does not listen on PORT
    => add: ${'config'}, http: [port: String.to_integer(System.get_env("PORT", "4000"))]${'ours'}`,
  r33.must(endpoint('http.ip', isLoopback))`it listens on localhost only, where nobody reaches it
    => add: ${'config'}, http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}]${'ours'}`,
  r33.should(
    endpoint('http.ip', (ip, { value }) => {
      const isIpv4 = !speaksIpv6(value('http')) && !isLoopback(ip);
      return isIpv4 && (ip === undefined || 'advice');
    }),
  )`it listens on IPv4 only: Fly's proxy reaches it, other machines do not
    => add: ${'config'}, http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}]${'ours'}`,
  r33.must(endpoint('secret_key_base'))`
    SECRET_KEY_BASE is not read from the environment (a key in the code is no secret)
    => add: ${'config'}, secret_key_base: System.get_env("SECRET_KEY_BASE") || raise "SECRET_KEY_BASE is missing"${'ours'}`,
  r33.must((_, repo) => {
    const settings = endpointOf(repo);
    const variable = settings.variable('url.host');
    return (
      variable &&
      isNoHost(onFly(settings, 'url.host')) && { variable, line: lineReading(repo, variable) }
    );
  })`links and LiveView sockets take their host from ${'variable'}, which fly.toml doesn't set
    => in fly.toml below [env], add ${'variable'} with the value of PHX_HOST`,
  r33.must(endpoint('check_origin', refusesHost))`
    check_origin does not list PHX_HOST, so LiveView sockets get 403
    => add "//#{host}" to check_origin (in config/runtime.exs, where PHX_HOST is known)`,
  r33.must(socketsElsewhere)`
    this socket's own check_origin does not list PHX_HOST, so pages from there get 403
    => remove it here, where the endpoint's check_origin counts then; leave it if other sites alone use this socket`,
  r33.should(variableOrigins)`
    LiveView sockets connect only from what ${'name'} lists, and PHX_HOST is not in its default
    => in fly.toml below [env], add: ${'name'} = "${'held'}"`,
  r33.must(
    // Plug.SSL puts the scheme right where force_ssl tells it to
    endpoint(
      'check_origin',
      (value, { repo }) => atomName(value) === 'conn' && !forceSslRewrites(repo.project),
    ),
  )`check_origin: :conn compares the scheme too, which is http behind the proxy
    => add: ${'config'}, check_origin: ["//#{host}"]${'ours'}`,
  r33.advice(endpoint('check_origin', (value) => value === false))`
    check_origin: false lets every site open LiveView sockets: right for a widget on other sites only
    => add: ${'config'}, check_origin: ["//#{host}"]${'ours'}`,
];
