import semver from 'semver';
import { get, isKeyword, pairs, show, type Value } from '../elixir/value.ts';
import type { Setting } from '../facts/config.ts';
import type { FlyFile, Service } from './fly-file.ts';
import type { Repo } from './repo.ts';
import { found, type Findings, type Missing } from './verdict.ts';

/** R2.5: a check on a path that answers 200 over plain HTTP, without a login, a redirect or the database. */
export function healthCheck({ project, compiled }: Repo, fly: FlyFile): Findings {
  const service = fly.services[0];
  const at = (line: number | undefined, what: string, edit: string): Missing => ({ what, edit, file: 'fly.toml', line });
  const wanted = project.healthPath ?? '/health';
  if (!service) return found([at(undefined, 'no [http_service], so nothing is served and nothing checked', '`npx plop fly-toml` writes it')]);
  const missing: Missing[] = [];
  const notes: string[] = [];
  const check = service.checks[0];
  const where = `${service.checksPath}.0`;
  if (!project.healthPath) missing.push({ what: 'the app has no route that answers a health check', edit: '`npx plop health` adds a plug that answers /health', file: project.endpointFile, line: undefined });
  if (!check) missing.push(at(fly.line(service.path), 'no health check, so a deploy goes on although the app does not answer', `below the [${service.path.replace(/\.\d+$/, '')}] table, add:\n[[${header(service)}]]\nmethod = "GET"\npath = "${wanted}"\ninterval = "15s"\ntimeout = "5s"\ngrace_period = "30s"\n[${header(service)}.headers]\nX-Forwarded-Proto = "https"`));
  else {
    const path = String(check.path ?? '/');
    if (path !== project.healthPath) {
      if (path === '/') missing.push(at(fly.line(`${where}.path`) ?? fly.line(where), 'the start page may ask for a login or for the database, and then the check fails', `write: path = "${wanted}"`));
      else if (project.healthPath) missing.push(at(fly.line(`${where}.path`), `the check asks for ${path}, and the app's health route is ${project.healthPath}`, `write: path = "${project.healthPath}"`));
    }
    missing.push(...times(fly, check, where));
    const ssl = forceSsl(project.config.settings, project.endpointModule, get(get(compiled.get(project.otpApp), project.endpointModule), 'force_ssl'));
    const headers = (check.headers ?? {}) as Record<string, unknown>;
    const forwarded = Object.entries(headers).some(([name, value]) => name.toLowerCase() === 'x-forwarded-proto' && value === 'https');
    const excludes = semver.gte(project.plugVersion ?? '0.0.0', '1.19.0') && show(get(get(ssl?.value, 'exclude'), 'paths') ?? null).includes(`"${path}"`);
    if (ssl && ssl.rewrites && !forwarded && !excludes) missing.push(at(fly.line(`${where}.headers`) ?? fly.line(where), 'Fly checks over plain HTTP, and force_ssl answers that with a redirect, which counts as failed', `below this check, add:\n[${header(service)}.headers]\nX-Forwarded-Proto = "https"`));
    if (ssl && !ssl.rewrites) missing.push({ what: "force_ssl without rewrite_on redirects for ever behind Fly's proxy, which ends TLS", edit: `write: force_ssl: [${['rewrite_on: [:x_forwarded_proto]', ...pairs(ssl.value).map(([key, value]) => `${key}: ${show(value)}`)].join(', ')}]`, file: ssl.place?.file ?? 'config/prod.exs', line: ssl.place?.line });
    if (ssl) notes.push(...excludeNotes(ssl, project.plugVersion));
  }
  return found(missing, [], notes);
}

const header = (service: Service): string => service.checksPath.replace(/\.\d+\./, '.');

interface ForceSsl {
  value: Value;
  rewrites: boolean;
  place: Setting | undefined;
  /** `exclude:` beside force_ssl, where it does nothing. */
  outside: Setting | undefined;
}

function forceSsl(settings: readonly Setting[], endpoint: string, value: Value | undefined): ForceSsl | undefined {
  if (!Array.isArray(value)) return undefined;
  const compiledIn = settings.filter((one) => one.key === endpoint && !/runtime\.exs$|releases\.exs$/.test(one.file));
  const place = compiledIn.findLast((one) => get(one.value, 'force_ssl') !== undefined);
  return { value, rewrites: get(value, 'rewrite_on') !== undefined, place, outside: compiledIn.find((one) => get(one.value, 'exclude') !== undefined) };
}

/** Phoenix 1.8.3 and 1.8.4 wrote `exclude:` beside force_ssl (phoenix#6556); `paths:` came with plug 1.19 (plug#1194). */
function excludeNotes({ value, outside, place }: ForceSsl, plugVersion: string | null): string[] {
  const exclude = get(value, 'exclude');
  const spot = (one: Setting | undefined) => (one ? ` (${one.file}:${one.line})` : '');
  return [
    ...(outside ? [`exclude:${spot(outside)} stands beside force_ssl and does nothing there; move it inside: force_ssl: [rewrite_on: [:x_forwarded_proto], exclude: […]]`] : []),
    ...(isKeyword(exclude) && get(exclude, 'paths') !== undefined && !semver.gte(plugVersion ?? '0.0.0', '1.19.0') ? [`exclude: [paths: …]${spot(place)} needs plug 1.19, and mix.lock has ${plugVersion}: mix deps.update plug`] : []),
    ...(isKeyword(exclude) && get(exclude, 'hosts') === undefined ? [`exclude:${spot(place)} replaces the default, so add hosts: ["localhost", "127.0.0.1"] to it`] : []),
  ];
}

/** Seconds of a duration as Fly reads it: bare numbers are milliseconds. */
export function seconds(value: unknown, bare = 1000): number | undefined {
  if (typeof value === 'number') return value / bare;
  const parts = [...String(value ?? '').matchAll(/([\d.]+)(ms|s|m|h)/g)];
  if (parts.length) return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * ({ ms: 0.001, s: 1, m: 60, h: 3600 }[unit ?? 's'] ?? 1), 0);
  return /^\d+$/.test(String(value)) ? Number(value) / bare : undefined;
}

function times(fly: FlyFile, check: Record<string, unknown>, where: string): Missing[] {
  const rules: [key: string, least: number, most: number, wanted: string, why: string][] = [
    ['interval', 5, 60, '15s', 'Fly lowers it to a minute; below 5 s it is load'],
    ['timeout', 1, 60, '5s', 'a bare number is milliseconds'],
    ['grace_period', 5, 60, '30s', 'the Erlang VM and the app take some seconds to start'],
  ];
  return rules.flatMap(([key, least, most, wanted, why]) => {
    const value = seconds(check[key]);
    if (value !== undefined && value >= least && value <= most) return [];
    return [{ what: `${key} is ${value === undefined ? 'missing' : `${value} s`}: ${why}`, edit: `${value === undefined ? 'add' : 'write'}: ${key} = "${wanted}"`, file: 'fly.toml', line: fly.line(`${where}.${key}`) ?? fly.line(where) }];
  });
}
