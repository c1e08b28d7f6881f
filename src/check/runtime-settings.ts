import { isSpent } from '../elixir/budget.ts';
import { get, show, Unknown, type Value } from '../elixir/value.ts';
import { serverRepos } from '../facts/database.ts';
import type { Path } from './compiled-keys.ts';
import { placeholder } from './machine-env.ts';
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

/** The probe, with each of the owner's other variables holding a text that names it. */
const markedProbe = (repo: Repo): Environment =>
  repo.cached('marked probe', () => {
    const names = [...repo.project.config.env].filter(
      (name) => !(name in PROBE) && !/^(FLY_|RELEASE_|MIX_)/.test(name),
    );
    return { ...PROBE, ...Object.fromEntries(names.map((name) => [name, `the-value-of-${name}`])) };
  });

/** A value as text to compare; a setting that is nil differs from one that isn't there. */
export const textOf = (value: Value | undefined): string =>
  value === undefined ? '' : show(value);

/** Elixir's `get_in`; what lies below something unknown, or in a list with unknown parts, is unknown as well. */
function getIn(apps: ReadonlyMap<string, Value>, [app, ...keys]: Path): Value | undefined {
  let value = apps.get(app);
  for (const key of keys) {
    if (value instanceof Unknown) return value;
    const unknown = Array.isArray(value)
      ? value.find((item) => item instanceof Unknown)
      : undefined;
    const inner = get(value, key);
    value = inner === undefined ? unknown : inner;
  }
  return value;
}

/** A setting of a start; Unknown where only a branch that can't be judged before the release runs would set it. */
function settingAt(repo: Repo, path: Path, environment: Environment): Value | undefined {
  const value = getIn(repo.boot(environment).apps, path);
  if (isSpent()) return new Unknown('more code than is read');
  if (textOf(value) !== textOf(getIn(repo.settings.compiled, path))) return value;
  const inEveryBranch = getIn(repo.boot(environment, true).apps, path);
  return textOf(inEveryBranch) === textOf(value)
    ? value
    : new Unknown('a condition that only the running release knows');
}

/** Tells a value that is no choice, such as the host "example.com". */
type IsPlaceholder = (value: Value) => boolean;

export type Settings = ReturnType<typeof settingsOf>;

/** What the configuration says of an app, or of a module of it; keys are written `url.host`. */
export function settingsOf(repo: Repo, app: string, module = '') {
  const pathOf = (key: string): Path => [app, ...[module, ...key.split('.')].filter(Boolean)];
  const compiled = (key: string) => textOf(getIn(repo.settings.compiled, pathOf(key)));
  const settings = {
    repo,
    app,
    module,

    /** Under the probe, with some of its variables changed. */
    value: (key: string, changes?: Environment): Value | undefined =>
      settingAt(repo, pathOf(key), { ...PROBE, ...changes }),

    /** As a machine on Fly starts it. */
    onMachine: (key: string) => settingAt(repo, pathOf(key), {}),

    /** Compiled in from variables that the build demands: on Fly secrets come with the machine, not with the build. */
    isBuiltIn: (key: string) => {
      const value = settings.value(key);
      return value instanceof Unknown && textOf(value) === compiled(key);
    },

    /** The owner's variable that it is taken from; '' where it can't be said which of several. */
    variable: (key: string): string | undefined => {
      const marked = show(settingAt(repo, pathOf(key), markedProbe(repo)));
      if (marked === show(settings.value(key))) return undefined;
      return /the-value-of-(\w+)/.exec(marked)?.[1] ?? '';
    },

    /** Whether the owner's files set it, so that it stays: to a value, from a variable of their own, or by a switch of theirs. */
    isSet: (key: string, isPlaceholder: IsPlaceholder = () => false): boolean => {
      const value = settings.value(key);
      if (value instanceof Unknown || settings.variable(key) !== undefined) return true;
      const inAnyBranch = textOf(getIn(repo.settings.all, pathOf(key)));
      const isSwitchedOff = textOf(value) === compiled(key) && inAnyBranch !== compiled(key);
      const isChosen = value !== undefined && value !== null && !isPlaceholder(value);
      return isSwitchedOff || isChosen;
    },

    /** Whether nobody sets it, and our block may. */
    lacks: (key: string, isPlaceholder?: IsPlaceholder): boolean =>
      !settings.isSet(key, isPlaceholder) && !repo.compiledKey(pathOf(key)),

    /** Where the owner's code last sets it. */
    location: (key: string) =>
      repo.project.config.settings.findLast(
        (setting) =>
          setting.app === app &&
          setting.key === module &&
          key.split('.').reduce<Value | undefined>(get, setting.value) !== undefined,
      ),
  };
  return settings;
}

