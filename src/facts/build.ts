import { evaluate } from '../elixir/evaluate.ts';
import { inner } from '../elixir/scope.ts';
import { type Expr, walk } from '../elixir/syntax.ts';
import { get, pairs, type Value } from '../elixir/value.ts';
import type { Tree } from '../tree.ts';
import { below, normalize } from '../tree.ts';
import type { Config } from './config.ts';
import { reach } from './deps.ts';
import type { Locked } from './lock.ts';
import { type Dep, type MixProject, readMixProject } from './mix-project.ts';
import type { Sources } from './sources.ts';

/** A dependency that lies in the repo, of a production build. */
export interface PathDependency {
  name: string;
  /** Folder of the mix.exs that names it, relative to the app. */
  from: string;
  /** Its folder relative to the app; null when it lies above the app's folder, where no COPY reaches (`outside` names it). */
  dir: string | null;
}

/** A dependency that mix fetches with git. */
export interface GitDependency {
  name: string;
  url: string;
  /** The URL needs an ssh key: `git@host:…` or `ssh://…`. A public https one needs nothing but git. */
  ssh: boolean;
}

/** What a build takes besides hex and the app's own folders. Paths are relative to the app. */
export interface BuildNeeds {
  reads: BuildReads;
  deps: SourceDeps;
}

/** Files and folders of the repo that the build reads. */
export interface BuildReads {
  /** Files that a mix.exs (of the app, an umbrella's app or a path dependency) reads while it loads; wanted before deps.get. */
  mix: string[];
  /** Those of them without which a mix.exs can't be loaded. */
  mixDemands: string[];
  /** Files that the build's config files read: helper modules, texts. */
  config: string[];
  /** The same of runtime.exs (or releases.exs); a release doesn't bring them along by itself. */
  runtime: string[];
  /** Files and folders beyond lib/, priv/, assets/ and config/ that modules read while they are compiled. */
  compile: string[];
  /** Read by one of the above, but above the app's folder: no COPY reaches it there. */
  outside: string[];
}

/** Dependencies by where they come from and what they are built with. */
export interface SourceDeps {
  pathSources: PathDependency[];
  gitSources: GitDependency[];
  /** Private hex organisations, e.g. "acme" for `organization: "acme"`. */
  hexOrganizations: string[];
  /** Hex repositories beside hexpm, e.g. "oban" for `repo: "oban"`. */
  hexRepos: string[];
  /** Dependencies compiled from Rust sources, so that the builder needs cargo; precompiled ones are not among them. */
  rust: string[];
  /** Names of the dependencies that a production build has, of all its mix.exs files. */
  prod: string[];
  /** Those, and all that they need by mix.lock. */
  closure: string[];
}

interface Read {
  tree: Tree;
  projects: readonly MixProject[];
  paths: PathProjects;
  config: Config;
  runtime: string | undefined;
  sources: Sources;
  lock: ReadonlyMap<string, Locked>;
  nifDeps: readonly string[];
  ownCrate: boolean;
  notes: string[];
}

export function buildNeeds({
  tree,
  projects,
  paths: { pathDependencies, projects: vendored },
  config,
  runtime,
  sources,
  lock,
  nifDeps,
  ownCrate,
  notes,
}: Read): BuildNeeds {
  const all = [...projects, ...vendored];
  const prod = all.flatMap((project) => project.deps.filter((dep) => dep.prod));
  const reads = {
    mix: all.flatMap((project) => project.readsFiles.map((file) => below(project.dir, file))),
    mixDemands: all.flatMap(({ dir, demandsFiles }) =>
      demandsFiles.map((file) => below(dir, file)),
    ),
    config: [...config.reads].flatMap(([file, read]) => (file === runtime ? [] : [...read])),
    runtime: [...(config.reads.get(runtime ?? '') ?? [])],
    compile: [
      ...compileReads(tree, sources, projects),
      ...(ownCrate ? CARGO.filter((file) => tree.paths.has(file)) : []),
    ],
  };
  const above = (path: string) => path.startsWith('..');
  const outside = unique([
    ...Object.values(reads).flat().filter(above),
    ...pathDependencies.flatMap((one) =>
      one.dir === null ? normalize(below(one.from, pathOf(all, one))) : [],
    ),
  ]);
  if (outside.length)
    notes.push(
      `The build reads ${outside.join(', ')} above the app's folder, which an image of that folder can't hold.`,
    );
  const kept = (paths: string[]) => unique(paths.filter((path) => !above(path)));
  return {
    reads: {
      mix: kept(reads.mix),
      mixDemands: kept(reads.mixDemands),
      config: kept(reads.config),
      runtime: kept(reads.runtime),
      compile: kept(reads.compile),
      outside,
    },
    deps: {
      pathSources: pathDependencies,
      ...access(prod, lock),
      rust: nifDeps.filter(
        (name) =>
          name === 'rustler' ||
          (lock.get(name)?.deps.includes('rustler') &&
            !lock.get(name)?.deps.includes('rustler_precompiled')),
      ),
      prod: unique(prod.map((dep) => dep.name)),
      closure: [...reach(prod, lock)],
    },
  };
}

