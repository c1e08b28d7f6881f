import type { Project } from '../facts/detect.ts';
import { flyConfig } from './fly-config.ts';

/**
 * The path of fly.toml's health check where a file of priv/static answers it, such as /robots.txt: no login, no database.
 * @throws Problem when fly.toml is not TOML
 */
export function staticHealthPath({ tree }: Project): string | undefined {
  const path = flyConfig(tree).service?.checks[0]?.data.path;
  const isFile = [...tree.paths].some((file) => file.endsWith(`priv/static${path}`));
  return typeof path === 'string' && path !== '/' && isFile ? path : undefined;
}
