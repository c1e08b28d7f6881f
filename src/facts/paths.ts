/** A relative path with `.` and `..` worked out; `..` that lead out of the tree stay in front. */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.length && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/** A path in a folder, as seen from where the folder is; "." is the place itself. */
export const below = (dir: string, path: string): string =>
  dir === '.' || dir === '' ? path : normalize(`${dir}/${path}`);
