import type { Postgres } from './postgres.ts';

/** US dollars a month in base regions as of 2026-08 (fly.io/docs/about/cost-management, fly.io/docs/mpg; the pricing page decides). */
export const PRICES_AS_OF = '2026-08';
/** A shared-cpu-1x with 256 MB, and each GB more. */
const MACHINE = { least: 2.02, gigabyte: 5.195 };
export const BUDGET = 20;
/** A Postgres app: one machine of 256 MB (2.02), a volume of 1 GB (0.15). Managed: the Basic plan (38), 10 GB at 0.28. */
const DATABASES = {
  app: {
    price: 2.17,
    part: '$2.17 Postgres app (shared-cpu-1x, 256 MB, 1 GB volume; you look after it)',
  },
  managed: { price: 40.8, part: '$40.80 Managed Postgres (Basic plan, 10 GB)' },
  external: { price: 0, part: undefined },
  none: { price: 0, part: undefined },
};

/**
 * Monthly cost of the pages' machines and their database.
 * @param memory in MB, of a shared-cpu-1x
 * @param count how many machines always run, or 1
 * @param always whether the machine never sleeps
 */
export function monthlyCost(memory: number, { kind }: Postgres, always: boolean, count = 1) {
  const machine = MACHINE.least + (memory / 1024 - 0.25) * MACHINE.gigabyte;
  const machines = machine * count;
  const { price, part } = DATABASES[kind];
  const total = machines + price;
  const smaller =
    count > 1 ? 'fewer machines (min_machines_running)' : 'less memory (--memory 1gb)';
  const cheaper =
    kind === 'managed'
      ? `a Postgres app that you look after yourself (--postgres NAME) instead makes it $${(machines + DATABASES.app.price).toFixed(2)}`
      : `${smaller} brings it under`;
  return {
    total,
    parts: [
      `${count > 1 ? `${count} x ` : ''}$${machine.toFixed(2)} app machine (shared-cpu-1x, ${memory} MB)`,
      part ?? [],
    ].flat(),
    /** Past the budget: what would bring it under. */
    warning: total > BUDGET ? `That is more than $${BUDGET} a month; ${cheaper}.` : null,
    /** What the total leaves out, or takes at its highest. */
    remarks: [
      ...(always ? [] : ['the machine costs less for the time it sleeps']),
      ...(kind === 'external' ? ['the database outside Fly comes on top'] : []),
      'some regions cost up to 15% more',
    ],
  };
}
