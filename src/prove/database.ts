import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../problem.ts';
import { type Engine, lastLine, type Made, words } from './engine.ts';
import type { Network } from './network.ts';

/** 16 and 17 are what Fly's Managed Postgres offers (fly.io/docs/mpg, 2026-11). */
export const POSTGRES_IMAGE = 'docker.io/library/postgres:17-alpine';
const HOST = 'prove-db.flycast';
const PATIENCE = 60_000;

/** A Postgres, and the options of `run` with which a container finds it. */
export interface Database {
  url: string;
  options: string[];
  /** Not for one of the user's own. */
  restart?(): Promise<void>;
}

/**
 * A throwaway Postgres, under a name that has an IPv6 address only, as on Fly.
 * @param ipv4 fly.toml says that the database is reached over IPv4
 * @throws Problem with the engine's words when it does not come up
 */
export async function startDatabase(
  engine: Engine,
  made: Made,
  network: Network,
  ipv4: boolean,
): Promise<Database> {
  const name = made.name('db');
  // A new hardware address after a restart would leave the old one in the app's neighbour table for half a minute
  const settings = words`--mac-address 02:42:ac:00:00:03 --env POSTGRES_PASSWORD=prove --env POSTGRES_DB=prove`;
  const started = await engine.run(
    words`run --detach --name ${name} --label ${made.label} ${network.options(3)} ${settings} ${POSTGRES_IMAGE}`,
  );
  if (started.code !== 0)
    throw new Problem(
      `${engine.name} can't start ${POSTGRES_IMAGE}: ${lastLine(started)}; --database-url takes an own database`,
    );
  await ready(engine, name);
  const address = ipv4 ? undefined : network.address(3);
  return {
    url: `postgres://postgres:prove@${address ? HOST : name}:5432/prove`,
    options: address ? ['--add-host', `${HOST}:${address}`] : [],
    restart: async () => {
      await engine.run(words`restart -t 2 ${name}`);
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

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/** A database of the user's own; one on this machine has another name in a container. @throws Problem for no URL */
export function ownDatabase(engine: Engine, text: string): Database {
  if (!URL.canParse(text))
    throw new Problem('--database-url: for example postgres://user:password@host:5432/shop');
  if (!LOCAL.includes(new URL(text).hostname)) return { url: text, options: [] };
  const docker = engine.name === 'docker';
  const host = docker ? 'host.docker.internal' : 'host.containers.internal';
  return {
    url: text.replace(/(\/\/(?:[^@/]*@)?)(localhost|127\.0\.0\.1|\[::1\])/, `$1${host}`),
    options: docker ? ['--add-host', `${host}:host-gateway`] : [],
  };
}
