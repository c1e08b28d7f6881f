import { elixirAtom } from '../quote.ts';
import { type Outcome, type Variables, words } from './engine.ts';
import type { Setting } from './setting.ts';

const STATE = '{{.State.Running}},{{.State.ExitCode}},{{.State.OOMKilled}},{{.State.StartedAt}}';

/** A container of the image, as Fly would start it. */
export class Machine {
  /** Port on this machine that leads to the app's; 0 where none does. */
  hostPort = 0;
  private readonly name: string;
  private readonly setting: Setting;
  private readonly index: number;

  /** @param part `once` for a second one beside the app */
  constructor(setting: Setting, part: 'app' | 'once' = 'app') {
    this.setting = setting;
    this.name = setting.made.name(part);
    this.index = part === 'app' ? 2 : 4;
  }

  private run(args: string[], timeout?: number): Promise<Outcome> {
    return this.setting.engine.run(args, { timeout });
  }

  /** @returns '' when the container runs, else the engine's words */
  async start(extra: Variables = {}): Promise<string> {
    const { engine, deploy, made } = this.setting;
    const env = { ...this.setting.env, ...extra };
    const memory = words`--memory ${`${deploy.memory}m`} --memory-swap ${`${deploy.memory}m`}`;
    const publish = ['--publish', `127.0.0.1::${deploy.port}`];
    const command = deploy.command ? ['/bin/sh', '-c', `exec ${deploy.command}`] : [];
    const started = await engine.run(
      words`run --detach --name ${this.name} ${memory} ${publish} ${options(this.setting, env, this.index)} ${made.image} ${command}`,
      { env: secretsIn(this.setting, env) },
    );
    if (started.code !== 0) return started.all.trim();
    const { stdout } = await this.run(words`port ${this.name} ${`${deploy.port}/tcp`}`);
    this.hostPort = Number(/:(\d+)\s*$/m.exec(stdout)?.[1] ?? 0);
    return '';
  }

  exec(...command: string[]): Promise<Outcome> {
    return this.run(words`exec ${this.name} ${command}`, 60_000);
  }

  /** Runs Elixir in the running app. */
  rpc(code: string): Promise<Outcome> {
    return this.exec(`bin/${this.setting.release}`, 'rpc', code);
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
    // 137: killed, and nobody here did; Podman 4 does not always see that it was for memory
    const outOfMemory = killed === 'true' || code === '137';
    return { running: running === 'true', exitCode: Number(code), outOfMemory, startedAt };
  }

  /** Sends the signal and waits. @returns milliseconds until it ended; undefined: it did not in time */
  async stop(signal: string, patience: number): Promise<number | undefined> {
    const began = Date.now();
    await this.run(words`kill --signal ${signal} ${this.name}`);
    await this.run(words`wait ${this.name}`, patience);
    return (await this.state()).running ? undefined : Date.now() - began;
  }

  async remove(): Promise<void> {
    await this.run(words`rm --force ${this.name}`);
  }
}

/** Runs one command of the image in a machine of its own. @param entry as Fly runs a release_command: through the image's ENTRYPOINT */
export function oneOff(setting: Setting, command: string[], entry = false): Promise<Outcome> {
  const { engine, made, env } = setting;
  const direct = entry ? [] : ['--entrypoint', ''];
  return engine.run(
    words`run --rm --name ${made.name('once')} ${direct} ${options(setting, env, 4)} ${made.image} ${command}`,
    { env: secretsIn(setting, env), timeout: 300_000 },
  );
}

const OURS = ['SECRET_KEY_BASE', 'DATABASE_URL', 'DIRECT_DATABASE_URL'];

/** Variables whose values are secret. No other goes into the engine's own environment: a repo could name PATH or LD_PRELOAD. */
export function secretsIn({ wish }: Pick<Setting, 'wish'>, env: Variables): Variables {
  const names = [...OURS, ...Object.keys(wish.secrets)];
  return Object.fromEntries(
    names.flatMap((name) => (Object.hasOwn(env, name) ? [[name, env[name] ?? '']] : [])),
  );
}

/** Secrets come through the environment of the command line: a list of processes shows them to nobody. */
function options(setting: Setting, env: Variables, index: number): string[] {
  const { made, network, database } = setting;
  const address = network.address(index);
  const secrets = secretsIn(setting, env);
  return [
    ...words`--label ${made.label} ${network.options(index)} ${database?.options ?? []}`,
    ...Object.entries(env).flatMap(([name, value]) => [
      '--env',
      Object.hasOwn(secrets, name) ? name : `${name}=${value}`,
    ]),
    ...(address ? ['--env', `FLY_PRIVATE_IP=${address}`] : []),
  ];
}
