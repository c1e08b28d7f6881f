import { randomBytes } from 'node:crypto';
import { access, buildVariables } from '../docker/secrets.ts';
import type { Project } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import { startDatabase } from './database.ts';
import type { Deploy } from './deploy.ts';
import type { Engine, Made } from './engine.ts';
import type { Setting } from './machine.ts';
import { makeNetwork } from './network.ts';

type Variables = Readonly<Record<string, string>>;

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
  /** Milliseconds; DBConnection waits up to 30 s between two tries (backoff_max), and some pass in vain. */
  patience?: number;
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

/** Ids of the secrets that the build mounts. @throws Problem naming those that nobody gave */
export function buildSecrets(project: Project, given: Variables): string[] {
  const wanted = [...access(project).secrets, ...buildVariables(project)];
  const missing = wanted.filter(
    ({ id }) => given[id] === undefined && process.env[id] === undefined,
  );
  const names = missing.map(({ id, why }) => `${id} (${why})`).join(', ');
  if (names)
    throw new Problem(
      `the build needs ${names}: write NAME=value into a file and name that with --env-file`,
    );
  return wanted.map(({ id }) => id);
}

/** Makes network and database. @param notes gains what was assumed @throws Problem with the engine's words when it can't */
export async function prepare(
  base: { engine: Engine; made: Made; project: Project; deploy: Deploy; folder: string },
  wish: Wish,
  notes: string[],
): Promise<Setting> {
  const { engine, made, project, deploy } = base;
  const { secrets } = wish;
  const network = await makeNetwork(engine, made);
  if (!network.ipv6)
    notes.push(
      `${engine.name} makes no IPv6 network here, so the database is reached over IPv4, unlike on Fly.`,
    );
  const given = wish.databaseUrl ?? secrets.DATABASE_URL;
  const wanted = project.database.repos.length > 0 && project.database.adapter === 'postgres';
  const own = wanted && !given ? await startDatabase(engine, made, network) : undefined;
  const url = given ?? own?.url;
  const known: Variables = {
    ...deploy.env,
    ...flyVariables(deploy),
    SECRET_KEY_BASE: randomBytes(48).toString('base64'),
    ...(url ? { DATABASE_URL: url, DIRECT_DATABASE_URL: url } : {}),
    ...secrets,
    ...(own && !network.ipv6 ? { ECTO_IPV6: 'false' } : {}),
  };
  const demanded = new Set(project.env.required.map(({ name }) => name));
  const open = [...demanded].filter((name) => known[name] === undefined);
  if (open.length)
    notes.push(`Placeholders stand for ${open.join(', ')}; --env-file gives the real values.`);
  return {
    ...base,
    network,
    release: project.release.name ?? project.app.otpApp,
    env: { ...Object.fromEntries(open.map((name) => [name, 'placeholder'])), ...known },
    buildSecrets: buildSecrets(project, secrets),
    secrets: [known.SECRET_KEY_BASE ?? '', ...Object.values(secrets)],
    databaseOptions: own?.options ?? [],
    restartDatabase: own?.restart,
    path: wish.path,
    patience: wish.patience ?? 75_000,
  };
}
