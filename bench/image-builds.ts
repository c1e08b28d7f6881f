import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeApp } from './app.ts';
import { type Build, phxGenRelease } from './rivals.ts';

/** The variant whose builds are not timed. */
const SIZE_ONLY = 'with psql';
const MODULES_OF_SMALL_APP = 60;
const root = fileURLToPath(new URL('..', import.meta.url));

export interface ImageFlags {
  /** Folder of an app to measure instead of the generated one. */
  app?: string;
  /** Its mix.lock after an update of one dependency. */
  lock?: string;
  /** The file in lib/ that gets another line. */
  edit?: string;
  /** More Dockerfiles to compare. */
  dockerfile?: string[];
}

/** Megabytes of an image: as it is, and as a registry holds its layers. */
interface Size {
  raw: number;
  gzip: number;
}

/** A Dockerfile that takes part, and what was measured. */
interface Variant extends Size {
  name: string;
  /** The name of its file in the work folder. */
  dockerfile: string;
  /** Of each build. */
  seconds: Record<string, number>;
  /** Seconds until its health check answers. */
  boot: number;
}

const work = mkdtempSync('/var/tmp/phoenix-fly-bench-');
const app = join(work, 'app');
const cache = process.env.PHOENIX_FLY_CACHE ?? '/var/tmp/phoenix-fly-e2e';
// As test/e2e/storage.sh writes it
process.env.CONTAINERS_STORAGE_CONF = join(cache, 'storage.conf');
process.env.BUILDAH_ISOLATION = 'chroot';

const run = (command: string, args: string[]): string =>
  execFileSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1e9,
  });

/** Starts a BuildKit, which is what Fly and Docker build with. @returns undefined where there is none, so that buildah builds */
async function startBuildKit(): Promise<ChildProcess | undefined> {
  const daemon = spawn('bash', ['bench/buildkitd.sh', work], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ready = await new Promise((resolve) => {
    daemon.stdout.once('data', () => resolve(true));
    daemon.once('exit', () => resolve(false));
  });
  if (!ready) return undefined;
  process.env.BUILDKIT_HOST = `unix://${work}/buildkit/socket`;
  return daemon;
}

/** Builds a variant. @returns the seconds that took */
function build(variant: Variant, ...options: string[]): number {
  const log = join(work, 'build.log');
  const script =
    'TIMEFORMAT="%R"; { time "$@" >"$0" 2>&1; } 2>&1 || { tail -n 40 "$0" >&2; false; }';
  const image = `bench-${variant.dockerfile}`;
  const command = ['bench/build.sh', work, app, join(work, variant.dockerfile), image, ...options];
  try {
    const output = run('bash', ['-c', script, log, 'bash', ...command]);
    const seconds = Number(output.trim().split('\n').at(-1));
    console.log(`# ${variant.name} ${options.join(' ')}: ${seconds.toFixed(1)} s`);
    return seconds;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`${variant.name}: ${String(stderr).slice(-3000)}`);
  }
}

const podman = (...args: string[]): string => run('podman', ['--log-level', 'error', ...args]);

function sizeOf(image: string): Size {
  const layout = join(work, 'oci');
  podman('push', '-q', image, `oci:${layout}`);
  const readJson = (path: string): unknown => JSON.parse(readFileSync(join(layout, path), 'utf8'));
  const { manifests } = readJson('index.json') as { manifests: [{ digest: string }] };
  const blob = `blobs/sha256/${manifests[0].digest.replace('sha256:', '')}`;
  const { layers } = readJson(blob) as { layers: { size: number }[] };
  rmSync(layout, { recursive: true });
  const raw = Number(podman('image', 'inspect', '--format', '{{.Size}}', image));
  const gzip = layers.reduce((sum, { size }) => sum + size, 0);
  return { raw: raw / 1e6, gzip: gzip / 1e6 };
}

