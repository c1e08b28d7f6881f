import * as fs from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { Problem } from './problem.ts';

/** A read-only view of a repo: relative paths with `/`, text on demand. Everything that is decided about a repo is decided from this. */
export interface Tree {
  paths: ReadonlySet<string>;
  /** Text of a file, undefined when there is none (or it can't be read as text). */
  read(path: string): string | undefined;
  /** Whether a file may be executed; undefined: it can't be told. */
  executable?(path: string): boolean | undefined;
  /** A sentence for each file or folder that was not read. */
  skipped?: readonly string[];
  /** How many folders above still belong to the repo; `read('../x')` sees files there, `paths` does not. */
  above?: number;
}

export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return {
    paths: new Set(Object.keys(files)),
    read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
  };
}

/** Whether there is a file or a folder of that name. */
export const exists = ({ paths }: Tree, path: string): boolean =>
  paths.has(path) || [...paths].some((file) => file.startsWith(`${path}/`));

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

const NEVER = new Set(
  '.git deps _build node_modules .elixir_ls .lexical .expert cover .fetch .hex .mix doc'.split(' '),
);
/** Listed last, since they may hold more files than all the rest: caches, uploads. */
const BULKY = /^(\..+|static|uploads|storage|media|data|tmp|log)$/;
const MOST_FILES = 50_000;

const MEGABYTE = 1 << 20;
const LARGEST = MEGABYTE;
const LARGEST_NEEDED = 8 * MEGABYTE;
const MOST_TEXT = 64 * MEGABYTE;
/** Files without which nothing can be said. */
const NEEDED =
  /(^|\/)(mix\.(exs|lock)|fly\.toml|Dockerfile|\.dockerignore|package\.json|yarn\.lock|pnpm-lock\.yaml|env\.sh\.eex|(config|runtime|releases|prod)\.exs|endpoint\.ex)$/;

/**
 * Opens a folder on disk, which may be a link; links in it are not followed out of the repo. Build output is not looked
 * at, a file is read when it is first asked for.
 * @throws Problem when the folder can't be read, or a file without which nothing can be said
 */
export function openTree(folder: string, mostFiles = MOST_FILES): Tree {
  const root = realPath(folder);
  if (root === undefined) throw new Problem(`there is no folder ${folder}`);
  const skipped: string[] = [];
  const paths = new Set(listFiles(root, skipped, mostFiles));
  const above = foldersAbove(root);
  const read = reader(root, above, skipped);
  const texts = new Map<string, string | undefined>();
  return {
    paths,
    above,
    skipped,
    read(path) {
      if (!texts.has(path)) texts.set(path, read(path));
      return texts.get(path);
    },
    // Windows has no such bit
    executable: (path) =>
      paths.has(path) && process.platform !== 'win32'
        ? (fs.lstatSync(join(root, path)).mode & 0o111) !== 0
        : undefined,
  };
}

/** Level by level, so that one large folder hides none of the others. */
function listFiles(root: string, skipped: string[], most: number): string[] {
  const files: string[] = [];
  const [ordinary, bulky]: [string[], string[]] = [[''], []];
  let seen = 0;
  for (const queue of [ordinary, bulky]) {
    for (const folder of queue) {
      if (seen > most) {
        skipped.push(
          `The repo has more than ${most} files: ${folder} and others were not looked at.`,
        );
        return files.sort();
      }
      for (const entry of entriesOf(root, folder, skipped)) {
        seen++;
        const path = folder ? `${folder}/${entry.name}` : entry.name;
        if (entry.isFile()) files.push(path);
        else if (entry.isDirectory() && !NEVER.has(entry.name))
          (BULKY.test(entry.name) ? bulky : queue).push(path);
      }
    }
  }
  return files.sort();
}

function entriesOf(root: string, folder: string, skipped: string[]): fs.Dirent[] {
  try {
    return fs.readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (!folder) throw Problem.from(error, `can't read the folder ${root}`);
    skipped.push(Problem.from(error, `${folder} was not looked at`).message);
    return [];
  }
}

/** The root of the repo that a folder lies in; without a repo the folder itself. */
export function repoOf(folder: string): string {
  const root = realPath(folder) ?? folder;
  return join(root, '../'.repeat(foldersAbove(root)));
}

/** Whether a file or folder lies in another folder, links followed. */
export const isInside = (path: string, folder: string): boolean =>
  `${realPath(path) ?? path}${sep}`.startsWith(join(realPath(folder) ?? folder, sep));

/** Up to the folder that git takes for the repo's root; none when there is no such folder. */
function foldersAbove(root: string): number {
  const folders = root.split(sep);
  const git = folders.findLastIndex((_, index) =>
    fs.existsSync(join(folders.slice(0, index + 1).join(sep) || sep, '.git')),
  );
  return git < 0 ? 0 : folders.length - 1 - git;
}

/** @returns what reads a file's text: undefined for none, and for what lies outside the repo or is too large */
function reader(root: string, above: number, skipped: string[]): Tree['read'] {
  const top = join(root, '../'.repeat(above), sep);
  const folders = new Map<string, string | undefined>();
  let total = 0;
  return (path) => {
    const file = join(root, path);
    const folder = dirname(file);
    if (path.includes('\0')) return undefined;
    if (!folders.has(folder)) folders.set(folder, realPath(folder));
    const real = folders.get(folder);
    if (!real || !`${real}${sep}`.startsWith(top)) return undefined;
    try {
      const stat = fs.lstatSync(file, { throwIfNoEntry: false });
      if (!stat?.isFile()) return undefined;
      const needed = NEEDED.test(path);
      if (stat.size > (needed ? LARGEST_NEEDED : LARGEST) || total > MOST_TEXT)
        throw new Problem(
          `${path} was not read: ${total > MOST_TEXT ? 'the repo has too much text' : `it has ${Math.ceil(stat.size / MEGABYTE)} MB`}`,
        );
      total += needed ? 0 : stat.size;
      return fs.readFileSync(file, 'utf8');
    } catch (error) {
      const problem = Problem.from(error, `can't read ${path}`);
      if (NEEDED.test(path)) throw problem;
      skipped.push(problem.message);
      return undefined;
    }
  };
}

function realPath(folder: string): string | undefined {
  try {
    return fs.realpathSync(folder);
  } catch {
    return undefined;
  }
}

/** A relative path with `.` and `..` worked out; `..` that lead out of the tree stay in front. */
export const normalize = (path: string): string => posix.join('.', path).replace(/^\.\/?$|\/$/, '');

/** A path in a folder, as seen from where the folder is; "." is the folder itself. */
export const below = (dir: string, path: string): string =>
  dir === '.' || dir === '' ? path : normalize(`${dir}/${path}`);

/** Whether a pattern fits a path, where `*` stands for any part of a name; a third star in a name fits nothing, since it could take hours. */
export function matches(pattern: string, path: string): boolean {
  if (/\*[^/*]*\*[^/*]*\*/.test(pattern)) return false;
  const parts = pattern.split(/\*+/).map((part) => part.replaceAll(/\W/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]*')}$`).test(path);
}
