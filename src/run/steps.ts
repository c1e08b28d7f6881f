import type { Present } from '../answers/questions.ts';
import { MIGRATE } from '../docker/release-files.ts';
import { serverRepos } from '../facts/project.ts';
import { printPostgres } from '../fly/postgres.ts';
import type { Context } from '../plan/file.ts';
import { elixirAtom, isModule } from '../quote.ts';
import type { Account } from './account.ts';
import { attachNow, attachOnceKnown, createDatabase, organization } from './step-database.ts';
import { buildSecrets, buildSection, demanded, keyBase, valueSections } from './step-values.ts';
import type { Way } from './way.ts';

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
export interface Section {
  title: string;
  lines: string[];
}

/** From nothing to a running app. */
export function firstSteps(context: StepContext, cd: string[]): Section[] {
  const { app } = context.answers;
  const hasApp = context.apps?.some(({ name }) => name === app);
  return [
    ...install(context),
    ...section('Make the app and what it needs. Paste these lines into your shell:', [
      ...cd,
      ...login(context),
      ...(hasApp ? [] : [`fly apps create ${app} --org ${organization(context)}`]),
      ...keyBase(context),
      ...createDatabase(context),
      ...attachNow(context),
    ]),
    ...attachOnceKnown(context),
    ...valueSections(context),
    ...buildSection(context),
    ...deploySections(context, `fly deploy --ha=false${buildSecrets(context)}`, true),
    ...remote(context),
    ...workerSwitch(context),
  ];
}

/** An app that runs: the deploy, and what is new. */
export function nextSteps(context: StepContext, cd: string[]): Section[] {
  const { answers, present, secrets } = context;
  const isNewDatabase =
    present.postgres !== undefined && present.postgres !== printPostgres(answers.postgres);
  const isNewHost = (present.host ?? `${answers.app}.fly.dev`) !== answers.host;
  const before = [
    ...cd,
    ...login(context),
    ...(secrets ? keyBase(context) : []),
    ...(isNewDatabase ? [...createDatabase(context), ...attachNow(context)] : []),
  ];
  const values = secrets || isNewDatabase ? valueSections(context) : demandedLine(context);
  return [
    ...install(context),
    ...section('First:', before),
    ...(isNewDatabase ? attachOnceKnown(context) : []),
    ...values,
    ...buildSection(context),
    ...deploySections(context, `fly deploy${buildSecrets(context)}`, isNewHost),
  ];
}

const section = (title: string, lines: string[]): Section[] =>
  lines.length ? [{ title, lines }] : [];

const install = ({ flyctl }: StepContext): Section[] =>
  flyctl === 'absent'
    ? [{ title: 'Install flyctl, as https://fly.io/docs/flyctl/install says.', lines: [] }]
    : [];

const login = ({ flyctl }: StepContext): string[] =>
  flyctl === 'absent' || flyctl === 'logged out' ? ['fly auth login'] : [];

/** Where nobody can say which secrets are set already. */
function demandedLine(context: StepContext): Section[] {
  const names = demanded(context).map(({ name }) => name);
  const title = `The app needs the secrets ${names.join(', ')}. To see which are set: fly secrets list --app ${context.answers.app}`;
  return names.length ? [{ title, lines: [] }] : [];
}

/** The deploy and what follows it. Migrating stands alone: ssh would read the lines after it. */
function deploySections(context: StepContext, deploy: string, isNewHost: boolean): Section[] {
  const { project, answers, faults } = context;
  const { app, host, migrate } = answers;
  const isOwnHost = isNewHost && host !== `${app}.fly.dev`;
  const more = faults.length > 3 ? [`and ${faults.length - 3} more, which \`check\` names`] : [];
  const warning = `Change this before you deploy (\`check\` says how): ${[...faults.slice(0, 3), ...more].join('; ')}`;
  return [
    ...(faults.length ? [{ title: warning, lines: [] }] : []),
    ...section('Deploy:', [deploy, ...(isOwnHost ? [`fly certs add ${host} --app ${app}`] : [])]),
    ...(serverRepos(project).length && !migrate
      ? section('Migrate the database, now and after each deploy with new migrations:', [
          `fly ssh console --app ${app} -C ${MIGRATE}`,
        ])
      : []),
  ];
}

const remote = ({ answers: { app, release } }: StepContext): Section[] =>
  section('Later, for IEx in the running app:', [
    `fly ssh console --pty --app ${app} -C "/app/bin/${release} remote"`,
  ]);

/** Two lines for application.ex. */
function workerSwitch({ project, answers }: StepContext): Section[] {
  if (!answers.background || project.background.length === 0) return [];
  const worker =
    project.background.find((name) => isModule(name) && name.includes('.')) ?? 'MyApp.Worker';
  return section(
    'In application.ex, so that workers are not started in one-off commands and on machines with BACKGROUND_ENABLED=false:',
    [
      `workers = if Application.get_env(${elixirAtom(project.app.otpApp)}, :background, enabled: true)[:enabled], do: [${worker}], else: []`,
      'children = children ++ workers',
    ],
  );
}