function bootSeconds({ dockerfile }: Variant): number {
  return Number(run('bash', ['bench/boot.sh', `bench-${dockerfile}`, app])) / 1000;
}

/**
 * Builds the same app with the generated Dockerfile and in the style of phx.gen.release, one after the other, on Debian
 * stand-ins, and prints a table. Needs what test/e2e needs: root, buildah, podman.
 */
export async function benchImages(
  flags: ImageFlags,
  modules = MODULES_OF_SMALL_APP,
): Promise<void> {
  mkdirSync(work, { recursive: true });
  const { lock, daemon } = flags.app ? copyApp(flags.app, flags.lock) : makeOwnApp(modules);
  const buildkit = await startBuildKit();
  console.log(`# built by ${buildkit ? 'BuildKit' : 'buildah'}, ${modules} modules of its own`);
  try {
    const { texts, runner, release } = dockerfiles(flags);
    const variants = Object.entries(texts).map(([name, text]): Variant => {
      const dockerfile = name.replace(/\s/g, '-');
      writeFileSync(join(work, dockerfile), text);
      return { name, dockerfile, seconds: {}, raw: 0, gzip: 0, boot: Infinity };
    });
    const edited = join(app, flags.edit ?? `lib/${release}/repo.ex`);
    measureBuilds(variants, edited, lock);
    for (const variant of variants) Object.assign(variant, sizeOf(`bench-${variant.dockerfile}`));
    for (let round = 0; round < 3; round++)
      for (const variant of variants) variant.boot = Math.min(variant.boot, bootSeconds(variant));
    printTable(variants, sizeOf(`docker.io/library/${runner}`));
  } finally {
    if (daemon?.pid) process.kill(-daemon.pid);
    buildkit?.kill();
    delete process.env.BUILDKIT_HOST;
    delete process.env.TMPDIR;
    run('bash', ['-c', 'source test/e2e/storage.sh && storage_tidy || true']);
    rmSync(work, { recursive: true, force: true });
  }
}

interface PreparedApp {
  /** mix.lock after an update of one dependency. */
  lock?: string | undefined;
  /** Serves the git dependencies. */
  daemon?: ChildProcess;
}

function copyApp(folder: string, lock: string | undefined): PreparedApp {
  const isBuilt = (path: string) => /\/(_build|deps|node_modules|\.git)$/.test(path);
  cpSync(folder, app, { recursive: true, filter: (path) => !isBuilt(path) });
  return { lock: lock && readFileSync(lock, 'utf8') };
}

function makeOwnApp(modules: number): PreparedApp {
  const repos = join(work, 'repos');
  const { lock } = makeApp(join(root, 'test/e2e/app'), app, repos, modules);
  const options = ['--export-all', '--reuseaddr', '--listen=127.0.0.1', '--port=9419'];
  const daemon = spawn('git', ['daemon', ...options, `--base-path=${repos}`], {
    stdio: 'ignore',
    detached: true,
  });
  return { lock, daemon };
}

function generate(psql: 'yes' | 'no'): string {
  const flags = `--app shop --region lhr --base debian --psql ${psql} --write yes`.split(' ');
  run('node', ['dist/bin/phoenix-fly.js', 'fly', '--dest', app, ...flags]);
  return readFileSync(join(app, 'Dockerfile'), 'utf8');
}

