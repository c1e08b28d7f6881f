import { parseElixir } from '../elixir/syntax.ts';
import type { Setting } from '../elixir/types.ts';
import { get, show, Unknown, type Value } from '../elixir/value.ts';
import { placeholder } from './machine-env.ts';
import type { Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';
import { lineReading, PROBE, textOf } from './runtime-settings.ts';

const releaseMode = rulesFor<string>('R3.1');
const secretsFromEnv = rulesFor<string>('R3.3');

/** Settings at which the release stops: `validate_compile_env` compares what was compiled in with what runtime.exs leaves. */
function changedKeys(_: string, repo: Repo) {
  const { project, runtimePath, settings } = repo;
  const options = project.projects[0]?.releaseOptions.get(repo.release);
  if (get(options, 'validate_compile_env') === false) return [];
  return repo.compiledKeys.map(({ path, reader }) => {
    const [app, ...keys] = path;
    const valueIn = (apps: ReadonlyMap<string, Value>) =>
      keys.reduce<Value | undefined>(get, apps.get(app));
    const compiled = valueIn(settings.compiled);
    const started = valueIn(repo.boot(PROBE).apps);
    const changes = textOf(started) !== textOf(compiled);
    const mayChange = textOf(valueIn(settings.all)) !== textOf(compiled);
    if (!changes && !mayChange) return undefined;

    const name = `:${app}, ${keys.join(', ')}`;
    const isSetBy = ({ key, value }: Setting) =>
      key === keys[0] || (key === null && get(value, keys[0] ?? '') !== undefined);
    const line = project.config.settings.findLast(
      (setting) => setting.file === runtimePath && setting.app === app && isSetBy(setting),
    )?.line;
    if (!changes || (started instanceof Unknown && compiled !== undefined))
      return new Doubt(`whether line ${line} changes ${name}, which ${reader} compiles in`);
    const isOwnCode = reader.includes(':');
    const remedy = `, or read it when the app runs: Application.fetch_env! in a function, instead of compile_env in ${reader}`;
    return { name, reader, line, otherRemedy: isOwnCode ? remedy : '' };
  });
}

/** A secret that some setting holds, and whose absence no error names. */
function unnamedSecret(repo: Repo, name: string) {
  const { apps, stops } = repo.boot(PROBE);
  const isUsed = [...apps.values()].some((value) => show(value).includes(placeholder(name)));
  const without = repo.boot({ ...PROBE, [name]: undefined });
  const error = without.stops.find((stop) => !stops.includes(stop));
  if (!isUsed || error?.includes(name)) return undefined;
  if (error === '') return new Doubt(`whether the error names ${name} when it is missing`);
  const outcome =
    error === undefined
      ? 'it starts all the same, with a placeholder'
      : `it stops, but does not say that ${name} is missing`;
  return { name, outcome, line: lineReading(repo, name) };
}

/** R3.1: the file can be read, and the release boots with it. R3.3: each missing secret is named. */
export const bootRules: readonly Rule<string>[] = [
  releaseMode.must({
    find: (file) => {
      const { problem } = parseElixir(file);
      return problem && new Doubt(`line ${problem.line} can't be followed: ${problem.text}`);
    },
  }),
  releaseMode.note({
    find: (_, repo) => repo.runtimePath.endsWith('releases.exs'),
    what: 'config/releases.exs still works, and is ignored where there is a config/runtime.exs; rename it to config/runtime.exs, with `import Config` and `if config_env() == :prod do` around it',
  }),
  releaseMode.must({
    find: changedKeys,
    what: ({ name, reader }) =>
      `the release stops at boot: ${name} is set here, and ${reader} reads it while compiling (compile_env)`,
    edit: ({ name, otherRemedy }) => `set ${name} in config/prod.exs${otherRemedy}`,
  }),
  releaseMode.should({
    find: (file) => {
      const lines = file.split('\n');
      const index = lines.findIndex((code) => /^(?:[^#]|#\{)*\bMix\.(env|target)\b/.test(code));
      return index >= 0 && { line: index + 1 };
    },
    what: 'a release has no Mix, unless an application asks for it: the boot stops here',
    edit: 'write: config_env()',
  }),
  secretsFromEnv.should({
    find: (_, repo) => ['SECRET_KEY_BASE', 'DATABASE_URL'].map((name) => unnamedSecret(repo, name)),
    what: ({ name, outcome }) => `without ${name} ${outcome}`,
    edit: ({ name }) =>
      `write: System.get_env("${name}") || raise "${name} is missing; set it with: fly secrets set ${name}=…"`,
  }),
];
