import { posix } from 'node:path';
import { evaluate } from '../elixir/evaluate.ts';
import { type Expr, isDefinition, isOperator, moduleOf, walk } from '../elixir/expr.ts';
import { innerScope, type Scope } from '../elixir/scope.ts';
import { exists, normalize, type Tree } from '../tree.ts';
import type { PathDependencies } from './deps.ts';
import type { MixProject } from './mix-project.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';
import { unique } from './unique.ts';

/** In the app's folder these hold for the crates in native/: a workspace, its lock, the toolchain. */
const CARGO_FILES =
  'Cargo.toml Cargo.lock .cargo/config.toml rust-toolchain.toml rust-toolchain'.split(' ');

export type Inputs = ReturnType<typeof readInputs>;

/** Files and folders of the repo that the build reads, relative to the app; what lies above the app's folder is noted. */
export function readInputs(repo: PhoenixRepo, paths: PathDependencies) {
  const { tree, projects, config, code, notes } = repo;
  const mixFiles = [...projects, ...paths.projects];
  const mix = mixFiles.flatMap(({ inputs }) => inputs);
  const { buildInputs, runtimeInputs } = config;
  const compile = [
    ...compileInputs(repo),
    ...CARGO_FILES.filter((file) => code.rustler && tree.paths.has(file)),
  ];
  const inputsAbove = [...mix, ...buildInputs, ...runtimeInputs, ...compile].filter(isAbove);
  const outside = unique([...inputsAbove, ...paths.above]);
  if (outside.length)
    notes.push(
      `The build reads ${outside.join(', ')} above the app's folder, which an image of that folder can't hold.`,
    );
  const inside = (inputs: readonly string[]) => unique(inputs.filter((path) => !isAbove(path)));
  return {
    /** Files that a mix.exs (of the app, an umbrella's app or a path dependency) reads while it loads; wanted before deps.get. */
    mix: inside(mix),
    /** Those of them without which a mix.exs can't be loaded. */
    requiredByMix: inside(mixFiles.flatMap(({ requiredInputs }) => requiredInputs)),
    /** Files that the build's config files read: helper modules, texts. */
    config: inside(buildInputs),
    /** The same of runtime.exs (or releases.exs); a release doesn't bring them along by itself. */
    runtime: inside(runtimeInputs),
    /** Files and folders beyond lib/, priv/, assets/ and config/ that modules read while they are compiled. */
    compile: inside(compile),
    /** Read by one of the above, but above the app's folder: no COPY reaches it there. */
    outside,
  };
}

const isAbove = (path: string): boolean => path.startsWith('..');

/** `@external_resource`, `File.read!("x")`, `EEx.function_from_file(…)`, `Path.wildcard("x/*")` */
const READS_FILES =
  /@external_resource|File\.(?:read|stream!|ls)|_file!?\(|Path\.wildcard|function_from_file|import_sdl|embed_templates/;
/** A macro with a path among its options: `use NimblePublisher, build: Post, from: "posts/*.md"` */
const USES_PATH = /^ *use [\w.]+(?=,)(?:.*,\n){0,8}.*\b\w+: *(?:"|Path\.|@)/m;

const mayReadFiles = (text: string): boolean => READS_FILES.test(text) || USES_PATH.test(text);

/** Text without its functions, as `mix format` indents them: parsing all files that read one in a function would take long. */
function outsideFunctions(text: string): string {
  /** The line that ends the function that the lines are in. */
  let end: string | undefined;
  const kept = text.split('\n').filter((line) => {
    if (end !== undefined) {
      if (line.startsWith(end)) end = undefined;
      return false;
    }
    const [, indent] = /^( *)def(?:p|macrop?)? .* do\r?$/.exec(line) ?? [];
    if (indent !== undefined) end = `${indent}end`;
    return indent === undefined;
  });
  return kept.join('\n');
}

function compileInputs({ tree, sources, projects }: PhoenixRepo): string[] {
  const files = sources.files.filter((file) => {
    const text = sources.text(file);
    return mayReadFiles(text) && mayReadFiles(outsideFunctions(text));
  });
  const paths = files.flatMap((file) => {
    const project = projects.findLast(({ dir }) => dir !== '.' && file.startsWith(`${dir}/`));
    const folders = { dir: `/${posix.dirname(file)}`, cwd: `/${project?.dir ?? '.'}` };
    return sources
      .modules(file)
      .flatMap(({ body, scope }) => pathsRead(body, { ...innerScope(scope), ...folders }));
  });
  return unique(paths).flatMap((path) => notInImage(path, tree, projects));
}

/** The paths that a module's body reads while it is compiled: outside of functions. */
function pathsRead(body: readonly Expr[], scope: Scope): string[] {
  const paths: string[] = [];
  walk(body, (expr, ancestors) => {
    const parent = ancestors.at(-1);
    if (!isPath(expr) || isLongerPath(parent) || ancestors.some(isDefinition)) return;
    const reader = [...ancestors, expr].findLast(isReader);
    if (!reader) return;
    for (const path of [evaluate(expr, scope)].flat())
      if (typeof path === 'string' && path) paths.push(...resolve(path, reader, parent, scope));
  });
  return paths;
}

/** Mix runs in the project's folder, whatever file it compiles; a macro may start from that file. */
function resolve(path: string, reader: Expr, parent: Expr | undefined, scope: Scope): string[] {
  const { dir, cwd } = scope;
  if (path.startsWith('/')) return [normalize(path)];
  if (reader.is !== 'call' || reader.target) return [normalize(`${cwd}/${path}`)];
  const isTemplate = parent?.is === 'call' && parent.name === 'embed_templates';
  const starts = path.startsWith('.') ? [dir, cwd] : [cwd];
  return (isTemplate ? [dir] : starts)
    .map((start) => normalize(`${start}/${path}`))
    .filter((full) => !isAbove(full));
}

/** A text may be a path unless it begins with /, as the app's routes do. */
const isPath = (expr: Expr): boolean =>
  expr.is === 'string'
    ? !/^\//.test(String(expr.parts[0]))
    : moduleOf(expr) === 'Path' || (expr.is === 'attribute' && !expr.value);

/** What holds a path as a part of another, or of a list. */
const isLongerPath = (parent: Expr | undefined): boolean =>
  parent !== undefined && (/^(list|string)$/.test(parent.is) || moduleOf(parent) === 'Path');

/** What reads the path inside: a function of a module, some macros, a variable that is read later. */
function isReader(expr: Expr): boolean {
  if (expr.is !== 'call')
    return isOperator(expr, '=') || (expr.is === 'attribute' && expr.name === 'external_resource');
  if (/^(use|import_sdl|embed_templates)$|_file!?$/.test(expr.name)) return true;
  return expr.target !== undefined && (moduleOf(expr) !== 'Path' || expr.name === 'wildcard');
}

/** What the image has anyway. */
export const COPIED = /^(_build|assets|config|deps|lib|mix\.exs|mix\.lock|priv|test|web)(\/|$)/;

/** The file or folder that a path or pattern names; none where the image has it anyway. */
function notInImage(path: string, tree: Tree, projects: readonly MixProject[]): string[] {
  if (isAbove(path)) return [path];
  if (projects.some(({ dir }) => dir !== '.' && path.startsWith(`${dir}/`))) return [];
  const [beforeStar = ''] = path.split('*', 1);
  const folder = beforeStar.slice(0, Math.max(0, beforeStar.lastIndexOf('/')));
  const name = beforeStar === path ? path : folder;
  return !COPIED.test(name) && exists(tree, name) ? [name] : [];
}
