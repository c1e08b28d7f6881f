import { join } from 'node:path';
import { request } from './browser.ts';
import { assertStarted, type Machine, makeVolume, oneOff } from './container.ts';
import { argv, type Engine, TIMED_OUT, until } from './engine.ts';
import type { Setting } from './setting.ts';
import {
  buildLines,
  crashes,
  failed,
  faultLines,
  met,
  secondsText,
  skipped,
  unreachable,
  type Verdict,
} from './verdict.ts';

/** S6: an image is built in under 5 minutes. */
const BUILD_LIMIT = 300_000;
/** Milliseconds that an app gets to come up, to pass its check, to find its database again. */
export const PATIENCE = 75_000;
/** Milliseconds after which an app that listens stays up: a supervisor gives up at the fourth crash within 5 seconds. */
const STABLE_AFTER = 10_000;
/** Milliseconds after which it is worth while to ask whether all of the app is there. */
const ASK_AFTER = 3000;

/** Builds the image as `fly deploy` would. */
export async function build(setting: Setting): Promise<Verdict> {
  const { engine, resources, deploy, folder, buildIds, envFile, notes } = setting;
  const { dockerfile, ignoreFile, target, buildArgs } = deploy;
  const began = Date.now();
  const options = argv`--file ${join(folder, dockerfile)} ${target ? ['--target', target] : []}`;
  for (const [name, value] of Object.entries(buildArgs))
    options.push(`--build-arg=${name}=${value}`);
  for (const id of buildIds) options.push(`--secret=id=${id},env=${id}`);
  if (ignoreFile && engine.name === 'podman')
    options.push('--ignorefile', join(folder, ignoreFile));
  else if (ignoreFile) notes.push(`Docker took .dockerignore, not ${ignoreFile}.`);
  const command = argv`build ${options} --tag ${resources.image} ${folder}`;
  const settings = { timeout: 1_800_000, env: { ...envFile, DOCKER_BUILDKIT: '1' } };
  let { code, all } = await engine.run(command, settings);
  for (let tries = 0; code !== 0 && tries < 5 && (await mayWorkNow(engine, all)); tries++)
    ({ code, all } = await engine.run(command, settings));
  const took = Date.now() - began;
  if (code !== 0) return failed(`it stopped after ${secondsText(took)}`, buildLines(all));
  const { stdout } = await engine.run(argv`image inspect --format {{.Size}} ${resources.image}`);
  const size = Math.round(Number(stdout) / 1e6);
  const slow = took > BUILD_LIMIT ? failed('it took longer than 5 minutes here', []) : met();
  return { ...slow, figure: `${secondsText(took)} of ${BUILD_LIMIT / 1000}, ${size} MB` };
}

/** Whether the same build may succeed now. */
async function mayWorkNow(engine: Engine, log: string): Promise<boolean> {
  // Podman 4 stumbles over a layer that another build or removal takes away meanwhile
  if (/layer not known/.test(log)) return true;
  // It knows "elixir:1.18" only where a registry is configured for names without one, or the image is there
  const name = /short-name/.test(log) && [...log.matchAll(/ FROM (\S+)/g)].at(-1)?.[1];
  if (!name) return false;
  const image = `docker.io/${name.includes('/') ? '' : 'library/'}${name}`;
  return (await engine.run(argv`pull --quiet ${image}`)).code === 0;
}

/** Runs the release_command, or what migrates where there is none. */
export async function migrate(setting: Setting): Promise<Verdict> {
  const { releaseCommand, migrate: own } = setting.deploy;
  const command = releaseCommand ?? own;
  if (!command) return skipped('the app has no database');
  const began = Date.now();
  const run = ['/bin/sh', '-c', command];
  // As Fly runs it: through the image's ENTRYPOINT, and without the volume
  const { code, all } = await (releaseCommand ? oneOff(setting, run, []) : oneOff(setting, run));
  const took = secondsText(Date.now() - began);
  if (code === 0) return met(took);
  const how = code === TIMED_OUT ? `did not end within ${took}` : `ended with ${code}`;
  return failed(`${command.split(' ')[0]} ${how}`, faultLines(all));
}

/** Waits until the release listens where fly.toml says, and a little longer. */
export async function boot(setting: Setting, machine: Machine): Promise<Verdict> {
  const { engine, deploy, notes } = setting;
  await makeVolume(setting);
  const { code, all } = await machine.start();
  if (code !== 0) return failed('the container does not start', faultLines(all));
  let fault = '';
  const verdict = await until(engine, PATIENCE, async (waited) => {
    const exit = await machine.exitCode();
    if (exit !== undefined) return failed(exitText(exit));
    // What does not listen once all of the app is there, won't
    const isAll = waited > ASK_AFTER && (await machine.rpc(assertStarted(setting), 0)).code === 0;
    fault = unreachable((await machine.shell('cat /proc/net/tcp /proc/net/tcp6')).all, deploy.port);
    if (fault) return isAll ? failed(fault) : undefined;
    return met(secondsText(waited));
  });
  if (verdict?.verdict !== 'met') return verdict ?? failed(fault);
  await machine.findPort();
  await engine.pause(STABLE_AFTER);
  const exit = await machine.finalExitCode();
  notes.push(...crashes(await machine.log()));
  return exit === undefined ? verdict : failed(exitText(exit));
}

const exitText = (code: number): string =>
  `it ended with exit code ${code}${code ? '' : ': a container ends with its command, so the release has to stay in the foreground'}`;

/** Repeats the very request of fly.toml's check until it gets a 2xx. */
export async function health(setting: Setting, machine: Machine): Promise<Verdict> {
  const { engine, deploy, project } = setting;
  const { check } = deploy;
  if (!check) return skipped('fly.toml has no check over HTTP');
  let answer = '';
  const healthy = await until(engine, Math.max(PATIENCE, check.grace), async (waited) => {
    answer = await request(machine.hostPort, check).then(
      ({ status, headers }) => [status, headers.location].filter(Boolean).join(' to '),
      (error: Error) => error.message,
    );
    if (/^2/.test(answer)) return true;
    // A server error may go while the app warms up
    const final =
      /^[34]/.test(answer) ||
      (/^5/.test(answer) ? waited > check.grace : (await machine.exitCode()) !== undefined);
    return final ? false : undefined;
  });
  if (healthy) return met(`${answer} from ${check.path}`);
  const ownPath = project.endpoint.healthPath ?? check.path;
  const hint = ownPath === check.path ? '' : `; the app's own route for it is ${ownPath}`;
  return failed(`${check.method} ${check.path} gave ${answer}, and Fly takes a 2xx only${hint}`);
}
