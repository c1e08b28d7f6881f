import { setTimeout as sleep } from 'node:timers/promises';
import type { Project } from '../facts/detect.ts';
import type { Deploy } from './deploy.ts';
import { type Engine, type Made, type Outcome, words } from './engine.ts';
import type { Network } from './network.ts';
import { usedMemory } from './verdict.ts';

type Variables = Readonly<Record<string, string>>;

/** What a proof stands on: the engine, what Fly would do, and what was given or made up. */
export interface Setting {
  engine: Engine;
  made: Made;
  network: Network;
  project: Project;
  deploy: Deploy;
  /** Folder of the app, the build's context. */
  folder: string;
  release: string;
  /** Variables that the app gets, secrets included. */
  env: Variables;
  /** Ids of the secrets that the build mounts. */
  buildSecrets: readonly string[];
  /** Values that must not be found in the image. */
  secrets: readonly string[];
  /** Options of `run` with which the app finds its database. */
  databaseOptions: readonly string[];
  restartDatabase: (() => Promise<void>) | undefined;
  /** The path of the page to look at. */
  path: string;
  /** Milliseconds that the app gets to come up, to pass its check, to find its database again. */
  patience: number;
}

/** A container of the image, as Fly would start it. */
export class Machine {
  /** Port on this machine that leads to the app's; 0 where none does. */
  hostPort = 0;
  /** The most memory seen, in bytes. */
  peak = 0;
  private readonly name: string;
  private readonly setting: Setting;

  private readonly done: AbortSignal;

  /** @param done ends the sampling of its memory */
  constructor(setting: Setting, done: AbortSignal) {
    this.done = done;
    this.setting = setting;
    this.name = setting.made.name('app');
  }

  /** @returns '' when the container runs, else the engine's words */
  async start(extra: Variables = {}): Promise<string> {
    const { engine, deploy, made } = this.setting;
    const env = { ...this.setting.env, ...extra };
    const limit = `${deploy.memory}m`;
    const publish = ['--publish', `127.0.0.1::${deploy.port}`];
    const command = deploy.command ? ['/bin/sh', '-c', `exec ${deploy.command}`] : [];
    const started = await engine.run(
      words`run --detach --name ${this.name} --memory ${limit} --memory-swap ${limit} ${publish} ${options(this.setting, env, 2)} ${made.image} ${command}`,
      { env },
    );
    if (started.code !== 0) return started.all.trim();
    const { stdout } = await engine.run(words`port ${this.name} ${`${deploy.port}/tcp`}`);
    this.hostPort = Number(/:(\d+)\s*$/m.exec(stdout)?.[1] ?? 0);
    void this.watch();
    return '';
  }

  /** Samples the memory until the container is gone, or nobody wants to know any more. */
  private async watch(): Promise<void> {
    for (let code = 0; code === 0 && !this.done.aborted; await sleep(500)) {
      const stats = await this.setting.engine.run(
        words`stats --no-stream --format {{.MemUsage}} ${this.name}`,
      );
      this.peak = Math.max(this.peak, usedMemory(stats.stdout));
      code = (await this.state()).running ? stats.code : 1;
    }
  }

  exec(...command: string[]): Promise<Outcome> {
    return this.setting.engine.run(words`exec ${this.name} ${command}`, { timeout: 60_000 });
  }

  /** Runs Elixir in the running app. */
  rpc(code: string): Promise<Outcome> {
    return this.exec(`bin/${this.setting.release}`, 'rpc', code);
  }

  async log(): Promise<string> {
    return (await this.setting.engine.run(words`logs --tail 400 ${this.name}`)).all;
  }

  async state() {
    const format =
      '{{.State.Running}},{{.State.ExitCode}},{{.State.OOMKilled}},{{.State.StartedAt}}';
    const { stdout } = await this.setting.engine.run(
      words`inspect --format ${format} ${this.name}`,
    );
    const [running, code, killed, startedAt] = stdout.trim().split(',');
    // 137: killed, and nobody here did; Podman 4 does not always see that it was for memory
    const outOfMemory = killed === 'true' || code === '137';
    return { running: running === 'true', exitCode: Number(code), outOfMemory, startedAt };
  }

  /** Sends the signal and waits. @returns milliseconds until it ended; undefined: it did not in time */
  async stop(signal: string, patience: number): Promise<number | undefined> {
    const began = Date.now();
    await this.setting.engine.run(words`kill --signal ${signal} ${this.name}`);
    await this.setting.engine.run(words`wait ${this.name}`, { timeout: patience });
    return (await this.state()).running ? undefined : Date.now() - began;
  }

  async remove(): Promise<void> {
    await this.setting.engine.run(words`rm --force ${this.name}`);
  }
}

/** Runs one command of the image in a machine of its own, as Fly runs a release_command. */
export const oneOff = (setting: Setting, command: readonly string[]): Promise<Outcome> =>
  setting.engine.run(
    words`run --rm --name ${setting.made.name('once')} ${options(setting, setting.env, 4)} ${setting.made.image} ${command}`,
    { env: setting.env, timeout: 300_000 },
  );

/** Values come through the environment of the command line: a list of processes shows them to nobody. */
const options = (
  { made, network, databaseOptions }: Setting,
  env: Variables,
  index: number,
): string[] => [
  ...words`--label ${made.label} ${network.options(index)} ${databaseOptions}`,
  ...Object.keys(env).flatMap((name) => ['--env', name]),
  ...(network.ipv6 ? ['--env', `FLY_PRIVATE_IP=${network.address(index)}`] : []),
];
