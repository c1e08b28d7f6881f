import { attachCommand } from '../fly/postgres.ts';
import type { Section, StepContext } from './steps.ts';

const isAttached = ({ secrets }: StepContext): boolean =>
  secrets?.includes('DATABASE_URL') ?? false;

/** That of the database, as the app shares a private network with it; else the account's own. */
export function organization({ apps, organizations, answers }: StepContext): string {
  const { postgres } = answers;
  const database = postgres.kind === 'app' && apps?.find(({ name }) => name === postgres.name);
  if (database && database.organization) return database.organization;
  return organizations?.length === 1 && organizations[0] ? organizations[0] : 'personal';
}

/** The line that makes the database, unless it is there. */
export function createDatabase(context: StepContext): string[] {
  const { answers, apps } = context;
  const { app, region, postgres } = answers;
  const where = `--org ${organization(context)} --region ${region}`;
  if (isAttached(context)) return [];
  if (postgres.kind === 'managed' && !postgres.cluster)
    return [`fly mpg create --name ${app}-db ${where} --plan basic --volume-size 10`];
  if (postgres.kind !== 'app' || apps?.some(({ name }) => name === postgres.name)) return [];
  // All three sizes: without one of them it asks (flyctl internal/command/postgres/create.go, 2026-08)
  return [
    `fly postgres create --name ${postgres.name} ${where} --initial-cluster-size 1 --vm-size shared-cpu-1x --volume-size 1`,
  ];
}

/** Last in its block: `fly mpg attach` asks for a user and a database. */
export function attachNow(context: StepContext): string[] {
  const { postgres, app } = context.answers;
  const attach = attachCommand(postgres, app);
  const isKnown = postgres.kind === 'app' || (postgres.kind === 'managed' && postgres.cluster);
  return attach && isKnown && !isAttached(context) ? [attach] : [];
}

/** A cluster's id is known once it is made. */
export function attachOnceKnown(context: StepContext): Section[] {
  const { postgres, app } = context.answers;
  if (postgres.kind !== 'managed' || postgres.cluster || isAttached(context)) return [];
  const title =
    'The last line has printed the ID of the new cluster (fly mpg list does too). Write it in place of CLUSTER_ID:';
  return [{ title, lines: [attachCommand(postgres, app) ?? ''] }];
}
