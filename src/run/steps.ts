import { relative } from 'node:path';
import { type Present, suggestedAnswer } from '../answers/questions.ts';
import { migrateCommand } from '../check/machine-env.ts';
import { Repo } from '../check/repo.ts';
import { endpointOf, urlName } from '../check/runtime-settings.ts';
import { buildVariables, privateAccess } from '../docker/build-secrets.ts';
import { serverRepos } from '../facts/database.ts';
import type { Account } from '../fly/live.ts';
import { attachCommand, printPostgres } from '../fly/postgres.ts';
import { secretsToSet } from '../fly/secrets.ts';
import type { Context } from '../plan/file.ts';
import { isVariableName, shellPath } from '../quote.ts';
import { type Invocation, step, wrapped } from './terminal.ts';
import { workerSteps } from './worker-steps.ts';

export interface StepContext extends Context, Partial<Account> {
  /** What the files answered before this run. */
  present: Present;
  /** --steps: which list of steps the person wants. */
  steps: 'first' | 'next' | undefined;
  appFolder: string;
  invocation: Invocation;
  /** Whether BACKGROUND_ENABLED already had an effect before this run. */
  hadSwitch: boolean;
  /** Names of the app's secrets; undefined where they can't be known. */
  secrets: string[] | undefined;
  /** What would not build, boot or answer, or is unsafe, with the files as they are now. */
  faults: string[];
}

interface Deploy extends StepContext {
  isFirst: boolean;
  isNewDatabase: boolean;
  /** The app runs, with another database. */
  replacesDatabase: boolean;
}

/** The commands that come next: from nothing to a running app; for an app that runs, its deploy and what is new. */
export function nextSteps(context: StepContext): string {
  const { steps, apps, answers, present } = context;
  // Where flyctl doesn't say it, an app that had a fly.toml before this run is taken for deployed
  const isDeployed =
    apps?.some(({ name, deployed }) => name === answers.app && deployed) ??
    present.app === answers.app;
  const isFirst = steps ? steps === 'first' : !isDeployed;
  // A fly.toml that names no database is taken for one with the default
  const isOtherDatabase =
    printPostgres(answers.postgres) !==
    suggestedAnswer('postgres', context.project, present, answers.app);
  const deploy = {
    ...context,
    isFirst,
    isNewDatabase: isFirst || isOtherDatabase,
    replacesDatabase: !isFirst && isOtherDatabase && present.postgres !== undefined,
  };
  const doubt = `Is ${answers.app} new on Fly? --steps first prints the steps of a first deploy.`;
  return [
    'Next steps',
    ...preparationSteps(deploy),
    ...valueSteps(deploy),
    ...deploySteps(deploy),
    ...(isFirst || !context.hadSwitch ? workerSteps(context) : []),
    ...(isFirst || apps ? [] : [wrapped(doubt)]),
  ].join('\n\n');
}

/** Make the app, its key and its database, unless they exist. */
function preparationSteps(deploy: Deploy): string[] {
  const { answers, flyctl, isFirst, isNewDatabase } = deploy;
  const { app, postgres } = answers;
  const steps: string[] = [];
  if (flyctl === 'absent')
    steps.push(step('Install flyctl, as https://fly.io/docs/flyctl/install says.'));

  const lines: string[] = [];
  const folder = relative(deploy.invocation.cwd, deploy.appFolder);
  if (folder) lines.push(`cd ${shellPath(folder)}`);
  if (flyctl === 'absent' || flyctl === 'logged out') lines.push('fly auth login');
  if (isFirst && !hasApp(deploy, app))
    lines.push(`fly apps create ${app} --org ${organizationFor(deploy)}`);
  // Set only where it is known to be missing: a new key logs everybody out
  const key = keyName(deploy);
  if ((isFirst || deploy.secrets) && !isSet(deploy, key))
    lines.push(`fly secrets set ${key}=$(openssl rand -base64 48) --stage --app ${app}`);

  const url = urlName(new Repo(deploy.project));
  const needsAttach = deploy.replacesDatabase || (isNewDatabase && !isSet(deploy, url));
  const attach = needsAttach ? attachCommand(postgres, app, url) : null;
  const isNewCluster = postgres.kind === 'managed' && !postgres.cluster;
  // Attaching stops where the app has an address already
  if (attach && deploy.replacesDatabase)
    lines.push(`fly secrets unset ${url} --stage --app ${app}`);
  if (attach) lines.push(...createDatabase(deploy));
  // `fly mpg attach` asks for a user, so it is the last line
  if (attach && !isNewCluster) lines.push(attach);
  const title = 'Make the app and what it needs. Paste these lines into your shell:';
  if (lines.length) steps.push(step(isFirst ? title : 'First:', ...lines));
  if (attach && isNewCluster) {
    const title =
      'The last line has printed the ID of the new cluster (fly mpg list does too). Write it in place of CLUSTER_ID:';
    steps.push(step(title, attach));
  }
  return steps;
}

const hasApp = ({ apps }: Deploy, app: string): boolean =>
  apps?.some(({ name }) => name === app) ?? false;
const isSet = ({ secrets }: Deploy, name: string): boolean => secrets?.includes(name) ?? false;

