import { randomBytes } from 'node:crypto';
import { Repo } from '../check/repo.ts';
import { urlName } from '../check/runtime-settings.ts';
import type { Project } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import type { Deploy } from './deploy.ts';
import type { Engine, Variables } from './engine.ts';
import type { Resources } from './resources.ts';
import { ownDatabase, startDatabase } from './throwaway-database.ts';

/** What to prove, and with what. */
export interface ProofRequest {
  engine: Engine;
  project: Project;
  /** Of the app: the build's context. */
  folder: string;
  /** The page to look at. */
  path: string;
  /** From --env-file. */
  envFile: Variables;
  /** An own database in place of a throwaway one. */
  databaseUrl: string | undefined;
}

/** `notes` gains what was assumed. */
interface Preparation extends ProofRequest {
  deploy: Deploy;
  resources: Resources;
  notes: string[];
}

/** What a proof stands on. */
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

/** Ids of the secrets that the Dockerfile mounts and --env-file has. @throws Problem naming those that are lacking and required */
function buildSecrets({ project, deploy, envFile }: Preparation): string[] {
  const text = project.tree.read(deploy.dockerfile) ?? '';
  const mounts = [...text.matchAll(/--mount=(?=\S*type=secret)\S*\bid=([\w.-]+)\S*/g)];
  const idsIn = (found: typeof mounts) => [...new Set(found.map(([, id = '']) => id))];
  const required = mounts.filter(([mount]) => /\brequired\b(?!=false)/.test(mount));
  const missing = idsIn(required).filter((id) => envFile[id] === undefined);
  if (missing.length)
    throw new Problem(
      `the build needs ${missing.join(', ')}; write NAME=value into a file and name that with --env-file`,
    );
  return idsIn(mounts).filter((id) => envFile[id] !== undefined);
}

/** The variables that hold the database's address, also of the app's own name where an engine can't obey it. */
const urlVariables = (project: Project): string[] =>
  ['DATABASE_URL', urlName(new Repo(project))].filter((name) => /UR[LI]|DSN/i.test(name));

/** Makes network and database. @throws Problem with the engine's words when it can't, or for a build secret that is missing */
export async function prepare(preparation: Preparation) {
  const { engine, resources, project, deploy, envFile, notes } = preparation;
  const buildIds = buildSecrets(preparation);
  await resources.makeNetwork(engine);
  if (!resources.ipv6)
    notes.push(`${engine.name} makes no IPv6 network here: the database is reached over IPv4.`);
  const database = await findDatabase(preparation);
  const { url } = database ?? {};
  const addresses = ['DIRECT_DATABASE_URL', ...urlVariables(project)];
  const ownVariables = Object.entries(envFile).filter(([name]) => !addresses.includes(name));
  /** No other variable goes into the engine's own environment: a repo could name PATH or LD_PRELOAD. */
  const secrets: Variables = {
    SECRET_KEY_BASE: randomBytes(48).toString('base64'),
    ...Object.fromEntries(ownVariables),
    ...(url && Object.fromEntries(addresses.map((name) => [name, url]))),
  };
  const variables: Variables = {
    ...deploy.env,
    ...flyVariables(deploy),
    ...secrets,
    ...(database && !resources.ipv6 && { ECTO_IPV6: 'false' }),
  };
  const required = project.env.required.map(({ name }) => name);
  const missing = required.filter((name) => variables[name] === undefined);
  if (missing.length)
    notes.push(`Placeholders stand for ${missing.join(', ')}; --env-file gives the real values.`);
  const placeholders = Object.fromEntries(missing.map((name) => [name, 'placeholder']));
  return { ...preparation, buildIds, database, secrets, env: { ...placeholders, ...variables } };
}

/** Ecto takes TLS for a database outside Fly from the config, and the throwaway one has none; the URL overrules it. */
const WANTS_TLS = /^(?!\s*#).*\bssl:\s*(?!false|nil)/m;

/** The database of the app; undefined without one, or where it is a file. @throws Problem where only the user has one that fits */
async function findDatabase(preparation: Preparation) {
  const { engine, resources, project, deploy, envFile, databaseUrl, notes } = preparation;
  const { repos, adapter } = project.database;
  if (databaseUrl) return ownDatabase(engine.name, databaseUrl);
  if (repos.length === 0 || adapter === 'sqlite' || adapter === 'none') return undefined;
  if (adapter !== 'postgres')
    throw new Problem(
      `the app's database is ${adapter}, and prove brings Postgres: name yours with --database-url`,
    );
  const unused = urlVariables(project).find((name) => envFile[name]);
  if (unused)
    notes.push(`${unused} of --env-file is not used: only --database-url runs migrations there.`);
  const throwaway = await startDatabase(engine, resources, deploy.env.ECTO_IPV6 === 'false');
  if (!WANTS_TLS.test(project.tree.read('config/runtime.exs') ?? '')) return throwaway;
  notes.push('The throwaway Postgres speaks no TLS: that to yours is not proved.');
  return { ...throwaway, url: `${throwaway.url}?ssl=false` };
}
