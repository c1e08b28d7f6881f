import { evaluate } from '../elixir/evaluate.ts';
import { innerScope } from '../elixir/scope.ts';
import { atomName, get, show, type Value } from '../elixir/value.ts';
import { forceSslRewrites } from '../facts/force-ssl.ts';
import { findInModule } from '../facts/sources.ts';
import { placeholder } from './machine-env.ts';
import type { Repo } from './repo.ts';
import { type Rule, rulesFor, type Weight } from './rule.ts';
import { endpointFinder, flyHost, isNoHost, withFlyHost } from './runtime-endpoint.ts';
import { endpointOf, lineReading, type Settings } from './runtime-settings.ts';

const origins = rulesFor<string>('R3.3');

/** Whether sockets from the host that fly.toml names are refused: by a list, or by a host of url's that the owner fixed. */
function refusesHost(checkOrigin: Value | undefined, settings: Settings): boolean {
  const { repo, variable } = settings;
  if (Array.isArray(checkOrigin)) {
    const origins = withFlyHost(settings, 'check_origin');
    return variable('check_origin') === undefined && !admitsHost(origins, repo);
  }
  const host = withFlyHost(settings, 'url.host');
  const isByUrl = (checkOrigin ?? true) === true && variable('url.host') === undefined;
  if (!isByUrl || typeof host !== 'string' || isNoHost(host) || !repo.fly?.env.PHX_HOST)
    return false;
  return !admitsHost(`//${host}`, repo);
}

/** Whether a list, or the only origin, has the host that fly.toml names; a regular expression and what can't be known are trusted. */
function admitsHost(origins: Value | undefined, repo: Repo): boolean {
  const host = flyHost(repo);
  return [origins].flat().some((origin) => {
    if (typeof origin !== 'string') return true;
    const [, allowed = ''] = /^(?:https?:)?\/\/([^:/]+)/.exec(origin) ?? [];
    const isBelow = allowed.startsWith('*.') && host.endsWith(allowed.slice(1));
    // Before there is a fly.toml the app's name is not known
    const isEarly = !repo.fly && /\.fly\.dev\b/.test(origin);
    return allowed === host || isBelow || isEarly;
  });
}

/** A list that comes from a variable with a default, where neither that nor fly.toml names the host. */
function variableOrigins(_: string, repo: Repo) {
  const settings = endpointOf(repo);
  const name = settings.variable('check_origin');
  const origins = withFlyHost(settings, 'check_origin');
  // A variable without a default gets its value with the others that the app demands
  const isDemanded = name && show(origins).includes(placeholder(name));
  if (!name || isDemanded || admitsHost(origins, repo)) return false;
  const host = flyHost(repo);
  const address = `https://${host}`;
  const form = [address, host].find((text) =>
    admitsHost(settings.value('check_origin', { PHX_HOST: host, [name]: text }), repo),
  );
  return { name, line: lineReading(repo, name), form: form ?? address };
}

/** Sockets whose own list, which goes before that of the endpoint, lacks the host; one other than LiveView's may be meant for other sites. */
function refusingSockets(_: string, repo: Repo) {
  const { sources, endpoint } = repo.project;
  const module = sources.module(endpoint.module);
  if (!module) return [];
  const scope = innerScope(module.scope);
  return findInModule(module, ({ name, args }) => {
    if (name !== 'socket') return undefined;
    const [, handler, options] = args.map((arg) => evaluate(arg, scope));
    const isRefusing = ['websocket', 'longpoll'].some((transport) => {
      const origins = get(get(options, transport), 'check_origin');
      return Array.isArray(origins) && !admitsHost(origins, repo);
    });
    const isLiveView = show(handler) === 'Phoenix.LiveView.Socket';
    const weight: Weight = isLiveView ? 'must' : 'should';
    return isRefusing ? { weight } : undefined;
  });
}

/** R3.3: LiveView sockets connect from the host that Fly knows. */
export const originRules: readonly Rule<string>[] = [
  origins.must({
    // Where no page is a LiveView, the origins may be those of front ends on other sites
    find: endpointFinder(
      'check_origin',
      (origins, settings) =>
        refusesHost(origins, settings) && (settings.repo.project.phoenix.liveView || 'advice'),
    ),
    what: 'check_origin does not list PHX_HOST, so sockets from its pages get 403',
    edit: (_, { runtimePath }) =>
      `add "//#{host}" to check_origin (in ${runtimePath}, where PHX_HOST is known)`,
  }),
  origins.must({
    find: refusingSockets,
    what: "this socket's own check_origin does not list PHX_HOST, so pages from there get 403",
    edit: "remove it here, where the endpoint's check_origin counts then; leave it if other sites alone use this socket",
  }),
  origins.should({
    find: variableOrigins,
    what: ({ name }) =>
      `LiveView sockets connect only from what ${name} lists, and PHX_HOST is not in its default`,
    edit: ({ name, form }) => `in fly.toml below [env], add: ${name} = "${form}"`,
  }),
  origins.must({
    find: endpointFinder(
      'check_origin',
      (value, { repo }) => atomName(value) === 'conn' && !forceSslRewrites(repo.project),
    ),
    what: 'check_origin: :conn compares the scheme too, which is http behind the proxy',
    edit: ({ config, ours }) => `add: ${config}, check_origin: ["//#{host}"]${ours}`,
  }),
  origins.advice({
    find: endpointFinder('check_origin', (value) => value === false),
    what: 'check_origin: false lets every site open LiveView sockets: right for a widget on other sites only',
    edit: ({ config, ours }) => `add: ${config}, check_origin: ["//#{host}"]${ours}`,
  }),
];
