import type { Postgres } from './postgres.ts';

/** US dollars a month, base regions, as of 2026-08 (fly.io/docs/about/pricing; check there before you decide). */
export const PRICES_AS_OF = '2026-08';
const MACHINE: Readonly<Record<number, number>> = { 256: 2.02, 512: 3.32, 1024: 5.92, 2048: 11.11 };
const POSTGRES_APP = 2.17;
const MANAGED_POSTGRES = 40.8;
export const BUDGET = 20;

export interface Cost {
  /** "app machine (shared-cpu-1x, 1 GB)" and its price. */
  parts: [what: string, dollars: number][];
  total: number;
  warning: string | null;
}

/** Monthly cost of one always-running machine and its database. @param memoryMb memory in MB */
export function monthlyCost(memoryMb: number, postgres: Postgres): Cost {
  const machine = MACHINE[memoryMb] ?? 2.02 + ((memoryMb - 256) / 1024) * 5;
  const parts: Cost['parts'] = [[`app machine (shared-cpu-1x, ${memoryMb} MB)`, machine]];
  if (postgres.kind === 'app') parts.push(['Postgres app (shared-cpu-1x, 256 MB, 1 GB volume; you look after it)', POSTGRES_APP]);
  if (postgres.kind === 'managed') parts.push(['Managed Postgres (Basic plan, 10 GB)', MANAGED_POSTGRES]);
  const total = parts.reduce((sum, [, dollars]) => sum + dollars, 0);
  const fix = postgres.kind === 'managed' ? `a Postgres app that you look after yourself (--postgres NAME) costs about $${POSTGRES_APP}` : 'less memory (--memory 512mb) brings it down';
  return { parts, total, warning: total > BUDGET ? `That is more than $${BUDGET} a month; ${fix}.` : null };
}
