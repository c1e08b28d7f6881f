import type { Project } from '../facts/detect.ts';

/** Never part of a build, or copied by its own line. */
const ELSEWHERE = /^(apps|assets|config|deps|doc|docs?\/.*\.md|lib|node_modules|priv|rel|test|tests|tmp|_build|\..*|mix\.(exs|lock)|Dockerfile.*|fly\.toml)$/;

/**
 * Folders and files at the top of the repo that the code names in strings, such as `docs/legal` or VERSION: modules
 * read them while they compile (`@external_resource`, `File.read!`), and a build without them stops.
 */
export function compileReads(project: Project): string[] {
  const tops = new Map<string, boolean>();
  for (const path of project.tree.paths) {
    const [top = '', ...rest] = path.split('/');
    if (!ELSEWHERE.test(top) || /^docs?$/.test(top)) tops.set(top, (tops.get(top) ?? false) || rest.length > 0);
  }
  const found = new Set<string>();
  const folders = project.projects[0]?.sourceFolders ?? ['lib'];
  for (const file of project.tree.paths) {
    if (!/\.(ex|eex|heex)$/.test(file) || !folders.some((folder) => file.startsWith(`${folder}/`)) || /\/mix\/tasks\//.test(file)) continue;
    const text = project.tree.read(file) ?? '';
    if (!/external_resource|File\.(read|stream|ls)|Path\.wildcard|EEx\.|embed_templates|NimblePublisher/.test(text)) continue;
    for (const [, path = ''] of text.matchAll(/"(?:(?:\.{1,2}\/)*)([\w@+.-][\w@+./-]*)[^"\n]*"/g)) {
      const clean = path.replace(/\/$/, '');
      const [top = ''] = clean.split('/');
      if (!tops.has(top) || folders.includes(top)) continue;
      if (project.tree.paths.has(clean) || [...project.tree.paths].some((one) => one.startsWith(`${clean}/`))) found.add(clean);
    }
  }
  return [...found].filter((path) => ![...found].some((other) => path.startsWith(`${other}/`))).sort();
}