/** Folder of the mix.exs that has the alias assets.deploy (else assets.setup, assets.build): mix runs there. */
export function assetsFolder(projects: readonly MixProject[]): string | null {
  const holders = ['assets.deploy', 'assets.setup', 'assets.build'].flatMap((alias) =>
    projects.filter((project) => project.aliases.has(alias)),
  );
  return (holders.find(({ dir }) => dir !== '.') ?? holders[0])?.dir ?? null;
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

export interface PathProjects {
  pathDependencies: PathDependency[];
  /** The mix.exs files of those that lie in the repo. */
  projects: MixProject[];
}

/** Path dependencies, and those that they have themselves. */
export function followPaths(tree: Tree, projects: readonly MixProject[]): PathProjects {
  const all = [...projects];
  const pathDependencies: PathDependency[] = [];
  for (const project of all) {
    for (const dep of project.deps) {
      const path = get(dep.options, 'path');
      if (!dep.prod || typeof path !== 'string' || get(dep.options, 'in_umbrella') === true)
        continue;
      const dir = normalize(below(project.dir, path));
      if (
        dir.startsWith('deps/') ||
        projects.some((one) => one.dir === dir) ||
        pathDependencies.some((one) => one.name === dep.name)
      )
        continue;
      pathDependencies.push({
        name: dep.name,
        from: project.dir,
        dir: dir.startsWith('..') || path.startsWith('/') ? null : dir,
      });
      const inside = readMixProject(tree, dir);
      if (inside) all.push(inside);
    }
  }
  return { pathDependencies, projects: all.slice(projects.length) };
}

function pathOf(projects: readonly MixProject[], { name, from }: PathDependency): string {
  const dep = projects
    .find((project) => project.dir === from)
    ?.deps.find((one) => one.name === name);
  return String(get(dep?.options, 'path'));
}

function gitUrl(options: Dep['options'], locked: Locked | undefined): string | null {
  const [url, github] = [get(options, 'git'), get(options, 'github')];
  if (typeof url === 'string') return url;
  if (typeof github === 'string') return `https://github.com/${github}.git`;
  return locked?.source === 'git' ? locked.url : null;
}

/** Whom the build has to ask for code. */
function access(
  deps: readonly Dep[],
  lock: ReadonlyMap<string, Locked>,
): Pick<SourceDeps, 'gitSources' | 'hexOrganizations' | 'hexRepos'> {
  const git = new Map<string, GitDependency>();
  for (const { name, options } of deps) {
    const url = gitUrl(options, lock.get(name));
    if (url !== null) git.set(name, { name, url, ssh: /^(ssh:|git@)/.test(url) });
  }
  const texts = (key: string) =>
    deps.flatMap((dep) => get(dep.options, key) ?? []).filter((one) => typeof one === 'string');
  const wanted = new Set(deps.map((dep) => dep.name));
  const locked = [...lock].flatMap(([name, one]) =>
    wanted.has(name) && one.repo !== null ? [one.repo] : [],
  );
  return {
    gitSources: [...git.values()],
    hexOrganizations: unique([
      ...texts('organization'),
      ...locked.filter((repo) => repo.startsWith('hexpm:')).map((repo) => repo.slice(6)),
    ]),
    hexRepos: unique([...texts('repo'), ...locked]).filter(
      (repo) => repo !== 'hexpm' && !repo.startsWith('hexpm:'),
    ),
  };
}

/** At the app's top they hold for the crates in native/: a workspace, its lock, the toolchain. */
const CARGO = [
  'Cargo.toml',
  'Cargo.lock',
  '.cargo/config.toml',
  'rust-toolchain.toml',
  'rust-toolchain',
];

const READS_FILES = [
  '@external_resource',
  'File.read',
  'File.stream!',
  'File.ls',
  'Path.wildcard',
  'function_from_file',
  'NimblePublisher',
  'import_sdl',
  'embed_templates',
];

/** Text without its functions, as `mix format` indents them; what is indented otherwise stays. */
function outsideFunctions(text: string): string {
  const lines = text.split('\n');
  const indentOfEnd = lines.map((line) => /^( *)end\b/.exec(line)?.[1]);
  // Where none follows, looking for it again and again would take the square of the lines
  const lastEnd = new Map(indentOfEnd.map((indent, index) => [indent, index]));
  const kept: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const indent = /^( *)def(?:p|macro|macrop)? .* do\r?$/.exec(line)?.[1];
    if (indent !== undefined && (lastEnd.get(indent) ?? 0) > index)
      index = indentOfEnd.indexOf(indent, index + 1);
    else kept.push(line);
  }
  return kept.join('\n');
}

