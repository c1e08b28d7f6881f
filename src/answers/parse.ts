import { Problem } from '../problem.ts';

/** One of a few words. @throws Problem naming them */
export function oneOf<T extends string>(text: string, allowed: readonly T[], what: string): T {
  const found = allowed.find((one) => one === text.trim().toLowerCase());
  if (found) return found;
  throw new Problem(
    `"${text}" is not ${what}: give ${allowed.join(', ').replace(/, (?=[^,]*$)/, ' or ')}`,
  );
}

/** @throws Problem for anything that is neither */
export function parseYesNo(text: string): boolean {
  if (/^(y|yes|true)$/i.test(text.trim())) return true;
  if (/^(n|no|false)$/i.test(text.trim())) return false;
  throw new Problem(`"${text}" is neither yes nor no`);
}

/** Megabytes of a shared-cpu-1x machine's memory. @throws Problem for an amount it can't have */
export function parseMemory(text: string): number {
  const [, amount, unit] = /^(\d+)\s*(mb|gb|m|g)?$/i.exec(text.trim()) ?? [];
  const megabytes = Number(amount) * (/^g/i.test(unit ?? '') ? 1024 : 1);
  if (amount && megabytes >= 256 && megabytes % 256 === 0) return megabytes;
  throw new Problem(
    `"${text}" is no memory size of a Fly machine: give 256mb to 2gb in steps of 256mb`,
  );
}
