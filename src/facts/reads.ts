import { posix } from 'node:path';
import { evaluate } from '../elixir/evaluate.ts';
import { type Expr, isDefinition, isOperator, moduleOf, walk } from '../elixir/expr.ts';
import { innerScope } from '../elixir/scope.ts';
import { normalize, type Tree } from '../tree.ts';
import type { PathDependencies } from './deps.ts';
import type { MixProject } from './mix-project.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';
import type { Sources } from './sources.ts';

/** At the app's top they hold for the crates in native/: a workspace, its lock, the toolchain. */
const CARGO = [
  'Cargo.toml',
  'Cargo.lock',
  '.cargo/config.toml',
  'rust-toolchain.toml',
  'rust-toolchain',
];

/** Files and folders of the repo that the build reads, relative to the app; what lies above the app's folder is noted. */
export function buildReads(repo: PhoenixRepo, paths: PathDependencies) {
  const { tree, projects, config, runtime, sources, code, notes } = repo;
  const mixFiles = [...projects, ...paths.projects];
  const inside = (found: readonly string[]) => [
    ...new Set(found.filter((path) => !path.startsWith('..'))),
  ];
  const early = [...config.reads].flatMap(([file, read]) => (file === runtime ? [] : [...read]));
  const mix = mixFiles.flatMap(({ reads }) => reads);
  const late = [...(config.reads.get(runtime ?? '') ?? [])];
  const compile = [
    ...compileReads(tree, sources, projects),
    ...CARGO.filter((file) => code.rustler && tree.paths.has(file)),
  ];
  const read = [...mix, ...early, ...late, ...compile].filter((path) => path.startsWith('..'));
  const outside = [...new Set([...read, ...paths.above])];
  if (outside.length)
    notes.push(
      `The build reads ${outside.join(', ')} above the app's folder, which an image of that folder can't hold.`,
    );
  return {
    /** Files that a mix.exs (of the app, an umbrella's app or a path dependency) reads while it loads; wanted before deps.get. */
    mix: inside(mix),
    /** Those of them without which a mix.exs can't be loaded. */
    mixDemands: inside(mixFiles.flatMap(({ demands }) => demands)),
    /** Files that the build's config files read: helper modules, texts. */
    config: inside(early),
    /** The same of runtime.exs (or releases.exs); a release doesn't bring them along by itself. */
    runtime: inside(late),
    /** Files and folders beyond lib/, priv/, assets/ and config/ that modules read while they are compiled. */
    compile: inside(compile),
    /** Read by one of the above, but above the app's folder: no COPY reaches it there. */
    outside,
  };
}

/** Files that may read others while they are compiled; the last of these is a macro that is told where to. */
const READS =
  /@external_resource|File\.(?:read|stream!|ls)|_file!?\(|Path\.wildcard|function_from_file|import_sdl|embed_templates|^ *use [\w.]+(?=,)(?:.*,\n){0,8}.*\b\w+: *(?:"|Path\.|@)/m;

/** Text without its functions, as `mix format` indents them: parsing all that read a file somewhere would take long. */
function outsideFunctions(text: string): string {
  let end: string | undefined;
  const kept = text.split('\n').filter((line) => {
    const isInside = end !== undefined;
    if (end !== undefined && line.startsWith(end)) end = undefined;
    const [, indent] = (!isInside && /^( *)def(?:p|macrop?)? .* do\r?$/.exec(line)) || [];
    if (indent !== undefined) end = `${indent}end`;
    return !isInside && indent === undefined;
  });
  return kept.join('\n');
}

/** Paths given to what reads while a module compiles. */
function compileReads(tree: Tree, sources: Sources, projects: readonly MixProject[]): string[] {
  const files = sources.matching(READS).filter((file) => {
    return READS.test(outsideFunctions(sources.text(file)));
  });
  const found = files.flatMap((file) => {
    const project = projects.findLast(({ dir }) => dir !== '.' && file.startsWith(`${dir}/`));
    const cwd = project?.dir ?? '.';
    return sources.modules(file).flatMap(({ body, scope }) => {
      const within = {
        ...innerScope(scope),
        dir: `/${file.replace(/\/[^/]*$/, '')}`,
        cwd: `/${cwd}`,
      };
      const paths: string[] = [];
      walk(body, (expr, around) => {
        const parent = around.at(-1);
        if (!isPath(expr) || isPart(parent) || around.some(isDefinition)) return;
        const reader = [...around, expr].findLast(isReader);
        const isMacro = reader?.is === 'call' && !reader.target;
        const embeds = parent?.is === 'call' && parent.name === 'embed_templates';
        for (const path of reader ? [evaluate(expr, within)].flat() : []) {
          if (typeof path !== 'string' || !path) continue;
          // Mix runs in the project's folder, whatever file it compiles; macros may go out from the file
          const beside = isMacro && path.startsWith('.') ? [within.dir, within.cwd] : [within.cwd];
          const full = (embeds ? [within.dir] : beside).map((from) => normalize(`${from}/${path}`));
          if (path.startsWith('/')) paths.push(normalize(path));
          else paths.push(...full.filter((one) => !isMacro || !one.startsWith('..')));
        }
      });
      return paths;
    });
  });
  const names = found.length ? namesIn(tree) : new Set<string>();
  return [...new Set(found)].flatMap((path) => place(names, path, projects));
}

/** A text that begins with / is a route of the app. */
const isPath = (expr: Expr): boolean =>
  expr.is === 'string'
    ? !/^\//.test(String(expr.parts[0]))
    : moduleOf(expr) === 'Path' || (expr.is === 'attribute' && !expr.value);

const isPart = (parent: Expr | undefined): boolean =>
  parent !== undefined && (/^(list|string)$/.test(parent.is) || moduleOf(parent) === 'Path');

/** What reads a path that stands in it: functions of a module, some macros, a variable that is read later. */
const isReader = (expr: Expr): boolean =>
  expr.is === 'call'
    ? (expr.target && (moduleOf(expr) !== 'Path' || expr.name === 'wildcard')) ||
      /^(use|import_sdl|embed_templates)$|_file!?$/.test(expr.name)
    : isOperator(expr, '=') || (expr.is === 'attribute' && expr.name === 'external_resource');

/** What the image has anyway. */
export const COPIED = /^(_build|assets|config|deps|lib|mix\.exs|mix\.lock|priv|test|web)(\/|$)/;

/** The file or folder, that of a pattern too; nothing when the image has it anyway. */
function place(
  names: ReadonlySet<string>,
  path: string,
  projects: readonly MixProject[],
): string[] {
  if (path.startsWith('..')) return [path];
  if (projects.some(({ dir }) => dir !== '.' && path.startsWith(`${dir}/`))) return [];
  const [start = ''] = path.split('*', 1);
  const found = start === path ? path : start.slice(0, Math.max(0, start.lastIndexOf('/')));
  return names.has(found) && !COPIED.test(found) ? [found] : [];
}

/** All files and folders. */
export function namesIn({ paths }: Tree): Set<string> {
  const names = new Set(paths);
  for (const path of paths)
    for (let folder = posix.dirname(path); !names.has(folder); folder = posix.dirname(folder))
      names.add(folder);
  return names;
}