/** The Dockerfiles to compare, by name, the rival's first. */
function dockerfiles(flags: ImageFlags) {
  const withPsql = generate('yes');
  const ours = generate('no');
  const arg = (name: string): string => new RegExp(`^ARG ${name}=(.*)`, 'm').exec(ours)?.[1] ?? '';
  const [elixir, otp, debian] = ['ELIXIR_VERSION', 'OTP_VERSION', 'DEBIAN_VERSION'].map(arg);
  const mix = readFileSync(join(app, 'mix.exs'), 'utf8');
  const facts: Build = {
    builder: `elixir:${elixir}-otp-${otp}-slim`,
    runner: `debian:${debian}-slim`,
    release: /^CMD \["\/app\/bin\/(\w+)"/m.exec(ours)?.[1] ?? '',
    setup: mix.includes('"assets.setup"'),
    deploy: mix.includes('"assets.deploy"'),
  };
  if (!flags.app)
    run('bash', ['test/e2e/images.sh', 'debian', elixir ?? '', otp ?? '', debian ?? '']);
  const others = (flags.dockerfile ?? []).map((file) => [
    file.replace(/.*\//, ''),
    readFileSync(file, 'utf8'),
  ]);
  const texts: Record<string, string> = {
    'phx.gen.release': phxGenRelease(facts),
    'phoenix-fly': ours,
    [SIZE_ONLY]: withPsql,
    ...Object.fromEntries(others),
  };
  return { ...facts, texts };
}

/** Builds after each kind of change, variants side by side: a machine may be slower some minutes later. */
function measureBuilds(variants: Variant[], edited: string, lock: string | undefined): void {
  const lockFile = join(app, 'mix.lock');
  const oldLock = readFileSync(lockFile, 'utf8');
  const editSource = () => appendFileSync(edited, `# ${Math.random()}\n`);
  const changes: [name: string, change: () => void][] = [
    // Twice: the first build without --no-cache is not yet all from layers
    ['nothing changed', () => {}],
    ['nothing changed', () => {}],
    ['one line in lib/', editSource],
    ['one dependency', () => lock && writeFileSync(lockFile, lock)],
  ];
  // A builder that has the layers, but not the cache mounts. (buildah keeps none that begin with a stage.)
  if (process.env.BUILDKIT_HOST)
    changes.push(
      ['one line, no mounts', editSource],
      ['one dependency, no mounts', () => lock && writeFileSync(lockFile, `${oldLock}\n`)],
    );
  // buildah keeps cache mounts in TMPDIR: each variant has its own
  const cacheFolders = new Map(variants.map(({ name }) => [name, mkdtempSync(join(work, 'tmp-'))]));
  const buildInOwnCache = (variant: Variant, ...options: string[]): number => {
    process.env.TMPDIR = cacheFolders.get(variant.name);
    return build(variant, ...options);
  };
  const timed = variants.filter(({ name }) => name !== SIZE_ONLY);
  for (const variant of timed)
    variant.seconds['from nothing'] = buildInOwnCache(variant, '--no-cache');
  for (const [name, change] of changes) {
    change();
    if (name.endsWith('no mounts')) run('bash', ['bench/forget-mounts.sh']);
    for (const variant of timed) variant.seconds[name] = buildInOwnCache(variant);
  }
  for (const variant of variants) buildInOwnCache(variant, '--load');
}

/** Each figure of each variant, and in brackets how it compares to the first variant. */
function printTable(variants: Variant[], base: Size): void {
  const [rival] = variants;
  if (!rival) return;
  const printRow = (label: string, cells: string[]) =>
    console.log(label.padEnd(34) + cells.map((cell) => cell.padEnd(24)).join(''));
  const printFigures = (label: string, figureOf: (variant: Variant) => number) => {
    const cells = variants.map(figureOf).map((figure) => {
      const ratio = figure / figureOf(rival);
      return Number.isNaN(figure) ? '' : `${figure.toFixed(1)} (${ratio.toFixed(2)})`;
    });
    printRow(label, cells);
  };
  printRow(
    '',
    variants.map(({ name }) => name),
  );
  for (const step of Object.keys(rival.seconds))
    printFigures(`${step} (s)`, ({ seconds }) => seconds[step] ?? NaN);
  printFigures('image above its base (MB)', ({ raw }) => raw - base.raw);
  printFigures('the same, gzip (MB)', ({ gzip }) => gzip - base.gzip);
  printFigures('boot to healthy, least of 3 (s)', ({ boot }) => boot);
}
