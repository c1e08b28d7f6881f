import { copyPaths } from '../quote.ts';

/** A folder of the repo as it is called in the image. */
export const inImage = (dir: string): string => (dir === '.' ? '/app' : `/app/${dir}`);

/**
 * One COPY for each folder that holds some of the files.
 * @param nameInImage what a folder, such as `assets/`, is called in the image
 */
export function copyByFolder(
  files: readonly string[],
  nameInImage = (folder: string): string => folder || './',
): string[] {
  const folderOf = (file: string) => file.replace(/[^/]*$/, '');
  const folders = new Set(files.map(folderOf));
  return [...folders].map((folder) => {
    const inside = files.filter((file) => folderOf(file) === folder);
    return copyPaths([...new Set(inside), nameInImage(folder)]);
  });
}
