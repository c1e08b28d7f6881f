import { check } from '../check/check.ts';
import type { Project } from '../facts/detect.ts';
import type { FlyConfig } from '../fly/fly-config.ts';
import { deployOf } from './deploy.ts';
import type { Engine } from './engine.ts';
import { background, database, history, stop, tls, user } from './inside.ts';
import { Machine } from './machine.ts';
import { Made } from './made.ts';
import { page, socket } from './pages.ts';
import { prepare, type Setting, type Wish } from './setting.ts';
import { boot, build, health, migrate } from './start.ts';
import { failed, met, seeMemory, skipped, telling, type Verdict } from './verdict.ts';

type Probe = (setting: Setting, machine: Machine) => Promise<Verdict>;

/** The peak against the limit, which the engine enforces. */
const memory: Probe = async ({ deploy }, machine) => {
  const peak = await machine.peak();
  if (machine.starved) return failed(`it was killed at the limit of ${deploy.memory} MB`, []);
  return peak ? met(`${peak} of ${deploy.memory} MB at most`) : skipped('the app has stopped');
};

/** How far a deploy comes: to an image, to an app that listens. */
type Reached = 'nothing' | 'image' | 'app';

/**
 * What a deploy needs, in the order of one whose release_command migrates: title, what has to be there before, and the requirements
 * that it stands on, of which `check` knows the remedy. Memory is told last, for the want of it ends an app in any other step.
 */
export const STEPS = {
  build: ['image builds', 'nothing', build, 'B1 B3 B4 B6 R1.2'],
  migrate: ['migrations run', 'image', migrate, 'B9 R2.3 R3.2 B10'],
  boot: ['boots and listens', 'image', boot, 'R1.6 R2.6 R3.1 R3.3 B1'],
  health: ['health check', 'app', health, 'R2.5 R2.6'],
  page: ['page', 'app', page, 'R2.5 R3.3'],
  socket: ['LiveView', 'app', socket, 'R3.3'],
  database: ['database', 'app', database, 'R2.3 R3.2'],
  tls: ['TLS to the outside', 'app', tls, 'R3.4'],
  user: ['no rights', 'app', user, 'R1.4'],
  background: ['workers stay out', 'app', background, 'B11'],
  history: ['no secret in the image', 'image', history, 'R1.4'],
  stop: ['shutdown', 'app', stop, 'R1.6 B8'],
  memory: ['memory', 'image', memory, 'R2.2'],
} satisfies Record<string, [title: string, needs: Reached, Probe, ids: string]>;

export type StepName = keyof typeof STEPS;

const LACKS: Record<Reached, string> = {
  nothing: 'a deploy would have stopped before',
  image: 'the app does not run, or does not listen',
  app: '',
};

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
  const { engine, project, fly, wish, signal } = task;
  const deploy = deployOf(project, fly);
  const made = new Made();
  const proof: Proof = { app: deploy.app, engine: engine.name, lines: [], notes: [] };
  try {
    const setting = await prepare({ ...task, made, deploy, notes: proof.notes });
    const machine = new Machine(setting);
    for await (const line of measure(machine, setting, task)) proof.lines.push(line);
    if (wish.keep && machine.hostPort && !signal.aborted) {
      proof.url = `http://127.0.0.1:${machine.hostPort}`;
      proof.remove = made.removal.map((args) => [engine.name, ...args].join(' ')).join('; ');
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (!proof.url) await made.remove(engine);
  }
  return proof;
}

async function* measure(
  machine: Machine,
  setting: Setting,
  { watcher, signal, project }: Task,
): AsyncGenerator<Line> {
  let reached: Reached = 'nothing';
  for (const name of orderOf(setting)) {
    const [, needs, run] = STEPS[name];
    watcher.begins(name);
    const ready = needs === 'nothing' || needs === reached || reached === 'app';
    let verdict = ready ? await run(setting, machine) : skipped(LACKS[reached]);
    if (signal.aborted) return;
    if (verdict.verdict === 'failed' && (needs === 'app' || name === 'boot')) {
      const log = verdict.log ?? telling(await machine.log());
      const ended = name === 'stop' ? undefined : await machine.end();
      verdict = { ...verdict, log };
      if (ended !== undefined) {
        reached = 'image';
        const why = `${verdict.why} (the app has ended, exit code ${ended})`;
        // The want of memory is told once, by its own line
        verdict = machine.starved ? seeMemory : { ...verdict, why };
      }
    }
    const fails = verdict.verdict === 'failed';
    // A slow build is a fault, and the image is there all the same
    if (name === 'build' && verdict.figure) reached = 'image';
    if (name === 'boot' && verdict.verdict === 'met') reached = 'app';
    if (name === 'migrate' && fails && setting.deploy.releaseCommand) reached = 'nothing';
    const line = { name, ...verdict, ...(fails && { remedy: remedies(project, name) }) };
    watcher.ends(line);
    yield line;
  }
}

/** What `check` would change about a line that failed: "fly.toml:12: what is wrong", then the edit. */
const remedies = (project: Project, name: StepName): string[] =>
  check(project)
    .filter(({ id }) => STEPS[name][3].includes(id))
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
