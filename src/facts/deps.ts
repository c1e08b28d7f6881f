import { get } from '../elixir/value.ts';
import type { Locked } from './lock.ts';
import { below, normalize } from './paths.ts';
import type { Dep, MixProject } from './mix-project.ts';

/** Packages whose dependents compile or download native code. */
const BUILDERS = ['elixir_make', 'rustler', 'rustler_precompiled', 'cc_precompiler', 'bundlex', 'zigler', 'unifex'];
/** Of those, the ones that bring nothing native themselves. */
const TOOLS = new Set(['elixir_make', 'membrane_precompiled_dependency_provider', 'rustler', 'rustler_precompiled', 'cc_precompiler', 'zigler']);
/** Native code that mix.lock doesn't show: C built by rebar3 or by the package's own mix.exs. */
const SILENT = new Set(['appsignal', 'brotli', 'bundlex', 'cmark', 'crc', 'crc32cer', 'eimp', 'enacl', 'erlexec', 'esqlite', 'ezstd', 'fast_tls', 'fast_xml', 'fast_yaml', 'iconv', 'jiffy', 'lz4', 'lz4b', 'pbkdf2', 'prometheus_process_collector', 'rambo', 're2', 'sippet', 'snappyer', 'stringprep', 'xla']);
/** Packages that apps name themselves: with nothing leading to them they are left over in mix.lock. */
const DIRECT = new Set(['appsignal', 'argon2_elixir', 'bcrypt_elixir', 'comeonin', 'erlexec', 'fast_html', 'html5ever', 'pbkdf2_elixir', 'rambo']);
/** The well-known ones, for when they come from git: mix.lock then lists no dependencies. */
const KNOWN = new Set(['argon2_elixir', 'bcrypt_elixir', 'evision', 'ex_keccak', 'ex_secp256k1', 'exla', 'explorer', 'exqlite', 'html5ever', 'lumis', 'mdex_native', 'mjml', 'picosat_elixir', 'resvg', 'tokenizers', 'torchx', 'vix']);

export interface Dependencies {
  nifDeps: string[];
  gitDeps: string[];
  pathDeps: string[];
  privateDeps: string[];
}

/** Which dependencies of a production build need more than hex and Elixir. */
export function dependencies(projects: readonly MixProject[], lock: ReadonlyMap<string, Locked>, ownCrate: boolean): Dependencies {
  const deps = projects.flatMap((project) => project.deps);
  // What can't be read, here or above the app's folder, may lead to them
  const direct = projects.some((project) => project.depsIncomplete || project.deps.some((dep) => unseen(project.dir, get(dep.options, 'path')))) ? [] : DIRECT;
  const prod = deps.filter((dep) => dep.prod);
  const names = (test: (dep: Dep) => boolean) => [...new Set(prod.filter(test).map((dep) => dep.name))];
  return {
    nifDeps: [...(ownCrate && lock.has('rustler') ? ['rustler'] : []), ...native(deps, lock, direct)],
    gitDeps: names((dep) => get(dep.options, 'git') !== undefined || get(dep.options, 'github') !== undefined || lock.get(dep.name)?.source === 'git'),
    pathDeps: names((dep) => get(dep.options, 'path') !== undefined && get(dep.options, 'in_umbrella') === undefined),
    privateDeps: names((dep) => {
      const repo = get(dep.options, 'repo');
      const url = get(dep.options, 'git');
      return get(dep.options, 'organization') !== undefined || (typeof repo === 'string' && repo !== 'hexpm') || (typeof url === 'string' && /^(ssh:|git@)/.test(url));
    }),
  };
}

const unseen = (dir: string, path: unknown): boolean => typeof path === 'string' && /^(\.\.|\/)/.test(normalize(below(dir, path)));

function native(deps: readonly Dep[], lock: ReadonlyMap<string, Locked>, direct: Iterable<string>): string[] {
  const left = leftOver(deps, lock, direct);
  return [...lock].flatMap(([name, one]) => {
    // Until version 4, comeonin held the C code that argon2_elixir and its siblings have now
    const silent = SILENT.has(name) || (name === 'comeonin' && /^[0-3]\./.test(one.version ?? ''));
    const builds = one.deps.some((need) => BUILDERS.includes(need)) || silent || (one.source === 'git' && KNOWN.has(name));
    return builds && !TOOLS.has(name) && !left.has(name) ? [name] : [];
  });
}

/**
 * Packages that only dev and test lead to, and `direct` ones that nothing leads to. Anything else that nothing leads to may belong to a git dependency,
 * whose own needs mix.lock doesn't list, and stays in.
 */
function leftOver(deps: readonly Dep[], lock: ReadonlyMap<string, Locked>, direct: Iterable<string>): Set<string> {
  const reach = (roots: readonly Dep[]): Set<string> => {
    const reached = new Set<string>();
    const visit = (name: string): void => {
      if (reached.has(name)) return;
      reached.add(name);
      lock.get(name)?.deps.forEach(visit);
    };
    roots.forEach((root) => visit(root.name));
    return reached;
  };
  const inProd = reach(deps.filter((dep) => dep.prod));
  return new Set([...reach(deps.filter((dep) => !dep.prod)), ...direct].filter((name) => !inProd.has(name)));
}
