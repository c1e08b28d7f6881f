import { randomBytes } from 'node:crypto';
import { access, buildVariables } from '../docker/secrets.ts';
import type { Project } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import { ownDatabase, startDatabase } from './database.ts';
import type { Deploy } from './deploy.ts';
import type { Engine, Variables } from './engine.ts';
import type { Made } from './made.ts';

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
}

/** What a proof stands on. `folder` is the app's, the build's context; `notes` gains what was assumed. */
interface Base {
  engine: Engine;
  made: Made;
  project: Project;
  deploy: Deploy;
  folder: string;
  wish: Wish;
  notes: string[];
}

export type Setting = Awaited<ReturnType<typeof prepare>>;

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

/**
 * Ids of the secrets that the Dockerfile mounts.
 * @param notes gains those that the shell gave
 * @throws Problem naming those that nobody gave
 */
export function buildSecrets({ project, deploy, wish, notes }: Base): string[] {
  const text = project.tree.read(deploy.dockerfile) ?? '';
  const mounts = text.matchAll(/--mount=(?=\S*type=secret)\S*\bid=([\w.-]+)/g);
  const ids = [...new Set([...mounts].map(([, id = '']) => id))];
  const shell = ids.filter((id) => wish.secrets[id] === undefined);
  const missing = shell.filter((id) => process.env[id] === undefined);
  const known = [...access(project).secrets, ...buildVariables(project)];
  const names = missing.map((id) => {
    const why = known.find((secret) => secret.id === id)?.why;
    return why ? `${id} (${why})` : id;
  });
  if (names.length)
    throw new Problem(
      `the build needs ${names.join(', ')}: write NAME=value into a file and name that with --env-file`,
    );
  if (shell.length)
    notes.push(`The build got ${shell.join(', ')} of this shell: the Dockerfile asks for it.`);
  return ids;
}

/** Makes network and database. @throws Problem with the engine's words when it can't, or for a build secret that is missing */
export async function prepare(base: Base) {
  const { engine, made, project, deploy, wish, notes } = base;
  const buildIds = buildSecrets(base);
  await made.makeNetwork(engine);
  if (!made.ipv6)
    notes.push(`${engine.name} makes no IPv6 network here: the database is reached over IPv4.`);
  const database = await findDatabase(base);
  const { DATABASE_URL: _, DIRECT_DATABASE_URL: __, ...given } = wish.secrets;
  /** No other variable goes into the engine's own environment: a repo could name PATH or LD_PRELOAD. */
  const secrets: Variables = {
    SECRET_KEY_BASE: randomBytes(48).toString('base64'),
    ...(database && { DATABASE_URL: database.url, DIRECT_DATABASE_URL: database.url }),
    ...given,
  };
  const known: Variables = {
    ...deploy.env,
    ...flyVariables(deploy),
    ...secrets,
    ...(database && !made.ipv6 && { ECTO_IPV6: 'false' }),
  };
  const demanded = new Set(project.env.required.map(({ name }) => name));
  const open = [...demanded].filter((name) => known[name] === undefined);
  if (open.length)
    notes.push(`Placeholders stand for ${open.join(', ')}; --env-file gives the real values.`);
  const placeholders = Object.fromEntries(open.map((name) => [name, 'placeholder']));
  /** `env`: what the app gets, secrets included. */
  return { ...base, buildIds, database, secrets, env: { ...placeholders, ...known } };
}

/** Ecto takes TLS for a database outside Fly from the config, and the throwaway one has none; the URL overrules it. */
const WANTS_TLS = /^(?!\s*#).*\bssl:\s*(?!false|nil)/m;

/** The database of the app; undefined without one, or where it is a file. @throws Problem where only the user has one that fits */
async function findDatabase({ engine, made, project, deploy, wish, notes }: Base) {
  const { repos, adapter } = project.database;
  if (wish.databaseUrl) return ownDatabase(engine.name, wish.databaseUrl);
  if (repos.length === 0 || adapter === 'sqlite' || adapter === 'none') return undefined;
  if (adapter !== 'postgres')
    throw new Problem(
      `the app's database is ${adapter}, and prove brings Postgres: name yours with --database-url`,
    );
  if (wish.secrets.DATABASE_URL)
    notes.push(
      "--env-file's DATABASE_URL was left out: only --database-url runs migrations there.",
    );
  const found = await startDatabase(engine, made, deploy.env.ECTO_IPV6 === 'false');
  if (!WANTS_TLS.test(project.tree.read('config/runtime.exs') ?? '')) return found;
  notes.push('The throwaway Postgres speaks no TLS: that to yours is not proved.');
  return { ...found, url: `${found.url}?ssl=false` };
}
