import { lineAt, parseElixir, walk } from '../elixir/syntax.ts';
import { get, show, Unknown, type Value } from '../elixir/value.ts';
import type { Setting } from '../facts/config.ts';
import { readAttachCommand } from '../fly/postgres.ts';
import type { Repo } from './repo.ts';

/** An environment in which every setting can be told from its default. */
export const PROBE = {
  PHX_HOST: 'probe.example.com',
  PORT: '4321',
  POOL_SIZE: '7',
  LOG_LEVEL: 'warning',
  PHX_SERVER: 'true',
  ECTO_IPV6: 'true',
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The OTP app and the keys below it: `['shop', 'ShopWeb.Endpoint', 'url', 'host']`. */
export type Path = readonly [app: string, ...keys: string[]];

/** A setting of that start; Unknown where only a branch that nobody can judge would make it. */
export function settingAt(
  repo: Repo,
  path: Path,
  environment: Environment = {},
): Value | undefined {
  const value = dig(repo.boot({ ...PROBE, ...environment }).apps, path);
  const compiled = written(dig(repo.settings.compiled, path));
  const isOpen = written(value) === compiled && written(dig(repo.settings.all, path)) !== compiled;
  return isOpen ? new Unknown('a condition that only the running release knows') : value;
}

/** nil that was set is not the same as nothing. */
export const written = (value: Value | undefined): string =>
  value === undefined ? '' : show(value);

/** `get_in`; what lies below something unknown, or in a list with unknown parts, is unknown as well. */
const dig = (apps: ReadonlyMap<string, Value>, [app, ...keys]: Path): Value | undefined =>
  keys.reduce<Value | undefined>((value, key) => {
    if (value instanceof Unknown) return value;
    const hidden = Array.isArray(value) ? value.find((item) => item instanceof Unknown) : undefined;
    const found = get(value, key);
    return found === undefined ? hidden : found;
  }, apps.get(app));

/** Variables of the owner's own choice, each with a value that says its name. */
const markers = (repo: Repo): Record<string, string> =>
  Object.fromEntries(
    [...repo.project.config.env]
      .filter((name) => !(name in PROBE) && !/^(FLY_|RELEASE_|MIX_)/.test(name))
      .map((name) => [name, `the-value-of-${name}`]),
  );

/** The own variable that a setting is taken from; '' where it is taken from some, and it can't be said which. */
export function variableOf(repo: Repo, path: Path): string | undefined {
  const marked = settingAt(repo, path, markers(repo));
  if (show(marked) === show(settingAt(repo, path))) return undefined;
  return /the-value-of-(\w+)/.exec(show(marked))?.[1] ?? '';
}

/**
 * Whether the owner's files make a setting, so that it stays: as a value, or from a variable of their own.
 * @param isPlaceholder tells a value that is no choice, such as the host "example.com"
 */
export function isMade(
  repo: Repo,
  path: Path,
  isPlaceholder: (value: Value) => boolean = () => false,
): boolean {
  const value = settingAt(repo, path);
  if (value instanceof Unknown) return true;
  if (variableOf(repo, path) !== undefined) return true;
  return value !== undefined && value !== null && !isPlaceholder(value);
}

/** Compiled in from variables that the build demands: on Fly secrets come with the machine, not with the build. */
export function isBuiltIn(repo: Repo, path: Path): boolean {
  const value = settingAt(repo, path);
  return value instanceof Unknown && show(value) === show(dig(repo.settings.compiled, path));
}

/** The line that reads an environment variable. */
export function readsAt(text: string, variable: string): number | undefined {
  let line: number | undefined;
  walk(parseElixir(text).body, (expr) => {
    if (
      expr.is === 'call' &&
      expr.args.some((arg) => arg.is === 'string' && arg.parts.join() === variable)
    )
      line ??= lineAt(text, expr.offset);
  });
  return line;
}

/** Where the owner's code last sets a key of an endpoint or a repo. */
export const placeOf = ({ project }: Repo, [app, module, ...keys]: Path): Setting | undefined =>
  project.config.settings.findLast(
    (one) =>
      one.app === app &&
      one.key === module &&
      keys.reduce<Value | undefined>(get, one.value) !== undefined,
  );

export type DatabaseKind = 'app' | 'managed' | 'external' | 'none' | undefined;

/** Where the database lives, as far as the comment in fly.toml says it. */
export function databaseKind({ project }: Repo): DatabaseKind {
  const answer = readAttachCommand(project.tree.read('fly.toml') ?? '');
  if (answer === null) return undefined;
  if (answer === 'external' || answer === 'none') return answer;
  return answer.startsWith('managed') ? 'managed' : 'app';
}
