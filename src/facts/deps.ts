import { get } from '../elixir/value.ts';
import { below, normalize, type Tree } from '../tree.ts';
import type { Locked } from './lock.ts';
import { type Dep, type MixProject, readMixProject } from './mix-project.ts';
import { GLIBC, MUSL, SILENT } from './package-needs.ts';

/** Packages whose dependents compile or download native code. */
const BUILDERS = /^(bundlex|cc_precompiler|elixir_make|rustler|rustler_precompiled|unifex|zigler)$/;
/** They depend on builders and bring nothing native themselves. */
const TOOLS =
  /^(cc_precompiler|elixir_make|membrane_precompiled_dependency_provider|rustler|rustler_precompiled|zigler)$/;
/** Packages that apps name themselves, and hardly a git dependency. */
const DIRECT =
  /^(appsignal|argon2_elixir|bcrypt_elixir|comeonin|erlexec|fast_html|html5ever|pbkdf2_elixir|rambo)$/;

type Lock = ReadonlyMap<string, Locked>;

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

export type PathDependencies = ReturnType<typeof pathDependencies>;

/** Path dependencies, and those that they have themselves. */
export function pathDependencies(tree: Tree, projects: readonly MixProject[]) {
  const all = [...projects];
  const found: { name: string; dir: string | null }[] = [];
  const above: string[] = [];
  // Grows while it is walked
  for (const project of all)
    for (const { name, prod, options } of project.deps) {
      const path = get(options, 'path');
      if (!prod || typeof path !== 'string' || get(options, 'in_umbrella') === true) continue;
      const dir = normalize(below(project.dir, path));
      const isKnown = [...projects, ...found].some((one) => one.dir === dir);
      if (isKnown || dir.startsWith('deps/') || found.some((one) => one.name === name)) continue;
      const isAbove = dir.startsWith('..') || path.startsWith('/');
      found.push({ name, dir: isAbove ? null : dir });
      if (isAbove) above.push(dir);
      const inside = readMixProject(tree, dir);
      if (inside) all.push(inside);
    }
  return {
    /** Of a production build. `dir` is relative to the app; null when it lies above it, where no COPY reaches. */
    found,
    /** Where those above lie: `../far`. */
    above,
    /** The mix.exs files of those in the repo. */
    projects: all.slice(projects.length),
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
  const url =
    text('git') ??
    (github && `https://github.com/${github}.git`) ??
    (locked?.source === 'git' ? locked.url : null);
  const repo = organization ? `hexpm:${organization}` : (text('repo') ?? locked?.repo ?? 'hexpm');
  return { name, url, ssh: /^(ssh:|git@)/.test(url ?? ''), repo };
}

/**
 * What a production build takes, and which of it needs more than hex and Elixir.
 * @param projects mix.exs files of the app and of an umbrella's apps
 */
export function dependencies(
  projects: readonly MixProject[],
  paths: PathDependencies,
  lock: Lock,
  ownCrate: boolean,
) {
  const all = [...projects, ...paths.projects];
  const prod = all.flatMap((project) => project.deps.filter((dep) => dep.prod));
  const sources = [...new Map(prod.map((dep) => [dep.name, sourceOf(dep, lock)])).values()];
  const gitSources = sources.flatMap(({ name, url, ssh }) =>
    url === null ? [] : [{ name, url, ssh }],
  );
  const repos = unique(sources.map(({ repo }) => repo).filter((repo) => repo !== 'hexpm'));
  const closure = reach(prod, lock);
  const nif = [
    ...(ownCrate && lock.has('rustler') ? ['rustler'] : []),
    ...native(all, lock, paths.above.length > 0),
  ];
  return {
    nif,
    git: gitSources.map(({ name }) => name),
    path: unique(
      projects
        .flatMap(({ deps }) => deps)
        .filter(({ prod, options }) => prod && get(options, 'path') && !get(options, 'in_umbrella'))
        .map(({ name }) => name),
    ),
    private: sources.filter(({ ssh, repo }) => ssh || repo !== 'hexpm').map(({ name }) => name),
    pathSources: paths.found,
    gitSources,
    /** Private hex organisations, e.g. "acme" for `organization: "acme"`. */
    hexOrganizations: repos
      .filter((repo) => repo.startsWith('hexpm:'))
      .map((repo) => repo.slice(6)),
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
    closure: [...closure],
  };
}

/** Packages and all that they need, by mix.lock. */
function reach(roots: readonly Dep[], lock: Lock): Set<string> {
  const reached = new Set(roots.map(({ name }) => name));
  for (const name of reached) for (const need of lock.get(name)?.deps ?? []) reached.add(need);
  return reached;
}

/** Packages with native code, but those that only dev and test lead to, or that are left over in mix.lock. */
function native(projects: readonly MixProject[], lock: Lock, isAbove: boolean): string[] {
  const deps = projects.flatMap((project) => project.deps);
  const inProd = reach(
    deps.filter(({ prod }) => prod),
    lock,
  );
  const elsewhere = reach(
    deps.filter(({ prod }) => !prod),
    lock,
  );
  const isIncomplete = projects.some(({ depsIncomplete }) => depsIncomplete) || isAbove;
  const hasGit = deps.some((dep) => isGitCode(dep, lock));
  return [...lock].flatMap(([name, { source, deps: needs }]) => {
    const mayBeUsed = isIncomplete || (hasGit && !DIRECT.test(name));
    const isUsed = inProd.has(name) || (mayBeUsed && !elsewhere.has(name));
    const builds =
      needs.some((need) => BUILDERS.test(need)) ||
      SILENT.has(name) ||
      // mix.lock doesn't list what a git dependency needs
      (source === 'git' && (MUSL.has(name) || GLIBC.has(name)));
    return isUsed && builds && !TOOLS.test(name) ? [name] : [];
  });
}

/** What it needs is not in mix.lock. */
const isGitCode = ({ name, prod, options }: Dep, lock: Lock): boolean =>
  prod &&
  lock.get(name)?.source === 'git' &&
  get(options, 'compile') !== false &&
  get(options, 'app') !== false;
