import { builtAssets, dockerMatcher, neededPaths } from '../src/docker/ignore-lines.ts';
import { releaseFor, relFolder } from '../src/docker/release-files.ts';
import type { Merge } from '../src/edit/conflict.ts';
import { sameEndings } from '../src/edit/endings.ts';
import type { Descriptor } from '../src/plan/file.ts';
import type { Tree } from '../src/tree.ts';

export const dockerignore: Descriptor = {
  outputs: ({ project }) => {
    const view = { builtAssets: builtAssets(project) };
    // Files in it are written by this very run
    const rel = relFolder(project, project.release.name ?? releaseFor(project));
    const needed = [...neededPaths(project), rel];
    const merge: Merge = (before, ours) => letIn(addLines(before, ours), needed, project.tree);
    return [{ path: '.dockerignore', template: '.dockerignore', view, merge }];
  },
};

/** The last match wins in a .dockerignore, so missing lines go in front: the user's own exceptions still count. */
function addLines(before: string | undefined, ours: string): string {
  if (before === undefined) return ours;
  // Docker skips a byte-order mark only in front
  const [mark, text] = before.startsWith('\uFEFF') ? ['\uFEFF', before.slice(1)] : ['', before];
  const plain = (line: string): string => line.trim().replace(/^\/|\/$/g, '');
  const have = new Set(text.split(/\r?\n/).map(plain));
  const ignores = dockerMatcher(text);
  const missing = ours.split('\n').filter(
    (line) =>
      line &&
      !line.startsWith('#') &&
      !have.has(plain(line)) &&
      // Above a line of theirs that keeps the same out it would have no effect
      !(line.startsWith('!') && ignores('.env.example')),
  );
  return missing.length ? mark + sameEndings(text, `${missing.join('\n')}\n`) + text : before;
}

/** What no exception for a folder may let in with it. */
const SECRETS = ['.env*', '*.pem', '*.key', '*.secret.exs'];

/** Exceptions at the end for what the build reads and a line keeps out. */
function letIn(text: string, paths: readonly string[], { paths: files }: Tree): string {
  const plain = text.replace(/^\uFEFF/, '');
  const isOut = dockerMatcher(plain);
  const folders = paths.filter((path) => !files.has(path) && isOut(path));
  const opened = folders.flatMap((folder) => [
    `!${folder}`,
    ...(folder.startsWith('.git/') ? [] : SECRETS.map((secret) => `${folder}/**/${secret}`)),
  ]);
  const ignores = dockerMatcher([plain, ...opened].join('\n'));
  const single = paths.filter((path) => files.has(path) && ignores(path));
  const lines = [...opened, ...single.map((path) => `!${path}`)].map((line) => `${line}\n`);
  if (lines.length === 0) return text;
  const added = `\n# The build reads them\n${lines.join('')}`;
  return text + sameEndings(text, text.endsWith('\n') ? added : `\n${added}`);
}
