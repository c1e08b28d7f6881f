import { randomBytes } from 'node:crypto';
import type TOML from '@iarna/toml';
import { access, buildVariables } from '../docker/secrets.ts';
import type { Project } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import { startDatabase } from './database.ts';
import { type Deploy, deployOf } from './deploy.ts';
import { type Engine, Made } from './engine.ts';
import { background, database, history, memory, stop, tls, user } from './inside.ts';
import { makeNetwork } from './network.ts';
import { page, socket } from './pages.ts';
import { Machine, type Proof } from './proof.ts';
import { remedies } from './remedies.ts';
import { boot, build, health, migrate } from './start.ts';
import { failed, LINES, type Line, type LineName, skipped } from './verdict.ts';

/** What a proof was asked for. */
export interface Wish {
  /** The page to look at. */
  path: string;
  /** Secrets from --env-file. */
  secrets: Readonly<Record<string, string>>;
  /** An own database in place of a throwaway one. */
  databaseUrl: string | undefined;
  /** Leave the app running. */
  keep: boolean;
}

/** What a proof found. */
export interface Outcome {
  app: string;
  engine: string;
  lines: Line[];
  /** What was assumed, such as placeholders. */
  notes: string[];
  /** Where the app still runs; undefined unless it was kept. */
  url?: string;
}

/** Told of each step as it begins and ends, for the progress. */
export interface Watcher {
  begins(name: LineName): void;
  ends(line: Line): void;
}

const DATABASE_NAMES = ['DATABASE_URL', 'DIRECT_DATABASE_URL'];

/** What Fly itself sets (fly.io/docs/machines/runtime-environment, 2026-11). */
const flyVariables = ({ app, region, memory }: Deploy): Record<string, string> => ({
  FLY_APP_NAME: app,
  FLY_REGION: region,
  PRIMARY_REGION: region,
  FLY_MACHINE_ID: '0proveprove000',
  FLY_ALLOC_ID: '0proveprove000',
  FLY_MACHINE_VERSION: '01PROVE',
  FLY_PROCESS_GROUP: 'app',
  FLY_PRIVATE_IP: '::1',
  FLY_IMAGE_REF: `registry.fly.io/${app}:deployment-01PROVE`,
  FLY_VM_MEMORY_MB: String(memory),
});

/**
 * Builds the image, boots it as Fly would, and measures it. Everything it makes is removed at the end, whatever happens.
 * @param folder of the app
 * @param table its fly.toml as data
 * @throws Problem when fly.toml names nothing that can be built here, or a build secret is missing
 */
export async function prove({
  engine,
  project,
  table,
  folder,
  wish,
  watcher,
  stopped = () => false,
}: {
  engine: Engine;
  project: Project;
  table: TOML.JsonMap;
  folder: string;
  wish: Wish;
  watcher: Watcher;
  stopped?: () => boolean;
}): Promise<Outcome> {
  const deploy = deployOf(project, table);
  const secretIds = buildSecrets(project, wish);
  const made = new Made(engine, randomBytes(4).toString('hex'));
  const outcome: Outcome = { app: deploy.app, engine: engine.name, lines: [], notes: [] };
  const add = (line: Line) => {
    const told =
      line.verdict === 'failed' ? { ...line, remedy: remedies(project, line.name) } : line;
    outcome.lines.push(told);
    watcher.ends(told);
    return line.verdict !== 'failed';
  };
  const step = async (name: LineName, run: () => Promise<Line>): Promise<boolean> => {
    watcher.begins(name);
    const line = await run();
    if (stopped()) throw new Error('interrupted');
    return add(line);
  };
  let keeping = false;
  try {
    const proof = await prepare(engine, made, project, deploy, wish, outcome.notes);
    await step('build', () => build(proof, folder, secretIds));
    // A slow build is a fault, and the image is there all the same
    const built = await engine.run(['image', 'inspect', made.image]);
    if (built.code === 0) keeping = await measure(proof, wish, outcome, step, add);
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (!stopped()) add(failed(next(outcome.lines), (error as Error).message));
  } finally {
    if (!keeping) await made.remove();
  }
  for (const name of Object.keys(LINES) as LineName[])
    if (!outcome.lines.some((line) => line.name === name))
      outcome.lines.push(skipped(name, 'not reached'));
  return outcome;
}

const next = (lines: readonly Line[]): LineName =>
  (Object.keys(LINES) as LineName[]).find((name) => !lines.some((line) => line.name === name)) ??
  'stop';

