import { parseElixir } from '../elixir/syntax.ts';
import { atomName, get, show, type Value } from '../elixir/value.ts';
import { forceSslRewrites } from '../facts/force-ssl.ts';
import { type CompiledClash, compiledClashes } from './compiled-keys.ts';
import { placeholder, type Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { Doubt, type Place, type Rule, rulesFor } from './rule.ts';
import {
  isLoopback,
  isNoHost,
  isOtherPort,
  missingEndpoint,
  servesAlways,
  speaksIpv6,
} from './runtime-missing.ts';
import { type Path, PROBE, readsAt, settingAt, variableOf } from './runtime-probe.ts';
import { addition, endpointOf, settingRule, type Target } from './setting-rule.ts';

const rule = rulesFor(RUNTIME_EXS);
const endpoint = { targets: endpointOf };
const named = ([app, ...keys]: Path): string => `:${app}, ${keys.join(', ')}`;

/** R3.1: it can be read, the release boots with it, and serves. */
export const releaseMode: readonly Rule<string>[] = [
  rule({
    id: 'R3.1',
    weight: 'must',
    find: (file) => {
      const { problem } = parseElixir(file);
      return problem ? [new Doubt(`line ${problem.line} can't be followed: ${problem.text}`)] : [];
    },
    say: () => '',
    mend: () => '',
  }),
  rule({
    id: 'R3.1',
    weight: 'note',
    find: (_, repo) => (repo.runtimePath.endsWith('releases.exs') ? [{}] : []),
    say: () =>
      'config/releases.exs still works, and a config/runtime.exs would silence it; rename it to config/runtime.exs, with `import Config` and `if config_env() == :prod do` around it',
    mend: () => '',
  }),
  rule<CompiledClash>({
    id: 'R3.1',
    weight: 'must',
    find: (_, repo) =>
      compiledClashes(repo).map((clash) =>
        clash.isOpen
          ? new Doubt(
              `whether line ${clash.line} changes ${named(clash.path)}, which ${clash.reader} compiles in`,
            )
          : clash,
      ),
    say: ({ path, reader }) =>
      `the release stops at boot: ${named(path)} is set here, and ${reader} reads it while compiling (compile_env)`,
    mend: ({ path, reader }) =>
      `set ${named(path)} in config/prod.exs${reader.includes(':') ? `, or read it when the app runs: Application.fetch_env! in a function, instead of compile_env in ${reader}` : ''}`,
  }),
  settingRule({
    ...endpoint,
    id: 'R3.1',
    weight: 'must',
    keys: ['server'],
    variable: 'PHX_SERVER',
    isWrong: (value, { repo, path }) =>
      value !== true && !servesAlways(repo) && variableOf(repo, path) === undefined,
    say: () => 'with PHX_SERVER=true the release still does not serve HTTP',
    mend: (target) => addition(target, 'server: System.get_env("PHX_SERVER") in ~w(true 1)'),
  }),
  ...['code_reloader', 'debug_errors'].map((key) =>
    settingRule({
      ...endpoint,
      id: 'R3.1',
      weight: 'must',
      keys: [key],
      isWrong: (value) => value === true,
      say: () => `${key} is on in production`,
      mend: () => `remove ${key}; it belongs in dev.exs`,
    }),
  ),
];

/** The host that fly.toml gives the machines. */
const flyHost = ({ fly }: Repo): string => fly?.env.PHX_HOST ?? PROBE.PHX_HOST;
const hostHere = (repo: Repo, path: Path, host = flyHost(repo)) =>
  settingAt(repo, path, { PHX_HOST: host });

/** R3.3: links, sockets and the address. */
export const hosts: readonly Rule<string>[] = [
  settingRule({
    ...endpoint,
    id: 'R3.3',
    weight: 'must',
    keys: ['url', 'host'],
    variable: 'PHX_HOST',
    isWrong: (value, { repo, path }) => isNoHost(value) && variableOf(repo, path) === undefined,
    say: () => 'links and LiveView sockets do not use PHX_HOST',
    mend: (target) =>
      addition(target, 'url: [host: System.get_env("PHX_HOST"), port: 443, scheme: "https"]'),
  }),
  rule<Target & { variable: string }>({
    id: 'R3.3',
    weight: 'must',
    find: (_, repo) =>
      endpointOf(repo).flatMap((target) => {
        const path: Path = [target.app, target.module, 'url', 'host'];
        const variable = variableOf(repo, path);
        const line = repo.runtime && readsAt(repo.runtime.text, variable || 'PHX_HOST');
        return variable && isNoHost(hostHere(repo, path)) ? [{ ...target, variable, line }] : [];
      }),
    say: ({ variable }) =>
      `links and LiveView sockets take their host from ${variable}, which fly.toml doesn't set`,
    mend: ({ variable }) => `in fly.toml below [env], add ${variable} with the value of PHX_HOST`,
  }),
  settingRule({
    ...endpoint,
    id: 'R3.3',
    weight: 'should',
    keys: ['url', 'host'],
    variable: 'PHX_HOST',
    isWrong: (_, { repo }) => missingEndpoint(repo).hostFallback,
    say: () =>
      'machines that get no [env] of fly.toml (FLAME, `fly machine run`) make links to a made-up host',
    mend: (target) =>
      addition(
        target,
        'url: [host: System.get_env("PHX_HOST") || System.get_env("FLY_APP_NAME") <> ".fly.dev"]',
      ),
  }),
  settingRule({
    ...endpoint,
    id: 'R3.3',
    weight: 'should',
    keys: ['url', 'scheme'],
    isWrong: (value) => value !== 'https',
    say: () => 'links are not https',
    mend: (target) => addition(target, 'url: [scheme: "https", port: 443]'),
  }),
  settingRule({
    ...endpoint,
    id: 'R3.3',
    weight: 'must',
    keys: ['http', 'port'],
    variable: 'PORT',
    isWrong: (value, { repo, path }) =>
      variableOf(repo, path) === undefined && (!value || isOtherPort(repo, value)),
    say: () => 'it does not listen on PORT',
    mend: (target) =>
      addition(target, 'http: [port: String.to_integer(System.get_env("PORT", "4000"))]'),
  }),
  ...([['must'], ['should'], ['advice']] as const).map(([weight]) =>
    settingRule({
      ...endpoint,
      id: 'R3.3',
      weight,
      keys: ['http'],
      isWrong: (http) => !speaksIpv6(http) && addressFault(get(http, 'ip')) === weight,
      say: () =>
        weight === 'must'
          ? 'it listens inside its machine only, where nobody reaches it'
          : "it listens on IPv4 only: Fly's proxy reaches it, other machines do not",
      mend: (target) => addition(target, 'http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}]'),
    }),
  ),
  ...(
    [
      ['must', 'does not list PHX_HOST, so LiveView sockets get 403'],
      ['must', 'compares the scheme too, which is http behind the proxy'],
      ['advice', 'lets every site open LiveView sockets: right for a widget on other sites only'],
    ] as const
  ).map(([weight, why], index) =>
    settingRule({
      ...endpoint,
      id: 'R3.3',
      weight,
      keys: ['check_origin'],
      isWrong: (value, { repo }) => originFault(value, repo) === index,
      say: () => `check_origin${['', ': :conn', ': false'][index]} ${why}`,
      mend: (target) =>
        index === 0
          ? 'add "//#{host}" to check_origin (in config/runtime.exs, where PHX_HOST is known)'
          : addition(target, 'check_origin: ["//#{host}"]'),
    }),
  ),
];

/** Without an address it is any of IPv4's. */
const addressFault = (ip: Value | undefined): string => {
  if (ip === undefined || ip === null) return 'should';
  return isLoopback(ip) ? 'must' : 'advice';
};

/** 0: the host isn't in the list, 1: `:conn`, 2: `false`. */
function originFault(origins: Value | undefined, repo: Repo): number | undefined {
  if (origins === false) return 2;
  // Plug.SSL puts the scheme right where force_ssl tells it to
  if (atomName(origins) === 'conn') return forceSslRewrites(repo.project) ? undefined : 1;
  if (!Array.isArray(origins)) return undefined;
  const [target] = endpointOf(repo);
  const path: Path = [target?.app ?? '', target?.module ?? '', 'check_origin'];
  // A list from variables of the app's own is its owner's to set
  if (variableOf(repo, path) !== undefined) return undefined;
  const list = hostHere(repo, path);
  const isListed = (Array.isArray(list) ? list : origins).some((origin) =>
    allows(origin, flyHost(repo)),
  );
  return isListed ? undefined : 0;
}

/** `//host`, `https://host:443`, `//*.example.com`; a regular expression or what can't be known is trusted. */
function allows(origin: Value, host: string): boolean {
  const [, listed] =
    /^(?:https?:)?\/\/([^:/]+)/.exec(typeof origin === 'string' ? origin : '') ?? [];
  if (typeof origin !== 'string') return true;
  return (
    listed !== undefined &&
    (listed === host || (listed.startsWith('*.') && host.endsWith(listed.slice(1))))
  );
}

const SECRET = 'SECRET_KEY_BASE';

/** R3.3: secrets come from the environment, and each missing one is named. */
export const secrets: readonly Rule<string>[] = [
  settingRule({
    ...endpoint,
    id: 'R3.3',
    weight: 'must',
    keys: ['secret_key_base'],
    isWrong: (value, { repo }) => !value && missingEndpoint(repo).secretKeyBase,
    say: () => `${SECRET} is not read from the environment`,
    mend: (target) =>
      addition(
        target,
        `secret_key_base: System.get_env("${SECRET}") || raise "${SECRET} is missing"`,
      ),
  }),
  settingRule({
    ...endpoint,
    id: 'R3.3',
    weight: 'must',
    keys: ['secret_key_base'],
    isWrong: (value, { repo, path }) =>
      typeof value === 'string' &&
      value !== placeholder(SECRET) &&
      variableOf(repo, path) === undefined,
    say: () => 'secret_key_base stands in the code',
    mend: () =>
      'remove it from config.exs and prod.exs, and read it from the environment; `npx plop runtime-exs` writes that',
  }),
  ...([SECRET, 'DATABASE_URL'].map((name) =>
    rule<Place & { starts: boolean }>({
      id: 'R3.3',
      weight: 'should',
      find: (_, repo) => missingSecret(repo, name),
      say: ({ starts }) =>
        starts
          ? `without ${name} it starts all the same, with something made up`
          : `without ${name} it stops, but does not say that ${name} is missing`,
      mend: ({ starts }) =>
        starts
          ? `write: System.get_env("${name}") || raise "${name} is missing; set it with: fly secrets set ${name}=…"`
          : `name it in the error: raise "${name} is missing; …"`,
    }),
  ) as Rule<string>[]),
];

function missingSecret(repo: Repo, name: string): ((Place & { starts: boolean }) | Doubt)[] {
  if (!repo.runtime || !isRead(repo, name)) return [];
  const known = repo.boot(PROBE).stops;
  const stop = repo.boot({ ...PROBE, [name]: undefined }).stops.find((one) => !known.includes(one));
  if (stop === '') return [new Doubt(`whether the error names ${name} when it is missing`)];
  if (stop?.includes(name)) return [];
  return [{ starts: stop === undefined, line: readsAt(repo.runtime.text, name) }];
}

/** Some setting is what the variable holds. */
const isRead = (repo: Repo, name: string): boolean =>
  [...repo.boot(PROBE).apps.values()].some((value) => show(value).includes(placeholder(name)));
