import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthCheck } from './deploy.ts';
import { type Machine, oneOff, type Proof } from './proof.ts';
import { request } from './request.ts';
import {
  failed,
  type Line,
  lastLines,
  listeners,
  listening,
  megabytesOf,
  met,
  seconds,
  skipped,
  telling,
} from './verdict.ts';

/** S6: an image is built in under 5 minutes. */
const BUILD_LIMIT = 300_000;

/** Builds the image as `fly deploy` would. @param context folder of the app */
export async function build(
  { engine, made, deploy, env }: Proof,
  context: string,
  secrets: readonly string[],
): Promise<Line> {
  const began = Date.now();
  const { code, all } = await engine.run(
    [
      'build',
      '--file',
      `${context}/${deploy.dockerfile}`,
      '--tag',
      made.image,
      '--label',
      made.label,
      ...(deploy.target ? ['--target', deploy.target] : []),
      ...Object.entries(deploy.buildArgs).flatMap(([name, value]) => [
        '--build-arg',
        `${name}=${value}`,
      ]),
      ...secrets.flatMap((id) => ['--secret', `id=${id},env=${id}`]),
      context,
    ],
    { timeout: 1_800_000, env: { DOCKER_BUILDKIT: '1', ...env } },
  );
  const took = Date.now() - began;
  // What stopped it stands last, whatever the words
  if (code !== 0) return failed('build', `it stopped after ${seconds(took)}`, lastLines(all));
  const { stdout } = await engine.run(['image', 'inspect', '--format', '{{.Size}}', made.image]);
  const figure = `${seconds(took)} of ${BUILD_LIMIT / 1000}, ${megabytesOf(Number(stdout))}`;
  return took > BUILD_LIMIT
    ? failed('build', 'it took longer than 5 minutes', [], figure)
    : met('build', figure);
}

/** Runs the release_command, or what migrates where there is none. */
export async function migrate(proof: Proof, command: string | undefined): Promise<Line> {
  if (!command) return skipped('migrate', 'the app has no database');
  const began = Date.now();
  const { code, all } = await oneOff(proof, ['/bin/sh', '-c', command]);
  return code === 0
    ? met('migrate', seconds(Date.now() - began))
    : failed('migrate', `${command.split(' ')[0]} ended with ${code}`, telling(all));
}

/** A deploy waits that long before Fly gives up on a machine: the grace period, then some checks in a row. */
const patience = (check: HealthCheck | undefined): number =>
  Math.max(20_000, check ? check.grace + 3 * check.interval : 0);

/** Waits until the release listens where fly.toml says. */
export async function boot(machine: Machine, { deploy }: Proof): Promise<Line> {
  const began = Date.now();
  const problem = await machine.start();
  if (problem) return failed('boot', 'the container does not start', telling(problem));
  let wrong: string | undefined;
  while (Date.now() - began < patience(deploy.check)) {
    const state = await machine.state();
    if (!state.running) {
      if (state.outOfMemory) return skipped('boot', 'it was killed for want of memory: see memory');
      return failed(
        'boot',
        `it ended with exit code ${state.exitCode} after ${seconds(Date.now() - began)}`,
        telling(await machine.log()),
      );
    }
    const tables = await machine.exec('cat', '/proc/net/tcp', '/proc/net/tcp6');
    wrong = listening(listeners(tables.all), deploy.port);
    if (wrong === '') return met('boot', seconds(Date.now() - began));
    await sleep(250);
  }
  if (wrong) return failed('boot', wrong);
  return failed(
    'boot',
    `nothing listens on port ${deploy.port} after ${seconds(Date.now() - began)}; a release serves HTTP only with PHX_SERVER=true`,
    telling(await machine.log()),
  );
}

/** Repeats the very request of fly.toml's check until it gets a 2xx. */
export async function health(
  machine: Machine,
  { deploy: { check } }: Proof,
  began: number,
): Promise<Line> {
  if (!check) return skipped('health', 'fly.toml has no health check');
  const said = new Set<string>();
  do {
    const answer = await request(machine.hostPort, check).then(
      ({ status, headers }) =>
        headers.location ? `${status} to ${headers.location}` : String(status),
      (error: Error) => error.message,
    );
    if (/^2\d\d$/.test(answer))
      return met(
        'health',
        `${answer} from ${check.path}, ${seconds(Date.now() - began)} after the start`,
      );
    said.add(answer);
    await sleep(Math.min(check.interval, 1000));
  } while (Date.now() - began < patience(check));
  return failed(
    'health',
    `${check.method} ${check.path} answered ${[...said].join(', then ')}; Fly takes a 2xx only`,
    telling(await machine.log()),
  );
}
