import { parseElixir } from '../elixir/syntax.ts';
import { get, show, Unknown, type Value } from '../elixir/value.ts';
import { placeholder } from './boot.ts';
import type { Path } from './compiled-keys.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';
import { lineReading, PROBE, textOf } from './runtime-settings.ts';

const r31 = rulesFor(RUNTIME_EXS, 'R3.1');
const r33 = rulesFor(RUNTIME_EXS, 'R3.3');
const named = ([app, ...keys]: Path): string => `:${app}, ${keys.join(', ')}`;

/** Where the release would stop: `validate_compile_env` compares what was compiled in with what runtime.exs leaves. */
function clashes(_: string, repo: Repo) {
  const { project, runtimePath, settings } = repo;
  const options = project.projects[0]?.releaseOptions.get(repo.release);
  if (get(options, 'validate_compile_env') === false) return [];
  return repo.compiledKeys.map(({ path, reader }) => {
    const [app, ...keys] = path;
    const [started, possible, before] = [
      repo.boot(PROBE).apps,
      settings.all,
      settings.compiled,
    ].map((apps) => keys.reduce<Value | undefined>(get, apps.get(app)));
    const changes = textOf(started) !== textOf(before);
    if (!changes && textOf(possible) === textOf(before)) return undefined;
    const line = project.config.settings.findLast(
      (one) =>
        one.file === runtimePath &&
        one.app === app &&
        (one.key === keys[0] || (one.key === null && get(one.value, keys[0] ?? '') !== undefined)),
    )?.line;
    if (!changes || (started instanceof Unknown && before !== undefined))
      return new Doubt(`whether line ${line} changes ${named(path)}, which ${reader} compiles in`);
    const late = `, or read it when the app runs: Application.fetch_env! in a function, instead of compile_env in ${reader}`;
    return { path: named(path), reader, line, late: reader.includes(':') ? late : '' };
  });
}

/** A secret that some setting holds, and whose absence no error names. */
function unnamed(repo: Repo, name: string) {
  const { apps, stops } = repo.boot(PROBE);
  const isRead = [...apps.values()].some((value) => show(value).includes(placeholder(name)));
  const without = repo.boot({ ...PROBE, [name]: undefined });
  const stop = without.stops.find((one) => !stops.includes(one));
  if (!isRead || stop?.includes(name)) return undefined;
  if (stop === '') return new Doubt(`whether the error names ${name} when it is missing`);
  const outcome =
    stop === undefined
      ? 'it starts all the same, with a placeholder'
      : `it stops, but does not say that ${name} is missing`;
  return { name, outcome, line: lineReading(repo, name) };
}

/** R3.1: the file can be read, and the release boots with it. R3.3: each missing secret is named. */
export const bootRules: readonly Rule<string>[] = [
  r31.must((file) => {
    const { problem } = parseElixir(file);
    return problem && new Doubt(`line ${problem.line} can't be followed: ${problem.text}`);
  })``,
  r31.note((_, repo) =>
    repo.runtimePath.endsWith('releases.exs'),
  )`config/releases.exs still works, and is ignored where there is a config/runtime.exs; rename it to config/runtime.exs, with \`import Config\` and \`if config_env() == :prod do\` around it`,
  r31.must(clashes)`
    the release stops at boot: ${'path'} is set here, and ${'reader'} reads it while compiling (compile_env)
    => set ${'path'} in config/prod.exs${'late'}`,
  r31.should((file) => {
    const line =
      file.split('\n').findIndex((code) => /^(?:[^#]|#\{)*\bMix\.(env|target)\b/.test(code)) + 1;
    return line > 0 && { line };
  })`a release has no Mix, unless an application asks for it: the boot stops here
    => write: config_env()`,
  r33.should((_, repo) =>
    ['SECRET_KEY_BASE', 'DATABASE_URL'].map((name) => unnamed(repo, name)),
  )`without ${'name'} ${'outcome'}
    => write: System.get_env("${'name'}") || raise "${'name'} is missing; set it with: fly secrets set ${'name'}=…"`,
];
