import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { access, buildVariables } from '../docker/secrets.ts';
import type { Project } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import { type Database, ownDatabase, startDatabase } from './database.ts';
import type { Deploy } from './deploy.ts';
import type { Engine, Made, Variables } from './engine.ts';
import { makeNetwork, type Network } from './network.ts';

/** What a proof was asked for. */
export interface Wish {
  /** The page to look at. */
  path: string;
  /** Secrets from --env-file. */
  secrets: Variables;
  /** An own database in place of a throwaway one. */
  databaseUrl: string | undefined;
  /** Leave the app running. */
  keep: boolean;
  /** Milliseconds that the app gets to come up, to pass its check, to find its database again. */
  patience?: number;
}

/** What a proof stands on: the engine, what Fly would do, and what was given or made up. */
export interface Setting {
  engine: Engine;
  made: Made;
  project: Project;
  deploy: Deploy;
  wish: Wish;
  /** Folder of the app, the build's context. */
  folder: string;
  network: Network;
  database: Database | undefined;
  release: string;
  /** Variables that the app gets, secrets included. */
  env: Variables;
  patience: number;
}

/** NAME=value lines of a file. @throws Problem when it can't be read */
export function readEnvFile(path: string): Variables {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Variables;
  } catch (error) {
    throw Problem.from(error, `--env-file ${path} can't be read`);
  }
}

/** What Fly itself sets (fly.io/docs/machines/runtime-environment, 2026-11). */
const flyVariables = ({ app, region, memory }: Deploy): Variables => ({
  FLY_APP_NAME: app,
  FLY_REGION: region,
  PRIMARY_REGION: region,
  FLY_MACHINE_ID: '0prove00000000',
  FLY_ALLOC_ID: '0prove00000000',
  FLY_MACHINE_VERSION: '01PROVE',
  FLY_PROCESS_GROUP: 'app',
  FLY_PRIVATE_IP: '::1',
  FLY_IMAGE_REF: `registry.fly.io/${app}:deployment-01PROVE`,
  FLY_VM_MEMORY_MB: String(memory),
});

/** Ids of the secrets that the Dockerfile mounts. @throws Problem naming those that nobody gave */
export function buildSecrets(project: Project, deploy: Deploy, given: Variables): string[] {
  const text = project.tree.read(deploy.dockerfile) ?? '';
  const mounts = text.matchAll(/--mount=(?=\S*type=secret)\S*\bid=([\w.-]+)/g);
  const ids = [...new Set([...mounts].map(([, id = '']) => id))];
  const missing = ids.filter((id) => given[id] === undefined && process.env[id] === undefined);
  const known = [...access(project).secrets, ...buildVariables(project)];
  const why = (id: string) => known.find((secret) => secret.id === id)?.why;
  const names = missing.map((id) => (why(id) ? `${id} (${why(id)})` : id)).join(', ');
  if (names)
    throw new Problem(
      `the build needs ${names}: write NAME=value into a file and name that with --env-file`,
    );
  return ids;
}

type Base = Pick<Setting, 'engine' | 'made' | 'project' | 'deploy' | 'folder' | 'wish'>;

/** Makes network and database. @param notes gains what was assumed @throws Problem with the engine's words when it can't */
export async function prepare(base: Base, notes: string[]): Promise<Setting> {
  const { engine, made, project, deploy, wish } = base;
  const network = await makeNetwork(engine, made);
  const ipv6 = network.address(2) !== undefined;
  if (!ipv6)
    notes.push(`${engine.name} makes no IPv6 network here: the database is reached over IPv4.`);
  const database = await findDatabase(base, network, notes);
  const { DATABASE_URL: _, DIRECT_DATABASE_URL: __, ...secrets } = wish.secrets;
  const known: Variables = {
    ...deploy.env,
    ...flyVariables(deploy),
    SECRET_KEY_BASE: randomBytes(48).toString('base64'),
    ...(database && { DATABASE_URL: database.url, DIRECT_DATABASE_URL: database.url }),
    ...secrets,
    ...(database && !ipv6 && { ECTO_IPV6: 'false' }),
  };
  const demanded = new Set(project.env.required.map(({ name }) => name));
  const open = [...demanded].filter((name) => known[name] === undefined);
  if (open.length)
    notes.push(`Placeholders stand for ${open.join(', ')}; --env-file gives the real values.`);
  return {
    ...base,
    network,
    database,
    release: project.release.name ?? project.app.otpApp,
    env: { ...Object.fromEntries(open.map((name) => [name, 'placeholder'])), ...known },
    patience: wish.patience ?? 75_000,
  };
}

/** Ecto takes TLS for a database outside Fly from the config, and the throwaway one has none; the URL overrules it. */
const WANTS_TLS = /^(?!\s*#).*\bssl:\s*(?!false|nil)/m;

/** The database of the app; undefined without one, or where it is a file. @throws Problem where only the user has one that fits */
async function findDatabase(base: Base, network: Network, notes: string[]) {
  const { engine, made, project, deploy, wish } = base;
  const { repos, adapter } = project.database;
  if (wish.databaseUrl) return ownDatabase(engine, wish.databaseUrl);
  if (repos.length === 0 || adapter === 'sqlite' || adapter === 'none') return undefined;
  if (adapter !== 'postgres')
    throw new Problem(
      `the app's database is ${adapter}, and prove brings Postgres: name yours with --database-url`,
    );
  if (wish.secrets.DATABASE_URL)
    notes.push(
      "--env-file's DATABASE_URL was left out: only --database-url runs migrations there.",
    );
  const found = await startDatabase(engine, made, network, deploy.env.ECTO_IPV6 === 'false');
  if (!WANTS_TLS.test(project.tree.read('config/runtime.exs') ?? '')) return found;
  notes.push('The throwaway Postgres speaks no TLS: that to yours is not proved.');
  return { ...found, url: `${found.url}?ssl=false` };
}
