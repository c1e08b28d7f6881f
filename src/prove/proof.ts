import { setTimeout as sleep } from 'node:timers/promises';
import type { Project } from '../facts/detect.ts';
import type { Deploy } from './deploy.ts';
import type { Engine, Made } from './engine.ts';
import type { Network } from './network.ts';
import { usedMemory } from './verdict.ts';

/** What the probes work on. */
export interface Proof {
  engine: Engine;
  made: Made;
  network: Network;
  project: Project;
  deploy: Deploy;
  release: string;
  /** Variables that the app gets, secrets included. */
  env: Readonly<Record<string, string>>;
  /** Values that must not be found in the image. */
  secrets: readonly string[];
  /** Options of `run` with which the app finds its database. */
  databaseOptions: readonly string[];
  restartDatabase: (() => Promise<void>) | undefined;
  /** The path of the page to look at. */
  path: string;
}

/** A machine of the proof: one container of the image. */
export class Machine {
  readonly name: string;
  /** Port on this machine that leads to the app's; 0 where none does. */
  hostPort = 0;
  /** The most memory seen, in bytes. */
  peak = 0;
  private readonly proof: Proof;
  private watching = false;

  constructor(proof: Proof, part: string) {
    this.proof = proof;
    this.name = proof.made.name(part);
  }

  /** @returns '' when the container runs, else the engine's words */
  async start(extra: Readonly<Record<string, string>> = {}): Promise<string> {
    const { engine, deploy, env } = this.proof;
    const variables = { ...env, ...extra };
    const started = await engine.run(
      [
        'run',
        '--detach',
        '--name',
        this.name,
        '--publish',
        `127.0.0.1::${deploy.port}`,
        '--memory',
        `${deploy.memory}m`,
        '--memory-swap',
        `${deploy.memory}m`,
        ...runOptions(this.proof, variables, 2),
        this.proof.made.image,
        ...(deploy.command ? ['/bin/sh', '-c', `exec ${deploy.command}`] : []),
      ],
      { env: variables },
    );
    if (started.code !== 0) return started.all.trim();
    const { stdout } = await engine.run(['port', this.name, `${deploy.port}/tcp`]);
    this.hostPort = Number(/:(\d+)\s*$/m.exec(stdout)?.[1] ?? 0);
    return '';
  }

  /** Samples the memory until the container is gone. */
  async watch(): Promise<void> {
    this.watching = true;
    while (this.watching) {
      const { stdout, code } = await this.proof.engine.run([
        'stats',
        '--no-stream',
        '--format',
        '{{.MemUsage}}',
        this.name,
      ]);
      this.peak = Math.max(this.peak, (code === 0 && usedMemory(stdout)) || 0);
      await sleep(500);
    }
  }

  unwatch(): void {
    this.watching = false;
  }

  exec(...command: string[]) {
    return this.proof.engine.run(['exec', this.name, ...command], { timeout: 60_000 });
  }

  /** Runs Elixir in the running app. */
  rpc(code: string) {
    return this.exec(this.binary, 'rpc', code);
  }

  get binary(): string {
    return `bin/${this.proof.release}`;
  }

  async log(): Promise<string> {
    return (await this.proof.engine.run(['logs', '--tail', '400', this.name])).all;
  }

  async state(): Promise<{
    running: boolean;
    exitCode: number;
    outOfMemory: boolean;
    startedAt: string;
  }> {
    const format =
      '{{.State.Running}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.StartedAt}}';
    const { stdout } = await this.proof.engine.run(['inspect', '--format', format, this.name]);
    const [running, code, oom, ...started] = stdout.trim().split(' ');
    // 137: killed, and nobody here did; Podman 4 does not always see that it was for memory
    return {
      running: running === 'true',
      exitCode: Number(code),
      outOfMemory: oom === 'true' || Number(code) === 137,
      startedAt: started.join(' '),
    };
  }

  async remove(): Promise<void> {
    this.unwatch();
    await this.proof.engine.run(['rm', '--force', this.name]);
  }
}

/** Runs one command of the image in a machine of its own, as Fly runs a release_command. */
export function oneOff(
  proof: Proof,
  command: readonly string[],
  extra: Readonly<Record<string, string>> = {},
) {
  const env = { ...proof.env, ...extra };
  return proof.engine.run(
    [
      'run',
      '--rm',
      '--name',
      proof.made.name('once'),
      ...runOptions(proof, env, 4),
      proof.made.image,
      ...command,
    ],
    { env, timeout: 300_000 },
  );
}

/** Values come through the environment of the command line: a list of processes shows them to nobody. */
const runOptions = (
  { made, network, databaseOptions }: Proof,
  env: Readonly<Record<string, string>>,
  index: number,
): string[] => [
  '--label',
  made.label,
  ...network.options(index),
  ...databaseOptions,
  ...Object.keys(env).flatMap((name) => ['--env', name]),
  ...(network.ipv6 ? ['--env', `FLY_PRIVATE_IP=${network.address(index)}`] : []),
];
