import { printable } from '../problem.ts';
import { askFlyctl, type FlyctlFailure, PATIENCE, type Row } from './flyctl.ts';
import { isAppName } from './names.ts';
import { knownRegion, type Region } from './regions.ts';

/** A database that the account has: `answer` is what `--postgres` takes. */
export interface Database {
  answer: string;
  label: string;
}

/** What the account offers as answers; undefined: flyctl didn't say, and the dated table stands in. */
export interface AccountChoices {
  regions?: readonly Region[] | undefined;
  databases?: readonly Database[] | undefined;
}

/** What the account holds, as far as flyctl says; undefined: it doesn't. */
export interface Account extends AccountChoices {
  flyctl: FlyctlFailure | 'logged in';
  apps: FlyApp[] | undefined;
  /** Slugs. */
  organizations: string[] | undefined;
}

interface FlyApp {
  name: string;
  organization: string | undefined;
  deployed: boolean;
}

type Ask = (...args: string[]) => Promise<Row[] | FlyctlFailure>;

/**
 * Asks flyctl for all at once; every part that doesn't come stays undefined. Nothing here changes the account.
 * @param withChoices whether regions and databases are to be chosen from
 */
export async function askAccount(folder: string, withChoices: boolean): Promise<Account> {
  const deadline = Date.now() + PATIENCE;
  const ask: Ask = (...args) => askFlyctl(folder, [...args, '--json'], deadline);
  const slugs = ask('orgs', 'list').then(slugsIn);
  const [apps, organizations, live] = await Promise.all([
    ask('apps', 'list'),
    slugs,
    withChoices ? askChoices(ask, slugs) : {},
  ]);
  const flyctl = typeof apps === 'string' ? apps : 'logged in';
  return { flyctl, apps: mapRows(apps, appOf), organizations, ...live };
}

/** What the rows say; undefined: there are none. */
const mapRows = <T>(answer: Row[] | FlyctlFailure, read: (row: Row) => T[]): T[] | undefined =>
  typeof answer === 'string' ? undefined : answer.flatMap(read);

async function askChoices(
  ask: Ask,
  organizations: Promise<string[] | undefined>,
): Promise<AccountChoices> {
  const [regions, apps, clusters] = await Promise.all([
    ask('platform', 'regions'),
    ask('postgres', 'list'),
    managedClusters(ask, organizations),
  ]);
  const open = mapRows(regions, regionOf) ?? [];
  const unmanaged = mapRows(apps, databaseOf);
  const databases = [clusters, unmanaged].filter((list) => list !== undefined);
  return {
    regions: open.length
      ? open.sort((left, right) => (left.code < right.code ? -1 : 1))
      : undefined,
    databases: databases.length ? databases.flat() : undefined,
  };
}

/** Managed Postgres is listed by organisation, and asks for one where none is given. */
async function managedClusters(
  ask: Ask,
  organizations: Promise<string[] | undefined>,
): Promise<Database[] | undefined> {
  const slugs = (await organizations)?.slice(0, 5);
  const lists = slugs?.map((slug) => ask('mpg', 'list', '--org', slug));
  const clusters = lists && (await Promise.all(lists));
  return clusters?.flatMap((list) => mapRows(list, clusterOf) ?? []);
}

/** Names of the app's secrets, where the account has the app. Their values can't be read. */
export async function askSecrets(
  folder: string,
  app: string,
  { apps }: Account,
): Promise<string[] | undefined> {
  if (!apps?.some(({ name }) => name === app)) return apps && [];
  const args = ['secrets', 'list', '--app', app, '--json'];
  const answer = await askFlyctl(folder, args, Date.now() + PATIENCE);
  return mapRows(answer, (row) => [textOf(row.Name ?? row.name)]);
}

/** Organizations come as names by slug. */
const slugsIn = (answer: Row[] | FlyctlFailure): string[] | undefined =>
  mapRows(answer, Object.keys)?.filter(isSlug);

const isSlug = (slug: string): boolean => /^[a-z0-9][a-z0-9-]*$/.test(slug);

const textOf = (value: unknown): string => (typeof value === 'string' ? printable(value) : '');

/** fly-go types.go, Region (2026-08). */
function regionOf(row: Row): Region[] {
  const code = textOf(row.code);
  if (!/^[a-z]{3}$/.test(code) || row.deprecated === true) return [];
  const mpg = Boolean(row.mpg_available ?? knownRegion(code)?.mpg);
  return [{ code, city: textOf(row.name), mpg }];
}

const organizationOf = (row: Row): string => textOf((row.Organization as Row | undefined)?.Slug);

/** Databases are among the apps (fly-go types.go, App, 2026-08). */
function appOf(row: Row): FlyApp[] {
  const [name, slug] = [textOf(row.Name), organizationOf(row)];
  const organization = isSlug(slug) ? slug : undefined;
  return name ? [{ name, organization, deployed: row.Deployed === true }] : [];
}

/** An unmanaged Postgres app: fly-go's App, whose keys are Go's (flyctl internal/command/postgres/list.go, 2026-08). */
function databaseOf(row: Row): Database[] {
  const name = textOf(row.Name);
  const label = `${name}  Fly Postgres app of ${organizationOf(row)} (${textOf(row.Status)})`;
  return isAppName(name) ? [{ answer: name, label }] : [];
}

/** A cluster of Managed Postgres (flyctl internal/uiex/mpg/v1/client.go, 2026-08). */
function clusterOf(row: Row): Database[] {
  const answer = `managed:${textOf(row.id)}`;
  const label = `${answer}  Managed Postgres ${textOf(row.name)} in ${textOf(row.region)} (${textOf(row.plan)}, ${textOf(row.status)})`;
  return /^managed:[A-Za-z0-9]+$/.test(answer) ? [{ answer, label }] : [];
}
