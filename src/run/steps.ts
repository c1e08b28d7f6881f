import type { Present } from '../answers/questions.ts';
import { Repo } from '../check/repo.ts';
import { MIGRATE } from '../docker/release-files.ts';
import { access, buildVariables } from '../docker/secrets.ts';
import { serverRepos } from '../facts/project.ts';
import { attachCommand, printPostgres } from '../fly/postgres.ts';
import { secretsToSet } from '../fly/secrets.ts';
import type { Context } from '../plan/file.ts';
import { elixirAtom, isModule } from '../quote.ts';
import type { Account } from './account.ts';
import type { Way } from './way.ts';

export interface StepContext extends Context, Account {
  /** What the files said before. */
  present: Present;
  /** Which list was asked for. */
  steps: 'first' | 'next' | undefined;
  root: string;
  way: Way;
  secrets: string[] | undefined;
}

/** Words, and below them lines that can be pasted together into bash, zsh and fish: nothing in them waits for input. */
export interface Section {
  title: string;
  lines: string[];
}

/** Set by steps of their own, or by the files that are written. */
const OURS = ['SECRET_KEY_BASE', 'DATABASE_URL', 'PHX_HOST', 'PHX_SERVER', 'PORT', 'POOL_SIZE'];

/** From nothing to a running app. */
export function firstSteps(context: StepContext, cd: string[]): Section[] {
  const { answers, flyctl, apps } = context;
  const { app } = answers;
  const hasApp = apps?.some(({ name }) => name === app);
  const install: Section[] =
    flyctl === 'absent'
      ? [{ title: 'Install flyctl: https://fly.io/docs/flyctl/install', lines: [] }]
      : [];
  const make = [
    ...cd,
    ...login(context),
    ...(hasApp ? [] : [`fly apps create ${app} --org ${organization(context)}`]),
    ...keyBase(context),
    ...createDatabase(context),
  ];
  return [
    ...install,
    { title: 'Next steps. Paste into your shell:', lines: [...make, ...attachNow(context)] },
    ...attachLater(context),
    ...valueSections(context),
    ...deploySections(context, [`fly deploy --ha=false${buildSecrets(context)}`], true),
    ...remote(context),
    ...workerSwitch(context),
  ].filter(({ title, lines }) => lines.length || !title.endsWith('shell:'));
}

/** An app that runs: the deploy, and what is new. */
export function nextSteps(context: StepContext, cd: string[]): Section[] {
  const { answers, present, secrets } = context;
  const isNewDatabase =
    present.postgres !== undefined && present.postgres !== printPostgres(answers.postgres);
  const lines = [
    ...cd,
    ...login(context),
    ...(secrets ? keyBase(context) : []),
    ...(isNewDatabase ? [...createDatabase(context), ...attachNow(context)] : []),
  ];
  const deploy = `fly deploy${buildSecrets(context)}`;
  const isNewHost = (present.host ?? `${answers.app}.fly.dev`) !== answers.host;
  if (secrets || isNewDatabase)
    return [
      ...(lines.length ? [{ title: 'Next steps. Paste into your shell:', lines }] : []),
      ...(isNewDatabase ? attachLater(context) : []),
      ...valueSections(context),
      ...deploySections(context, [deploy], isNewHost),
    ];
  const names = demanded(context).map(({ name }) => name);
  const check = names.length
    ? [
        {
          title: `It demands ${names.join(', ')}; \`fly secrets list --app ${answers.app}\` shows what is set.`,
          lines: [],
        },
      ]
    : [];
  const [first, ...rest] = deploySections(context, [...lines, deploy], isNewHost);
  return [...(first ? [first] : []), ...check, ...rest];
}

const login = ({ flyctl }: StepContext): string[] =>
  flyctl === 'absent' || flyctl === 'logged out' ? ['fly auth login'] : [];

/** Where the database's organization is known it is the app's too: they share a private network. */
function organization({ apps, answers: { postgres } }: StepContext): string {
  const database = postgres.kind === 'app' && apps?.find(({ name }) => name === postgres.name);
  return (database && database.organization) || 'personal';
}

const has = ({ secrets }: StepContext, name: string): boolean => secrets?.includes(name) ?? false;

const keyBase = (context: StepContext): string[] =>
  has(context, 'SECRET_KEY_BASE')
    ? []
    : [
        `fly secrets set SECRET_KEY_BASE=$(openssl rand -base64 48) --stage --app ${context.answers.app}`,
      ];

function createDatabase(context: StepContext): string[] {
  const { answers, apps } = context;
  const { app, region, postgres } = answers;
  if (has(context, 'DATABASE_URL')) return [];
  const where = `--org ${organization(context)} --region ${region}`;
  if (postgres.kind === 'app' && !apps?.some(({ name }) => name === postgres.name))
    return [
      `fly postgres create --name ${postgres.name} ${where} --initial-cluster-size 1 --vm-size shared-cpu-1x --volume-size 1`,
    ];
  if (postgres.kind === 'managed' && !postgres.cluster)
    return [`fly mpg create --name ${app}-db ${where} --plan basic --volume-size 10`];
  return [];
}

