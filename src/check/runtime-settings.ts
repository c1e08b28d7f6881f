import { isSpent } from '../elixir/budget.ts';
import { get, show, Unknown, type Value } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';
import { serverRepos } from '../facts/project.ts';
import { placeholder } from './boot.ts';
import type { Path } from './compiled-keys.ts';
import type { Environment, Repo } from './repo.ts';
import { Doubt } from './rule.ts';

/** An environment in which every setting can be told from its default. */
export const PROBE = {
  PHX_HOST: 'probe.example.com',
  PORT: '4321',
  POOL_SIZE: '7',
  LOG_LEVEL: 'warning',
  PHX_SERVER: 'true',
  ECTO_IPV6: 'true',
};

type Judge = (value: Value) => boolean;

/** A setting of a start with these variables beside the machine's; Unknown where only a branch that nobody can judge would make it. */
export function settingAt(
  repo: Repo,
  path: Path,
  environment: Environment = PROBE,
): Value | undefined {
  const value = dig(repo.boot(environment).apps, path);
  if (isSpent()) return new Unknown('more code than is read');
  const isCompiled = written(value) === written(dig(repo.settings.compiled, path));
  const isOpen =
    isCompiled && written(dig(repo.boot(environment, true).apps, path)) !== written(value);
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

/** One object for each project, as boots are kept by it. */
const marked = new WeakMap<Project, Environment>();

/** The probe, with each variable of the owner's holding its own name. */
function markedFor(project: Project): Environment {
  const known = marked.get(project);
  if (known) return known;
  const own = [...project.config.env].filter(
    (name) => !(name in PROBE) && !/^(FLY_|RELEASE_|MIX_)/.test(name),
  );
  const markers = own.map((name) => [name, `the-value-of-${name}`]);
  const environment = { ...PROBE, ...Object.fromEntries(markers) };
  marked.set(project, environment);
  return environment;
}

/** The own variable that a setting is taken from; '' where it is taken from some, and it can't be said which. */
function variableOf(repo: Repo, path: Path): string | undefined {
  const value = show(settingAt(repo, path, markedFor(repo.project)));
  if (value === show(settingAt(repo, path))) return undefined;
  return /the-value-of-(\w+)/.exec(value)?.[1] ?? '';
}

/**
 * Whether the owner's files make a setting, so that it stays: as a value, or from a variable of their own.
 * @param isPlaceholder tells a value that is no choice, such as the host "example.com"
 */
export function isMade(repo: Repo, path: Path, isPlaceholder: Judge = () => false): boolean {
  const value = settingAt(repo, path);
  if (value instanceof Unknown || variableOf(repo, path) !== undefined) return true;
  // By a switch of their own, which is off here
  const [compiled, all] = [repo.settings.compiled, repo.settings.all].map((apps) =>
    written(dig(apps, path)),
  );
  if (written(value) === compiled && all !== compiled) return true;
  return value !== undefined && value !== null && !isPlaceholder(value);
}

/** Nobody makes it, and our block may. */
export const lacks = (repo: Repo, path: Path, isPlaceholder?: Judge): boolean =>
  !isMade(repo, path, isPlaceholder) && !repo.compiledKey(path);

/** The line that reads an environment variable. */
export const readsAt = ({ runtime }: Repo, variable: string | undefined): number | undefined =>
  (runtime?.text ?? '')
    .split('\n')
    .findIndex((line) => !/^\s*#/.test(line) && line.includes(`"${variable}"`)) + 1 || undefined;

/** The settings of a module, the endpoint or a repo; keys are written `url.host`. */
function settingsOf(repo: Repo, app: string, module: string) {
  const path = (key: string): Path => [app, module, ...key.split('.')];
  return {
    repo,
    app,
    module,
    /** Under the probe, with some of its variables changed. */
    value: (key: string, changes?: Environment) =>
      settingAt(repo, path(key), { ...PROBE, ...changes }),
    /** As a machine on Fly starts it. */
    onMachine: (key: string) => settingAt(repo, path(key), {}),
    variable: (key: string) => variableOf(repo, path(key)),
    isMade: (key: string, isPlaceholder?: Judge) => isMade(repo, path(key), isPlaceholder),
    lacks: (key: string, isPlaceholder?: Judge) => lacks(repo, path(key), isPlaceholder),
    /** Compiled in from variables that the build demands: on Fly secrets come with the machine, not with the build. */
    isBuiltIn: (key: string) => {
      const value = settingAt(repo, path(key));
      const compiled = dig(repo.settings.compiled, path(key));
      return value instanceof Unknown && show(value) === show(compiled);
    },
    /** Where the owner's code last sets it. */
    place: (key: string) =>
      repo.project.config.settings.findLast(
        (one) =>
          one.app === app &&
          one.key === module &&
          key.split('.').reduce<Value | undefined>(get, one.value) !== undefined,
      ),
  };
}
export type Settings = ReturnType<typeof settingsOf>;

export const endpointOf = (repo: Repo): Settings =>
  settingsOf(repo, repo.project.app.otpApp, repo.project.endpoint.module);

/** Repos on the app's database. One with an address from another variable is left alone, as long as another has the app's. */
export function reposOf(repo: Repo): Settings[] {
  const { database, app } = repo.project;
  const all = serverRepos(repo.project).map((module) =>
    settingsOf(repo, database.repoApps.get(module) ?? app.otpApp, module),
  );
  const main = all.filter(
    ({ value, variable }) => value('url') === placeholder('DATABASE_URL') || !variable('url'),
  );
  return main.length ? main : all;
}

/** The variable that the app takes its database's address from. */
export function urlName(repo: Repo): string {
  const [main] = reposOf(repo);
  const name = main?.variable('url');
  // Not one of several that an address is made of
  const whole = 'ecto://own.example.net';
  const takes = main && name && `${main.value('url', { [name]: whole })}`.startsWith(whole);
  return takes ? name : 'DATABASE_URL';
}

/** The variables that settings come from: the line that reads one is the place to edit. */
const VARIABLES: Readonly<Record<string, string>> = {
  server: 'PHX_SERVER',
  'url.host': 'PHX_HOST',
  'http.port': 'PORT',
  url: 'DATABASE_URL',
  pool_size: 'POOL_SIZE',
  socket_options: 'ECTO_IPV6',
};

/** A module's settings, and which of them our block makes because nobody does. */
export type Target = Settings & { missing: Readonly<Record<string, boolean>> };

export const WRITTEN = '; `npx plop runtime-exs` writes it';

/** Finds a setting that is wrong by what it comes out as, whoever wrote it however. What only the running release knows is a doubt. */
export const finder =
  (targets: (repo: Repo) => readonly Target[]) =>
  (
    key: string,
    isWrong = (_: Value | undefined, { missing }: Target): boolean | 'advice' =>
      missing[key] === true,
  ) =>
  (_: string, repo: Repo) =>
    targets(repo).map((target) => {
      const { app, module, missing, place } = target;
      const value = target.value(key);
      if (value instanceof Unknown)
        return new Doubt(`${key} of ${module} is decided by ${value.why}`);
      const fault = isWrong(value, target);
      const line = readsAt(repo, VARIABLES[key]);
      const set = line ? undefined : (place(key) ?? place(key.replace(/^http\..*/, 'http')));
      return (
        fault && {
          module,
          config: `config :${app}, ${module}`,
          ours: missing[key] ? WRITTEN : '',
          weight: fault === true ? undefined : fault,
          file: set?.file,
          line: line ?? set?.line,
        }
      );
    });
