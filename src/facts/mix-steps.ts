import { evaluate } from '../elixir/evaluate.ts';
import { modulesIn } from '../elixir/modules.ts';
import { moduleScope } from '../elixir/scope.ts';
import { parseElixir, walk } from '../elixir/syntax.ts';
import { get } from '../elixir/value.ts';
import { below, normalize, type Tree } from '../tree.ts';
import type { MixProject } from './mix-project.ts';
import type { StartedProgram } from './programs.ts';

/** What a build does beyond the stock steps, by mix.exs. Paths are relative to the app. */
export interface MixSteps {
  /** Files and folders that mix.exs copies into the release: in a step of the release, or as overlays. */
  copied: string[];
  /** mix.exs runs git, or reads below .git: what it asks for. null: neither. */
  git: 'history' | 'head' | null;
  /** Only modules run git, while they compile; mix.exs and the configuration load without. */
  gitLater: boolean;
}

const RUNS_GIT = /(?:System\.(?:cmd|shell)|:os\.cmd)\(?\s*(?:~c)?["'(]+\s*git\b|~c?["']git /;
const READS_GIT = /["'/]\.git\//;

/** @param more files that mix.exs or the configuration reads */
export function mixSteps(
  tree: Tree,
  projects: readonly MixProject[],
  more: readonly string[],
  programs: readonly StartedProgram[],
): MixSteps {
  const scripts = projects.map(({ dir }) => below(dir, 'mix.exs'));
  const texts = [...scripts, ...more].map((file) => tree.read(file) ?? '');
  const early = gitUse(texts);
  const later = programs.some(({ name, compileTime }) => compileTime && name === 'git');
  const copied = projects.flatMap((project) =>
    [...copiedBy(tree.read(below(project.dir, 'mix.exs')) ?? ''), ...overlays(project)].map(
      (path) => normalize(below(project.dir, path)),
    ),
  );
  return {
    copied: [...new Set(copied)].filter(
      (path) => tree.paths.has(path) || [...tree.paths].some((one) => one.startsWith(`${path}/`)),
    ),
    git: early ?? (later ? 'history' : null),
    gitLater: early === null && later,
  };
}

function gitUse(texts: readonly string[]): MixSteps['git'] {
  if (texts.some((text) => RUNS_GIT.test(text))) return 'history';
  return texts.some((text) => READS_GIT.test(text)) ? 'head' : null;
}

/** Literal sources of File.cp/2, File.cp_r/2 and the like. */
function copiedBy(text: string): string[] {
  const found: string[] = [];
  for (const { body } of modulesIn(parseElixir(text).body)) {
    const scope = moduleScope(body);
    walk(body, (expr) => {
      if (expr.is !== 'call' || expr.on?.is !== 'module' || expr.on.name !== 'File') return;
      if (!/^(cp_r!?|cp!?|copy!?|ln_s!?)$/.test(expr.name)) return;
      const path = evaluate(expr.args[0], scope);
      if (typeof path === 'string' && !path.startsWith('/')) found.push(path);
    });
  }
  return found;
}

/** `overlays:` of the releases. */
const overlays = ({ releaseOptions }: MixProject): string[] =>
  [...releaseOptions.values()]
    .flatMap((options) => [get(options, 'overlays') ?? []].flat())
    .filter((path) => typeof path === 'string');
