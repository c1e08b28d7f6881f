import semver from 'semver';
import { evaluate } from '../elixir/evaluate.ts';
import { lineAt, walk } from '../elixir/syntax.ts';
import { atomName, get, moduleName, Unknown, type Value } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';
import { Sources } from '../facts/sources.ts';
import { setting } from './boot.ts';
import type { Repo } from './repo.ts';
import { type Path, PROBE, written } from './runtime-probe.ts';

/** A setting that is read while compiling: a release whose runtime.exs changes it stops at boot. */
export interface CompiledKey {
  path: Path;
  /** Who reads it: "lib/shop_web/router.ex:7" or "Phoenix". */
  reader: string;
}

const known = new WeakMap<Project, CompiledKey[]>();

/** Every `Application.compile_env` of the project, and those of Phoenix (lib/phoenix/endpoint.ex since 1.7) and LiveView. */
export function compiledKeys(project: Project): CompiledKey[] {
  const keys = known.get(project) ?? [...keysOfCode(project), ...keysOfPackages(project)];
  known.set(project, keys);
  return keys;
}

const read = new WeakMap<Project, Sources>();

/** The project's own .ex files. */
export function sourcesOf(project: Project): Sources {
  const folders = project.projects.flatMap(({ dir, sourceFolders }) =>
    sourceFolders.map((folder) => (dir === '.' ? folder : `${dir}/${folder}`)),
  );
  const sources = read.get(project) ?? new Sources(project.tree, folders);
  read.set(project, sources);
  return sources;
}

function keysOfCode(project: Project): CompiledKey[] {
  const sources = sourcesOf(project);
  const modules = sources.mentioning(['compile_env']).flatMap((file) => sources.modules(file));
  return modules.flatMap(({ body, scope, file, text }) => {
    const keys: CompiledKey[] = [];
    walk(body, (expr) => {
      if (expr.is !== 'call' || !/^compile_env!?$/.test(expr.name)) return;
      const path = pathOf(expr.args.slice(0, 2).map((arg) => evaluate(arg, scope)));
      const reader = `${file}:${lineAt(text, expr.offset)}`;
      if (path && !keys.some((key) => key.reader === reader)) keys.push({ path, reader });
    });
    return keys;
  });
}

function pathOf([app, keys]: readonly Value[]): Path | undefined {
  const name = atomName(app);
  const names = (Array.isArray(keys) ? keys : [keys]).map(
    (key) => atomName(key) ?? moduleName(key),
  );
  const all = names.filter((key) => key !== undefined);
  return name && all.length === names.length ? [name, ...all] : undefined;
}

function keysOfPackages({ app, endpoint, phoenix }: Project): CompiledKey[] {
  const since = (version: string) => semver.gte(semver.coerce(phoenix.version) ?? '1.8.0', version);
  const ofEndpoint = (key: string): CompiledKey => ({
    path: [app.otpApp, endpoint.module, key],
    reader: 'Phoenix',
  });
  return [
    ...(since('1.7.0') ? ['force_ssl', 'code_reloader', 'debug_errors'].map(ofEndpoint) : []),
    { path: ['phoenix_live_view', 'debug_heex_annotations'], reader: 'LiveView' },
    { path: ['mime', 'types'], reader: 'MIME' },
    // zorn/flick#56 is of the app's own code; these of packages: fun_with_flags#209, PhoenixAnalytics#33
    { path: ['fun_with_flags', 'persistence'], reader: 'fun_with_flags' },
    { path: ['fun_with_flags', 'cache'], reader: 'fun_with_flags' },
    { path: ['phoenix_analytics', 'app_domain'], reader: 'phoenix_analytics' },
  ];
}

/** The compiled key that a setting belongs to, or is a part of. */
export const compiledKeyOf = (project: Project, path: Path): CompiledKey | undefined =>
  compiledKeys(project).find((key) => {
    const length = Math.min(key.path.length, path.length);
    return key.path.slice(0, length).join('\n') === path.slice(0, length).join('\n');
  });

/** A compiled key that runtime.exs changes, with the line that does. */
export interface CompiledClash extends CompiledKey {
  file: string;
  line?: number | undefined;
  /** Only the running release knows what is set. */
  isOpen: boolean;
}

/** Where the release would stop: `validate_compile_env` compares what was compiled in with what runtime.exs leaves. */
export function compiledClashes(repo: Repo): CompiledClash[] {
  const { project, runtimePath } = repo;
  const options = project.projects[0]?.releaseOptions.get(repo.release);
  if (get(options, 'validate_compile_env') === false) return [];
  const started = repo.boot(PROBE);
  const compiled = { apps: repo.settings.compiled, stops: [] };
  const possible = { apps: repo.settings.all, stops: [] };
  return compiledKeys(project)
    .filter(({ path }) =>
      [started, possible].some(
        (boot) => written(setting(boot, ...path)) !== written(setting(compiled, ...path)),
      ),
    )
    .map((key) => {
      const [app, module = ''] = key.path;
      const value = setting(started, ...key.path);
      const before = setting(compiled, ...key.path);
      const isOpen =
        written(value) === written(before) || (value instanceof Unknown && before !== undefined);
      const place = project.config.settings.findLast(
        (one) =>
          one.file === runtimePath &&
          one.app === app &&
          (one.key === module || (one.key === null && get(one.value, module) !== undefined)),
      );
      return { ...key, file: runtimePath, line: place?.line, isOpen };
    });
}
