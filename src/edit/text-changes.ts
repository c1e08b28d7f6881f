interface Change {
  start: number;
  end: number;
  text: string;
  rank: number;
}

/** Changes to a text by offset, collected in any order and made at the end. */
export class TextChanges {
  private readonly changes: Change[] = [];

  /** Of what comes in at one offset, higher ranks come later, and equal ones in the order given. */
  insert(offset: number, text: string, rank: number): void {
    this.changes.push({ start: offset, end: offset, text, rank });
  }

  /** The first change of a range counts. */
  replace([start, end]: readonly [number, number], text: string): void {
    const done = this.changes.some((change) => change.start === start && change.end === end);
    if (!done) this.changes.push({ start, end, text, rank: 0 });
  }

  /** What comes in, or changes, at an offset. */
  at(offset: number): string[] {
    return this.changes.filter(({ start }) => start === offset).map(({ text }) => text);
  }

  /** @param newline what stands for each line break of what comes in */
  apply(before: string, newline: string): string {
    // From the back, so that offsets hold
    const fromBack = [...this.changes]
      .reverse()
      .sort((left, right) => right.start - left.start || right.rank - left.rank);
    return fromBack.reduce(
      (text, change) =>
        text.slice(0, change.start) +
        change.text.replaceAll('\n', newline) +
        text.slice(change.end),
      before,
    );
  }
}
