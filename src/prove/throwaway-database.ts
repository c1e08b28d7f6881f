import { Problem } from '../problem.ts';
import { argv, type Engine, lastLine, until } from './engine.ts';
import type { Resources } from './resources.ts';

/** 16 and 17 are what Fly's Managed Postgres offers (fly.io/docs/mpg, 2026-11). */
const POSTGRES_IMAGE = 'docker.io/library/postgres:17-alpine';
const HOST = 'prove-db.flycast';
const PATIENCE = 120_000;

/** A database, and the options of `run` with which a container finds it. `restart`: not for one of the user's own. */
export interface Database {
  url: string;
  options: string[];
  restart?(): Promise<void>;
}

/**
 * A throwaway Postgres, under a name that has an IPv6 address only, as on Fly.
 * @param ipv4 fly.toml says that the database is reached over IPv4
 * @throws Problem with the engine's words when it does not come up
 */
export async function startDatabase(
  engine: Engine,
  resources: Resources,
  ipv4: boolean,
): Promise<Database> {
  const { name, address, options } = resources.container('db');
  // A new hardware address after a restart would leave the old one in the app's neighbour table for half a minute
  const settings = argv`--mac-address 02:42:ac:00:00:03 --env POSTGRES_PASSWORD=prove --env POSTGRES_DB=prove`;
  const started = await engine.run(argv`run --detach ${options} ${settings} ${POSTGRES_IMAGE}`);
  if (started.code !== 0)
    throw new Problem(
      `${engine.name} can't start ${POSTGRES_IMAGE}: ${lastLine(started)}; --database-url takes an own database`,
    );
  // Over TCP: while the image sets itself up, its server listens on a socket file only
  const probe = argv`exec ${name} pg_isready -q -h 127.0.0.1 -U postgres`;
  const answers = async () => (await engine.run(probe)).code === 0 || undefined;
  const ready = async () => {
    if (await until(engine, PATIENCE, answers)) return;
    const { all } = await engine.run(argv`logs --tail 5 ${name}`);
    throw new Problem(`Postgres is not ready after ${PATIENCE / 1000} s: ${all.trim()}`);
  };
  await ready();
  return {
    url: `postgres://postgres:prove@${ipv4 || !address ? name : HOST}:5432/prove`,
    options: ipv4 || !address ? [] : ['--add-host', `${HOST}:${address}`],
    restart: async () => {
      await engine.run(argv`stop -t 2 ${name}`);
      await engine.run(argv`start ${name}`);
      await ready();
    },
  };
}

/** A database of the user's own; one on this machine has another name in a container. @throws Problem for no URL */
export function ownDatabase(engine: string, text: string): Database {
  if (!URL.canParse(text))
    throw new Problem('--database-url: for example postgres://user:password@host:5432/shop');
  const host = `host.${engine === 'docker' ? 'docker' : 'containers'}.internal`;
  const localHost = /(?<=\/\/([^@/]*@)?)(localhost|127\.0\.0\.1|\[::1\])(?=[:/?]|$)/;
  const url = text.replace(localHost, host);
  const needsHost = url !== text && engine === 'docker';
  return { url, options: needsHost ? ['--add-host', `${host}:host-gateway`] : [] };
}
