import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../problem.ts';
import { type Engine, type Made, words } from './engine.ts';
import type { Network } from './network.ts';

/** 16 and 17 are what Fly's Managed Postgres offers (fly.io/docs/mpg, 2026-11). */
export const POSTGRES_IMAGE = 'docker.io/library/postgres:17-alpine';
const HOST = 'prove-db.flycast';
const PATIENCE = 60_000;

/** A throwaway Postgres, under a name that has an IPv6 address only, as on Fly. */
export interface Database {
  url: string;
  /** Options of `run` with which a container finds it. */
  options: string[];
  restart(): Promise<void>;
}

/** @throws Problem with the engine's words when it does not come up */
export async function startDatabase(
  engine: Engine,
  made: Made,
  network: Network,
): Promise<Database> {
  const name = made.name('db');
  // A new hardware address after a restart would leave the old one in the app's neighbour table for half a minute
  const settings = words`--mac-address 02:42:ac:00:00:03 --env POSTGRES_PASSWORD=prove --env POSTGRES_DB=prove`;
  const started = await engine.run(
    words`run --detach --name ${name} --label ${made.label} ${network.options(3)} ${settings} ${POSTGRES_IMAGE}`,
  );
  if (started.code !== 0)
    throw new Problem(
      `${engine.name} can't start ${POSTGRES_IMAGE}: ${started.all.trim().split('\n').at(-1)}; --database-url takes an own database`,
    );
  await ready(engine, name);
  const address = network.address(3);
  return {
    url: `postgres://postgres:prove@${address ? HOST : name}:5432/prove`,
    options: address ? ['--add-host', `${HOST}:${address}`] : [],
    restart: async () => {
      await engine.run(words`restart --time 2 ${name}`);
      await ready(engine, name);
    },
  };
}

/** Over TCP: while the image sets itself up, its server listens on a socket file only. */
async function ready(engine: Engine, name: string): Promise<void> {
  for (const until = Date.now() + PATIENCE; Date.now() < until; await sleep(300)) {
    const probe = await engine.run(words`exec ${name} pg_isready -q -h 127.0.0.1 -U postgres`);
    if (probe.code === 0) return;
  }
  const { all } = await engine.run(words`logs --tail 5 ${name}`);
  throw new Problem(`Postgres is not ready after ${PATIENCE / 1000} s: ${all.trim()}`);
}
