import { show } from '../elixir/value.ts';
import type { Repo } from './repo.ts';
import type { MissingEndpoint, MissingRepo } from './runtime-missing.ts';
import { type Path, placeOf, settingAt } from './runtime-probe.ts';

type Reason = [isReplaced: boolean, keys: string[], reason: string];

const endpointReasons = (missing: MissingEndpoint): Reason[] => [
  [missing.host, ['url', 'host'], 'on Fly the app has another address, PHX_HOST'],
  [missing.urlPort, ['url', 'port'], "links are https behind Fly's proxy: 443"],
  [missing.ip, ['http', 'ip'], 'nobody reaches it there: the app listens on all interfaces'],
  [missing.port, ['http', 'port'], 'fly.toml names another port, which PORT says'],
  [missing.server, ['server'], 'PHX_SERVER decides'],
  [missing.secretKeyBase, ['secret_key_base'], 'it is compiled in, ours reads SECRET_KEY_BASE'],
];

/** The owner's values that our block replaces, each with the place and the reason. */
export function overruled(repo: Repo, missing: MissingEndpoint, repos: MissingRepo[]): string[] {
  const { app, endpoint } = repo.project;
  const endpoints = endpointReasons(missing).map(
    ([isReplaced, keys, reason]) =>
      [isReplaced, [app.otpApp, endpoint.module, ...keys], reason] as const,
  );
  const urls = repos.map(
    ({ url, app: owner, module }) =>
      [url, [owner, module, 'url'], 'it is compiled in, ours reads DATABASE_URL'] as const,
  );
  return [...endpoints, ...urls].flatMap(([isReplaced, keys, reason]) => {
    const path = keys as unknown as Path;
    const value = settingAt(repo, path);
    const place = placeOf(repo, path);
    const isStock = typeof value === 'string' && /^(localhost|(www\.)?example\.\w+)$/.test(value);
    if (!isReplaced || isStock || value === undefined || value === null || !place) return [];
    const isSecret = /secret|url$/.test(path.at(-1) ?? '');
    const written = `${path.slice(2).join('.')}${isSecret ? '' : `: ${show(value)}`}`;
    return [`${place.file}:${place.line}: ${written} is replaced by ours; ${reason}`];
  });
}