/** What modules read while they are compiled: code of their bodies, not of their functions. */
function compileReads(tree: Tree, sources: Sources, projects: readonly MixProject[]): string[] {
  const found: string[] = [];
  for (const file of sources.mentioning([...READS_FILES, 'use '])) {
    const outside = outsideFunctions(sources.text(file));
    if (!READS_FILES.some((word) => outside.includes(word)) && !NAMES_PATH.test(outside)) continue;
    // Mix runs in the project's folder, whatever file it compiles
    const project =
      projects.findLast((one) => one.dir !== '.' && file.startsWith(`${one.dir}/`))?.dir ?? '.';
    for (const { body, scope } of sources.modules(file)) {
      const within = {
        ...inner(scope),
        dir: `/${file.replace(/\/[^/]*$/, '')}`,
        cwd: `/${project}`,
      };
      const outer = body.filter(
        (expr) => !(expr.is === 'call' && /^(defp?|defmacrop?|quote|defmodule)$/.test(expr.name)),
      );
      const add = (path: Value, known = true) => {
        if (typeof path !== 'string' || !path) return;
        const inRepo = path.startsWith('/') ? normalize(path) : normalize(below(project, path));
        if (known || isThere(tree, inRepo)) found.push(inRepo);
      };
      walk(outer, (expr) => {
        add(evaluate(readBy(expr), within));
        const pattern = evaluate(embedded(expr), within);
        if (typeof pattern === 'string') add(`${within.dir}/${pattern}`);
        for (const [, value] of pairs(evaluate(usedWith(expr), within)))
          for (const path of [value].flat()) add(path, false);
      });
    }
  }
  return unique(found.flatMap((path) => place(tree, path, projects)));
}

/** `use Phoenix.Storybook, content_path: Path.expand("../storybook", __DIR__)`: a path for what the macro reads. */
const NAMES_PATH =
  /^ *use [\w.]+[,\s](?:(?!\n\s*\n|\n *(?:use|def|@|alias|import)\b)[^#])*?\b\w{1,80}: {0,9}(?:"|Path\.|@)/m;

const usedWith = (expr: Expr): Expr | undefined =>
  expr.is === 'call' && expr.name === 'use' ? expr.args[1] : undefined;

const isThere = (tree: Tree, path: string): boolean =>
  tree.paths.has(path) || [...tree.paths].some((one) => one.startsWith(`${path}/`));

/** The path that a call reads from. */
function readBy(expr: Expr): Expr | undefined {
  if (expr.is === 'attribute' && expr.name === 'external_resource') return expr.value;
  if (expr.is !== 'call') return undefined;
  const on = expr.on?.is === 'module' ? expr.on.name : '';
  if (on === 'File' && /^(read!?|stream!|ls!?)$/.test(expr.name)) return expr.args[0];
  if (on === 'Path' && expr.name === 'wildcard') return expr.args[0];
  if (on === 'EEx' && expr.name === 'function_from_file') return expr.args[2];
  if (expr.name === 'import_sdl') return option(expr.args[0], 'path');
  const publishes =
    expr.name === 'use' && expr.args[0]?.is === 'module' && expr.args[0].name === 'NimblePublisher';
  return publishes ? option(expr.args[1], 'from') : undefined;
}

/** The value of a key in a literal keyword list. */
function option(list: Expr | undefined, key: string): Expr | undefined {
  const items = list?.is === 'list' ? list.items : [];
  const found = items.find(
    (item) => item.is === 'tuple' && item.items[0]?.is === 'atom' && item.items[0].name === key,
  );
  return found?.is === 'tuple' ? found.items[1] : undefined;
}

/** `embed_templates "../emails/*"` reads beside its own file. */
const embedded = (expr: Expr): Expr | undefined =>
  expr.is === 'call' && expr.name === 'embed_templates' ? expr.args[0] : undefined;

const COPIED = new Set([
  'lib',
  'priv',
  'assets',
  'config',
  'deps',
  '_build',
  'web',
  'mix.exs',
  'mix.lock',
  'test',
]);

/** The file, or the folder at the top of the app that holds it; nothing when the image has it anyway. */
function place(tree: Tree, path: string, projects: readonly MixProject[]): string[] {
  if (path.startsWith('..')) return [path];
  if (projects.some((one) => one.dir !== '.' && path.startsWith(`${one.dir}/`))) return [];
  if (tree.paths.has(path)) return COPIED.has(path.split('/')[0] ?? '') ? [] : [path];
  const parent = (path.split('*')[0] ?? '').replace(/\/?[^/]*$/, '') || path;
  const folder = isThere(tree, path) ? path : parent;
  return isThere(tree, folder) && !COPIED.has(folder.split('/')[0] ?? '') ? [folder] : [];
}
