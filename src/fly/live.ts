import { printable } from '../problem.ts';
import { askFlyctl, PATIENCE, type Silence } from './flyctl.ts';
import { isAppName } from './names.ts';
import { REGIONS, type Region } from './regions.ts';

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
  const silent = [regions, apps].some((answer) => answer === 'failed');
  const found = [...(clusters ?? []), ...(read(apps, parseApps) ?? [])];
  return {
    regions: read(regions, parseRegions),
    databases: typeof apps === 'string' && !clusters ? undefined : found,
    note: silent
      ? 'flyctl did not answer (fly auth whoami says whether it is logged in), so regions and databases are those of a table.'
      : undefined,
  };
}

/** Managed Postgres is listed by organisation, and asks for one where none is given. */
async function managedClusters(folder: string, deadline: number): Promise<Database[] | undefined> {
  const organisations = read(
    await askFlyctl(folder, ['orgs', 'list', '--json'], deadline),
    parseOrganisations,
  );
  if (!organisations) return undefined;
  const lists = await Promise.all(
    organisations
      .slice(0, 5)
      .map((slug) => askFlyctl(folder, ['mpg', 'list', '--json', '--org', slug], deadline)),
  );
  return lists.flatMap((list) => read(list, parseClusters) ?? []);
}

function read<T>(
  answer: { text: string } | Silence,
  parse: (value: unknown) => T | undefined,
): T | undefined {
  if (typeof answer === 'string') return undefined;
  try {
    return parse(JSON.parse(answer.text));
  } catch {
    // "No postgres clusters found" stands where an empty list would
    return undefined;
  }
}

type Row = Readonly<Record<string, unknown>>;
const rows = (value: unknown): Row[] | undefined =>
  Array.isArray(value)
    ? value.filter((row): row is Row => typeof row === 'object' && row !== null)
    : undefined;
const text = (value: unknown): string => (typeof value === 'string' ? printable(value) : '');

/** fly-go types.go, Region (2026-08). */
export function parseRegions(value: unknown): Region[] | undefined {
  const regions = rows(value)?.filter(
    (row) => /^[a-z]{3}$/.test(text(row.code)) && row.deprecated !== true,
  );
  return regions?.length
    ? regions
        .map((row) => ({
          code: text(row.code),
          city: text(row.name),
          mpg:
            row.mpg_available === true ||
            (row.mpg_available === undefined &&
              REGIONS.some(({ code, mpg }) => code === row.code && mpg)),
        }))
        .sort((left, right) => (left.code < right.code ? -1 : 1))
    : undefined;
}

/** Unmanaged Postgres apps: fly-go's App, whose keys are Go's (flyctl internal/command/postgres/list.go, 2026-08). */
export const parseApps = (value: unknown): Database[] | undefined =>
  rows(value)?.flatMap((row) => {
    const name = text(row.Name);
    const organisation = text((row.Organization as Row | undefined)?.Slug);
    return isAppName(name)
      ? [
          {
            answer: name,
            label: `${name}  Fly Postgres app${organisation ? ` of ${organisation}` : ''}${row.Status ? ` (${text(row.Status)})` : ''}`,
          },
        ]
      : [];
  });

/** Clusters of Managed Postgres (flyctl internal/uiex/mpg/v1/client.go, 2026-08). */
export const parseClusters = (value: unknown): Database[] | undefined =>
  rows(value)?.flatMap((row) =>
    /^[A-Za-z0-9]+$/.test(text(row.id))
      ? [
          {
            answer: `managed:${text(row.id)}`,
            label: `managed:${text(row.id)}  Managed Postgres ${text(row.name)} in ${text(row.region)} (${text(row.plan)}, ${text(row.status)})`,
          },
        ]
      : [],
  );

const parseOrganisations = (value: unknown): string[] | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.keys(value)
    : undefined;