/** Last in its block: `fly mpg attach` asks for a user and a database. */
function attachNow(context: StepContext): string[] {
  const { postgres, app } = context.answers;
  const attach = attachCommand(postgres, app);
  const isKnown = postgres.kind === 'app' || (postgres.kind === 'managed' && postgres.cluster);
  return attach && isKnown && !has(context, 'DATABASE_URL') ? [attach] : [];
}

function attachLater(context: StepContext): Section[] {
  const { postgres, app } = context.answers;
  if (postgres.kind !== 'managed' || postgres.cluster || has(context, 'DATABASE_URL')) return [];
  return [
    {
      title:
        'The line above has printed the id of the new cluster (fly mpg list does too). Put it in place of CLUSTER_ID:',
      lines: [attachCommand(postgres, app) ?? ''],
    },
  ];
}

interface Value {
  name: string;
  why: string;
}

/** What the app demands and nobody sets: one row for each name. */
function demanded({ project }: StepContext): Value[] {
  const set = [...OURS, ...new Repo(project).provided];
  const values = secretsToSet(project.env.required, set)
    .filter(({ name }) => /^[A-Za-z_]\w*$/.test(name))
    .map(({ name, file, line }) => ({ name, why: `${file}:${line}` }));
  return values.filter(({ name }, index) => values.findIndex((row) => row.name === name) === index);
}

function valueSections(context: StepContext): Section[] {
  const { postgres, app } = context.answers;
  const values: Value[] = [
    ...(postgres.kind === 'external'
      ? [{ name: 'DATABASE_URL', why: 'of your database: ecto://USER:PASSWORD@HOST/DATABASE' }]
      : []),
    ...(postgres.kind === 'managed'
      ? [{ name: 'DIRECT_DATABASE_URL', why: "the cluster's direct URL, for migrations" }]
      : []),
    ...demanded(context),
  ].filter(({ name }) => !has(context, name));
  if (values.length === 0) return [];
  return [
    { title: 'These need a value that only you have:', lines: table(values) },
    {
      title: 'Start this, paste a line NAME=value for each, then press Ctrl-D:',
      lines: [`fly secrets import --stage --app ${app}`],
    },
  ];
}

const table = (values: readonly Value[]): string[] => {
  const width = Math.max(...values.map(({ name }) => name.length));
  return values.map(({ name, why }) => `${name.padEnd(width)}  ${why}`);
};

const buildValues = ({ project }: StepContext) => [
  ...access(project).secrets,
  ...buildVariables(project),
];

const buildSecrets = (context: StepContext): string =>
  buildValues(context)
    .map(({ id }) => ` --build-secret ${id}="$${id}"`)
    .join('');

/** The deploy and what follows it. Migrating comes last: ssh would read the lines after it. */
function deploySections(context: StepContext, deploy: string[], isNewHost: boolean): Section[] {
  const { project, answers } = context;
  const { app, host, migrate } = answers;
  const build = buildValues(context).map(({ id, why }) => ({ name: id, why }));
  const migrates = serverRepos(project).length > 0 && !migrate;
  return [
    ...(build.length
      ? [
          {
            title:
              'The image is built with these; set each in your shell first (export NAME=value):',
            lines: table(build),
          },
        ]
      : []),
    {
      title: 'Deploy:',
      lines: [
        ...deploy,
        ...(isNewHost && host !== `${app}.fly.dev` ? [`fly certs add ${host} --app ${app}`] : []),
      ],
    },
    ...(migrates
      ? [
          {
            title: 'Migrate the database, now and after each deploy that brings migrations:',
            lines: [`fly ssh console --app ${app} -C ${MIGRATE}`],
          },
        ]
      : []),
  ];
}

const remote = ({ answers: { app, release } }: StepContext): Section[] => [
  {
    title: 'Later, IEx in the running app:',
    lines: [`fly ssh console --pty --app ${app} -C "/app/bin/${release} remote"`],
  },
];

/** Two lines for application.ex. */
function workerSwitch({ project, answers }: StepContext): Section[] {
  if (!answers.background) return [];
  const worker =
    project.background.find((name) => isModule(name) && name.includes('.')) ?? 'MyApp.Worker';
  return [
    {
      title:
        'In application.ex, so that workers stay out of one-off commands and of machines with BACKGROUND_ENABLED=false:',
      lines: [
        `workers = if Application.get_env(${elixirAtom(project.app.otpApp)}, :background, enabled: true)[:enabled], do: [${worker}], else: []`,
        'children = children ++ workers',
      ],
    },
  ];
}
