import { get, type Value } from '../elixir/value.ts';
import { below, normalize } from '../tree.ts';
import type { Locked } from './lock.ts';
import type { Dep, MixProject } from './mix-project.ts';
import { PACKAGES } from './package-needs.ts';

/** Packages whose dependents compile or download native code. */
const BUILDERS = [
  'elixir_make',
  'rustler',
  'rustler_precompiled',
  'cc_precompiler',
  'bundlex',
  'zigler',
  'unifex',
];
/** Of those, the ones that bring nothing native themselves. */
const TOOLS = new Set([
  'elixir_make',
  'membrane_precompiled_dependency_provider',
  'rustler',
  'rustler_precompiled',
  'cc_precompiler',
  'zigler',
]);
/** Native code that mix.lock doesn't show: C built by rebar3 or by the package's own mix.exs. */
const SILENT = new Set(Object.keys(PACKAGES).filter((name) => PACKAGES[name]?.native));
/** Packages that apps name themselves: with nothing leading to them they are left over in mix.lock. */
const DIRECT = new Set([
  'appsignal',
  'argon2_elixir',
  'bcrypt_elixir',
  'comeonin',
  'erlexec',
  'fast_html',
  'html5ever',
  'pbkdf2_elixir',
  'rambo',
]);
/** The well-known ones, for when they come from git: mix.lock then lists no dependencies. */
const KNOWN = new Set([
  'argon2_elixir',
  'bcrypt_elixir',
  'evision',
  'ex_keccak',
  'ex_secp256k1',
  'exla',
  'explorer',
  'exqlite',
  'html5ever',
  'lumis',
  'mdex_native',
  'mjml',
  'picosat_elixir',
  'resvg',
  'tokenizers',
  'torchx',
  'vix',
]);

export interface Dependencies {
  nif: string[];
  git: string[];
  path: string[];
  private: string[];
}

/**
 * Which dependencies of a production build need more than hex and Elixir.
 * @param projects mix.exs files of the app and of an umbrella's apps; `paths`: those of path dependencies in the repo
 */
export function dependencies(
  projects: readonly MixProject[],
  paths: readonly MixProject[],
  lock: ReadonlyMap<string, Locked>,
  ownCrate: boolean,
): Dependencies {
  const prod = projects.flatMap((project) => project.deps.filter((dep) => dep.prod));
  const names = (test: (dep: Dep) => boolean) => [
    ...new Set(prod.filter(test).map((dep) => dep.name)),
  ];
  return {
    nif: [
      ...(ownCrate && lock.has('rustler') ? ['rustler'] : []),
      ...native([...projects, ...paths], lock),
    ],
    git: names(
      (dep) =>
        get(dep.options, 'git') !== undefined ||
        get(dep.options, 'github') !== undefined ||
        lock.get(dep.name)?.source === 'git',
    ),
    path: names(
      (dep) =>
        get(dep.options, 'path') !== undefined && get(dep.options, 'in_umbrella') === undefined,
    ),
    private: names((dep) => {
      const repo = get(dep.options, 'repo');
      const url = get(dep.options, 'git');
      return (
        get(dep.options, 'organization') !== undefined ||
        (typeof repo === 'string' && repo !== 'hexpm') ||
        (typeof url === 'string' && /^(ssh:|git@)/.test(url))
      );
    }),
  };
}

function native(projects: readonly MixProject[], lock: ReadonlyMap<string, Locked>): string[] {
  const left = leftOver(projects, lock);
  return [...lock].flatMap(([name, one]) => {
    // Until version 4, comeonin held the C code that argon2_elixir and its siblings have now
    const silent = SILENT.has(name) || (name === 'comeonin' && /^[0-3]\./.test(one.version ?? ''));
    const builds =
      one.deps.some((need) => BUILDERS.includes(need)) ||
      silent ||
      (one.source === 'git' && KNOWN.has(name));
    return builds && !TOOLS.has(name) && !left.has(name) ? [name] : [];
  });
}

/** Packages that only dev and test lead to, and those that nothing leads to any more. */
function leftOver(projects: readonly MixProject[], lock: ReadonlyMap<string, Locked>): Set<string> {
  const deps = projects.flatMap((project) => project.deps);
  const inProd = reach(
    deps.filter((dep) => dep.prod),
    lock,
  );
  return new Set(
    [
      ...reach(
        deps.filter((dep) => !dep.prod),
        lock,
      ),
      ...orphans(projects, lock),
    ].filter((name) => !inProd.has(name)),
  );
}

/** Packages and all that they need, by mix.lock. */
export function reach(roots: readonly Dep[], lock: ReadonlyMap<string, Locked>): Set<string> {
  const reached = new Set(roots.map((root) => root.name));
  for (const name of reached) for (const need of lock.get(name)?.deps ?? []) reached.add(need);
  return reached;
}

/** What stays in mix.lock after its last user went, as far as it can be told from what only an unreadable mix.exs asks for. */
function orphans(
  projects: readonly MixProject[],
  lock: ReadonlyMap<string, Locked>,
): Iterable<string> {
  const above = (dir: string, path: Value | undefined) =>
    typeof path === 'string' && /^(\.\.|\/)/.test(normalize(below(dir, path)));
  if (
    projects.some(
      (project) =>
        project.depsIncomplete ||
        project.deps.some((dep) => above(project.dir, get(dep.options, 'path'))),
    )
  )
    return [];
  // mix.lock doesn't list what a git dependency needs
  const code = (dep: Dep) =>
    dep.prod &&
    lock.get(dep.name)?.source === 'git' &&
    get(dep.options, 'compile') !== false &&
    get(dep.options, 'app') !== false;
  return projects.some((project) => project.deps.some(code)) ? DIRECT : lock.keys();
}
