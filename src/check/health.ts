import semver from 'semver';
import { get, show } from '../elixir/value.ts';
import { forceSslFaults } from '../facts/force-ssl.ts';
import { type Service, seconds, type Table } from '../fly/fly-config.ts';
import type { FlyFile } from './fly-file.ts';
import type { Repo } from './repo.ts';
import { type Findings, found, type Missing } from './verdict.ts';

/** R2.5: a check on a path that answers 200 over plain HTTP, without a login, a redirect or the database. */
export function healthCheck({ project, settings }: Repo, fly: FlyFile): Findings {
  const service = fly.service;
  const at = (line: number | undefined, what: string, edit: string): Missing => ({
    what,
    edit,
    file: 'fly.toml',
    line,
  });
  const wanted = project.endpoint.healthPath ?? '/health';
  if (!service)
    return found([
      at(
        undefined,
        'no [http_service], so nothing is served and nothing checked',
        '`npx plop fly-toml` writes it',
      ),
    ]);
  const missing: Missing[] = [];
  const notes: string[] = [];
  const check = service.checks[0]?.data;
  const where = service.checks[0]?.path ?? service.checksPath;
  if (!project.endpoint.healthPath)
    missing.push({
      what: 'the app has no route that answers a health check',
      edit: '`npx plop health` adds a plug that answers /health',
      file: project.endpoint.file,
      line: undefined,
    });
  if (!check)
    missing.push(
      at(
        fly.line(service.path),
        'no health check, so a deploy goes on although the app does not answer',
        `below the [${service.path.replace(/\.\d+$/, '')}] table, add:\n[[${header(service)}]]\nmethod = "GET"\npath = "${wanted}"\ninterval = "15s"\ntimeout = "5s"\ngrace_period = "30s"\n[${header(service)}.headers]\nX-Forwarded-Proto = "https"`,
      ),
    );
  else {
    const path = String(check.path ?? '/');
    if (path !== project.endpoint.healthPath) {
      if (path === '/')
        missing.push(
          at(
            fly.line(`${where}.path`) ?? fly.line(where),
            'the start page may ask for a login or for the database, and then the check fails',
            `write: path = "${wanted}"`,
          ),
        );
      else if (project.endpoint.healthPath)
        missing.push(
          at(
            fly.line(`${where}.path`),
            `the check asks for ${path}, and the app's health route is ${project.endpoint.healthPath}`,
            `write: path = "${project.endpoint.healthPath}"`,
          ),
        );
    }
    missing.push(...times(fly, check, where));
    const faults = forceSslFaults(project);
    for (const { at: place, what, edit, blocks } of faults) {
      if (blocks) missing.push({ what, edit, file: place.file, line: place.line });
      else notes.push(`${place.file}:${place.line}: ${what}; ${edit}`);
    }
    const ssl = get(
      get(settings.compiled.get(project.app.otpApp), project.endpoint.module),
      'force_ssl',
    );
    const forwarded = Object.entries((check.headers ?? {}) as Record<string, unknown>).some(
      ([name, value]) => name.toLowerCase() === 'x-forwarded-proto' && value === 'https',
    );
    const excluded =
      semver.gte(project.phoenix.plugVersion ?? '0.0.0', '1.19.0') &&
      show(get(get(ssl, 'exclude'), 'paths') ?? null).includes(`"${path}"`);
    if (Array.isArray(ssl) && !forwarded && !excluded && !faults.some(({ blocks }) => blocks))
      missing.push(
        at(
          fly.line(`${where}.headers`) ?? fly.line(where),
          'Fly checks over plain HTTP, and force_ssl answers that with a redirect, which counts as failed',
          `below this check, add:\n[${header(service)}.headers]\nX-Forwarded-Proto = "https"`,
        ),
      );
  }
  return found(missing, [], notes);
}

const header = (service: Service): string => service.checksPath.replace(/\.\d+\./, '.');

function times(fly: FlyFile, check: Table, where: string): Missing[] {
  const rules: [key: string, least: number, most: number, wanted: string, why: string][] = [
    ['interval', 5, 60, '15s', 'Fly lowers it to a minute; below 5 s it is load'],
    ['timeout', 1, 60, '5s', 'a bare number is milliseconds'],
    ['grace_period', 5, 60, '30s', 'the Erlang VM and the app take some seconds to start'],
  ];
  return rules.flatMap(([key, least, most, wanted, why]) => {
    const value = seconds(check[key]);
    if (value !== undefined && value >= least && value <= most) return [];
    return [
      {
        what: `${key} is ${value === undefined ? 'missing' : `${value} s`}: ${why}`,
        edit: `${value === undefined ? 'add' : 'write'}: ${key} = "${wanted}"`,
        file: 'fly.toml',
        line: fly.line(`${where}.${key}`) ?? fly.line(where),
      },
    ];
  });
}
