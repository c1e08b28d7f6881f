import { show } from '../elixir/value.ts';
import type { Target } from './runtime-settings.ts';

/** Why our block replaces what the owner's files set. */
const REASONS: Readonly<Record<string, string>> = {
  'url.host': 'on Fly the app has another address, PHX_HOST',
  'url.port': "links are https behind Fly's proxy: 443",
  'http.ip': 'nobody reaches it there: the app listens on all interfaces',
  'http.port': 'fly.toml names another port, which PORT says',
  server: 'PHX_SERVER decides',
  secret_key_base: 'it is compiled in, ours reads SECRET_KEY_BASE',
  url: 'it is compiled in, ours reads DATABASE_URL',
};

/** The owner's values that our block replaces, each with the place and the reason. */
export const overruled = (targets: readonly Target[]): string[] =>
  targets.flatMap(({ missing, ...settings }) =>
    Object.entries(REASONS).flatMap(([key, reason]) => {
      const [value, location] = [settings.value(key), settings.location(key)];
      const isStock = typeof value === 'string' && /^(localhost|(www\.)?example\.\w+)$/.test(value);
      if (!missing[key] || isStock || value === undefined || value === null || !location) return [];
      const shown = /secret|url$/.test(key) ? key : `${key}: ${show(value)}`;
      return [`${location.file}:${location.line}: ${shown} is replaced by ours; ${reason}`];
    }),
  );
