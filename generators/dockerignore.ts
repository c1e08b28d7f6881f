import { sourceFolders } from '../src/docker/copies.ts';
import { builtAssets, dockerMatcher, neededPaths } from '../src/docker/ignore-lines.ts';
import { relFolder, unnamedRelease } from '../src/docker/release-files.ts';
import type { Merge } from '../src/edit/conflict.ts';
import { sameEndings } from '../src/edit/endings.ts';
import type { Descriptor } from '../src/plan/file.ts';
import { filesIn, type Tree } from '../src/tree.ts';

export const dockerignore: Descriptor = {
  outputs: ({ project }) => {
    const view = { builtAssets: builtAssets(project) };
    const rel = relFolder(project, project.release.name ?? unnamedRelease(project));
    const merge: Merge = (before, ours) => {
      const text = addLines(before, ours);
      const lost = ['assets', 'priv', ...sourceFolders(project)].filter((folder) => {
        const files = filesIn(project.tree, folder);
        return files.length > 0 && files.every(dockerMatcher(text));
      });
      // Files in rel are written by this very run
      return addExceptions(text, [...neededPaths(project), ...lost, rel], project.tree);
    };
    return [{ path: '.dockerignore', template: '.dockerignore', view, merge }];
  },
};

/** The last match wins in a .dockerignore, so missing lines go in front: the user's own exceptions still count. */
function addLines(before: string | undefined, ours: string): string {
  if (before === undefined) return ours;
  // Docker skips a byte-order mark only in front
  const [mark, text] = before.startsWith('\uFEFF') ? ['\uFEFF', before.slice(1)] : ['', before];
  const withoutSlashes = (line: string) => line.trim().replace(/^\/|\/$/g, '');
  const theirs = new Set(text.split(/\r?\n/).map(withoutSlashes));
  const patterns = ours.split('\n').filter((line) => line && !line.startsWith('#'));
  // !.env.example would have no effect above a line of theirs that keeps it out
  const hidesEnvFiles = dockerMatcher(text)('.env.example');
  const isUseless = (line: string) => line.startsWith('!') && hidesEnvFiles;
  const missing = patterns.filter((line) => !theirs.has(withoutSlashes(line)) && !isUseless(line));
  return missing.length ? mark + sameEndings(text, `${missing.join('\n')}\n`) + text : before;
}

/** What no exception for a folder may let in with it. */
const UNWANTED = ['.env*', '*.pem', '*.key', '*.secret.exs', 'node_modules'];

/** Adds exceptions at the end for what the build reads and a line keeps out. */
function addExceptions(text: string, paths: readonly string[], { paths: files }: Tree): string {
  const patterns = text.replace(/^\uFEFF/, '');
  const ignores = dockerMatcher(patterns);
  const folders = paths.filter((path) => !files.has(path) && ignores(`${path}/file`));
  const folderLines = folders.flatMap((folder) => [
    `!${folder}`,
    ...(folder.startsWith('.git/') ? [] : UNWANTED.map((name) => `${folder}/**/${name}`)),
  ]);
  const stillIgnores = dockerMatcher([patterns, ...folderLines].join('\n'));
  const fileLines = paths
    .filter((path) => files.has(path) && stillIgnores(path))
    .map((path) => `!${path}`);
  const lines = [...folderLines, ...fileLines];
  if (lines.length === 0) return text;
  const added = `\n# The build reads them\n${lines.join('\n')}\n`;
  return text + sameEndings(text, text.endsWith('\n') ? added : `\n${added}`);
}
