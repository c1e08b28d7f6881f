import type { Postgres } from './postgres.ts';

/** US dollars a month in base regions as of 2026-08 (fly.io/docs/about/cost-management, fly.io/docs/mpg; the pricing page decides). */
export const PRICES_AS_OF = '2026-08';
const MACHINE: Readonly<Record<number, number>> = { 256: 2.02, 512: 3.32, 1024: 5.92, 2048: 11.11 };
/** Fly adds about this for each GB more. */
const GB = 5;
/** One machine of 256 MB (2.02) and a volume of 1 GB (0.15). */
const POSTGRES_APP = 2.17;
/** The Basic plan (38) and 10 GB at 0.28. */
const MANAGED_POSTGRES = 40.8;
export const BUDGET = 20;

export interface Cost {
  /** "app machine (shared-cpu-1x, 1 GB)" and its price. */
  parts: [what: string, dollars: number][];
  total: number;
  /** Past the budget: what would bring it under. */
  warning: string | null;
  /** What the total leaves out, or takes at its highest. */
  remarks: string[];
}

/**
 * Monthly cost of one machine and its database.
 * @param memoryMb memory in MB of a shared-cpu-1x
 * @param always whether the machine never sleeps
 */
export function monthlyCost(memoryMb: number, postgres: Postgres, always = true): Cost {
  const machine = MACHINE[memoryMb] ?? 2.02 + ((memoryMb - 256) / 1024) * GB;
  const parts: Cost['parts'] = [[`app machine (shared-cpu-1x, ${memoryMb} MB)`, machine]];
  if (postgres.kind === 'app')
    parts.push([
      'Postgres app (shared-cpu-1x, 256 MB, 1 GB volume; you look after it)',
      POSTGRES_APP,
    ]);
  if (postgres.kind === 'managed')
    parts.push(['Managed Postgres (Basic plan, 10 GB)', MANAGED_POSTGRES]);
  const total = parts.reduce((sum, [, dollars]) => sum + dollars, 0);
  const less = `a Postgres app that you look after yourself (--postgres NAME) instead makes it $${(machine + POSTGRES_APP).toFixed(2)}`;
  return {
    parts,
    total,
    warning:
      total <= BUDGET
        ? null
        : `That is more than $${BUDGET} a month; ${postgres.kind === 'managed' ? less : 'less memory (--memory 1gb) brings it under'}.`,
    remarks: [
      ...(always ? [] : ['the machine costs less for the time it sleeps']),
      ...(postgres.kind === 'external' ? ['the database outside Fly comes on top'] : []),
      'some regions cost up to 15% more',
    ],
  };
}
