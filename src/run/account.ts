import { askFlyctl, PATIENCE } from '../fly/flyctl.ts';

/** What the account holds, as far as flyctl says; undefined: it doesn't. */
export interface Account {
  flyctl: 'absent' | 'logged out' | 'logged in' | 'silent';
  apps: FlyApp[] | undefined;
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
  const answer = await askFlyctl(folder, ['apps', 'list', '--json'], deadline);
  if (answer === 'absent') return { flyctl: 'absent', apps: undefined };
  if (typeof answer === 'string')
    return { flyctl: Date.now() < deadline ? 'logged out' : 'silent', apps: undefined };
  const apps = rowsIn(answer.text)?.flatMap((row) => {
    const name = row.Name ?? row.name;
    const organization = ((row.Organization ?? row.organization) as Row | undefined) ?? {};
    const slug = organization.Slug ?? organization.slug;
    const deployed = (row.Deployed ?? row.deployed) === true || row.Status === 'deployed';
    return typeof name === 'string'
      ? [{ name, organization: typeof slug === 'string' ? slug : undefined, deployed }]
      : [];
  });
  return { flyctl: apps ? 'logged in' : 'silent', apps };
}

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

/** A sentence that begins with "No" stands where an empty list would (flyctl, 2026-08). */
function rowsIn(text: string): Row[] | undefined {
  if (/^no /i.test(text.trim())) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value)
      ? value.filter((row): row is Row => typeof row === 'object' && row !== null)
      : undefined;
  } catch {
    return undefined;
  }
}
