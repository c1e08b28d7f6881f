import { get } from '../elixir/value.ts';
import { below, normalize, type Tree } from '../tree.ts';
import type { Lock } from './mix-lock.ts';
import { type Dep, type MixProject, readMixProject } from './mix-project.ts';
import {
  BUILD_TOOLS,
  GLIBC_NATIVE,
  HIDDEN_NATIVE,
  MUSL_NATIVE,
  NAMED_BY_APPS,
  NATIVE_BUILDERS,
} from './package-needs.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';
import { unique } from './unique.ts';

export type PathDependencies = ReturnType<typeof pathDependencies>;

/** Path dependencies, and those that they have themselves. */
export function pathDependencies(tree: Tree, projects: readonly MixProject[]) {
  const found: { name: string; dir: string | null }[] = [];
  const above: string[] = [];
  const queue = [...projects];
  // The queue grows while it is walked
  for (const project of queue)
    for (const { name, prod, options } of project.deps) {
      const path = get(options, 'path');
      if (!prod || typeof path !== 'string' || get(options, 'in_umbrella') === true) continue;
      const dir = normalize(below(project.dir, path));
      const isKnown =
        [...projects, ...found].some((known) => known.dir === dir) ||
        found.some((known) => known.name === name);
      if (isKnown || dir.startsWith('deps/')) continue;
      const isAbove = dir.startsWith('..') || path.startsWith('/');
      found.push({ name, dir: isAbove ? null : dir });
      if (isAbove) above.push(dir);
      const dependency = readMixProject(tree, dir);
      if (dependency) queue.push(dependency);
    }
  return {
    /** Of a production build. `dir` is relative to the app; null when it lies above it, where no COPY reaches. */
    found,
    /** Where those above lie: `../far`. */
    above,
    /** The mix.exs files of those in the repo. */
    projects: queue.slice(projects.length),
  };
}

/**
 * Where a package comes from: the URL of a git repository (`ssh`: it needs a key, as `git@host:…` does), and the Hex
 * repository, which is "hexpm", "hexpm:acme" of an organization, or a private one such as "oban".
 */
function sourceOf({ name, options }: Dep, lock: Lock) {
  const locked = lock.get(name);
  const text = (key: string) => {
    const value = get(options, key);
    return typeof value === 'string' ? value : undefined;
  };
  const [github, organization] = [text('github'), text('organization')];
  // mix.lock may still name the repository of what is a folder now
  const isLockedGit = locked?.source === 'git' && !text('path');
  const url =
    text('git') ??
    (github && `https://github.com/${github}.git`) ??
    (isLockedGit ? locked.url : null);
  const repo = organization ? `hexpm:${organization}` : (text('repo') ?? locked?.repo ?? 'hexpm');
  return { name, url, ssh: /^(ssh:|git@)/.test(url ?? ''), repo };
}

/** What a production build takes, and which of it needs more than Hex and Elixir. */
export function dependencies({ projects, lock, code }: PhoenixRepo, paths: PathDependencies) {
  const mixFiles = [...projects, ...paths.projects];
  const prod = mixFiles.flatMap((project) => project.deps.filter((dep) => dep.prod));
  const sources = [...new Map(prod.map((dep) => [dep.name, sourceOf(dep, lock)])).values()];
  const gitSources = sources.flatMap(({ name, url, ssh }) =>
    url === null ? [] : [{ name, url, ssh }],
  );
  const repos = unique(sources.map(({ repo }) => repo).filter((repo) => repo !== 'hexpm'));
  const nif = [
    ...(code.rustler && lock.has('rustler') ? ['rustler'] : []),
    ...nativePackages(mixFiles, lock, paths.above.length > 0),
  ];
  return {
    nif,
    git: gitSources.map(({ name }) => name),
    path: paths.found.map(({ name }) => name),
    private: sources.filter(({ ssh, repo }) => ssh || repo !== 'hexpm').map(({ name }) => name),
    pathSources: paths.found,
    gitSources,
    /** Private hex organisations, e.g. "acme" for `organization: "acme"`. */
    hexOrganizations: repos.flatMap((repo) => /^hexpm:(.*)/.exec(repo)?.[1] ?? []),
    /** Hex repositories beside hexpm, e.g. "oban" for `repo: "oban"`. */
    hexRepos: repos.filter((repo) => !repo.startsWith('hexpm:')),
    /** Compiled from Rust sources, so that the builder needs cargo; precompiled ones are not among them. */
    rust: nif.filter((name) => {
      const needs = lock.get(name)?.deps ?? [];
      const compiles = needs.includes('rustler') && !needs.includes('rustler_precompiled');
      return name === 'rustler' || compiles;
    }),
    /** Names of the dependencies of all mix.exs files. */
    prod: sources.map(({ name }) => name),
    /** Those, and all that they need by mix.lock. */
    closure: [...withNeeds(prod, lock)],
  };
}

/** Names of packages and of all that they need, by mix.lock. */
function withNeeds(deps: readonly Dep[], lock: Lock): Set<string> {
  const names = new Set(deps.map(({ name }) => name));
  // The set grows while it is walked
  for (const name of names) for (const need of lock.get(name)?.deps ?? []) names.add(need);
  return names;
}

/** Packages with native code, but those that only dev and test lead to, or that are left over in mix.lock. */
function nativePackages(projects: readonly MixProject[], lock: Lock, isAbove: boolean): string[] {
  const deps = projects.flatMap((project) => project.deps);
  const prod = deps.filter((dep) => dep.prod);
  const devAndTest = deps.filter((dep) => !dep.prod);
  const inProd = withNeeds(prod, lock);
  const elsewhere = withNeeds(devAndTest, lock);
  const lacksDeps = projects.some(({ depsIncomplete }) => depsIncomplete) || isAbove;
  const hasGit = prod.some((dep) => isGitCode(dep, lock));
  const mayBeUnlisted = (name: string): boolean =>
    !elsewhere.has(name) && (lacksDeps || (hasGit && !NAMED_BY_APPS.has(name)));
  return [...lock.keys()].filter(
    (name) => isNative(name, lock) && (inProd.has(name) || mayBeUnlisted(name)),
  );
}

function isNative(name: string, lock: Lock): boolean {
  const { source, version, deps = [] } = lock.get(name) ?? {};
  if (BUILD_TOOLS.has(name)) return false;
  // With 4.0 its C went into packages of their own
  if (name === 'comeonin' && /^[0-3]\./.test(version ?? '')) return true;
  if (HIDDEN_NATIVE.has(name) || deps.some((need) => NATIVE_BUILDERS.has(need))) return true;
  // mix.lock doesn't list what a git dependency needs
  return source === 'git' && (MUSL_NATIVE.has(name) || GLIBC_NATIVE.has(name));
}

/** What it needs is not in mix.lock. */
const isGitCode = ({ name, options }: Dep, lock: Lock): boolean =>
  lock.get(name)?.source === 'git' &&
  get(options, 'compile') !== false &&
  get(options, 'app') !== false;
