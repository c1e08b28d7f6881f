import { relative } from 'node:path';
import type { Present } from '../answers/questions.ts';
import { Repo } from '../check/repo.ts';
import { MIGRATE } from '../docker/release-files.ts';
import { access, buildVariables } from '../docker/secrets.ts';
import { serverRepos } from '../facts/project.ts';
import type { Account } from '../fly/live.ts';
import { attachCommand, printPostgres } from '../fly/postgres.ts';
import { secretsToSet } from '../fly/secrets.ts';
import type { Context } from '../plan/file.ts';
import { elixirAtom, isModule, shellPath } from '../quote.ts';
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

/**
 * Words, and below them lines that can be pasted together into bash, zsh, fish and dash: only the last may wait for input,
 * and no comment stands in them, which zsh takes for arguments.
 */
type Section = [title: string, lines: string[]];

/** The Fly commands that come next: from nothing to a running app, or, for one that runs, the deploy and what is new. */
export function stepLines(context: StepContext): string {
  const { which, apps, answers } = context;
  const isFirst = which ? which === 'first' : !wasDeployed(context);
  const sections = sectionsOf(context, isFirst).map(([title, lines]) =>
    [wrapped(title), ...lines.map((line) => `  ${line}`)].join('\n'),
  );
  const doubt = `Is ${answers.app} new on Fly? --steps first prints the steps of a first deploy.`;
  return ['Next steps', ...sections, ...(isFirst || apps ? [] : [wrapped(doubt)])].join('\n\n');
}

/** What flyctl says; else an app that has its fly.toml is taken for deployed. */
const wasDeployed = ({ apps, answers, present }: StepContext): boolean =>
  apps
    ? apps.some(({ name, deployed }) => name === answers.app && deployed)
    : present.app === answers.app;

function sectionsOf(context: StepContext, isFirst: boolean): Section[] {
  const { answers, present, project, secrets, flyctl, apps } = context;
  const { app, host, migrate, postgres, release } = answers;
  const isNewDatabase =
    isFirst || (present.postgres !== undefined && present.postgres !== printPostgres(postgres));
  const isNewHost = host !== `${app}.fly.dev` && (isFirst || host !== present.host);
  const create = isFirst && !apps?.some(({ name }) => name === app);
  const before = [
    ...changeFolder(context),
    ...(flyctl === 'absent' || flyctl === 'logged out' ? ['fly auth login'] : []),
    ...(create ? [`fly apps create ${app} --org ${organization(context)}`] : []),
    ...(isFirst || secrets ? keyBase(context) : []),
    ...(isNewDatabase ? database(context) : []),
  ];
  const build = buildValues(context);
  const deploy = `fly deploy${isFirst ? ' --ha=false' : ''}${build.map(([name]) => ` --build-secret ${name}="$${name}"`).join('')}`;
  const sections: (Section | false)[] = [
    flyctl === 'absent' && ['Install flyctl, as https://fly.io/docs/flyctl/install says.', []],
    before.length > 0 && [
      isFirst ? 'Make the app and what it needs. Paste these lines into your shell:' : 'First:',
      before,
    ],
    isNewDatabase && attachOnceKnown(context),
    ...(isNewDatabase || secrets ? valueSections(context) : [demandedNames(context)]),
    build.length > 0 && [
      'The image is built with these. Set each of them in your shell (export NAME=value) before you deploy:',
      table(build),
    ],
    faultSection(context),
    ['Deploy:', [deploy, ...(isNewHost ? [`fly certs add ${host} --app ${app}`] : [])]],
    // Alone: ssh would read the lines after it
    serverRepos(project).length > 0 &&
      !migrate && [
        'Migrate the database, now and after each deploy with new migrations:',
        [`fly ssh console --app ${app} -C ${MIGRATE}`],
      ],
    isFirst && [
      'Later, for IEx in the running app:',
      [`fly ssh console --pty --app ${app} -C "/app/bin/${release} remote"`],
    ],
    isFirst && workerSwitch(context),
  ];
  return sections.filter((section) => section !== false);
}

function changeFolder({ way, root }: StepContext): string[] {
  const [folder = ''] = [relative(way.from, root), root].sort((a, b) => a.length - b.length);
  return folder ? [`cd ${shellPath(folder)}`] : [];
}

/** That of the database, as the app shares a private network with it; else the account's own. */
function organization({ apps, organizations, answers: { postgres } }: StepContext): string {
  const database = postgres.kind === 'app' ? postgres.name : undefined;
  const there = apps?.find(({ name }) => name === database);
  if (there?.organization) return there.organization;
  return organizations?.includes('personal') ? 'personal' : (organizations?.[0] ?? 'personal');
}

const isSet = ({ secrets }: StepContext, name: string): boolean => secrets?.includes(name) ?? false;

