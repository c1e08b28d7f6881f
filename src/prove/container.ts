import { elixirAtom } from '../quote.ts';
import { argv, type Outcome, until, type Variables } from './engine.ts';
import type { Setting } from './setting.ts';
import { faultLines, hasFault } from './verdict.ts';

const STATE = '{{.State.Running}},{{.State.ExitCode}},{{.State.OOMKilled}}';
/** Milliseconds in which an engine has learned of an end. */
const EXIT_DELAY = 20_000;
/** Milliseconds in which an engine has written the last lines of an app that has ended. */
const LOG_DELAY = 2000;
/** Milliseconds that a busy app gets to take a call. */
const CALL_PATIENCE = 3000;
/** Version 2 of the kernel's control groups, Linux 5.19 and later, and version 1. */
const PEAK_FILES = '/sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes';

/** What rpc says of an app without distribution. */
export const UNREACHABLE = /not contact|noconnection|nodedown|distribution is disabled/i;

/** Elixir that fails until all of the app's processes are there. */
export const assertStarted = ({ project }: Setting): string =>
  `true = List.keymember?(Application.started_applications(), ${elixirAtom(project.app.otpApp)}, 0)`;

export type Machine = ReturnType<typeof machineOf>;

/** The container of the image that runs the app, as Fly would start it. */
export function machineOf(setting: Setting) {
  const { engine, deploy, resources, secrets } = setting;
  const { name, options } = container(setting, 'app');
  const limit = argv`--memory ${`${deploy.memory}m`} --memory-swap ${`${deploy.memory}m`}`;
  const publish = ['--publish', `127.0.0.1::${deploy.port}`];
  const command = deploy.command ? ['/bin/sh', '-c', `exec ${deploy.command}`] : [];
  const exec = (args: string[]) => engine.run(['exec', ...args], { timeout: 60_000 });
  const machine = {
    /** Port on this machine that leads to the app's; 0 where none does. */
    hostPort: 0,
    /** Whether something in it was killed for want of memory. */
    outOfMemory: false,
    /** Megabytes at most, as of the last look. */
    peak: 0,
    start: () =>
      engine.run(
        argv`run --detach ${options} ${limit} ${publish} ${volume(setting)} ${resources.image} ${command}`,
        { env: secrets },
      ),
    /** Runs a script. @param user if not the image's */
    shell: (script: string, user: string[] = []) => exec(argv`${user} ${name} sh -c ${script}`),
    /** Runs Elixir in the app, again until it succeeds, the time is over or the app has ended. */
    async rpc(code: string, patience = CALL_PATIENCE): Promise<Outcome> {
      const call = () => exec(argv`${name} ${`bin/${deploy.release}`} rpc ${code}`);
      const answer = await until(engine, patience, async () => {
        const outcome = await call();
        const isFinal = outcome.code === 0 || (await machine.exitCode()) !== undefined;
        return isFinal ? outcome : undefined;
      });
      return answer ?? call();
    },
    async findPort(): Promise<void> {
      const { stdout } = await engine.run(argv`port ${name} ${`${deploy.port}/tcp`}`);
      machine.hostPort = Number(/:(\d+)\s*$/m.exec(stdout)?.[1] ?? 0);
    },
    /** @param since a moment, as Date.now() tells it */
    async log(since = 0): Promise<string> {
      const after = since ? ['--since', new Date(since).toISOString()] : [];
      return (await engine.run(argv`logs --tail 400 ${after} ${name}`)).all;
    },
    /** The lines of the log that say why; of an app that has ended, once they are there and no more are coming. */
    async faults(since = 0): Promise<string[]> {
      let before = '';
      const log = await until(engine, LOG_DELAY, async (waited) => {
        const text = await machine.log(since);
        const isWhole = waited >= LOG_DELAY || (hasFault(text) && text === before);
        before = text;
        return isWhole || (await machine.exitCode()) === undefined ? text : undefined;
      });
      return faultLines(log ?? '');
    },
    /** The command line that got process number 1, to which the engine, as Fly, sends signals. */
    mainProcess: async () => (await machine.shell("tr '\\0' ' ' </proc/1/cmdline")).stdout.trim(),
    /** The exit code, once the engine has learned of an end. */
    async exitCode(): Promise<number | undefined> {
      const { stdout } = await engine.run(argv`inspect --format ${STATE} ${name}`);
      const [running, code, killed] = stdout.trim().split(',');
      machine.outOfMemory ||= killed === 'true';
      return running === 'false' ? Number(code) : undefined;
    },
    /** The exit code with which it ended by itself; undefined while it runs. What still takes a command has not ended. */
    async finalExitCode(): Promise<number | undefined> {
      await engine.pause(500);
      const code = await until(engine, EXIT_DELAY, async () => {
        const exit = await machine.exitCode();
        if (exit !== undefined) return exit;
        return (await machine.shell(':')).code === 0 ? null : undefined;
      });
      // Killed, and nobody here did: Podman 4 does not always see that it was for memory
      machine.outOfMemory ||= code === 137;
      return code ?? undefined;
    },
    async measure(): Promise<void> {
      const { stdout } = await machine.shell(`cat ${PEAK_FILES} 2>/dev/null`);
      machine.peak = Math.round(Number.parseInt(stdout, 10) / 1e6) || machine.peak;
    },
    /** Sends the signal and waits. @returns the exit code, if it ended in time */
    async stop(signal: string, patience: number): Promise<number | undefined> {
      await engine.run(argv`kill --signal ${signal} ${name}`);
      return until(engine, patience, machine.exitCode);
    },
  };
  return machine;
}

const volume = ({ resources, deploy }: Setting): string[] =>
  deploy.volume ? ['--volume', `${resources.name}:${deploy.volume}:nocopy`] : [];

/** Runs one command of the image in a container of its own, past the ENTRYPOINT and with the volume unless `extra` says otherwise. */
export function oneOff(
  setting: Setting,
  command: string[],
  extra = argv`--entrypoint ${''} ${volume(setting)}`,
): Promise<Outcome> {
  const { engine, resources, secrets } = setting;
  const { options } = container(setting, 'once');
  return engine.run(argv`run --rm ${options} ${extra} ${resources.image} ${command}`, {
    env: secrets,
    timeout: 300_000,
  });
}

/** A new volume belongs to root on Fly; engines would give it to the image's user. */
export async function makeVolume(setting: Setting): Promise<void> {
  const path = setting.deploy.volume;
  if (!path) return;
  const own = argv`sh -c ${`chown 0:0 ${path} && chmod 755 ${path}`}`;
  await oneOff(setting, own, argv`--entrypoint ${''} --user 0 ${volume(setting)}`);
}

/** Secrets come through the environment of the command line: a list of processes shows them to nobody. */
function container({ resources, database, secrets, env }: Setting, part: string) {
  const { name, address, options } = resources.container(part);
  const variables: Variables = address ? { ...env, FLY_PRIVATE_IP: address } : env;
  const settings = Object.entries(variables).flatMap(([key, value]) => [
    '--env',
    Object.hasOwn(secrets, key) ? key : `${key}=${value}`,
  ]);
  return { name, options: [...options, ...(database?.options ?? []), ...settings] };
}
