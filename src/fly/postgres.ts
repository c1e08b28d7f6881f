import { Problem } from '../problem.ts';
import type { Database } from './live.ts';
import { isAppName } from './names.ts';

/** Where the database lives. `app`: a Fly Postgres app (unmanaged); `managed`: Fly's Managed Postgres, its cluster id when known. */
export type Postgres =
  | { kind: 'app'; name: string }
  | { kind: 'managed'; cluster: string | null }
  | { kind: 'external' }
  | { kind: 'none' };

/** What people call a database outside Fly: its provider, or its address. */
const OUTSIDE_FLY =
  /^(neon|supabase|crunchy|crunchybridge|crunchydata|rds|aurora|aws|azure|gcp|cloudsql|digitalocean|heroku|render|railway|timescale|tigerdata|aiven|planetscale|cockroach|cockroachdb|xata|nile|(postgres|postgresql|ecto):\/\/.*)$/i;

/**
 * Reads the answer: a Fly Postgres app's name, `managed` or `managed:CLUSTER_ID`, `external` or what people say for it, `none`.
 * @throws Problem for anything else
 */
export function parsePostgres(text: string): Postgres {
  const answer = text.trim();
  if (answer === 'none') return { kind: 'none' };
  if (answer === 'external' || OUTSIDE_FLY.test(answer)) return { kind: 'external' };
  const managed = /^(managed|mpg)(:([A-Za-z0-9]+))?$/.exec(answer);
  if (managed) return { kind: 'managed', cluster: managed[3] ?? null };
  if (isAppName(answer)) return { kind: 'app', name: answer };
  throw new Problem(
    `"${text}" names no database: give a Fly Postgres app (lower-case letters, digits, dashes), managed, managed:CLUSTER_ID, external or none`,
  );
}

/** What to choose from: the account's databases, then what could be made. A name that isn't there can be typed. */
export function postgresChoices(
  term: string,
  suggested: string,
  databases: readonly Database[] = [],
): { value: string; name: string }[] {
  const fresh = databases.length ? 'new ' : '';
  const app = (name: string) => ({
    value: name,
    name: `${name}  ${fresh}Fly Postgres app, you look after it (about $2 a month)`,
  });
  const existing = databases.map(({ answer, label }) => ({ value: answer, name: label }));
  const exists = existing.some(({ value }) => value === suggested);
  const choices = [
    ...existing,
    ...(exists ? [] : [app(suggested)]),
    { value: 'managed', name: `managed  ${fresh}Fly Managed Postgres (from about $41 a month)` },
    { value: 'external', name: 'external  a database outside Fly (Neon, Supabase, RDS)' },
    { value: 'none', name: 'none  no database' },
  ];
  if (OUTSIDE_FLY.test(term)) return choices.filter(({ value }) => value === 'external');
  const matches = choices.filter(({ name }) => name.toLowerCase().includes(term.toLowerCase()));
  const isNew = isAppName(term) && !choices.some(({ value }) => value === term);
  return isNew ? [...matches, app(term)] : matches;
}

export function printPostgres(postgres: Postgres): string {
  if (postgres.kind === 'app') return postgres.name;
  return postgres.kind === 'managed' && postgres.cluster
    ? `managed:${postgres.cluster}`
    : postgres.kind;
}

/** The command that gives the app the secret `url`, the address; it also stands in fly.toml, from where a rerun reads the answer back. */
export function attachCommand(postgres: Postgres, app: string, url: string): string | null {
  const options = `--app ${app}${url === 'DATABASE_URL' ? '' : ` --variable-name ${url}`}`;
  if (postgres.kind === 'app') return `fly postgres attach ${postgres.name} ${options}`;
  return postgres.kind === 'managed'
    ? `fly mpg attach ${postgres.cluster ?? 'CLUSTER_ID'} ${options}`
    : null;
}

const SECRET_FROM = ' is a secret, set by: ';
const OUTSIDE = 'The database is outside Fly: ';
const NONE = 'No database';

/** The comment in fly.toml from which a rerun reads the answer back. */
export function databaseSource(postgres: Postgres, app: string, url: string): string {
  const attach = attachCommand(postgres, app, url);
  if (attach) return url + SECRET_FROM + attach;
  return postgres.kind === 'external' ? `${OUTSIDE}fly secrets set ${url}=ecto://...` : NONE;
}

/** What {@link databaseSource} wrote behind the "# "; other secrets may have such a comment, with other commands. */
export const DATABASE_SOURCE = new RegExp(
  `(?<=^[ \\t]*# )(DATABASE_URL${SECRET_FROM}|\\w+${SECRET_FROM}(?=fly (?:postgres|mpg) )|${OUTSIDE}|${NONE}(?=\\r?$))[^\\r\\n]*`,
  'gm',
);

/** The answer behind a fly.toml: from our comment, else from what its owner notes about an attach command. */
export function readAttachCommand(flyToml: string): string | undefined {
  const [source = flyToml] = flyToml.match(DATABASE_SOURCE) ?? [];
  const [, kind, name] = /fly (postgres|mpg) attach (\w[\w-]*)/.exec(source) ?? [];
  if (kind === 'postgres' && name) return name;
  if (kind) return name === 'CLUSTER_ID' ? 'managed' : `managed:${name}`;
  if (source.startsWith(OUTSIDE)) return 'external';
  return source.startsWith(NONE) ? 'none' : undefined;
}
