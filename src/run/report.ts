import { type Answers, type Question, questions } from '../answers/questions.ts';
import { migrateCommand } from '../docker/release-files.ts';
import { access, buildVariables } from '../docker/secrets.ts';
import type { Project } from '../facts/detect.ts';
import { forceSslAdvice } from '../facts/force-ssl.ts';
import { monthlyCost, PRICES_AS_OF } from '../fly/cost.ts';
import { flyConfig } from '../fly/fly-config.ts';
import { chooseImage } from '../fly/images.ts';
import { sizeOf } from '../fly/machine.ts';
import { attachCommand } from '../fly/postgres.ts';
import { elixirAtom } from '../quote.ts';
import { asksOf, type Generator } from './generator.ts';

/** What comes after writing: notes, the Fly commands in order, the cost, and the command that repeats this run. */
export function report(
  generator: Generator,
  command: string,
  project: Project,
  answers: Answers,
): string[] {
  const notes = [
    ...project.notes,
    ...chooseImage(project, answers.base).notes,
    ...forceSslAdvice(project),
    ...generator.files.flatMap((file) => file.notes?.({ project, answers }) ?? []),
  ];
  const lines = notes.length ? ['', 'Notes:', ...notes.map((note) => `  - ${note}`)] : [];
  if (generator.name === 'fly')
    lines.push(
      '',
      'Next steps:',
      ...nextSteps(project, answers).map((step) => `  ${step}`),
      '',
      ...costLines(project, answers),
    );
  lines.push('', `Again without questions: ${command} ${oneShot(generator, answers)}`);
  return lines;
}

const oneShot = (generator: Generator, answers: Answers): string =>
  [
    ...asksOf(generator).map(
      (name) => `--${name} ${(questions[name] as Question).print(answers[name])}`,
    ),
    '--write yes',
  ].join(' ');

function nextSteps(project: Project, answers: Answers): string[] {
  const { app, region, postgres, host, background } = answers;
  const attach = attachCommand(postgres, app);
  const known = new Set([
    'DATABASE_URL',
    'SECRET_KEY_BASE',
    'PHX_HOST',
    'PORT',
    'POOL_SIZE',
    'PHX_SERVER',
  ]);
  const secrets = project.env.required.filter((one) => !known.has(one.name));
  const build = [...access(project).secrets, ...buildVariables(project)];
  const steps = [
    ...(project.appDir === '.' ? [] : [`cd ${project.appDir}`]),
    `fly apps create ${app}`,
  ];
  if (postgres.kind === 'app')
    steps.push(
      `fly postgres create --name ${postgres.name} --region ${region} --initial-cluster-size 1 --vm-size shared-cpu-1x --volume-size 1   # unless it exists`,
    );
  if (postgres.kind === 'managed' && !postgres.cluster)
    steps.push(
      `fly mpg create --name ${app}-db --region ${region} --plan basic --volume-size 10   # its id is the CLUSTER_ID below`,
    );
  if (attach) steps.push(attach);
  if (postgres.kind === 'external')
    steps.push(
      `fly secrets set DATABASE_URL=- --stage --app ${app}   # reads the URL from standard input`,
    );
  if (postgres.kind === 'managed')
    steps.push(
      `fly secrets set DIRECT_DATABASE_URL=- --stage --app ${app}   # the direct URL of the cluster, for migrations`,
    );
  steps.push(`fly secrets set SECRET_KEY_BASE=$(openssl rand -base64 48) --stage --app ${app}`);
  for (const one of secrets)
    steps.push(
      `fly secrets set ${one.name}=- --stage --app ${app}   # demanded in ${one.file}:${one.line}`,
    );
  for (const { id, why } of build) steps.push(`export ${id}=...   # ${why}`);
  steps.push(
    `fly deploy --ha=false${build.map(({ id }) => ` --build-secret ${id}="$${id}"`).join('')}   # one machine; without --ha=false the first deploy starts two`,
  );
  if (host !== `${app}.fly.dev`) steps.push(`fly certs add ${host} --app ${app}`);
  if (project.database.repos.length && postgres.kind !== 'none' && !answers.migrate)
    steps.push(
      `fly ssh console --app ${app} -C "${migrateCommand(project, answers.release)}"   # migrates the database`,
    );
  steps.push(
    `fly ssh console --pty --app ${app} -C "/app/bin/${answers.release} remote"   # IEx in the running app`,
  );
  if (background) {
    steps.push(
      '',
      'In application.ex, so that workers stay out of one-off commands and of machines with BACKGROUND_ENABLED=false:',
    );
    steps.push(
      `  workers = if Application.get_env(${elixirAtom(project.app.otpApp)}, :background, enabled: true)[:enabled], do: [${project.background.find((name) => name.includes('.')) ?? 'MyApp.Worker'}], else: []`,
    );
    steps.push('  children = children ++ workers');
  }
  return steps;
}

function costLines(project: Project, { memory, postgres, background }: Answers): string[] {
  const { machine } = flyConfig(project.tree);
  const size = machine ? sizeOf(machine.data) : 'shared-cpu-1x';
  if (size !== 'shared-cpu-1x')
    return [
      `What ${size} costs is not in the table of ${PRICES_AS_OF}; see fly.io/docs/about/pricing.`,
    ];
  const cost = monthlyCost(memory, postgres, background);
  const parts = cost.parts.map(([what, dollars]) => `$${dollars.toFixed(2)} ${what}`);
  return [
    `About $${cost.total.toFixed(2)} a month (prices of ${PRICES_AS_OF}): ${parts.join(' + ')}; ${cost.remarks.join('; ')}.`,
    ...(cost.warning ? [cost.warning] : []),
  ];
}
