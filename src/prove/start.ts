import { join } from 'node:path';
import { request } from './browser.ts';
import type { Deploy } from './deploy.ts';
import { type Engine, until, words } from './engine.ts';
import { type Machine, makeVolume, oneOff } from './machine.ts';
import type { Setting } from './setting.ts';
import {
  buildLines,
  failed,
  met,
  secondsText,
  skipped,
  telling,
  unreachable,
  type Verdict,
} from './verdict.ts';

/** S6: an image is built in under 5 minutes. */
const BUILD_LIMIT = 300_000;
/** Milliseconds that an app gets to come up, to pass its check, to find its database again. */
export const PATIENCE = 75_000;
/** Milliseconds that an app which has started gets to listen, or to answer otherwise. */
export const SETTLES = 3000;

/** Builds the image as `fly deploy` would. */
export async function build(setting: Setting): Promise<Verdict> {
  const { engine, made, deploy, folder, buildIds, given, notes } = setting;
  const { dockerfile, ignoreFile, target, buildArgs } = deploy;
  const began = Date.now();
  const options = words`--file ${join(folder, dockerfile)} ${target ? ['--target', target] : []}`;
  for (const [name, value] of Object.entries(buildArgs))
    options.push(`--build-arg=${name}=${value}`);
  for (const id of buildIds) options.push(`--secret=id=${id},env=${id}`);
  if (ignoreFile && engine.name === 'podman')
    options.push('--ignorefile', join(folder, ignoreFile));
  else if (ignoreFile) notes.push(`Docker took .dockerignore, not ${ignoreFile}.`);
  const command = words`build ${options} --tag ${made.image} ${folder}`;
  const settings = { timeout: 1_800_000, env: { ...given, DOCKER_BUILDKIT: '1' } };
  let { code, all } = await engine.run(command, settings);
  for (let tries = 0; code !== 0 && tries < 5 && (await mended(engine, all)); tries++)
    ({ code, all } = await engine.run(command, settings));
  const took = Date.now() - began;
  if (code !== 0) return failed(`it stopped after ${secondsText(took)}`, buildLines(all));
  const { stdout } = await engine.run(words`image inspect --format {{.Size}} ${made.image}`);
  const size = Math.round(Number(stdout) / 1e6);
  const slow = took > BUILD_LIMIT ? failed('it took longer than 5 minutes here', []) : met();
  return { ...slow, figure: `${secondsText(took)} of ${BUILD_LIMIT / 1000}, ${size} MB` };
}

/** Whether the same build may succeed now. */
async function mended(engine: Engine, log: string): Promise<boolean> {
  // Podman 4 stumbles over a layer that another build or removal takes away meanwhile
  if (/layer not known/.test(log)) return true;
  // It knows "elixir:1.18" only where a registry is configured for names without one, or the image is there
  const name = /short-name/.test(log) && [...log.matchAll(/ FROM (\S+)/g)].at(-1)?.[1];
  if (!name) return false;
  const image = `docker.io/${name.includes('/') ? '' : 'library/'}${name}`;
  return (await engine.run(words`pull --quiet ${image}`)).code === 0;
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
  return code === 0
    ? met(secondsText(Date.now() - began))
    : failed(`${command.split(' ')[0]} ended with ${code}`, telling(all));
}

/** Waits until the release listens where fly.toml says. */
export async function boot(setting: Setting, machine: Machine): Promise<Verdict> {
  const { engine, deploy } = setting;
  const began = Date.now();
  await makeVolume(setting);
  const started = await machine.start();
  if (started.code !== 0) return failed('the container does not start', telling(started.all));
  let wrong = '';
  let settled: number | undefined;
  const verdict = await until(engine, PATIENCE, async (waited) => {
    const { running, exitCode } = await machine.state();
    if (!running) return failed(`it ended with exit code ${exitCode}`);
    const { all } = await machine.shell('cat /proc/net/tcp /proc/net/tcp6');
    wrong = unreachable(all, deploy.port);
    if (!wrong && (await machine.findPort())) return met(secondsText(Date.now() - began));
    if (settled !== undefined && waited > settled + SETTLES) return failed(wrong);
    // Once all of its processes are there, what does not listen won't
    if (waited > SETTLES && (await machine.started())) settled ??= waited;
    return undefined;
  });
  return verdict ?? failed(wrong);
}

/** Repeats the very request of fly.toml's check until it gets a 2xx. */
export async function health({ engine, deploy }: Setting, machine: Machine): Promise<Verdict> {
  const { check } = deploy;
  if (!check) return skipped('fly.toml has no health check');
  let answer = '';
  const healthy = await until(engine, Math.max(PATIENCE, check.grace), async (waited) => {
    answer = await answerTo(machine, check);
    if (/^2\d\d$/.test(answer)) return true;
    // A redirect won't become anything else; an error may, while the app warms up
    const settles = /^3/.test(answer) ? SETTLES : check.grace;
    const final = /^\d/.test(answer) ? waited > settles : !(await machine.state()).running;
    return final ? false : undefined;
  });
  if (healthy) return met(`${answer} from ${check.path}`);
  return failed(`${check.method} ${check.path} gave ${answer}; Fly takes a 2xx only`);
}

const answerTo = (machine: Machine, check: NonNullable<Deploy['check']>): Promise<string> =>
  request(machine.hostPort, check).then(
    ({ status, headers }) => [status, headers.location].filter(Boolean).join(' to '),
    (error: Error) => error.message,
  );
