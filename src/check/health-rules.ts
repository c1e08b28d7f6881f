import semver from 'semver';
import { get, show } from '../elixir/value.ts';
import { forceSslFaults } from '../facts/force-ssl.ts';
import { databaseCalls } from '../facts/start-queries.ts';
import { type Located, seconds, staticHealthPath } from '../fly/fly-config.ts';
import type { FlyFile, Repo } from './repo.ts';
import { type Rule, rulesFor, type Weight } from './rule.ts';

const healthCheck = rulesFor<FlyFile>('R2.5');

/** A path that the app answers without a login or the database. */
const answeredPath = ({ project }: Repo): string | null =>
  staticHealthPath(project.tree) ?? project.endpoint.healthPath;

/** The service's first check, where something about it is wrong: the path that it asks for, and the one that the app answers. */
const check =
  (
    key: string,
    isWrong: (path: string, answered: string | null, check: Located, repo: Repo) => boolean,
  ) =>
  ({ service, line }: FlyFile, repo: Repo) => {
    const [first] = service?.checks ?? [];
    const path = String(first?.data.path ?? '/');
    const answered = answeredPath(repo);
    if (!service || !first || !isWrong(path, answered, first, repo)) return undefined;
    const header = withoutIndex(service.checksPath);
    return { line: line(`${first.path}.${key}`), path, answered: answered ?? '/health', header };
  };

/** The name in a table's header: `services.0.http_checks` stands below [[services.http_checks]]. */
const withoutIndex = (path: string): string => path.replace(/\.\d+/, '');

/** What each time of a check has to be, in seconds. */
const TIMES: [key: string, least: number, wanted: string, why: string][] = [
  ['interval', 5, '15s', 'Fly lowers it to a minute; below 5 s it is load'],
  ['timeout', 1, '5s', 'a bare number is milliseconds'],
  ['grace_period', 5, '30s', 'the Erlang VM and the app take some seconds to start'],
];
const LONGEST = 60;

/** Times of the service's first check that don't fit. */
function wrongTimes({ service, line }: FlyFile) {
  const [first] = service?.checks ?? [];
  if (!first) return [];
  return TIMES.map(([key, least, wanted, why]) => {
    const time = seconds(first.data[key]);
    const isMissing = time === undefined;
    if (!isMissing && time >= least && time <= LONGEST) return undefined;
    const state = isMissing ? 'missing' : `${time} s`;
    return { line: line(`${first.path}.${key}`), key, wanted, why, state };
  });
}

