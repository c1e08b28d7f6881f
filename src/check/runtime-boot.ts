import { parseElixir } from '../elixir/syntax.ts';
import { show } from '../elixir/value.ts';
import { type CompiledClash, compiledClashes } from './compiled-keys.ts';
import { placeholder, type Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { Doubt, type Place, type Rule, rulesFor } from './rule.ts';
import { type Path, PROBE, readsAt } from './runtime-probe.ts';

const r31 = rulesFor(RUNTIME_EXS, 'R3.1');
const r33 = rulesFor(RUNTIME_EXS, 'R3.3');
const named = ([app, ...keys]: Path): string => `:${app}, ${keys.join(', ')}`;

/** R3.1: the file can be read, and the release boots with it. */
export const bootRules: readonly Rule<string>[] = [
  r31.must((file) => {
    const { problem } = parseElixir(file);
    return problem ? [new Doubt(`line ${problem.line} can't be followed: ${problem.text}`)] : [];
  }),
  r31.note(
    (_, repo) => repo.runtimePath.endsWith('releases.exs'),
    'config/releases.exs still works, and is ignored where there is a config/runtime.exs; rename it to config/runtime.exs, with `import Config` and `if config_env() == :prod do` around it',
  ),
  r31.must(
    (_, repo) => compiledClashes(repo).map(orDoubt),
    ({ path, reader }) =>
      `the release stops at boot: ${named(path)} is set here, and ${reader} reads it while compiling (compile_env)`,
    ({ path, reader }) => {
      const place = `set ${named(path)} in config/prod.exs`;
      return reader.includes(':')
        ? `${place}, or read it when the app runs: Application.fetch_env! in a function, instead of compile_env in ${reader}`
        : place;
    },
  ),
];

const orDoubt = (clash: CompiledClash): CompiledClash | Doubt => {
  const { line, path, reader, isOpen } = clash;
  return isOpen
    ? new Doubt(`whether line ${line} changes ${named(path)}, which ${reader} compiles in`)
    : clash;
};

interface Silent extends Place {
  name: string;
  /** It starts without the variable. */
  starts: boolean;
}

/** R3.3: each missing secret is named. */
export const secretRules: readonly Rule<string>[] = ['SECRET_KEY_BASE', 'DATABASE_URL'].map(
  (name) =>
    r33.should<Silent>(
      (_, repo) => silent(repo, name),
      ({ starts }) =>
        starts
          ? `without ${name} it starts all the same, with a placeholder`
          : `without ${name} it stops, but does not say that ${name} is missing`,
      ({ starts }) =>
        starts
          ? `write: System.get_env("${name}") || raise "${name} is missing; set it with: fly secrets set ${name}=…"`
          : `name it in the error: raise "${name} is missing; …"`,
    ),
);

function silent(repo: Repo, name: string): (Silent | Doubt)[] {
  if (!repo.runtime || !isRead(repo, name)) return [];
  const known = repo.boot(PROBE).stops;
  const stop = repo.boot({ ...PROBE, [name]: undefined }).stops.find((one) => !known.includes(one));
  if (stop === '') return [new Doubt(`whether the error names ${name} when it is missing`)];
  if (stop?.includes(name)) return [];
  return [{ name, starts: stop === undefined, line: readsAt(repo.runtime.text, name) }];
}

/** Some setting is what the variable holds. */
const isRead = (repo: Repo, name: string): boolean =>
  [...repo.boot(PROBE).apps.values()].some((value) => show(value).includes(placeholder(name)));
