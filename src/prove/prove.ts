import { check } from '../check/check.ts';
import { flyConfig } from '../fly/fly-config.ts';
import { type Machine, machineOf } from './container.ts';
import { deployOf } from './deploy.ts';
import { background, database, history, memory, stop, tls, user } from './inside.ts';
import { page, socket } from './pages.ts';
import { Resources } from './resources.ts';
import { type ProofRequest, prepare, type Setting } from './setting.ts';
import { boot, build, health, migrate } from './start.ts';
import { failed, ranOutOfMemory, skipped, type Verdict } from './verdict.ts';

/** What has to be there before a step: the image, the app that listens. */
type Need = 'nothing' | 'image' | 'app';

interface Step {
  title: string;
  needs: Need;
  probe(setting: Setting, machine: Machine): Promise<Verdict>;
  /** Requirements of which `check` knows the remedy. */
  rules: string;
}

/**
 * What a deploy needs, in its order: somebody migrates once the app runs, unless a release_command does so before.
 * Memory comes last, for the want of it ends an app in any other step.
 */
export const STEPS = {
  build: { title: 'image builds', needs: 'nothing', probe: build, rules: 'B1 B3 B4 B6 R1.2' },
  boot: {
    title: 'boots and listens',
    needs: 'image',
    probe: boot,
    rules: 'R1.6 R2.6 R3.1 R3.3 B1',
  },
  health: { title: 'health check', needs: 'app', probe: health, rules: 'R2.5 R2.6' },
  migrate: { title: 'migrations run', needs: 'app', probe: migrate, rules: 'B9 R2.3 R3.2 B10' },
  page: { title: 'page', needs: 'app', probe: page, rules: 'R2.5 R3.3' },
  socket: { title: 'LiveView', needs: 'app', probe: socket, rules: 'R3.3' },
  database: { title: 'database', needs: 'app', probe: database, rules: 'R2.3 R3.2' },
  tls: { title: 'TLS to the outside', needs: 'app', probe: tls, rules: 'R3.4' },
  user: { title: 'no rights', needs: 'app', probe: user, rules: 'R1.4' },
  background: { title: 'workers stay out', needs: 'app', probe: background, rules: 'B11' },
  history: { title: 'no secret in the image', needs: 'image', probe: history, rules: 'R1.4' },
  stop: { title: 'shutdown', needs: 'app', probe: stop, rules: 'R1.6 B8' },
  memory: { title: 'memory', needs: 'image', probe: memory, rules: 'R2.2' },
} satisfies Record<string, Step>;

export type StepName = keyof typeof STEPS;

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

/** Told of each step as it begins and ends; what only prepares one ends without a line. */
export interface Watcher {
  begins(name: StepName): void;
  ends(line?: Line): void;
}

/**
 * Builds the image, boots it as Fly would, and measures it. All that it makes is removed at the end, whatever happens.
 * @param keep leaves the app running
 * @returns what was found until `signal` ended it
 * @throws Problem when fly.toml names nothing to build here, a build secret is missing, or the engine can't
 */
export async function prove(
  request: ProofRequest,
  { watcher, signal, keep }: { watcher: Watcher; signal: AbortSignal; keep: boolean },
): Promise<Proof> {
  const { engine, project } = request;
  const deploy = deployOf(project, flyConfig(project.tree));
  const resources = new Resources();
  const proof: Proof = { app: deploy.app, engine: engine.name, lines: [], notes: [] };
  try {
    // Postgres may have to be downloaded
    watcher.begins('database');
    const prepared = prepare({ ...request, resources, deploy, notes: proof.notes });
    const setting = await prepared.finally(() => watcher.ends());
    const machine = machineOf(setting);
    for await (const line of measure(machine, setting, watcher, keep)) {
      if (signal.aborted) return proof;
      watcher.ends(line);
      proof.lines.push(line);
    }
    if (keep && machine.hostPort) {
      proof.url = `http://127.0.0.1:${machine.hostPort}`;
      proof.remove = resources.removal.map((args) => [engine.name, ...args].join(' ')).join('; ');
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (!proof.url) await resources.remove(engine);
  }
  return proof;
}

async function* measure(machine: Machine, setting: Setting, watcher: Watcher, keep: boolean) {
  const { releaseCommand } = setting.deploy;
  const names = Object.keys(STEPS) as StepName[];
  const others = names.filter((name) => !/^(build|migrate)$/.test(name));
  const order: StepName[] = releaseCommand ? ['build', 'migrate', ...others] : names;
  const available = new Set<Need>(['nothing']);
  for (const name of order) {
    if (keep && name === 'stop') continue;
    const { probe, ...step }: Step = STEPS[name];
    const needs = name === 'migrate' && releaseCommand ? 'image' : step.needs;
    watcher.begins(name);
    const why = available.has('image')
      ? 'the app does not run, or does not listen'
      : 'a deploy would have stopped before';
    let verdict = available.has(needs)
      ? await probe(setting, machine).catch((error: Error) => failed(error.message))
      : skipped(why);
    if (verdict.verdict === 'failed' && (needs === 'app' || name === 'boot')) {
      const exit = name === 'stop' ? undefined : await machine.finalExitCode();
      if (exit !== undefined) available.delete('app');
      const log = verdict.log ?? (await machine.faults());
      // What a probe met after the end, such as a refused connection, explains nothing
      const unexplained = exit !== undefined && name !== 'boot' && !verdict.log;
      const why = unexplained ? `the app has ended by itself, exit code ${exit}` : verdict.why;
      // The want of memory is told once, by its own line
      verdict = machine.outOfMemory ? ranOutOfMemory : { ...verdict, why, log };
    }
    const fails = verdict.verdict === 'failed';
    // A slow build is a fault, and the image is there all the same
    if (name === 'build' && verdict.figure) available.add('image');
    if (name === 'boot' && verdict.verdict === 'met') available.add('app');
    if (name === 'migrate' && fails && releaseCommand) available.clear();
    yield { name, ...verdict, ...(fails && { remedy: remedies(setting, name) }) };
  }
}

/** What `check` would change about a line that failed: "fly.toml:12: what is wrong", then the edit. */
const remedies = ({ project }: Setting, name: StepName): string[] =>
  check(project)
    .filter(({ id }) => STEPS[name].rules.split(' ').includes(id))
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
