import { randomBytes } from 'node:crypto';
import type { Project } from '../facts/detect.ts';
import type { FlyConfig } from '../fly/fly-config.ts';
import { deployOf } from './deploy.ts';
import { type Engine, Made } from './engine.ts';
import { background, database, history, memory, stop, tls, user } from './inside.ts';
import { Machine, type Setting } from './machine.ts';
import { type Page, page, socket } from './pages.ts';
import { remedies } from './remedies.ts';
import { buildSecrets, prepare, type Wish } from './setting.ts';
import { boot, build, health, migrate } from './start.ts';
import { skipped, type Verdict } from './verdict.ts';

/** One thing that a deploy needs. */
interface Step {
  title: string;
  /** What it is measured on: the image, or the app while it listens. */
  on: 'nothing' | 'image' | 'app';
  run(
    machine: Machine,
    setting: Setting,
    seen: Page | undefined,
  ): Promise<Verdict & { seen?: Page }>;
}

export const STEPS = {
  build: { title: 'image builds', on: 'nothing', run: (_, setting) => build(setting) },
  migrate: { title: 'migrations run', on: 'image', run: (_, setting) => migrate(setting) },
  boot: { title: 'boots and listens', on: 'image', run: boot },
  health: { title: 'health check', on: 'app', run: health },
  page: { title: 'page', on: 'app', run: page },
  socket: { title: 'LiveView', on: 'app', run: socket },
  database: { title: 'database', on: 'app', run: database },
  memory: { title: 'memory', on: 'image', run: memory },
  tls: { title: 'TLS to the outside', on: 'app', run: tls },
  user: { title: 'no rights', on: 'app', run: user },
  background: { title: 'workers stay out', on: 'app', run: background },
  history: { title: 'no secret in the image', on: 'image', run: history },
  stop: { title: 'shutdown', on: 'app', run: stop },
} satisfies Record<string, Step>;

export type StepName = keyof typeof STEPS;

/** In the order of a deploy: a release_command runs before the app starts, other migrations once it runs. */
function orderOf({ deploy }: Setting): StepName[] {
  const names: StepName[] = (Object.keys(STEPS) as StepName[]).filter((name) => name !== 'migrate');
  names.splice(names.indexOf('boot') + (deploy.releaseCommand ? 0 : 2), 0, 'migrate');
  return names;
}

/** The verdict on one step, and what `check` would change where it failed. */
export interface Line extends Verdict {
  name: StepName;
  remedy?: string[];
}

/** What a proof found; `--json` prints it. */
export interface Proof {
  app: string;
  engine: string;
  lines: Line[];
  /** What was assumed, such as placeholders. */
  notes: string[];
  /** Where the app still runs, if it was to be kept. */
  url?: string;
}

/** Told of each step as it begins and ends. */
export interface Watcher {
  begins(name: StepName): void;
  ends(line: Line): void;
}

/** What to prove, and with what. `fly` is the app's fly.toml, `folder` where it lies. */
export interface Task {
  engine: Engine;
  project: Project;
  fly: FlyConfig;
  folder: string;
  wish: Wish;
  watcher: Watcher;
  signal: AbortSignal;
}

/**
 * Builds the image, boots it as Fly would, and measures it. All that it makes is removed at the end, whatever happens.
 * @throws Problem when fly.toml names nothing to build here, a build secret is missing, or the engine can't
 */
export async function prove({
  engine,
  project,
  fly,
  folder,
  wish,
  watcher,
  signal,
}: Task): Promise<Proof> {
  const deploy = deployOf(project, fly);
  buildSecrets(project, wish.secrets);
  const made = new Made(randomBytes(4).toString('hex'));
  const watching = new AbortController();
  const proof: Proof = { app: deploy.app, engine: engine.name, lines: [], notes: [] };
  try {
    const setting = await prepare({ engine, made, project, deploy, folder }, wish, proof.notes);
    const machine = new Machine(setting, watching.signal);
    const steps = orderOf(setting).filter((name) => !(wish.keep && name === 'stop'));
    for await (const line of measure(steps, machine, setting, watcher)) {
      if (signal.aborted) break;
      const told =
        line.verdict === 'failed' ? { ...line, remedy: remedies(project, line.name) } : line;
      proof.lines.push(told);
      watcher.ends(told);
    }
    if (wish.keep && machine.hostPort) proof.url = `http://127.0.0.1:${machine.hostPort}`;
    return proof;
  } finally {
    watching.abort();
    if (signal.aborted || !proof.url) await made.remove(engine);
  }
}

async function* measure(
  steps: readonly StepName[],
  machine: Machine,
  setting: Setting,
  watcher: Watcher,
): AsyncGenerator<Line> {
  let seen: Page | undefined;
  let reached: Step['on'] = 'nothing';
  for (const name of steps) {
    const step: Step = STEPS[name];
    watcher.begins(name);
    const missing = step.on !== 'nothing' && (await lacks(step.on, reached, machine));
    const verdict: Verdict & { seen?: Page } = missing
      ? skipped(missing)
      : await step.run(machine, setting, seen);
    if (name === 'page') seen = verdict.seen;
    // A slow build is a fault, and the image is there all the same
    if (name === 'build' && verdict.figure) reached = 'image';
    if (name === 'migrate' && verdict.verdict === 'failed' && setting.deploy.releaseCommand)
      reached = 'nothing';
    if (name === 'boot' && verdict.verdict === 'met') reached = 'app';
    const { verdict: outcome, figure, why, log } = verdict;
    yield { name, verdict: outcome, figure, why, log };
  }
}

/** Why a step can't be measured. */
async function lacks(on: 'image' | 'app', reached: Step['on'], machine: Machine): Promise<string> {
  if (reached === 'nothing') return 'a deploy would have stopped before';
  if (on === 'image') return '';
  if (reached !== 'app') return 'the app does not listen';
  return (await machine.state()).running ? '' : 'the app has stopped';
}

/** 0 when nothing failed. */
export const exitCode = ({ lines }: Proof): 0 | 1 =>
  lines.some(({ verdict }) => verdict === 'failed') ? 1 : 0;