/** A key that nobody needs to know; a new one logs everybody out. */
const keyBase = (context: StepContext): string[] =>
  isSet(context, 'SECRET_KEY_BASE')
    ? []
    : [
        `fly secrets set SECRET_KEY_BASE=$(openssl rand -base64 48) --stage --app ${context.answers.app}`,
      ];

/** Makes the database and attaches it, as far as that isn't done. `fly mpg attach` asks for a user: it is the last line. */
function database(context: StepContext): string[] {
  const { answers, apps } = context;
  const { app, region, postgres } = answers;
  const attach = attachCommand(postgres, app);
  if (!attach || isSet(context, 'DATABASE_URL')) return [];
  const where = `--org ${organization(context)} --region ${region}`;
  if (postgres.kind === 'managed' && !postgres.cluster)
    return [`fly mpg create --name ${app}-db ${where} --plan basic --volume-size 10`];
  if (postgres.kind !== 'app' || apps?.some(({ name }) => name === postgres.name)) return [attach];
  // All three sizes: without one of them it asks (flyctl internal/command/postgres/create.go, 2026-08)
  return [
    `fly postgres create --name ${postgres.name} ${where} --initial-cluster-size 1 --vm-size shared-cpu-1x --volume-size 1`,
    attach,
  ];
}

/** A cluster's id is known once it is made. */
function attachOnceKnown(context: StepContext): Section | false {
  const { postgres, app } = context.answers;
  if (postgres.kind !== 'managed' || postgres.cluster || isSet(context, 'DATABASE_URL'))
    return false;
  const title =
    'The last line has printed the ID of the new cluster (fly mpg list does too). Write it in place of CLUSTER_ID:';
  return [title, [attachCommand(postgres, app) ?? '']];
}

/** A name, and why it is needed. */
type Value = [name: string, why: string];

/** Set by steps of their own, or by the files that are written. */
const OURS = ['SECRET_KEY_BASE', 'DATABASE_URL', 'PHX_HOST', 'PHX_SERVER', 'PORT', 'POOL_SIZE'];

/** What the app demands and nobody sets: one row for each name. */
function demanded({ project }: StepContext): Value[] {
  const found = secretsToSet(project.env.required, [...OURS, ...new Repo(project).provided])
    .filter(({ name }) => /^[A-Za-z_]\w*$/.test(name))
    .map(({ name, file, line }): Value => [name, `${file}:${line}`]);
  return found.filter(([name], index) => found.findIndex(([each]) => each === name) === index);
}

/** Where nobody can say which secrets are set already. */
function demandedNames(context: StepContext): Section | false {
  const names = demanded(context).map(([name]) => name);
  const title = `The app needs the secrets ${names.join(', ')}. To see which are set: fly secrets list --app ${context.answers.app}`;
  return names.length > 0 && [title, []];
}

const DATABASE_VALUES: Record<string, Value[]> = {
  external: [['DATABASE_URL', 'of your database: ecto://USER:PASSWORD@HOST/DATABASE']],
  managed: [['DIRECT_DATABASE_URL', "the cluster's direct URL, which migrations use"]],
};

/** The values that only the owner has, and one command that takes them all. */
function valueSections(context: StepContext): Section[] {
  const { postgres, app } = context.answers;
  const all = [...(DATABASE_VALUES[postgres.kind] ?? []), ...demanded(context)];
  const values = all.filter(([name]) => !isSet(context, name));
  if (values.length === 0) return [];
  return [
    ['These need a value that only you have:', table(values)],
    [
      'Start this, type or paste a line NAME=value for each of them, then press Ctrl-D on an empty line:',
      [`fly secrets import --stage --app ${app}`],
    ],
  ];
}

const buildValues = ({ project }: StepContext): Value[] =>
  [...access(project).secrets, ...buildVariables(project)].map(({ id, why }) => [id, why]);

function table(values: readonly Value[]): string[] {
  const width = Math.max(...values.map(([name]) => name.length));
  return values.map(([name, why]) => `${name.padEnd(width)}  ${why}`);
}

function faultSection({ faults }: StepContext): Section | false {
  const more = faults.length > 3 ? [`and ${faults.length - 3} more, which \`check\` names`] : [];
  const title = `Change this before you deploy (\`check\` says how): ${[...faults.slice(0, 3), ...more].join('; ')}`;
  return faults.length > 0 && [title, []];
}

/** Two lines for application.ex. */
function workerSwitch({ project, answers }: StepContext): Section | false {
  const { background } = project;
  const worker = background.find((name) => isModule(name) && name.includes('.')) ?? 'MyApp.Worker';
  return (
    answers.background &&
    background.length > 0 && [
      'In application.ex, so that workers are not started in one-off commands and on machines with BACKGROUND_ENABLED=false:',
      [
        `workers = if Application.get_env(${elixirAtom(project.app.otpApp)}, :background, enabled: true)[:enabled], do: [${worker}], else: []`,
        'children = children ++ workers',
      ],
    ]
  );
}
