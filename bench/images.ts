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

const SIZE_ONLY = 'with psql';
/** Modules of the smaller app. */
const SMALL = 60;
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

interface Variant {
  name: string;
  dockerfile: string;
  seconds: Record<string, number>;
  raw: number;
  gzip: number;
  boot: number;
}

const work = mkdtempSync('/var/tmp/phoenix-fly-bench-');
const app = join(work, 'app');
process.env.BUILDAH_ISOLATION = 'chroot';

const run = (command: string, args: string[]): string =>
  execFileSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1e9,
  });

/** A BuildKit of our own, which is what Fly and Docker build with; undefined where it can't be made: then buildah builds. */
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

function build(variant: Variant, ...options: string[]): number {
  const log = join(work, 'build.log');
  const script =
    'TIMEFORMAT="%R %U %S"; { time "$@" >"$0" 2>&1; } 2>&1 || { tail -n 40 "$0" >&2; false; }';
  const image = `bench-${variant.dockerfile}`;
  const command = ['bench/build.sh', work, app, join(work, variant.dockerfile), image, ...options];
  try {
    const times = run('bash', ['-c', script, log, 'bash', ...command]);
    const [wall = NaN] = times.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    console.log(`# ${variant.name} ${options.join(' ')}: ${wall.toFixed(1)} s`);
    return wall;
  } catch (error) {
    throw new Error(
      `${variant.name}: ${String((error as { stderr?: string }).stderr).slice(-3000)}`,
    );
  }
}

/** Sizes of an image in MB: raw, and its layers as a registry holds them. */
function sizes(image: string): { raw: number; gzip: number } {
  const folder = join(work, 'oci');
  run('podman', ['--log-level', 'error', 'push', '-q', image, `oci:${folder}`]);
  const read = (digest: string): { layers: { size: number }[] } =>
    JSON.parse(
      readFileSync(join(folder, 'blobs/sha256', digest.replace('sha256:', '')), 'utf8'),
    ) as { layers: { size: number }[] };
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[];
  };
  const gzip = read(index.manifests[0]?.digest ?? '').layers.reduce(
    (sum, { size }) => sum + size,
    0,
  );
  rmSync(folder, { recursive: true });
  return {
    raw:
      Number(
        run('podman', ['--log-level', 'error', 'image', 'inspect', '--format', '{{.Size}}', image]),
      ) / 1e6,
    gzip: gzip / 1e6,
  };
}

/**
 * Builds the same app with the generated Dockerfile and in the style of phx.gen.release, one after the other, on Debian
 * stand-ins, and prints a table. Needs what test/e2e needs: root, buildah, podman.
 */
export async function benchImages(flags: ImageFlags, modules = SMALL): Promise<void> {
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
    for (const variant of variants) Object.assign(variant, sizes(`bench-${variant.dockerfile}`));
    const boot = ({ dockerfile }: Variant): number =>
      Number(run('bash', ['bench/boot.sh', `bench-${dockerfile}`, app])) / 1000;
    for (let round = 0; round < 3; round += 1)
      for (const variant of variants) variant.boot = Math.min(variant.boot, boot(variant));
    print(variants, sizes(`docker.io/library/${runner}`));
  } finally {
    if (daemon?.pid) process.kill(-daemon.pid);
    buildkit?.kill();
    delete process.env.BUILDKIT_HOST;
    delete process.env.TMPDIR;
    rmSync(work, { recursive: true, force: true });
  }
}

interface Prepared {
  /** mix.lock after an update of one dependency. */
  lock?: string | undefined;
  daemon?: ChildProcess;
}

function copyApp(folder: string, lock: string | undefined): Prepared {
  const isBuilt = (path: string) => /\/(_build|deps|node_modules|\.git)$/.test(path);
  cpSync(folder, app, { recursive: true, filter: (path) => !isBuilt(path) });
  return { lock: lock && readFileSync(lock, 'utf8') };
}

function makeOwnApp(modules: number): Prepared {
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

/** Builds after each kind of change, side by side: a machine may be slower some minutes later. */
function measureBuilds(variants: Variant[], edited: string, lock: string | undefined): void {
  const lockFile = join(app, 'mix.lock');
  const first = readFileSync(lockFile, 'utf8');
  const edit = () => appendFileSync(edited, `# ${Math.random()}\n`);
  const steps: [name: string, change: () => void][] = [
    // Twice: the first build without --no-cache is not yet all from layers
    ['nothing changed', () => {}],
    ['nothing changed', () => {}],
    ['one line in lib/', edit],
    ['one dependency', () => lock && writeFileSync(lockFile, lock)],
  ];
  // A builder that has the layers, but not the cache mounts: buildah keeps none that begin with a stage
  if (process.env.BUILDKIT_HOST)
    steps.push(
      ['one line, no mounts', edit],
      ['one dependency, no mounts', () => lock && writeFileSync(lockFile, `${first}\n`)],
    );
  const timed = variants.filter(({ name }) => name !== SIZE_ONLY);
  // Where buildah keeps cache mounts: each variant begins with none
  const caches = new Map(variants.map(({ name }) => [name, mkdtempSync(join(work, 'tmp-'))]));
  const step = (variant: Variant, ...options: string[]): number => {
    process.env.TMPDIR = caches.get(variant.name);
    return build(variant, ...options);
  };
  for (const variant of timed) variant.seconds['from nothing'] = step(variant, '--no-cache');
  for (const [name, change] of steps) {
    change();
    if (name.endsWith('no mounts')) run('bash', ['bench/forget-mounts.sh']);
    for (const variant of timed) variant.seconds[name] = step(variant);
  }
  for (const variant of variants) step(variant, '--load');
}

function print(variants: Variant[], base: { raw: number; gzip: number }): void {
  const rival = variants[0];
  if (!rival) return;
  const rows: [string, (variant: Variant) => number][] = [
    ...Object.keys(rival.seconds).map((step): [string, (variant: Variant) => number] => [
      `${step} (s)`,
      ({ seconds }) => seconds[step] ?? NaN,
    ]),
    ['image above its base (MB)', ({ raw }) => raw - base.raw],
    ['the same, gzip (MB)', ({ gzip }) => gzip - base.gzip],
    ['boot to healthy, least of 3 (s)', ({ boot }) => boot],
  ];
  console.log(
    ['', ...variants.map(({ name }) => name)]
      .map((cell, index) => cell.padEnd(index ? 24 : 34))
      .join(''),
  );
  for (const [name, of] of rows) {
    console.log(
      name.padEnd(34) +
        variants
          .map((variant) =>
            (Number.isNaN(of(variant))
              ? ''
              : `${of(variant).toFixed(1)} (${(of(variant) / of(rival)).toFixed(2)})`
            ).padEnd(24),
          )
          .join(''),
    );
  }
}
