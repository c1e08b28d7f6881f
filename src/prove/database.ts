import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../problem.ts';
import type { Engine, Made } from './engine.ts';
import type { Network } from './network.ts';

/** The version that Fly's Managed Postgres offers as its newest (fly.io/docs/mpg, 2026-11: 16 and 17). */
export const POSTGRES_IMAGE = 'docker.io/library/postgres:17-alpine';
const HOST = 'prove-db.flycast';
const READY = 60_000;

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
  const container = made.name('db');
  const started = await engine.run([
    'run',
    '--detach',
    '--name',
    container,
    '--label',
    made.label,
    ...network.options(3),
    '--env',
    'POSTGRES_PASSWORD=prove',
    '--env',
    'POSTGRES_DB=prove',
    POSTGRES_IMAGE,
  ]);
  if (started.code !== 0)
    throw new Problem(
      `${engine.name} can't start ${POSTGRES_IMAGE}: ${started.all.trim().split('\n').at(-1)}; --database-url gives an own database`,
    );
  await ready(engine, container);
  const address = network.address(3);
  return {
    url: `postgres://postgres:prove@${address ? HOST : container}:5432/prove`,
    options: address ? ['--add-host', `${HOST}:${address}`] : [],
    restart: async () => {
      await engine.run(['restart', '--time', '2', container]);
      await ready(engine, container);
    },
  };
}

/** Over TCP: while the image sets itself up, its server listens on a socket file only. */
async function ready(engine: Engine, container: string): Promise<void> {
  const until = Date.now() + READY;
  while (Date.now() < until) {
    const probe = await engine.run([
      'exec',
      container,
      'pg_isready',
      '-q',
      '-h',
      '127.0.0.1',
      '-U',
      'postgres',
    ]);
    if (probe.code === 0) return;
    await sleep(300);
  }
  const { all } = await engine.run(['logs', '--tail', '5', container]);
  throw new Problem(`Postgres is not ready after ${READY / 1000} s: ${all.trim()}`);
}
