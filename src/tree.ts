import * as fs from 'node:fs';
import { join, posix, sep } from 'node:path';
import { Problem } from './problem.ts';

/** A read-only view of a repo, from which everything about it is decided. Paths are relative and have `/`. */
export interface Tree {
  /** The files. */
  paths: ReadonlySet<string>;
  /** The text of a file; undefined where there is none, or it can't be read. */
  read(path: string): string | undefined;
  /** Whether a file has the executable bit; undefined where that can't be told. */
  executable?(path: string): boolean | undefined;
  /** A sentence for each file or folder that was not read. */
  skipped?: readonly string[];
  /** How many folders above belong to the same git repo: `read('../x')` sees files there, `paths` doesn't. */
  above?: number;
}

/** A tree of texts in memory. */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return {
    paths: new Set(Object.keys(files)),
    read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
  };
}

/** The same tree with a new file, or with another text in one. */
export const withFile = (tree: Tree, file: string, text: string): Tree => ({
  ...tree,
  paths: new Set([...tree.paths, file]),
  read: (path) => (path === file ? text : tree.read(path)),
});

/** The files below a folder; of a file's own path, that file. */
export const filesIn = ({ paths }: Tree, path: string): string[] =>
  [...paths].filter((file) => file === path || file.startsWith(`${path}/`));

/** Whether there is a file or a folder of that name. */
export const exists = (tree: Tree, path: string): boolean => filesIn(tree, path).length > 0;

/** The same tree seen from a folder in it. */
export function subtree(tree: Tree, folder: string): Tree {
  if (folder === '.') return tree;
  const prefix = `${folder}/`;
  const paths = [...tree.paths]
    .filter((path) => path.startsWith(prefix))
    .map((path) => path.slice(prefix.length));
  return {
    paths: new Set(paths),
    read: (path) => tree.read(below(folder, path)),
    executable: (path) => tree.executable?.(`${prefix}${path}`),
    above: (tree.above ?? 0) + folder.split('/').length,
    ...(tree.skipped && { skipped: tree.skipped }),
  };
}

const IGNORED_FOLDERS = new Set(
  '.git deps _build node_modules .elixir_ls .lexical .expert cover .fetch .hex .mix doc'.split(' '),
);
/** More than a repo has, with what its folder gathers on a developer's disk. */
const MAX_FILES = 200_000;

const MEGABYTE = 1 << 20;
const MAX_SIZE = 8 * MEGABYTE;
/** Files without which nothing can be said about the app. */
const REQUIRED_FILE =
  /(^|\/)(mix\.(exs|lock)|fly\.toml|Dockerfile|\.dockerignore|package\.json|yarn\.lock|pnpm-lock\.yaml|env\.sh\.eex|(config|runtime|releases|prod)\.exs|endpoint\.ex)$/;

/**
 * Opens a folder on disk. Symbolic links to files are followed within the repo, build output is left out, and a file is
 * read when it is first asked for.
 * @throws Problem when the folder, or later a required file, can't be read
 */
export function openTree(folder: string, maxFiles = MAX_FILES): Tree {
  const root = realPath(folder);
  if (root === undefined) throw new Problem(`there is no folder ${folder}`);
  const skipped: string[] = [];
  const paths = new Set(listFiles(root, skipped, maxFiles));
  const above = foldersAbove(root);
  const readFile = fileReader(root, above, skipped);
  const texts = new Map<string, string | undefined>();
  return {
    paths,
    above,
    skipped,
    read(path) {
      if (!texts.has(path)) texts.set(path, readFile(path));
      return texts.get(path);
    },
    executable(path) {
      // Windows has no such bit
      if (!paths.has(path) || process.platform === 'win32') return undefined;
      return (fs.statSync(join(root, path)).mode & 0o111) !== 0;
    },
  };
}