/** Ids of the secrets that the image build mounts. @throws Problem naming those that nobody gave */
function buildSecrets(project: Project, { secrets }: Wish): string[] {
  const wanted = [...access(project).secrets, ...buildVariables(project)];
  const missing = wanted.filter(
    ({ id }) => secrets[id] === undefined && process.env[id] === undefined,
  );
  if (missing.length)
    throw new Problem(
      `the build needs ${missing.map(({ id, why }) => `${id} (${why})`).join(', ')}: put it into a file and name that with --env-file`,
    );
  return wanted.map(({ id }) => id);
}

async function prepare(
  engine: Engine,
  made: Made,
  project: Project,
  deploy: Deploy,
  wish: Wish,
  notes: string[],
): Promise<Proof> {
  const network = await makeNetwork(engine, made);
  if (!network.ipv6)
    notes.push(
      `${engine.name} makes no IPv6 network here, so the database is reached over IPv4, unlike on Fly.`,
    );
  const wantsDatabase =
    project.database.repos.length > 0 &&
    wish.databaseUrl === undefined &&
    wish.secrets.DATABASE_URL === undefined;
  const own =
    wantsDatabase && project.database.adapter === 'postgres'
      ? await startDatabase(engine, made, network)
      : undefined;
  const url = wish.databaseUrl ?? wish.secrets.DATABASE_URL ?? own?.url;
  const given: Record<string, string> = {
    ...deploy.env,
    ...flyVariables(deploy),
    SECRET_KEY_BASE: randomBytes(48).toString('base64'),
    ...(url ? Object.fromEntries(DATABASE_NAMES.map((name) => [name, url])) : {}),
    ...wish.secrets,
    ...(own && !network.ipv6 ? { ECTO_IPV6: 'false' } : {}),
  };
  const open = [
    ...new Set(
      project.env.required.filter(({ name }) => given[name] === undefined).map(({ name }) => name),
    ),
  ];
  if (open.length)
    notes.push(`Placeholders stand for ${open.join(', ')}; real values come with --env-file.`);
  return {
    engine,
    made,
    network,
    project,
    deploy,
    release: project.release.name ?? project.app.otpApp,
    env: { ...Object.fromEntries(open.map((name) => [name, 'placeholder'])), ...given },
    secrets: [given.SECRET_KEY_BASE ?? '', ...Object.values(wish.secrets)],
    databaseOptions: own?.options ?? [],
    restartDatabase: own?.restart,
    path: wish.path,
  };
}

type Step = (name: LineName, run: () => Promise<Line>) => Promise<boolean>;

/** Everything after the build. @returns whether the app still runs and is to be kept */
async function measure(
  proof: Proof,
  wish: Wish,
  outcome: Outcome,
  step: Step,
  add: (line: Line) => boolean,
): Promise<boolean> {
  const { releaseCommand, migrate: command } = proof.deploy;
  if (releaseCommand && !(await step('migrate', () => migrate(proof, releaseCommand))))
    return false;
  const machine = new Machine(proof, 'app');
  const began = Date.now();
  const booted = await step('boot', () => boot(machine, proof));
  const { outOfMemory, running } = await machine.state();
  if (!running) {
    if (outOfMemory) add(memory(machine, proof, true));
    return false;
  }
  const watching = machine.watch();
  const healthy = booted && (await step('health', () => health(machine, proof, began)));
  if (!releaseCommand) await step('migrate', () => migrate(proof, command));
  if (!booted) return finish();
  if (healthy || proof.deploy.check) await pages();
  await step('database', () => database(machine, proof));
  const killed = (await machine.state()).outOfMemory;
  machine.unwatch();
  await watching;
  add(memory(machine, proof, killed));
  if ((await machine.state()).running) {
    await step('tls', () => tls(machine, proof));
    await step('user', () => user(machine));
    await step('background', () => background(machine, proof));
  }
  await step('history', () => history(proof));
  if (wish.keep) {
    outcome.url = `http://127.0.0.1:${machine.hostPort}`;
    return true;
  }
  if ((await machine.state()).running) await step('stop', () => stop(machine, proof));
  return false;

  async function pages(): Promise<void> {
    let answer: Awaited<ReturnType<typeof page>>['answer'];
    await step('page', async () => {
      const seen = await page(machine, proof);
      answer = seen.answer;
      return seen.line;
    });
    await step('socket', () => socket(machine, proof, answer));
  }

  async function finish(): Promise<false> {
    machine.unwatch();
    await watching;
    return false;
  }
}