/** The 1-based line of runtime.exs that reads an environment variable. */
export function lineReading({ runtime }: Repo, variable: string | undefined): number | undefined {
  const lines = (runtime?.text ?? '').split('\n');
  const isReading = (line: string) => !/^\s*#/.test(line) && line.includes(`"${variable}"`);
  return lines.findIndex(isReading) + 1 || undefined;
}

export const endpointOf = (repo: Repo): Settings =>
  settingsOf(repo, repo.project.app.otpApp, repo.project.endpoint.module);

/**
 * Repos on the app's database; those that take their address from another variable are left alone, unless all do. Repos that
 * are not in :ecto_repos count where they are given the same address.
 */
export function ectoRepos(repo: Repo): Settings[] {
  const { database, app } = repo.project;
  const repos = serverRepos(repo.project).map((module) =>
    settingsOf(repo, database.repoApps.get(module) ?? app.otpApp, module),
  );
  const main = repos.filter(
    ({ value, variable }) => value('url') === placeholder('DATABASE_URL') || !variable('url'),
  );
  const listed = main.length ? main : repos;
  const url = listed[0]?.value('url');
  const unlisted = database.unlistedRepos
    .map(({ module, otpApp }) => settingsOf(repo, otpApp ?? app.otpApp, module))
    .filter(({ value }) => typeof url === 'string' && value('url') === url);
  return [...listed, ...unlisted];
}

/** The variable that the app takes its database's address from. */
export function urlName(repo: Repo): string {
  const [main] = ectoRepos(repo);
  const name = main?.variable('url');
  // Not a part of the address, as DATABASE_HOST is
  const address = 'ecto://own.example.net';
  const isWhole = main && name && `${main.value('url', { [name]: address })}`.startsWith(address);
  return isWhole ? name : 'DATABASE_URL';
}

/** A module's settings, and which of them our block makes because nobody does. */
export type Target = Settings & { missing: Readonly<Record<string, boolean>> };

/** The variables that settings come from: the line that reads one is the place to edit. */
const VARIABLES: Readonly<Record<string, string>> = {
  server: 'PHX_SERVER',
  'url.host': 'PHX_HOST',
  'http.port': 'PORT',
  url: 'DATABASE_URL',
  pool_size: 'POOL_SIZE',
  socket_options: 'ECTO_IPV6',
};

/** Where to edit a setting. */
function editLocation(key: string, { repo, location }: Target): { file?: string; line?: number } {
  const line = lineReading(repo, VARIABLES[key]);
  const setting = location(key) ?? location(key.replace(/^http\..*/, 'http'));
  return line ? { line } : { file: setting?.file, line: setting?.line };
}

/** The end of an edit that needn't be done by hand. */
export const PLOP_WRITES_IT = '; `npx plop runtime-exs` writes it';

/** 'advice': wrong, but the owner's choice. */
type IsWrong = (value: Value | undefined, target: Target) => boolean | 'advice';

/**
 * Makes the `find` of rules on one setting, `endpoint('url.scheme', (scheme) => scheme !== 'https')`: the value that it comes to
 * is judged, however it is written; without `isWrong`, whether it is missing. What only the running release knows is a doubt.
 */
export const finder =
  (targets: (repo: Repo) => readonly Target[]) =>
  (key: string, isWrong?: IsWrong) =>
  (_: string, repo: Repo) =>
    targets(repo).map((target) => faultOf(key, target, isWrong));

const isMissing = (key: string, { missing }: Target): boolean => missing[key] === true;

function faultOf(key: string, target: Target, isWrong?: IsWrong) {
  const value = target.value(key);
  if (value instanceof Unknown)
    return new Doubt(`${key} of ${target.module} is decided by ${value.why}`);
  const fault = isWrong ? isWrong(value, target) : isMissing(key, target);
  if (!fault) return undefined;
  const config = `config :${target.app}, ${target.module}`;
  const ours = isMissing(key, target) ? PLOP_WRITES_IT : '';
  const weight = fault === 'advice' ? fault : undefined;
  return { ...target, config, ours, weight, ...editLocation(key, target) };
}
