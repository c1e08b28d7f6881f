import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { Problem } from './problem.ts';

/** A read-only view of a repo: relative paths with `/`, text on demand. Everything that is decided about a repo is decided from this. */
export interface Tree {
  paths: ReadonlySet<string>;
  /** Text of a file, undefined when there is none (or it can't be read as text). */
  read(path: string): string | undefined;
  /** Whether a file may be executed; undefined: it can't be told. */
  executable?(path: string): boolean | undefined;
  /** How many folders above still belong to the repo; `read('../x')` sees files there, `paths` does not. */
  above?: number;
}

export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return {
    paths: new Set(Object.keys(files)),
    read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
  };
}

/** The same tree seen from a folder in it. */
export function subtree(tree: Tree, folder: string): Tree {
  if (folder === '.') return tree;
  const prefix = `${folder}/`;
  const outer = (path: string, parts: readonly string[]): string =>
    path.startsWith('../') && parts.length
      ? outer(path.slice(3), parts.slice(0, -1))
      : [...parts, path].join('/');
  const paths = [...tree.paths]
    .filter((path) => path.startsWith(prefix))
    .map((path) => path.slice(prefix.length));
  return {
    paths: new Set(paths),
    read: (path) => tree.read(outer(path, folder.split('/'))),
    executable: (path) => tree.executable?.(`${prefix}${path}`),
    above: (tree.above ?? 0) + folder.split('/').length,
  };
}

const NEVER = new Set([
  '.git',
  'deps',
  '_build',
  'node_modules',
  '.elixir_ls',
  '.lexical',
  '.expert',
  'cover',
  '.fetch',
  '.hex',
  '.mix',
  'doc',
]);
const MOST_PATHS = 50_000;
const LARGEST = 1 << 20;

/**
 * Opens a folder on disk. Symbolic links are not followed, build output is not looked at, a file is
 * read when it is first asked for.
 * @throws Problem when the folder can't be read
 */
export function openTree(root: string): Tree {
  const paths = new Set<string>();
  const list = (folder: string) => {
    for (const entry of entries(root, folder)) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory()) {
        if (!NEVER.has(entry.name) && paths.size < MOST_PATHS) list(path);
      } else if (entry.isFile()) paths.add(path);
    }
  };
  list('');
  const texts = new Map<string, string | undefined>();
  const above = foldersAbove(root);
  return {
    paths,
    above,
    read(path) {
      if (!texts.has(path)) texts.set(path, inRepo(path, above) ? readText(root, path) : undefined);
      return texts.get(path);
    },
    executable: (path) => (paths.has(path) ? isExecutable(join(root, path)) : undefined),
  };
}

/** Up to the folder that git takes for the repo's root; none when there is no such folder. */
function foldersAbove(root: string): number {
  const folders = resolve(root).split(sep);
  const git = folders.findLastIndex((_, index) =>
    existsSync(join(folders.slice(0, index + 1).join(sep) || sep, '.git')),
  );
  return git < 0 ? 0 : folders.length - 1 - git;
}

/** `../` leads no further up than to the repo's root, and stands nowhere but in front. */
function inRepo(path: string, above: number): boolean {
  const parts = path.split('/');
  const ups = parts.filter((part) => part === '..').length;
  return ups <= above && parts.slice(0, ups).every((part) => part === '..');
}

function entries(root: string, folder: string) {
  try {
    return readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  } catch (error) {
    if (folder) return [];
    throw Problem.from(error, `can't read the folder ${root}`);
  }
}

/** Windows has no such bit. */
function isExecutable(file: string): boolean | undefined {
  return process.platform === 'win32' ? undefined : (lstatSync(file).mode & 0o111) !== 0;
}

function readText(root: string, path: string): string | undefined {
  const full = join(root, path);
  try {
    const stat = lstatSync(full);
    return stat.isFile() && stat.size <= LARGEST ? readFileSync(full, 'utf8') : undefined;
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code === 'ENOENT' ||
      (error as NodeJS.ErrnoException).code === 'ENOTDIR'
    )
      return undefined;
    throw Problem.from(error, `can't read ${path}`);
  }
}
