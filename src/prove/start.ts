import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDockerfile } from '../check/dockerfile-model.ts';
import type { HealthCheck } from './deploy.ts';
import { words } from './engine.ts';
import { type Machine, oneOff, secretsIn } from './machine.ts';
import { request } from './request.ts';
import { buildSecrets, type Setting } from './setting.ts';
import * as verdicts from './verdict.ts';

const { buildLines, failed, megabytesText, met, secondsText, skipped, telling } = verdicts;
type Verdict = verdicts.Verdict;

/** S6: an image is built in under 5 minutes. */
const BUILD_LIMIT = 300_000;
/** Milliseconds that an app which has started gets to listen, or to answer otherwise. */
const SETTLES = 3000;

/** Builds the image as `fly deploy` would. */
export async function build(setting: Setting): Promise<Verdict> {
  const { engine, made, deploy, env, folder, project, wish } = setting;
  await pullShortNames(setting);
  const began = Date.now();
  const args = Object.entries(deploy.buildArgs).map(
    ([name, value]) => `--build-arg=${name}=${value}`,
  );
  const ids = buildSecrets(project, deploy, wish.secrets);
  const secrets = ids.map((id) => `--secret=id=${id},env=${id}`);
  const target = deploy.target ? ['--target', deploy.target] : [];
  const files = mkdtempSync(join(tmpdir(), 'phoenix-fly-'));
  const run = () =>
    engine.run(
      words`build ${fileOptions(setting, files)} --tag ${made.image} ${target} ${args} ${secrets} ${folder}`,
      {
        timeout: 1_800_000,
        env: { ...secretsIn(setting, env), ...wish.secrets, DOCKER_BUILDKIT: '1' },
      },
    );
  let { code, all } = await run();
  // Podman 4 stumbles over a layer that another build or removal takes away meanwhile
  if (code !== 0 && /layer not known/.test(all)) ({ code, all } = await run());
  rmSync(files, { recursive: true });
  const took = Date.now() - began;
  // What stopped it stands last, whatever the words
  if (code !== 0) return failed(`it stopped after ${secondsText(took)}`, buildLines(all));
  const { stdout } = await engine.run(words`image inspect --format {{.Size}} ${made.image}`);
  const figure = `${secondsText(took)} of ${BUILD_LIMIT / 1000}, ${megabytesText(Number(stdout))}`;
  const slow = took > BUILD_LIMIT ? failed('it took longer than 5 minutes here') : met();
  return { ...slow, figure };
}

/** Podman knows "elixir:1.18" only where a registry is configured for names without one, or the image is there. */
async function pullShortNames({ engine, project, deploy }: Setting): Promise<void> {
  if (engine.name !== 'podman') return;
  const dockerfile = readDockerfile(project.tree.read(deploy.dockerfile) ?? '', deploy.target);
  const images = dockerfile?.stages.filter(({ base }) => !base).map(({ image }) => image) ?? [];
  for (const image of new Set(images)) {
    const [first = '', ...rest] = image.split('/');
    if (image.includes('$') || (rest.length && /[.:]|^localhost$/.test(first))) continue;
    if ((await engine.run(words`image exists ${image}`)).code === 0) continue;
    await engine.run(words`pull --quiet ${`docker.io/${rest.length ? '' : 'library/'}${image}`}`);
  }
}

/** The Dockerfile, and an ignore file of another name: BuildKit takes the one beside it. */
function fileOptions({ engine, deploy, folder }: Setting, files: string): string[] {
  const dockerfile = join(folder, deploy.dockerfile);
  const ignore = deploy.ignoreFile && join(folder, deploy.ignoreFile);
  if (!ignore) return ['--file', dockerfile];
  if (engine.name === 'podman') return ['--file', dockerfile, '--ignorefile', ignore];
  copyFileSync(dockerfile, join(files, 'Dockerfile'));
  copyFileSync(ignore, join(files, 'Dockerfile.dockerignore'));
  return ['--file', join(files, 'Dockerfile')];
}

/** Runs the release_command, or what migrates where there is none. */
export async function migrate(_machine: Machine, setting: Setting): Promise<Verdict> {
  const { releaseCommand, migrate: own } = setting.deploy;
  const command = releaseCommand ?? own;
  if (!command) return skipped('the app has no database');
  const began = Date.now();
  const { code, all } = await oneOff(setting, ['/bin/sh', '-c', command], Boolean(releaseCommand));
  return code === 0
    ? met(secondsText(Date.now() - began))
    : failed(`${command.split(' ')[0]} ended with ${code}`, telling(all));
}

/** Waits until the release listens where fly.toml says. */
export async function boot(machine: Machine, setting: Setting): Promise<Verdict> {
  const { deploy, patience } = setting;
  const began = Date.now();
  const problem = await machine.start();
  if (problem) return failed('the container does not start', telling(problem));
  let wrong: string | undefined;
  let settled = Number.POSITIVE_INFINITY;
  for (; Date.now() < Math.min(began + patience, settled + SETTLES); await sleep(500)) {
    const { running, outOfMemory, exitCode } = await machine.state();
    if (!running && outOfMemory) return skipped(verdicts.SEE_MEMORY);
    if (!running)
      return failed(`it ended with exit code ${exitCode}`, telling(await machine.log()));
    const tables = await machine.exec('cat', '/proc/net/tcp', '/proc/net/tcp6');
    wrong = verdicts.listening(verdicts.listeners(tables.all), deploy.port);
    if (wrong === '') return met(secondsText(Date.now() - began));
    // Once all of its processes are there, what does not listen won't
    const slow = Date.now() - began > SETTLES && settled > Date.now();
    if (slow && (await machine.started())) settled = Date.now();
  }
  const silent = `nothing listens on port ${deploy.port}; a release serves HTTP only with PHX_SERVER=true`;
  return wrong ? failed(wrong) : failed(silent, telling(await machine.log()));
}

/** Repeats the very request of fly.toml's check until it gets a 2xx. */
export async function health(machine: Machine, setting: Setting): Promise<Verdict> {
  const { check } = setting.deploy;
  if (!check) return skipped('fly.toml has no health check');
  const patience = Math.max(setting.patience, check.grace);
  const said = new Set<string>();
  for (const began = Date.now(); Date.now() - began < patience; await sleep(500)) {
    const answer = await answerOf(machine, check);
    if (/^2\d\d$/.test(answer)) return met(`${answer} from ${check.path}`);
    said.add(answer);
    // A redirect won't become anything else; an error may, while the app warms up
    const settles = /^3/.test(answer) ? SETTLES : check.grace;
    if (said.size === 1 && /^[1345]\d\d/.test(answer) && Date.now() - began > settles) break;
  }
  const why = `${check.method} ${check.path} gave ${[...said].join(', then ')}; Fly takes a 2xx only`;
  return failed(why, telling(await machine.log()));
}

async function answerOf(machine: Machine, check: HealthCheck): Promise<string> {
  try {
    const { status, headers } = await request(machine.hostPort, check);
    return headers.location ? `${status} to ${headers.location}` : String(status);
  } catch (error) {
    return (error as Error).message;
  }
}
