import { evaluate } from '../elixir/evaluate.ts';
import { moduleOf, walk } from '../elixir/expr.ts';
import { modulesIn } from '../elixir/modules.ts';
import { moduleScope } from '../elixir/scope.ts';
import { parseElixir } from '../elixir/syntax.ts';
import { get, type Value } from '../elixir/value.ts';
import { below, exists, normalize, type Tree } from '../tree.ts';
import { COPIED, type Inputs } from './inputs.ts';
import { aliasSteps, type MixProject } from './mix-project.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';
import type { StartedProgram } from './programs.ts';
import { unique } from './unique.ts';

/** `System.cmd("git", …)`, `:os.cmd(~c"git …")`, `"git rev-parse HEAD"` */
const RUNS_GIT = /(?:System\.(?:cmd|shell)|:os\.cmd)\(?\s*(?:~c)?["'(]+\s*git\b|~c?["']git /;
const READS_GIT = /["'/]\.git\//;

/** What a build does beyond the stock steps, by mix.exs. Paths are relative to the app. */
export function mixSteps(
  { tree, projects, config, notes }: PhoenixRepo,
  inputs: Inputs,
  programs: readonly StartedProgram[],
) {
  const loaded = [...config.files, ...inputs.mix, ...inputs.config].map((file) => tree.read(file));
  const gitWhenLoaded = gitUse([...projects.map(({ text }) => text), ...loaded].join('\n'));
  const gitWhenCompiled = programs.some(({ name, compileTime }) => compileTime && name === 'git');
  const gitLater = gitWhenLoaded === null && gitWhenCompiled;
  const git = gitLater ? 'history' : gitWhenLoaded;
  if (git && tree.above)
    notes.push(
      "The build asks git for the version, and .git lies above the app's folder, where a Docker build can't read it; give it the version in a variable, or a default.",
    );
  const copied = projects.flatMap((project) => [
    ...releaseFiles(project),
    ...aliasScripts(tree, project),
    ...compilerFiles(tree, project),
  ]);
  return {
    /**
     * Files and folders that mix.exs copies into the release, in a step of the release or as overlays, those of scripts
     * that an alias runs in the image, and of the compilers elixir_make and gleam.
     */
    copied: unique(copied).filter((path) => exists(tree, path)),
    /** mix.exs runs git ("history"), or reads below .git ("head"). null: neither, or .git is out of the build's reach. */
    git: tree.above ? null : git,
    /** Only modules run git, while they compile; mix.exs and the configuration load without. */
    gitLater,
  };
}

function gitUse(text: string): 'history' | 'head' | null {
  if (RUNS_GIT.test(text)) return 'history';
  return READS_GIT.test(text) ? 'head' : null;
}

/** What File.cp/2, File.cp_r/2 and the like in mix.exs copy, and the overlays of its releases. */
function releaseFiles({ dir, text, releaseOptions }: MixProject): string[] {
  const sources: Value[] = [];
  for (const { body } of modulesIn(parseElixir(text).body))
    walk(body, (expr) => {
      if (expr.is === 'call' && moduleOf(expr) === 'File' && /^(cp|copy|ln_s)/.test(expr.name))
        sources.push(evaluate(expr.args[0], moduleScope(body)));
    });
  const overlays = [...releaseOptions.values()].flatMap(
    (options) => get(options, 'overlays') ?? [],
  );
  return [...sources, ...overlays]
    .filter((path): path is string => typeof path === 'string' && !path.startsWith('/'))
    .map((path) => normalize(below(dir, path)));
}

/** A file of secrets stays out, whoever sources it. */
const SECRET = /(^|\/)\.env|\.secret\.exs$/;

/** Aliases that the image runs. */
const IMAGE_ALIASES = /^(assets\.(setup|deploy)|deps\.(get|compile)|compile|release|phx\.digest)$/;

/** What `cmd scripts/stamp.sh`, `run rel/stamp.exs` or `cmd make icons` needs: the script's folder, or a file at the top. */
function aliasScripts(tree: Tree, project: MixProject): string[] {
  const { dir, aliases } = project;
  const seen = new Set<string>();
  const names = [...aliases.keys()].filter((name) => IMAGE_ALIASES.test(name));
  const steps = names.flatMap((name) => aliasSteps(project, name, seen));
  const words = steps
    .filter((step) => /^(cmd|run)\b/.test(step))
    .flatMap((step) => step.split(/[\s'"]+/));
  return words
    .map((word) => normalize(below(dir, word === 'make' ? 'Makefile' : word)))
    .filter((path) => tree.paths.has(path) && !COPIED.test(path) && !SECRET.test(path))
    .map((path) => path.replace(/\/[^/]*$/, ''));
}

/** In a Makefile: the folder of `-Ivendor_c`, the folder of `src/nif.c`, a file such as `nif.c`. */
const MAKEFILE_NAMES = /-I *(\w[\w.-]*)|\b(\w[\w.-]*)\/|\b(\w[\w-]*\.(?:cc?|cpp|hp*|mk))\b/g;

/** What compilers read: gleam its settings; elixir_make a Makefile and the folders that it names, or the folder where it runs. */
function compilerFiles(tree: Tree, { compilers, dir, text }: MixProject): string[] {
  if (compilers.includes('gleam')) return [below(dir, 'gleam.toml')];
  if (!compilers.includes('elixir_make')) return [];
  const cwd = normalize(/make_cwd: *"([^"]+)"/.exec(text)?.[1] ?? '');
  const [, makefile = 'Makefile'] = /make_makefile: *"([^"]+)"/.exec(text) ?? [];
  const matches = [...(tree.read(below(dir, makefile)) ?? '').matchAll(MAKEFILE_NAMES)];
  const names = matches.map(([, ...groups]) => groups.find(Boolean) ?? '');
  return (cwd ? [cwd] : [makefile, 'c_src', ...names])
    .map((path) => normalize(below(dir, path)))
    .filter((path) => !COPIED.test(path));
}
