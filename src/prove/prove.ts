import { setTimeout as sleep } from 'node:timers/promises';
import { check } from '../check/check.ts';
import type { Project } from '../facts/detect.ts';
import type { FlyConfig } from '../fly/fly-config.ts';
import { deployOf } from './deploy.ts';
import { type Engine, Made } from './engine.ts';
import { background, database, history, memory, stop, tls, user } from './inside.ts';
import { Machine } from './machine.ts';
import { type Page, page, socket } from './pages.ts';
import { buildSecrets, prepare, type Setting, type Wish } from './setting.ts';
import { boot, build, health, migrate } from './start.ts';
import { failed, SEE_MEMORY, skipped, telling, type Verdict } from './verdict.ts';

type Found = Verdict & { seen?: Page };

/** One thing that a deploy needs. */
interface Step {
  title: string;
  /** What it is measured on: the image, or the app while it listens. */
  on: 'nothing' | 'image' | 'app';
  /** The requirements that it stands on: what `check` says about them is the remedy. */
  ids: string[];
  run(machine: Machine, setting: Setting, seen: Page | undefined): Promise<Found>;
}

const step = (title: string, on: Step['on'], run: Step['run'], ids: string): Step => ({
  title,
  on,
  run,
  ids: ids.split(' '),
});

/** In the order of a deploy whose release_command migrates. */
export const STEPS = {
  build: step('image builds', 'nothing', (_, setting) => build(setting), 'B1 B3 B4 B6 R1.2'),
  migrate: step('migrations run', 'image', migrate, 'B9 R2.3 R3.2 B10'),
  boot: step('boots and listens', 'image', boot, 'R1.6 R2.6 R3.1 R3.3 B1'),
  health: step('health check', 'app', health, 'R2.5 R2.6'),
  page: step('page', 'app', page, 'R2.5 R3.3'),
  socket: step('LiveView', 'app', socket, 'R3.3'),
  database: step('database', 'app', database, 'R2.3 R3.2'),
  tls: step('TLS to the outside', 'app', tls, 'R3.4'),
  user: step('no rights', 'app', user, 'R1.4'),
  background: step('workers stay out', 'app', background, 'B11'),
  history: step('no secret in the image', 'image', history, 'R1.4'),
  // Late, so that the peak is that of all the steps before
  memory: step('memory', 'image', memory, 'R2.2'),
  stop: step('shutdown', 'app', stop, 'R1.6 B8'),
};

export type StepName = keyof typeof STEPS;

/** Where no release_command migrates, somebody does once the app runs. */
function orderOf({ deploy, wish }: Setting): StepName[] {
  const [build, migrate, boot, health, ...rest] = Object.keys(STEPS) as StepName[];
  const first = deploy.releaseCommand ? [migrate, boot, health] : [boot, health, migrate];
  return [build, ...first, ...rest].filter(
    (name) => name !== undefined && !(wish.keep && name === 'stop'),
  ) as StepName[];
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
  /** Where the app still runs, if it was to be kept, and what removes it. */
  url?: string;
  remove?: string;
}

/** What to prove, and with what. `fly` is the app's fly.toml, `folder` where it lies. */
export interface Task {
  engine: Engine;
  project: Project;
  fly: FlyConfig;
  folder: string;
  wish: Wish;
  /** Told of each step as it begins and ends. */
  watcher: { begins(name: StepName): void; ends(line: Line): void };
  signal: AbortSignal;
}

/**
 * Builds the image, boots it as Fly would, and measures it. All that it makes is removed at the end, whatever happens.
 * @returns what was found until `signal` ended it
 * @throws Problem when fly.toml names nothing to build here, a build secret is missing, or the engine can't
 */
export async function prove(task: Task): Promise<Proof> {
  const { engine, project, fly, folder, wish, signal } = task;
  const deploy = deployOf(project, fly);
  buildSecrets(project, deploy, wish.secrets);
  const made = new Made();
  const proof: Proof = { app: deploy.app, engine: engine.name, lines: [], notes: [] };
  try {
    const setting = await prepare({ engine, made, project, deploy, folder, wish }, proof.notes);
    const machine = new Machine(setting);
    for await (const line of measure(machine, setting, task)) proof.lines.push(line);
    if (wish.keep && machine.hostPort && !signal.aborted) {
      proof.url = `http://127.0.0.1:${machine.hostPort}`;
      proof.remove = made.removal.map((args) => [engine.name, ...args].join(' ')).join('; ');
    }
    return proof;
  } catch (error) {
    if (signal.aborted) return proof;
    throw error;
  } finally {
    if (!proof.url) for (const args of made.removal) await engine.run(args);
  }
}

async function* measure(
  machine: Machine,
  setting: Setting,
  { watcher, signal, project }: Task,
): AsyncGenerator<Line> {
  let page: Page | undefined;
  let reached: Step['on'] = 'nothing';
  for (const name of orderOf(setting)) {
    const { run, on } = STEPS[name];
    watcher.begins(name);
    const missing = lacks(on, reached);
    const ended = missing || on !== 'app' ? undefined : await endOf(machine, name);
    if (ended) reached = 'image';
    const { seen, ...found }: Found = missing
      ? skipped(missing)
      : (ended ?? (await run(machine, setting, page)));
    if (signal.aborted) return;
    // The end of the app is told once, and a want of memory by its own line; engines learn of an end a moment later
    const fell = found.verdict === 'failed' && on === 'app' && !ended;
    if (fell) await sleep(500);
    const end = fell && (await endOf(machine, name));
    if (end) reached = 'image';
    const verdict = end && end.verdict === 'skipped' ? end : found;
    const fails = verdict.verdict === 'failed';
    page ??= seen;
    // A slow build is a fault, and the image is there all the same
    if (name === 'build' && verdict.figure) reached = 'image';
    if (name === 'migrate' && fails && setting.deploy.releaseCommand) reached = 'nothing';
    if (name === 'memory' && fails) reached = 'image';
    if (name === 'boot' && verdict.verdict === 'met') reached = 'app';
    const line = { name, ...verdict, ...(fails && { remedy: remedies(project, name) }) };
    watcher.ends(line);
    yield line;
  }
}

/** Why a step can't be measured. */
function lacks(on: Step['on'], reached: Step['on']): string {
  if (on === 'nothing' || on === reached || reached === 'app') return '';
  return reached === 'nothing'
    ? 'a deploy would have stopped before'
    : 'the app does not run, or does not listen';
}

/** What made the app stop since the step before, if it did. */
async function endOf(machine: Machine, name: StepName): Promise<Verdict | undefined> {
  const { running, outOfMemory, exitCode } = await machine.state();
  if (running) return undefined;
  const steps = Object.keys(STEPS);
  if (outOfMemory && steps.indexOf(name) < steps.indexOf('memory')) return skipped(SEE_MEMORY);
  return failed(`the app ended by itself, exit code ${exitCode}`, telling(await machine.log()));
}

/** What `check` would change about a line that failed: "fly.toml:12: what is wrong", then the edit. */
const remedies = (project: Project, name: StepName): string[] =>
  check(project)
    .filter(({ id }) => STEPS[name].ids.includes(id))
    .flatMap(({ findings }) => findings)
    .filter(({ weight }) => weight !== 'advice')
    .slice(0, 3)
    .map(({ file, line, what, edit }) => {
      const where = line === null ? file : `${file}:${line}`;
      return `${where}: ${what}; ${edit.split('\n')[0]}`;
    });

/** 0 when nothing failed. */
export const exitCode = ({ lines }: Proof): 0 | 1 =>
  lines.some(({ verdict }) => verdict === 'failed') ? 1 : 0;
