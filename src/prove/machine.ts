import { elixirAtom } from '../quote.ts';
import { type Outcome, until, type Variables, words } from './engine.ts';
import type { Setting } from './setting.ts';

const STATE = '{{.State.Running}},{{.State.ExitCode}},{{.State.OOMKilled}},{{.State.StartedAt}}';
/** Milliseconds in which an engine has learned of an end. */
const LEARNS = 20_000;

/** A container of the image, as Fly would start it. */
export class Machine {
  /** Port on this machine that leads to the app's; 0 where none does. */
  hostPort = 0;
  /** Whether something in it was killed for want of memory. */
  starved = false;
  private highest = 0;
  private readonly name: string;
  private readonly options: string[];
  private readonly setting: Setting;

  constructor(setting: Setting, part = 'app', extra: Variables = {}) {
    this.setting = setting;
    const { deploy } = setting;
    const { name, options } = container(setting, part, { ...setting.env, ...extra });
    this.name = name;
    this.options = [
      ...options,
      ...words`--memory ${`${deploy.memory}m`} --memory-swap ${`${deploy.memory}m`}`,
      ...words`--publish ${`127.0.0.1::${deploy.port}`} ${volume(setting)}`,
    ];
  }

  private run(args: string[], timeout?: number): Promise<Outcome> {
    return this.setting.engine.run(args, { timeout });
  }

  /** @returns '' when the container runs, else the engine's words */
  async start(): Promise<string> {
    const { engine, deploy, made, secrets } = this.setting;
    const command = deploy.command ? ['/bin/sh', '-c', `exec ${deploy.command}`] : [];
    const started = await engine.run(words`run --detach ${this.options} ${made.image} ${command}`, {
      env: secrets,
    });
    if (started.code !== 0) return started.all.trim() || 'the engine says nothing';
    return '';
  }

  /** @returns 0 where no port of this machine leads to the app's */
  async findPort(): Promise<number> {
    const { stdout } = await this.run(
      words`port ${this.name} ${`${this.setting.deploy.port}/tcp`}`,
    );
    this.hostPort = Number(/:(\d+)\s*$/m.exec(stdout)?.[1] ?? 0);
    return this.hostPort;
  }

  private exec(command: string[], as: string[] = []): Promise<Outcome> {
    return this.run(words`exec ${as} ${this.name} ${command}`, 60_000);
  }

  /** Runs a script in its container. @param as the user, if not the image's */
  shell(script: string, as?: string): Promise<Outcome> {
    return this.exec(['sh', '-c', script], as === undefined ? [] : ['--user', as]);
  }

  /** Runs Elixir in the running app. */
  rpc(code: string): Promise<Outcome> {
    return this.exec([`bin/${this.setting.deploy.release}`, 'rpc', code]);
  }

  /** Whether all of the app's processes are there. */
  async started(): Promise<boolean> {
    const app = elixirAtom(this.setting.project.app.otpApp);
    const there = `List.keymember?(Application.started_applications(), ${app}, 0)`;
    return (await this.rpc(`IO.inspect(${there})`)).all.includes('true');
  }

  async log(): Promise<string> {
    return (await this.run(words`logs --tail 400 ${this.name}`)).all;
  }

  async state() {
    const { stdout } = await this.run(words`inspect --format ${STATE} ${this.name}`);
    const [running, code, killed, startedAt] = stdout.trim().split(',');
    this.starved ||= killed === 'true';
    return { running: running !== 'false', exitCode: Number(code), startedAt };
  }

  /** The exit code with which it ended by itself; undefined while it runs. What still takes a command has not ended. */
  async end(): Promise<number | undefined> {
    const { engine } = this.setting;
    await engine.pause(500);
    const code = await until(engine, LEARNS, async () => {
      const { running, exitCode } = await this.state();
      if (!running) return exitCode;
      return (await this.shell(':')).code === 0 ? -1 : undefined;
    });
    // Killed, and nobody here did: Podman 4 does not always see that it was for memory
    this.starved ||= code === 137;
    return code === -1 ? undefined : code;
  }

  /** Megabytes so far; 0 where it can't be told. Version 2 of the kernel's control groups, Linux 5.19 and later, and version 1. */
  async peak(): Promise<number> {
    const files = '/sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes';
    const { stdout } = await this.shell(`cat ${files} 2>/dev/null`);
    this.highest = Math.round(Number.parseInt(stdout, 10) / 1e6) || this.highest;
    return this.highest;
  }

  /** Sends the signal and waits. @returns the exit code, if it ended in time */
  async stop(signal: string, patience: number): Promise<number | undefined> {
    await this.run(words`kill --signal ${signal} ${this.name}`);
    return until(this.setting.engine, patience, async () => {
      const { running, exitCode } = await this.state();
      return running ? undefined : exitCode;
    });
  }

  async remove(): Promise<void> {
    await this.run(words`rm --force ${this.name}`);
  }
}

const volume = ({ made, deploy }: Setting): string[] =>
  deploy.volume ? ['--volume', `${made.name}:${deploy.volume}:nocopy`] : [];

/** Runs one command of the image in a machine of its own. @param extra options; the ENTRYPOINT is passed by unless they say otherwise */
export function oneOff(
  setting: Setting,
  command: string[],
  extra = words`--entrypoint ${''} ${volume(setting)}`,
): Promise<Outcome> {
  const { engine, made, env, secrets } = setting;
  const { options } = container(setting, 'once', env);
  return engine.run(words`run --rm ${options} ${extra} ${made.image} ${command}`, {
    env: secrets,
    timeout: 300_000,
  });
}

/** A new volume belongs to root on Fly; engines would give it to the image's user. */
export async function makeVolume(setting: Setting): Promise<void> {
  const path = setting.deploy.volume;
  if (!path) return;
  const own = words`sh -c ${`chown 0:0 ${path} && chmod 755 ${path}`}`;
  await oneOff(setting, own, words`--entrypoint ${''} --user 0 ${volume(setting)}`);
}

/** Secrets come through the environment of the command line: a list of processes shows them to nobody. */
function container({ made, database, secrets }: Setting, part: string, env: Variables) {
  const { name, address, options } = made.container(part);
  const variables = Object.entries({ ...env, ...(address && { FLY_PRIVATE_IP: address }) });
  const settings = variables.flatMap(([key, value]) => [
    '--env',
    Object.hasOwn(secrets, key) ? key : `${key}=${value}`,
  ]);
  return { name, options: [...options, ...(database?.options ?? []), ...settings] };
}
