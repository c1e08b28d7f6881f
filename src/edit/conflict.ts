/**
 * What becomes of a file where what its owner wrote and ours can't both stand: it is left as it is, or merged with the
 * owner's lines winning, or ours replaces theirs.
 */
export const ON_CONFLICT = ['leave', 'merge', 'replace'] as const;
export type OnConflict = (typeof ON_CONFLICT)[number];

/** Joins what is there with what was rendered. `before` is undefined for a new file. */
export type Merge = (
  before: string | undefined,
  rendered: string,
  onConflict: OnConflict,
) => string;
