import { askFlyctl, askOrganizations, PATIENCE, type Row, type Silence } from '../fly/flyctl.ts';

/** What the account holds, as far as flyctl says; undefined: it doesn't. */
export interface Account {
  flyctl: Silence | 'logged in';
  apps: FlyApp[] | undefined;
  /** Slugs. */
  organizations: string[] | undefined;
}

export interface FlyApp {
  name: string;
  organization: string | undefined;
  deployed: boolean;
}

/** The apps of the account, databases among them (fly-go types.go, App, 2026-08). Changes nothing. */
export async function readAccount(folder: string): Promise<Account> {
  const deadline = Date.now() + PATIENCE;
  const [list, organizations] = await Promise.all([
    askFlyctl(folder, ['apps', 'list', '--json'], deadline),
    askOrganizations(folder, deadline),
  ]);
  return typeof list === 'string'
    ? { flyctl: list, apps: undefined, organizations }
    : { flyctl: 'logged in', apps: list.flatMap(appOf), organizations };
}

function appOf(row: Row): FlyApp[] {
  const slug = (row.Organization as Row | undefined)?.Slug;
  const organization =
    typeof slug === 'string' && /^[a-z0-9][a-z0-9-]*$/.test(slug) ? slug : undefined;
  return typeof row.Name === 'string'
    ? [{ name: row.Name, organization, deployed: row.Deployed === true }]
    : [];
}

/** Names of the app's secrets, where the account has the app. Their values can't be read. */
export async function readSecrets(
  folder: string,
  app: string,
  account: Promise<Account>,
): Promise<string[] | undefined> {
  const { apps } = await account;
  if (!apps?.some(({ name }) => name === app)) return apps && [];
  const args = ['secrets', 'list', '--app', app, '--json'];
  const answer = await askFlyctl(folder, args, Date.now() + PATIENCE);
  if (typeof answer === 'string') return undefined;
  return answer.map((row) => String(row.Name ?? row.name));
}
