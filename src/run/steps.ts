import { relative } from 'node:path';
import type { Present } from '../answers/questions.ts';
import { Repo } from '../check/repo.ts';
import { endpointOf, urlName } from '../check/runtime-settings.ts';
import { MIGRATE } from '../docker/release-files.ts';
import { access, buildVariables } from '../docker/secrets.ts';
import { serverRepos } from '../facts/project.ts';
import type { Account } from '../fly/live.ts';
import { attachCommand, printPostgres } from '../fly/postgres.ts';
import { secretsToSet } from '../fly/secrets.ts';
import type { Context } from '../plan/file.ts';
import { elixirAtom, isModule, isVariableName, shellPath } from '../quote.ts';
import { type Way, wrapped } from './terminal.ts';

export interface StepContext extends Context, Account {
  /** What the files said before. */
  present: Present;
  /** Which list was asked for. */
  which: 'first' | 'next' | undefined;
  root: string;
  way: Way;
  /** Names of the app's secrets; undefined: not known. */
  secrets: string[] | undefined;
  /** What would not build, boot or answer, or is unsafe, with the files as they are now. */
  faults: string[];
}

/** The Fly commands that come next: from nothing to a running app, or, for one that runs, the deploy and what is new. */
export function stepLines(context: StepContext): string {
  const { which, apps, answers, present } = context;
  // Where flyctl doesn't say, an app that has its fly.toml is taken for deployed
  const isDeployed =
    apps?.some(({ name, deployed }) => name === answers.app && deployed) ??
    present.app === answers.app;
  const isFirst = which ? which === 'first' : !isDeployed;
  const isNewDatabase =
    isFirst ||
    (present.postgres !== undefined && present.postgres !== printPostgres(answers.postgres));
  const sections = ['Next steps'];
  /**
   * Words, and below them lines that can be pasted together into bash, zsh, fish and dash: only the last may wait for
   * input, and no comment stands in them, which zsh takes for arguments.
   */
  const add: Add = (title, ...lines) =>
    sections.push([wrapped(title), ...lines.map((line) => `  ${line}`)].join('\n'));
  addPreparation(add, context, isFirst, isNewDatabase);
  addValues(add, context, isNewDatabase);
  addDeploy(add, context, isFirst);
  if (isFirst) addLater(add, context);
  else if (!apps)
    add(`Is ${answers.app} new on Fly? --steps first prints the steps of a first deploy.`);
  return sections.join('\n\n');
}

type Add = (title: string, ...lines: string[]) => void;

/** The app, its key and its database, as far as they aren't there. */
function addPreparation(add: Add, context: StepContext, isFirst: boolean, isNewDatabase: boolean) {
  const { answers, flyctl, secrets, way, root } = context;
  const { app, postgres } = answers;
  const lines: string[] = [];
  const [folder = ''] = [relative(way.from, root), root].sort((a, b) => a.length - b.length);
  if (folder) lines.push(`cd ${shellPath(folder)}`);
  if (flyctl === 'absent') add('Install flyctl, as https://fly.io/docs/flyctl/install says.');
  if (/absent|logged out/.test(flyctl)) lines.push('fly auth login');
  if (isFirst && !isThere(context, app))
    lines.push(`fly apps create ${app} --org ${organization(context)}`);
  // Nobody needs to know the key, and a new one logs everybody out
  const key = keyName(context);
  if ((isFirst || secrets) && !isSet(context, key))
    lines.push(`fly secrets set ${key}=$(openssl rand -base64 48) --stage --app ${app}`);
  const url = urlName(new Repo(context.project));
  const isAttached = !isNewDatabase || isSet(context, url);
  const attach = isAttached ? null : attachCommand(postgres, app, url);
  const isNewCluster = postgres.kind === 'managed' && !postgres.cluster;
  if (attach) lines.push(...makeDatabase(context));
  // `fly mpg attach` asks for a user: it is the last line
  if (attach && !isNewCluster) lines.push(attach);
  const title = 'Make the app and what it needs. Paste these lines into your shell:';
  if (lines.length) add(isFirst ? title : 'First:', ...lines);
  if (attach && isNewCluster)
    add(
      'The last line has printed the ID of the new cluster (fly mpg list does too). Write it in place of CLUSTER_ID:',
      attach,
    );
}

const isThere = ({ apps }: StepContext, app: string): boolean =>
  apps?.some(({ name }) => name === app) ?? false;
const isSet = ({ secrets }: StepContext, name: string): boolean => secrets?.includes(name) ?? false;

/** That of the database, as the app shares a private network with it; else the account's own. */
function organization({ apps, organizations = [], answers: { postgres } }: StepContext): string {
  const database = apps?.find(({ name }) => postgres.kind === 'app' && name === postgres.name);
  const [first = 'personal'] = organizations;
  return database?.organization ?? (organizations.includes('personal') ? 'personal' : first);
}

