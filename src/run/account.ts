import { askFlyctl, PATIENCE } from '../fly/flyctl.ts';

/** What the account holds, as far as flyctl says; undefined: it doesn't. */
export interface Account {
  flyctl: 'absent' | 'logged out' | 'logged in' | 'silent';
  apps: FlyApp[] | undefined;
  /** Slugs. */
  organizations: string[] | undefined;
}

export interface FlyApp {
  name: string;
  organization: string | undefined;
  deployed: boolean;
}

type Row = Readonly<Record<string, unknown>>;

/** The apps of the account, databases among them (fly-go types.go, App, 2026-08). Changes nothing. */
export async function readAccount(folder: string): Promise<Account> {
  const deadline = Date.now() + PATIENCE;
  const [list, orgs] = await Promise.all([
    askFlyctl(folder, ['apps', 'list', '--json'], deadline),
    askFlyctl(folder, ['orgs', 'list', '--json'], deadline),
  ]);
  const organizations = typeof orgs === 'string' ? undefined : slugsIn(orgs.text);
  if (typeof list !== 'string') {
    const apps = rowsIn(list.text)?.flatMap(appOf);
    return { flyctl: apps ? 'logged in' : 'silent', apps, organizations };
  }
  const failed = Date.now() < deadline ? 'logged out' : 'silent';
  return { flyctl: list === 'absent' ? 'absent' : failed, apps: undefined, organizations };
}

function appOf(row: Row): FlyApp[] {
  const slug = (row.Organization as Row | undefined)?.Slug;
  return typeof row.Name === 'string'
    ? [{ name: row.Name, organization: slugOf(slug), deployed: row.Deployed === true }]
    : [];
}

const slugOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[a-z0-9][a-z0-9-]*$/.test(value) ? value : undefined;

/** Names of the app's secrets, where the account has the app. Their values can't be read. */
export async function readSecrets(
  folder: string,
  app: string,
  account: Promise<Account>,
): Promise<string[] | undefined> {
  const { apps } = await account;
  if (!apps?.some(({ name }) => name === app)) return apps && [];
  const answer = await askFlyctl(
    folder,
    ['secrets', 'list', '--app', app, '--json'],
    Date.now() + PATIENCE,
  );
  if (typeof answer === 'string') return undefined;
  return rowsIn(answer.text)?.map((row) => String(row.Name ?? row.name));
}

/** `null`, or a sentence that begins with "No", stands where an empty list would (flyctl, 2026-08). */
function rowsIn(text: string): Row[] | undefined {
  if (/^(no |null$)/i.test(text.trim())) return [];
  const value = parsed(text);
  return Array.isArray(value)
    ? value.filter((row): row is Row => typeof row === 'object' && row !== null)
    : undefined;
}

/** Organizations come as names by slug. */
function slugsIn(text: string): string[] | undefined {
  const value = parsed(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.keys(value).filter((slug) => slugOf(slug) !== undefined)
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
