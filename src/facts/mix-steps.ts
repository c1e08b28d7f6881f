import { evaluate } from '../elixir/evaluate.ts';
import { moduleOf, walk } from '../elixir/expr.ts';
import { modulesIn } from '../elixir/modules.ts';
import { moduleScope } from '../elixir/scope.ts';
import { parseElixir } from '../elixir/syntax.ts';
import { get, type Value } from '../elixir/value.ts';
import { below, normalize, type Tree } from '../tree.ts';
import { followed, type MixProject } from './mix-project.ts';
import type { StartedProgram } from './programs.ts';
import { COPIED, namesIn } from './reads.ts';

const RUNS_GIT = /(?:System\.(?:cmd|shell)|:os\.cmd)\(?\s*(?:~c)?["'(]+\s*git\b|~c?["']git /;
const READS_GIT = /["'/]\.git\//;

/**
 * What a build does beyond the stock steps, by mix.exs. Paths are relative to the app.
 * @param more files that mix.exs or the configuration reads
 */
export function mixSteps(
  tree: Tree,
  projects: readonly MixProject[],
  more: readonly string[],
  programs: readonly StartedProgram[],
) {
  const mixFiles = projects.map(({ dir }) => below(dir, 'mix.exs'));
  const text = [...mixFiles, ...more].map((file) => tree.read(file) ?? '').join('\n');
  const readsGit = READS_GIT.test(text) ? 'head' : null;
  const early: 'history' | 'head' | null = RUNS_GIT.test(text) ? 'history' : readsGit;
  const gitLater =
    !early && programs.some(({ name, compileTime }) => compileTime && name === 'git');
  const copied = projects.flatMap(({ dir, releaseOptions }) =>
    [
      ...copiedBy(tree.read(below(dir, 'mix.exs')) ?? ''),
      ...[...releaseOptions.values()].flatMap((options) => get(options, 'overlays') ?? []),
    ].flatMap((path) =>
      typeof path === 'string' && !path.startsWith('/') ? normalize(below(dir, path)) : [],
    ),
  );
  const names = namesIn(tree);
  return {
    /**
     * Files and folders that mix.exs copies into the release, in a step of the release or as overlays, those of scripts
     * that an alias runs in the image, and of the compilers elixir_make and gleam.
     */
    copied: [...new Set([...copied, ...scripts(tree, projects), ...made(tree, projects)])].filter(
      (path) => names.has(path),
    ),
    /** mix.exs runs git, or reads below .git: what it asks for. null: neither. */
    git: gitLater ? 'history' : early,
    /** Only modules run git, while they compile; mix.exs and the configuration load without. */
    gitLater,
  };
}

/** A file of secrets stays out, whoever sources it. */
const SECRET = /(^|\/)\.env|\.secret\.exs$/;

/** Aliases that the image runs. */
const RUN = /^(assets\.(setup|deploy)|deps\.(get|compile)|compile|release|phx\.digest)$/;

/** What `cmd scripts/stamp.sh`, `run rel/stamp.exs` or `cmd make icons` needs: the script's folder, or a file at the top. */
function scripts(tree: Tree, projects: readonly MixProject[]): string[] {
  return projects.flatMap((project) => {
    const { dir, aliases } = project;
    const seen = new Set<string>();
    return [...aliases.keys()]
      .filter((name) => RUN.test(name))
      .flatMap((name) => followed(project, name, [], seen))
      .filter((step) => /^(cmd|run)\b/.test(step))
      .flatMap((step) => step.split(/[\s'"]+/))
      .map((word) => normalize(below(dir, word === 'make' ? 'Makefile' : word)))
      .filter((path) => tree.paths.has(path) && !COPIED.test(path) && !SECRET.test(path))
      .map((path) => path.replace(/\/[^/]*$/, ''));
  });
}

/** What compilers read: gleam its settings; elixir_make a Makefile and the folders that it names, or the folder where it runs. */
function made(tree: Tree, projects: readonly MixProject[]): string[] {
  return projects.flatMap(({ compilers, dir }) => {
    if (compilers.includes('gleam')) return below(dir, 'gleam.toml');
    if (!compilers.includes('elixir_make')) return [];
    const text = tree.read(below(dir, 'mix.exs')) ?? '';
    const cwd = normalize(/make_cwd: *"([^"]+)"/.exec(text)?.[1] ?? '');
    const [, makefile = 'Makefile'] = /make_makefile: *"([^"]+)"/.exec(text) ?? [];
    // `-Ivendor_c`, `src/nif.c`, `nif.c`
    const named = (tree.read(below(dir, makefile)) ?? '').matchAll(
      /-I *(\w[\w.-]*)|\b(\w[\w.-]*)\/|\b(\w[\w-]*\.(?:cc?|cpp|hp*|mk))\b/g,
    );
    const words = new Set([...named].map(([, ...names]) => names.find(Boolean) ?? ''));
    const paths = cwd ? [cwd] : [makefile, 'c_src', ...words];
    return paths.map((path) => normalize(below(dir, path))).filter((path) => !COPIED.test(path));
  });
}

/** What File.cp/2, File.cp_r/2 and the like copy. */
function copiedBy(text: string): Value[] {
  const found: Value[] = [];
  for (const { body } of modulesIn(parseElixir(text).body))
    walk(body, (expr) => {
      if (expr.is === 'call' && moduleOf(expr) === 'File' && /^(cp|copy|ln_s)/.test(expr.name))
        found.push(evaluate(expr.args[0], moduleScope(body)));
    });
  return found;
}