/** Whether a route of a router or an endpoint ends like the path, so that something of the owner's may well answer there. */
function mayAnswer(path: string, { project: { tree } }: Repo): boolean {
  const segment = path.split('/').findLast(Boolean);
  const routers = [...tree.paths].filter((file) => /(router|endpoint)\.ex$/.test(file));
  const code = routers.map((file) => tree.read(file)?.replaceAll(/^\s*#.*/gm, '')).join();
  return code.includes(`${segment}"`);
}

/** Whether a controller that a router gives the path to (`get "/health", HealthController, :show`) asks the database. */
function asksDatabase(path: string, { project: { sources, database } }: Repo): boolean {
  const segment = path.split('/').at(-1) ?? '';
  const repos = [...database.repos, 'Ecto.Adapters.SQL'];
  const routes = sources.files
    .filter((file) => file.endsWith('router.ex'))
    .flatMap((file) => [...sources.text(file).matchAll(ROUTE)])
    .filter(([, route]) => segment && `/${route}`.endsWith(`/${segment}`));
  return routes.some(([, , controller = '', action = '']) =>
    sources
      .matching(new RegExp(`defmodule [\\w.]*\\b${controller} do`))
      .flatMap((file) => sources.modules(file))
      .some((module) => databaseCalls(sources, repos)(module, action)),
  );
}
const ROUTE = /^ *get[ (]+"([^"]*)", *([A-Z][\w.]*), *:(\w+)/gm;

/** Whether force_ssl answers the check with a redirect: neither the header nor an exclusion keeps it out. */
function isRedirected(path: string, { data }: Located, { project, settings }: Repo): boolean {
  const { app, endpoint, phoenix } = project;
  const ssl = get(get(settings.compiled.get(app.otpApp), endpoint.module), 'force_ssl');
  const isForwarded = /"x-forwarded-proto":"https"/i.test(JSON.stringify(data.headers ?? {}));
  const isExcluded =
    semver.gte(phoenix.plugVersion ?? '0.0.0', '1.19.0') &&
    show(get(get(ssl, 'exclude'), 'paths')).includes(`"${path}"`);
  return Array.isArray(ssl) && !isForwarded && !isExcluded;
}

const forceSsl = (isBlocking: boolean) => (_: FlyFile, repo: Repo) =>
  forceSslFaults(repo.project).filter(({ blocks }) => blocks === isBlocking);

/** R2.5: a check on a path that answers 200 over plain HTTP, without a login, a redirect or the database. */
export const healthRules: readonly Rule<FlyFile>[] = [
  healthCheck.should({
    find: ({ service }, repo) => {
      const weight: Weight = service?.checks[0]?.data.path === '/health' ? 'must' : 'should';
      return !answeredPath(repo) && { file: repo.project.endpoint.file, weight };
    },
    what: 'nothing in the app answers a health check',
    edit: '`npx plop health` adds a plug that answers /health',
  }),
  healthCheck.should({
    find: ({ service, line }, repo) => {
      if (service?.checks.length) return undefined;
      const { path: table = 'http_service', checksPath = 'http_service.checks' } = service ?? {};
      const path = answeredPath(repo) ?? '/health';
      const header = withoutIndex(checksPath);
      return { line: line(table), path, table: withoutIndex(table), header };
    },
    what: 'no health check, so a deploy goes on although the app does not answer',
    edit: ({ table, header, path }) => [
      `below the [${table}] table, add:`,
      `[[${header}]]`,
      'method = "GET"',
      `path = "${path}"`,
      'interval = "15s"',
      'timeout = "5s"',
      'grace_period = "30s"',
      `[${header}.headers]`,
      'X-Forwarded-Proto = "https"',
    ],
  }),
  healthCheck.should({
    find: check('path', (path, answered) => path === '/' && answered !== '/'),
    what: 'the start page may ask for a login or for the database, and then the check fails',
    edit: ({ answered }) => `write: path = "${answered}"`,
  }),
  healthCheck.advice({
    find: check('path', (path, _, __, repo) => asksDatabase(path, repo)),
    what: ({ path }) =>
      `${path} asks the database, and while that is away Fly sends no requests to the app and ends deploys`,
    edit: 'let it answer by itself, or check another path',
  }),
  healthCheck.must({
    find: check(
      'path',
      (path, answered, _, repo) =>
        path !== '/' && answered !== null && path !== answered && !mayAnswer(path, repo),
    ),
    what: ({ path, answered }) =>
      `the check asks for ${path}, and the app's health route is ${answered}`,
    edit: ({ answered }) => `write: path = "${answered}"`,
  }),
  healthCheck.should({
    find: wrongTimes,
    what: ({ key, state, why }) => `${key} is ${state}: ${why}`,
    edit: ({ key, wanted }) => `write: ${key} = "${wanted}"`,
  }),
  healthCheck.must({
    find: forceSsl(true),
    what: ({ what }) => `${what}`,
    edit: ({ edit }) => `${edit}`,
  }),
  healthCheck.note({
    find: forceSsl(false),
    what: ({ file, line, what, edit }) => `${file}:${line}: ${what}; ${edit}`,
  }),
  healthCheck.must({
    find: check('headers', (path, _, first, repo) => isRedirected(path, first, repo)),
    what: 'Fly checks over plain HTTP, and force_ssl answers that with a redirect, which counts as failed',
    edit: ({ header }) => [
      'below this check, add:',
      `[${header}.headers]`,
      'X-Forwarded-Proto = "https"',
    ],
  }),
];
