import type { Weight } from './rule.ts';

/** Something that keeps a requirement from being met, and the exact edit that mends it. */
export interface Missing {
  what: string;
  edit: string;
  file: string;
  /** 1-based; undefined: the file is not there, or the edit has no place yet. */
  line?: number | undefined;
  /** Where it isn't the weight of its requirement. */
  weight?: Weight;
}

/** What a check found about one requirement; nothing found means met. */
export interface Findings {
  missing: Missing[];
  /** What can't be told by reading: never a pass. */
  unknown: string[];
  /** Worth knowing, no reason to fail. */
  notes: string[];
}

export const found = (
  missing: Missing[] = [],
  unknown: string[] = [],
  notes: string[] = [],
): Findings => ({ missing, unknown, notes });

/** `condition` holds: nothing; otherwise the finding. */
export const unless = <T>(condition: unknown, finding: T): T[] => (condition ? [] : [finding]);
