import { show } from '../elixir/value.ts';
import type { Repo } from './repo.ts';
import type { MissingEndpoint } from './runtime-endpoint.ts';
import type { MissingRepo } from './runtime-repos.ts';
import { endpointOf, type Settings } from './runtime-settings.ts';

/** The owner's values that our block replaces, each with the place and the reason. */
export function overruled(repo: Repo, missing: MissingEndpoint, repos: MissingRepo[]): string[] {
  const endpoint = endpointOf(repo);
  const all: [isReplaced: boolean, settings: Settings, key: string, reason: string][] = [
    [missing.host, endpoint, 'url.host', 'on Fly the app has another address, PHX_HOST'],
    [missing.urlPort, endpoint, 'url.port', "links are https behind Fly's proxy: 443"],
    [missing.ip, endpoint, 'http.ip', 'nobody reaches it there: the app listens on all interfaces'],
    [missing.port, endpoint, 'http.port', 'fly.toml names another port, which PORT says'],
    [missing.server, endpoint, 'server', 'PHX_SERVER decides'],
    [
      missing.secretKeyBase,
      endpoint,
      'secret_key_base',
      'it is compiled in, ours reads SECRET_KEY_BASE',
    ],
    ...repos.map((one): [boolean, Settings, string, string] => [
      one.url,
      one,
      'url',
      'it is compiled in, ours reads DATABASE_URL',
    ]),
  ];
  return all.flatMap(([isReplaced, settings, key, reason]) => {
    const value = settings.value(key);
    const place = settings.place(key);
    const isStock = typeof value === 'string' && /^(localhost|(www\.)?example\.\w+)$/.test(value);
    if (!isReplaced || isStock || value === undefined || value === null || !place) return [];
    const shown = /secret|url$/.test(key) ? key : `${key}: ${show(value)}`;
    return [`${place.file}:${place.line}: ${shown} is replaced by ours; ${reason}`];
  });
}
