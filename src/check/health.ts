import semver from 'semver';
import { get, show } from '../elixir/value.ts';
import { forceSslFaults } from '../facts/force-ssl.ts';
import { checkedFile } from '../fly/checked-file.ts';
import { type Located, type Service, seconds } from '../fly/fly-config.ts';
import type { FlyFile } from './fly-file.ts';
import type { Repo } from './repo.ts';
import { FLY_TOML } from './requirements.ts';
import { type Place, type Rule, rulesFor } from './rule.ts';

interface Checked extends Place {
  /** The path that the check asks for, and what the app answers. */
  path: string;
  answered: string | null;
  header: string;
  service: string;
}

const r25 = rulesFor(FLY_TOML, 'R2.5');

/** A path that the app answers without a login or the database. */
const answeredPath = ({ project }: Repo): string | null =>
  checkedFile(project) ?? project.endpoint.healthPath;

const headerOf = (service: Service): string => service.checksPath.replace(/\.\d+\./, '.');

/** The first check of the service, and the line of one of its keys. */
function checkOf(fly: FlyFile, repo: Repo, key = ''): Checked[] {
  const { service } = fly;
  if (!service) return [];
  const check: Located | undefined = service.checks[0];
  const line =
    check === undefined
      ? fly.line(service.path)
      : (fly.line(`${check.path}.${key}`) ?? fly.line(check.path));
  return [
    {
      line,
      path: String(check?.data.path ?? '/'),
      answered: answeredPath(repo),
      header: headerOf(service),
      service: service.path.replace(/\.\d+$/, ''),
    },
  ];
}

/** The check, where there is one and something about it is wrong. */
const check =
  (isWrong: (found: Checked, check: Located, repo: Repo) => boolean, key = 'path') =>
  (fly: FlyFile, repo: Repo): Checked[] =>
    checkOf(fly, repo, key).filter((found) => {
      const first = fly.service?.checks[0];
      return first !== undefined && isWrong(found, first, repo);
    });

const TIMES: [key: string, least: number, wanted: string, why: string][] = [
  ['interval', 5, '15s', 'Fly lowers it to a minute; below 5 s it is load'],
  ['timeout', 1, '5s', 'a bare number is milliseconds'],
  ['grace_period', 5, '30s', 'the Erlang VM and the app take some seconds to start'],
];

/** A static file of this path, or a route that ends like it: something of the owner's may well answer there. */
function mayAnswer(path: string, { project: { tree } }: Repo): boolean {
  const [, last = ''] = /\/([\w.-]+)\/?$/.exec(path) ?? [];
  const paths = [...tree.paths];
  const routes = paths.filter((file) => /(router|endpoint)\.ex$/.test(file));
  const route = new RegExp(`["/]${last.replaceAll('.', '\\.')}"`);
  return (
    paths.some((file) => file.endsWith(`priv/static${path}`)) ||
    (last !== '' &&
      routes.some((file) => route.test((tree.read(file) ?? '').replaceAll(/^\s*#.*$/gm, ''))))
  );
}

/** force_ssl answers the check with a redirect: neither the header nor an exclusion keeps it out. */
function redirects({ path }: Checked, { data }: Located, { project, settings }: Repo): boolean {
  const { app, endpoint, phoenix } = project;
  const ssl = get(get(settings.compiled.get(app.otpApp), endpoint.module), 'force_ssl');
  const isForwarded = Object.entries((data.headers ?? {}) as Record<string, unknown>).some(
    ([name, value]) => name.toLowerCase() === 'x-forwarded-proto' && value === 'https',
  );
  const isExcluded =
    semver.gte(phoenix.plugVersion ?? '0.0.0', '1.19.0') &&
    show(get(get(ssl, 'exclude'), 'paths')).includes(`"${path}"`);
  const isBlocked = forceSslFaults(project).some(({ blocks }) => blocks);
  return Array.isArray(ssl) && !isForwarded && !isExcluded && !isBlocked;
}

const forceSsl = (blocks: boolean) => (_: FlyFile, repo: Repo) =>
  forceSslFaults(repo.project)
    .filter((fault) => fault.blocks === blocks)
    .map((fault) => ({ ...fault, file: fault.at.file, line: fault.at.line }));

/** R2.5: a check on a path that answers 200 over plain HTTP, without a login, a redirect or the database. */
export const healthRules: readonly Rule<FlyFile>[] = [
  r25.must(
    (fly) => !fly.service,
    'no [http_service], so nothing is served and nothing checked',
    '`npx plop fly-toml` writes it',
  ),
  r25.should(
    (fly, repo) =>
      fly.service && !answeredPath(repo) ? [{ file: repo.project.endpoint.file }] : [],
    'the app has no route that answers a health check',
    '`npx plop health` adds a plug that answers /health',
  ),
  r25.should(
    (fly, repo) => (fly.service?.checks.length ? [] : checkOf(fly, repo)),
    'no health check, so a deploy goes on although the app does not answer',
    ({ answered, header, service }) =>
      `below the [${service}] table, add:\n[[${header}]]\nmethod = "GET"\npath = "${answered ?? '/health'}"\ninterval = "15s"\ntimeout = "5s"\ngrace_period = "30s"\n[${header}.headers]\nX-Forwarded-Proto = "https"`,
  ),
  r25.should(
    check(({ path, answered }) => path === '/' && answered !== '/'),
    'the start page may ask for a login or for the database, and then the check fails',
    ({ answered }) => `write: path = "${answered ?? '/health'}"`,
  ),
  r25.must(
    check(
      ({ path, answered }, _, repo) =>
        path !== '/' && answered !== null && path !== answered && !mayAnswer(path, repo),
    ),
    ({ path, answered }) => `the check asks for ${path}, and the app's health route is ${answered}`,
    ({ answered }) => `write: path = "${answered}"`,
  ),
  r25.must(
    check(({ path, answered }) => path === '/health' && answered === null),
    'nothing in the app answers /health, so no deploy ends well',
    '`npx plop health` adds a plug that does',
  ),
  ...TIMES.map(([key, least, wanted, why]) =>
    r25.should(
      (fly, repo) =>
        check(() => true, key)(fly, repo)
          .map(({ line }) => ({ line, value: seconds(fly.service?.checks[0]?.data[key]) }))
          .filter(({ value }) => value === undefined || value < least || value > 60),
      ({ value }) => `${key} is ${value === undefined ? 'missing' : `${value} s`}: ${why}`,
      ({ value }) => `${value === undefined ? 'add' : 'write'}: ${key} = "${wanted}"`,
    ),
  ),
  r25.must(
    forceSsl(true),
    ({ what }) => what,
    ({ edit }) => edit,
  ),
  r25.note(forceSsl(false), ({ at, what, edit }) => `${at.file}:${at.line}: ${what}; ${edit}`, ''),
  r25.must(
    check(redirects, 'headers'),
    'Fly checks over plain HTTP, and force_ssl answers that with a redirect, which counts as failed',
    ({ header }) => `below this check, add:\n[${header}.headers]\nX-Forwarded-Proto = "https"`,
  ),
];