function makeDatabase(context: StepContext): string[] {
  const { app, region, postgres } = context.answers;
  const where = `--org ${organization(context)} --region ${region}`;
  if (postgres.kind === 'managed' && !postgres.cluster)
    return [`fly mpg create --name ${app}-db ${where} --plan basic --volume-size 10`];
  if (postgres.kind !== 'app' || isThere(context, postgres.name)) return [];
  // All three sizes: without one of them it asks (flyctl internal/command/postgres/create.go, 2026-08)
  return [
    `fly postgres create --name ${postgres.name} ${where} --initial-cluster-size 1 --vm-size shared-cpu-1x --volume-size 1`,
  ];
}

/** A name, and why it is needed. */
type Value = [name: string, why: string];

/** Set by steps of their own, or by the files that are written. */
const OURS = ['DATABASE_URL', 'PHX_HOST', 'PHX_SERVER', 'PORT', 'POOL_SIZE'];

/** The variable that the endpoint takes its secret_key_base from. */
const keyName = ({ project }: StepContext): string =>
  endpointOf(new Repo(project)).variable('secret_key_base') || 'SECRET_KEY_BASE';

const databaseValues = (url: string): Record<string, Value[]> => ({
  external: [
    [
      url,
      'of your database: ecto://USER:PASSWORD@HOST/DATABASE, without ?ssl=, which would replace the TLS options',
    ],
  ],
  managed: [['DIRECT_DATABASE_URL', "the cluster's direct URL, which migrations use"]],
});

/** The values that only the owner has, and one command that takes them all. */
function addValues(add: Add, context: StepContext, isNewDatabase: boolean): void {
  const { answers, secrets, project } = context;
  const { app, postgres } = answers;
  const repo = new Repo(project);
  const url = urlName(repo);
  const ofDatabase = isNewDatabase || secrets ? databaseValues(url)[postgres.kind] : undefined;
  const set = [...OURS, url, keyName(context), ...repo.provided];
  const demanded = secretsToSet(project.env.required, set)
    .filter(({ name }) => isVariableName(name) && !isSet(context, name))
    .map(({ name, file, line }): Value => [name, `${file}:${line}`]);
  const open = ofDatabase?.filter(([name]) => !isSet(context, name)) ?? [];
  const values = [...open, ...demanded];
  if (values.length === 0) return;
  const doubt =
    secrets || isNewDatabase ? '' : `; fly secrets list --app ${app} says which are set`;
  add(`These need a value that only you have${doubt}:`, ...table(values));
  add(
    'Start this, type or paste a line NAME=value for each of them, then press Ctrl-D on an empty line:',
    `fly secrets import --stage --app ${app}`,
  );
}

function table(values: readonly Value[]): string[] {
  const width = Math.max(...values.map(([name]) => name.length));
  return values.map(([name, why]) => `${name.padEnd(width)}  ${why}`);
}

function addDeploy(add: Add, context: StepContext, isFirst: boolean): void {
  const { answers, project, present, faults } = context;
  const { app, host } = answers;
  const build = [...access(project).secrets, ...buildVariables(project)];
  if (build.length)
    add(
      'The image is built with these. Set each of them in your shell (export NAME=value) before you deploy:',
      ...table(build.map(({ id, why }) => [id, why])),
    );
  const more = faults.length > 3 ? [`and ${faults.length - 3} more, which \`check\` names`] : [];
  const first = [...faults.slice(0, 3), ...more].join('; ');
  if (first) add(`Change this before you deploy (\`check\` says how): ${first}`);
  const secrets = build.map(({ id }) => ` --build-secret ${id}="$${id}"`).join('');
  const isNewHost = host !== `${app}.fly.dev` && (isFirst || host !== present.host);
  add(
    'Deploy:',
    `fly deploy${isFirst ? ' --ha=false' : ''}${secrets}`,
    ...(isNewHost ? [`fly certs add ${host} --app ${app}`] : []),
  );
  // Alone: ssh would read the lines after it
  if (serverRepos(project).length && !answers.migrate)
    add(
      'Migrate the database, now and after each deploy with new migrations:',
      `fly ssh console --app ${app} -C ${MIGRATE}`,
    );
}

function addLater(add: Add, { project, answers }: StepContext): void {
  const { app, release } = answers;
  add(
    'Later, for IEx in the running app:',
    `fly ssh console --pty --app ${app} -C "/app/bin/${release} remote"`,
  );
  const { background } = project;
  const worker = background.find((name) => isModule(name) && name.includes('.')) ?? 'MyApp.Worker';
  if (answers.background && background.length)
    add(
      'In application.ex, so that workers are not started in one-off commands and on machines with BACKGROUND_ENABLED=false:',
      `workers = if Application.get_env(${elixirAtom(project.app.otpApp)}, :background, enabled: true)[:enabled], do: [${worker}], else: []`,
      'children = children ++ workers',
    );
}