/** The organization of the database, as the app shares a private network with it; else the personal one. */
function organizationFor({ apps, organizations = [], answers: { postgres } }: Deploy): string {
  const database = apps?.find(({ name }) => postgres.kind === 'app' && name === postgres.name);
  const [first = 'personal'] = organizations;
  return database?.organization ?? (organizations.includes('personal') ? 'personal' : first);
}

/** The command that creates the database, unless it exists. */
function createDatabase(deploy: Deploy): string[] {
  const { app, region, postgres } = deploy.answers;
  const location = `--org ${organizationFor(deploy)} --region ${region}`;
  if (postgres.kind === 'managed' && !postgres.cluster)
    return [`fly mpg create --name ${app}-db ${location} --plan basic --volume-size 10`];
  if (postgres.kind !== 'app' || hasApp(deploy, postgres.name)) return [];
  // All three sizes: without one of them it asks (flyctl internal/command/postgres/create.go, 2026-08)
  return [
    `fly postgres create --name ${postgres.name} ${location} --initial-cluster-size 1 --vm-size shared-cpu-1x --volume-size 1`,
  ];
}

/** A secret or variable, and what its value is, or where it is read. */
interface Variable {
  name: string;
  why: string;
}

function variableTable(variables: readonly Variable[]): string[] {
  const width = Math.max(...variables.map(({ name }) => name.length));
  return variables.map(({ name, why }) => `${name.padEnd(width)}  ${why}`);
}

/** Set by other steps, or by the files that are written. */
const SET_OTHERWISE = ['PHX_HOST', 'PHX_SERVER', 'PORT', 'POOL_SIZE'];

/** The variable that the endpoint's secret_key_base is read from. */
const keyName = ({ project }: Deploy): string =>
  endpointOf(new Repo(project)).variable('secret_key_base') || 'SECRET_KEY_BASE';

/** Values about the database that `fly postgres attach` and `fly mpg attach` don't set. */
const databaseVariables = (url: string): Record<string, Variable[]> => ({
  external: [
    {
      name: url,
      why: 'of your database: ecto://USER:PASSWORD@HOST/DATABASE, without ?ssl=, which would replace the TLS options',
    },
  ],
  managed: [{ name: 'DIRECT_DATABASE_URL', why: "the cluster's direct URL, which migrations use" }],
});

/** The values that only the owner has, and the command that takes them all. */
function valueSteps(deploy: Deploy): string[] {
  const { answers, secrets, project, isFirst, isNewDatabase } = deploy;
  const { app, postgres } = answers;
  const repo = new Repo(project);
  const url = urlName(repo);
  const knowsDatabase = isNewDatabase || secrets !== undefined;
  // Also where fly.toml names no database yet, so that this one may be new
  const mayBeNew = knowsDatabase || deploy.present.postgres === undefined;
  const database = mayBeNew ? (databaseVariables(url)[postgres.kind] ?? []) : [];
  const attached = postgres.kind === 'none' ? [] : [url];
  const setOtherwise = [...SET_OTHERWISE, ...attached, keyName(deploy), ...repo.provided];
  const required = secretsToSet(project.env.required, setOtherwise)
    .filter(({ name }) => isVariableName(name))
    .map(({ name, file, line }) => ({ name, why: `${file}:${line}` }));
  const isMissing = ({ name }: Variable) => !isSet(deploy, name);
  const missing = [
    ...database.filter((variable) => deploy.replacesDatabase || isMissing(variable)),
    ...required.filter(isMissing),
  ];
  if (missing.length === 0) return [];
  const doubt = isFirst || secrets ? '' : `; fly secrets list --app ${app} says which are set`;
  return [
    step(`These need a value that only you have${doubt}:`, ...variableTable(missing)),
    step(
      'Start this, type or paste a line NAME=value for each of them, then press Ctrl-D on an empty line:',
      `fly secrets import --stage --app ${app}`,
    ),
  ];
}

function deploySteps({ answers, project, present, faults, isFirst }: Deploy): string[] {
  const { app, host } = answers;
  const steps: string[] = [];
  const build = [...privateAccess(project).secrets, ...buildVariables(project)];
  const isNewHost = host !== `${app}.fly.dev` && (isFirst || host !== present.host);
  if (build.length) {
    const title =
      'The image is built with these. Set each of them in your shell (export NAME=value) before you deploy:';
    const variables = build.map(({ id, why }) => ({ name: id, why }));
    steps.push(step(title, ...variableTable(variables)));
  }
  if (faults.length)
    steps.push(step('Change this before you deploy (`check` says how):', ...faults));
  const secrets = build.map(({ id }) => ` --build-secret ${id}="$${id}"`).join('');
  const deploy = `fly deploy${isFirst ? ' --ha=false' : ''}${secrets}`;
  const certificate = isNewHost ? [`fly certs add ${host} --app ${app}`] : [];
  steps.push(step('Deploy:', deploy, ...certificate));
  // A step of its own: ssh would read the lines after it
  if (serverRepos(project).length && !answers.migrate)
    steps.push(
      step(
        'Migrate the database, now and after each deploy with new migrations:',
        `fly ssh console --app ${app} -C ${migrateCommand(new Repo(project))}`,
      ),
    );
  return steps;
}
