/** Counts what is spent, in steps: the same on every machine, unlike time. */
class Meter {
  limit: number;
  spent = 0;
  /** Something was left out as a whole. */
  isCut = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** False as soon as nothing is left. */
  spend(steps: number): boolean {
    this.spent += steps;
    return !this.over;
  }

  get over(): boolean {
    return this.spent > this.limit;
  }
}

/**
 * What reading a repo may cost. One allowance for the whole run, since a repo can hold any number of files
 * that each ask for little. Blockscout, the largest public app tried, needs three quarters of it.
 */
export const parsing = new Meter(400_000);
export const evaluation = new Meter(200_000);

/** A value above this many parts is not computed with: lists and texts that double grow without end. */
export const LARGEST_VALUE = 50_000;

/** Begins a run: nothing is spent. */
export function startBudget(): void {
  for (const meter of [parsing, evaluation]) Object.assign(meter, { spent: 0, isCut: false });
}

/** What to tell when a run needed more than it may cost. */
export function budgetNotes(): string[] {
  const isLong = parsing.over || parsing.isCut;
  if (!isLong && !evaluation.over) return [];
  const what = isLong ? 'There is more Elixir code' : 'The code computes more';
  return [
    `${what} here than is read; what came after that is taken as unknown, so look the answers over.`,
  ];
}
