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

/** The owner's values that our block replaces, each with its place and the reason, as a note. */
export const overruled = (targets: readonly Target[]): string[] =>
  targets.flatMap(({ missing, value, location }) => {
    const replaced = Object.entries(REASONS).filter(([key]) => missing[key]);
    return replaced.flatMap(([key, reason]) => {
      const [setting, place] = [value(key) ?? null, location(key)];
      const isStock = /^(localhost|(www\.)?example\.\w+)$/.test(String(setting));
      if (setting === null || isStock || !place) return [];
      const text = /secret|url$/.test(key) ? key : `${key}: ${show(setting)}`;
      return [`${place.file}:${place.line}: ${text} is replaced by ours; ${reason}`];
    });
  });