/** Breadth first, so that one large folder doesn't use up the limit before the others are listed. */
function listFiles(root: string, skipped: string[], maxFiles: number): string[] {
  const files: string[] = [];
  const folders = [''];
  const repo = repoOf(root);
  let count = 0;
  // The list grows while it is walked
  for (const folder of folders) {
    if (count > maxFiles) {
      skipped.push(
        `The repo has more than ${maxFiles} files: ${folder} and others were not looked at.`,
      );
      break;
    }
    for (const entry of entriesOf(root, folder, skipped)) {
      count++;
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isFile() || isLinkToFile(entry, join(root, path), repo)) files.push(path);
      else if (entry.isDirectory() && !IGNORED_FOLDERS.has(entry.name)) folders.push(path);
    }
  }
  return files.sort();
}

/** Links to folders are not followed: they may go round in a circle. */
const isLinkToFile = (entry: fs.Dirent, path: string, repo: string): boolean =>
  entry.isSymbolicLink() &&
  isInside(path, repo) &&
  fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function entriesOf(root: string, folder: string, skipped: string[]): fs.Dirent[] {
  try {
    return fs.readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (!folder) throw Problem.from(error, `can't read the folder ${root}`);
    skipped.push(Problem.from(error, `${folder} was not looked at`).message);
    return [];
  }
}

/** The root of the git repo that a folder is in; without a repo the folder itself. */
export function repoOf(folder: string): string {
  const root = realPath(folder) ?? folder;
  return join(root, '../'.repeat(foldersAbove(root)));
}

/** Whether a file or folder is in another folder, symbolic links followed. */
export const isInside = (path: string, folder: string): boolean =>
  `${realPath(path) ?? path}${sep}`.startsWith(join(realPath(folder) ?? folder, sep));

/** How many folders up the nearest .git is; 0 where there is none. */
function foldersAbove(root: string): number {
  const folders = root.split(sep);
  const repo = folders.findLastIndex((_, index) => {
    const folder = folders.slice(0, index + 1).join(sep) || sep;
    return fs.existsSync(join(folder, '.git'));
  });
  return repo < 0 ? 0 : folders.length - 1 - repo;
}

/**
 * A function that reads the text of a file; undefined where there is none, it is outside the repo, or too large.
 * @throws Problem (the function) where a required file can't be read
 */
function fileReader(root: string, above: number, skipped: string[]): Tree['read'] {
  const repo = join(root, '../'.repeat(above), sep);
  return (path) => {
    const file = realPath(join(root, path));
    if (!file?.startsWith(repo)) return undefined;
    try {
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      if (!stat?.isFile()) return undefined;
      if (stat.size > MAX_SIZE)
        throw new Problem(`${path} was not read: it has ${Math.ceil(stat.size / MEGABYTE)} MB`);
      return fs.readFileSync(file, 'utf8');
    } catch (error) {
      const problem = Problem.from(error, `can't read ${path}`);
      if (REQUIRED_FILE.test(path)) throw problem;
      skipped.push(problem.message);
      return undefined;
    }
  };
}

function realPath(path: string): string | undefined {
  try {
    return fs.realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** A relative path with `.` and `..` resolved, without a slash at its end; only the `..` that lead out of the tree stay. */
export const normalize = (path: string): string => posix.join('.', path).replace(/^\.\/?$|\/$/, '');

/** The path of a file in a folder, as seen from where the folder is; the folder "." is there itself. */
export const below = (dir: string, path: string): string =>
  dir === '.' || dir === '' ? path : normalize(`${dir}/${path}`);

/**
 * Whether a path matches a pattern in which `*` stands for any part of a name. A pattern with three stars in one name
 * matches nothing, since its expression could take hours.
 */
export function matches(pattern: string, path: string): boolean {
  if (/\*[^/*]*\*[^/*]*\*/.test(pattern)) return false;
  const literals = pattern.split(/\*+/).map((text) => text.replaceAll(/\W/g, '\\$&'));
  return new RegExp(`^${literals.join('[^/]*')}$`).test(path);
}
