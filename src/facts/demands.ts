import { join } from 'node:path/posix';
import { atomName, get, Tuple, type Value } from '../elixir/value.ts';
import type { Tree } from '../tree.ts';
import type { Code } from './code.ts';
import type { Config, EnvRead, RequiredEnv } from './config.ts';
import { DryStart } from './dry-start.ts';
import type { MixProject } from './mix-project.ts';
import type { Sources } from './sources.ts';

interface Start {
  tree: Tree;
  sources: Sources;
  config: Config;
  projects: readonly MixProject[];
  code: Code;
  endpoints: readonly string[];
  repos: readonly string[];
  /** runtime.exs, or the releases.exs of old. */
  runtime: string | undefined;
  lock: ReadonlyMap<string, unknown>;
  notes: string[];
}

interface Demands {
  /** What a production build or start stops without, in the order it meets them. */
  required: RequiredEnv[];
  /** What the build reads and takes as nil when it isn't there. */
  buildReads: EnvRead[];
}

/** The environment variables that a production build or start asks for. */
export function demands({
  tree,
  sources,
  config,
  projects,
  code,
  endpoints,
  repos,
  runtime,
  lock,
  notes,
}: Start): Demands {
  const start = new DryStart(tree, sources, config);
  start.runConfig('config/config.exs', true);
  for (const { dir } of projects)
    if (dir !== '.') start.runConfig(`${dir}/config/config.exs`, true);
  if (runtime) start.runConfig(runtime, false);
  for (const { applicationModule } of projects)
    if (applicationModule) start.runCallback(applicationModule, 'start');
  for (const module of [...endpoints, ...repos])
    start.runCallback(
      module,
      'init',
      [...config.apps.values()].map((app) => get(app, module)).find(Boolean),
    );
  if (start.opaque.size)
    notes.push(
      `${[...start.opaque].join(', ')} reads the environment under computed names, so the variables it demands can't be listed.`,
    );
  const late = [
    ...code.fetchEnv,
    ...code.bindings,
    ...(lock.has('confex') ? confexTuples(config) : []),
  ];
  const required = [...start.required];
  for (const one of late)
    if (!required.some((other) => other.name === one.name)) required.push(one);
  const applicationReads = projects.flatMap((project) =>
    project.applicationReads.map((read) => ({ ...read, file: join(project.dir, 'mix.exs') })),
  );
  const buildReads = [
    ...start.buildReads.values(),
    ...applicationReads.filter((one) => !start.buildReads.has(one.name)),
    ...code.buildReads.filter((one) => !start.buildReads.has(one.name)),
  ].filter((one) => !required.some((other) => other.name === one.name && other.compileTime));
  if (buildReads.length)
    notes.push(
      `Read while the image is built, where Fly's secrets are not there, and nil for good: ${buildReads.map(({ name, file, line }) => `${name} (${file}:${line})`).join(', ')}. Read them in config/runtime.exs, or give them to the build.`,
    );
  return { required, buildReads };
}

/** `{:system, "X"}` without a default: Confex raises for it when the setting is read. */
function confexTuples(config: Config): RequiredEnv[] {
  const inside = (value: Value): string[] => {
    if (Array.isArray(value)) return value.flatMap(inside);
    if (!(value instanceof Tuple)) return [];
    const [tag, second, third] = value.items;
    if (atomName(tag) !== 'system') return value.items.flatMap(inside);
    if (typeof second === 'string') return value.items.length === 2 ? [second] : [];
    return typeof third === 'string' && value.items.length === 3 ? [third] : [];
  };
  return config.settings.flatMap(({ value, file, line }) =>
    inside(value).map((name) => ({ name, file, line, compileTime: false })),
  );
}
