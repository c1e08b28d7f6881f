/**
 * What reading a repo may cost, in steps: the same on every machine, unlike time. One allowance for the whole run, since a
 * repo can hold any number of files that each ask for little. Blockscout, the largest public app tried, needs three
 * quarters of the parsing and 0.6 of the evaluation, as its runtime.exs is run for many environments.
 */
export const LIMITS = { parsing: 400_000, evaluation: 1_000_000 };

/** A value above this many parts is not computed with: lists and texts that double grow without end. */
export const LARGEST_VALUE = 50_000;

const left = { ...LIMITS };
let isCut = false;

/** Begins a run: nothing is spent. */
export function startBudget(): void {
  Object.assign(left, LIMITS);
  isCut = false;
}

/** False as soon as nothing is left. */
export function spend(on: keyof typeof LIMITS, steps: number): boolean {
  left[on] -= steps;
  return left[on] >= 0;
}

/** Whether a start in thought may have ended too early. */
export const isSpent = (): boolean => left.evaluation < 0;

/** A file was left out, or a part of it. */
export function cut(): void {
  isCut = true;
}

/** What to tell when a run needed more than it may cost. */
export function budgetNotes(): string[] {
  const isLong = isCut || left.parsing < 0;
  if (!isLong && left.evaluation >= 0) return [];
  const what = isLong ? 'There is more Elixir code' : 'The code computes more';
  return [
    `${what} here than is read; what came after that is taken as unknown, so look the answers over.`,
  ];
}
