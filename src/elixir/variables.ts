import type { Position, RunOptions, VariableRead } from './types.ts';
import type { Unknown } from './value.ts';

/** The environment variables of a run: what they hold, which of them it reads, and which it can't do without. */
export class Variables {
  /** Of what runs next: a start has variables that its build had not. */
  environment: RunOptions['environment'];
  /** Read since the innermost `record` began. */
  reads = new Set<string>();
  /** Read as nil, but for those that a default or a condition took care of since. */
  readonly nilReads = new Map<string, VariableRead>();
  /** Those whose absence led to a stop; from there on they count as set. */
  readonly missing = new Map<string, VariableRead>();
  /** Functions that read variables whose names are computed, by the call in the file that was run. */
  readonly opaque = new Set<string>();

  constructor(environment: RunOptions['environment']) {
    this.environment = environment;
  }

  /** @returns `unknown` where that can't be known, undefined where it isn't set */
  read(name: string, unknown: Unknown): string | Unknown | undefined {
    this.reads.add(name);
    if (this.environment === 'any' || this.missing.has(name)) return unknown;
    return Object.hasOwn(this.environment, name) ? this.environment[name] : undefined;
  }

  /** Runs `body`. @returns its result and the variables that it looked at */
  record<Result>(body: () => Result): [Result, string[]] {
    const outerReads = this.reads;
    this.reads = new Set();
    const result = body();
    const reads = [...this.reads];
    this.reads = outerReads;
    for (const name of reads) outerReads.add(name);
    return [result, reads];
  }

  /** The program runs without these: a default or a condition takes care of them. */
  settle(names: readonly string[]): void {
    for (const name of names) this.nilReads.delete(name);
  }

  /**
   * The program stops for want of a variable: one that its message names, else the one looked at last.
   * @param causes variables that led here, outermost condition first
   */
  blame(message: string, causes: readonly string[], position: Position): void {
    const unset = causes.filter((name) => this.isUnset(name));
    const words = new Set(message.split(/\W+/));
    const name = unset.find((cause) => words.has(cause)) ?? unset.at(-1);
    if (name !== undefined) this.missing.set(name, { name, ...position });
  }

  private isUnset(name: string): boolean {
    const { environment, missing } = this;
    return environment !== 'any' && !missing.has(name) && !Object.hasOwn(environment, name);
  }
}
