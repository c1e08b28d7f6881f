import { printable } from '../problem.ts';
import { askFlyctl, askOrganizations, PATIENCE, type Row } from './flyctl.ts';
import { isAppName } from './names.ts';
import { hasManagedPostgres, type Region } from './regions.ts';

/** A database that the account has: `answer` is what `--postgres` takes. */
export interface Database {
  answer: string;
  label: string;
}

/** What the account can say; undefined: it didn't, and the dated table stands in. */
export interface Live {
  regions?: readonly Region[] | undefined;
  databases?: readonly Database[] | undefined;
  /** One line for the person, when flyctl is there and could not answer. */
  note?: string | undefined;
}

/** Asks flyctl for all at once, about no app in particular; every part that doesn't come stays undefined. Nothing here changes the account. */
export async function askAccount(folder: string): Promise<Live> {
  const deadline = Date.now() + PATIENCE;
  const [regions, apps, clusters] = await Promise.all([
    askFlyctl(folder, ['platform', 'regions', '--json'], deadline),
    askFlyctl(folder, ['postgres', 'list', '--json'], deadline),
    managedClusters(folder, deadline),
  ]);
  const isSilent = [regions, apps].some((answer) => answer === 'logged out' || answer === 'silent');
  const found = typeof regions === 'string' ? [] : regions.flatMap(regionOf);
  const databases = [...(clusters ?? []), ...(typeof apps === 'string' ? [] : apps.flatMap(appOf))];
  return {
    regions: found.length
      ? found.sort((left, right) => (left.code < right.code ? -1 : 1))
      : undefined,
    databases: typeof apps === 'string' && !clusters ? undefined : databases,
    note: isSilent
      ? 'flyctl did not answer (fly auth whoami says whether it is logged in), so regions and databases are those of a table.'
      : undefined,
  };
}

/** Managed Postgres is listed by organisation, and asks for one where none is given. */
async function managedClusters(folder: string, deadline: number): Promise<Database[] | undefined> {
  const slugs = await askOrganizations(folder, deadline);
  const lists = slugs
    ?.slice(0, 5)
    .map((slug) => askFlyctl(folder, ['mpg', 'list', '--json', '--org', slug], deadline));
  const clusters = lists && (await Promise.all(lists));
  return clusters?.flatMap((list) => (typeof list === 'string' ? [] : list.flatMap(clusterOf)));
}

const text = (value: unknown): string => (typeof value === 'string' ? printable(value) : '');

/** fly-go types.go, Region (2026-08). */
function regionOf(row: Row): Region[] {
  const code = text(row.code);
  if (!/^[a-z]{3}$/.test(code) || row.deprecated === true) return [];
  const mpg = Boolean(row.mpg_available ?? hasManagedPostgres(code));
  return [{ code, city: text(row.name), mpg }];
}

/** An unmanaged Postgres app: fly-go's App, whose keys are Go's (flyctl internal/command/postgres/list.go, 2026-08). */
function appOf(row: Row): Database[] {
  const name = text(row.Name);
  const organization = text((row.Organization as Row | undefined)?.Slug);
  const label = `${name}  Fly Postgres app of ${organization} (${text(row.Status)})`;
  return isAppName(name) ? [{ answer: name, label }] : [];
}

/** A cluster of Managed Postgres (flyctl internal/uiex/mpg/v1/client.go, 2026-08). */
function clusterOf(row: Row): Database[] {
  const answer = `managed:${text(row.id)}`;
  const label = `${answer}  Managed Postgres ${text(row.name)} in ${text(row.region)} (${text(row.plan)}, ${text(row.status)})`;
  return /^managed:[A-Za-z0-9]+$/.test(answer) ? [{ answer, label }] : [];
}
