/**
 * How much work reading one repo may take, in steps: unlike time they are the same on every machine. One allowance covers
 * the whole run, since a repo can hold any number of files that each take little. Blockscout, the largest public app tried,
 * needs three quarters of the parsing and 0.6 of the evaluation, as its runtime.exs is run for many environments.
 */
export const LIMITS = { parsing: 400_000, evaluation: 1_000_000 };

/** Values with more parts than this are not computed with: lists and texts that double grow without end. */
export const MAX_VALUE_SIZE = 50_000;

const left = { ...LIMITS };
let isTruncated = false;

/** Begins a run: nothing is spent. */
export function startBudget(): void {
  Object.assign(left, LIMITS);
  isTruncated = false;
}

/** Takes steps from a budget. @returns false as soon as it is used up */
export function spend(budget: keyof typeof LIMITS, steps: number): boolean {
  left[budget] -= steps;
  return left[budget] >= 0;
}

/** Whether the steps of evaluation are used up, so that a run may have ended too early. */
export const isSpent = (): boolean => left.evaluation < 0;

/** Remembers that a file, or the end of it, was too large to be read. */
export function markTruncated(): void {
  isTruncated = true;
}

/** What the report says when a run needed more than it may take. */
export function budgetNotes(): string[] {
  if (!isTruncated && left.parsing >= 0 && left.evaluation >= 0) return [];
  return [
    'There is more Elixir code here than is read; what came after that is taken as unknown, so look the answers over.',
  ];
}
