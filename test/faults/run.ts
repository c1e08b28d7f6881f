/**
 * What only shows with real kills, disks and terminals; prints "ok …" and "NOT OK …" lines. Needs a build (npm install makes one),
 * strace, and root for the mounts. `npx tsx test/faults/run.ts [KILLS]`
 */
import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as pty from '@lydell/node-pty';
import { buildSync } from 'esbuild';
import { SHOP } from '../support/fixture.ts';

const KILLS = Number(process.argv[2] ?? 200);
const HERE = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(HERE, 'dist/bin/phoenix-fly.js');
const FLAGS = ['--app', 'shop', '--region', 'lhr', '--postgres', 'shop-db'];
const work = mkdtempSync(join(tmpdir(), 'faults-'));

// The writing alone, in one file
const WRITER = join(work, 'write-changes.mjs');
buildSync({
  entryPoints: [join(HERE, 'src/write/write-changes.ts')],
  outfile: WRITER,
  bundle: true,
  platform: 'node',
  format: 'esm',
});

function report(name: string, wrong: readonly string[]): void {
  if (wrong.length) process.exitCode = 1;
  console.log(
    wrong.length
      ? `NOT OK ${name}: ${wrong.slice(0, 5).join('; ')}${wrong.length > 5 ? ` and ${wrong.length - 5} more` : ''}`
      : `ok ${name}`,
  );
}

/** Every file and folder with its content and mode, in one text. */
function picture(folder: string): string {
  const lines = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const stat = statSync(join(folder, path));
      return `${path} ${stat.mode.toString(8)} ${stat.isDirectory() ? '' : readFileSync(join(folder, path), 'base64')}`;
    });
  return lines.join('\n');
}

function freshApp(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  cpSync(SHOP, folder, { recursive: true });
  return folder;
}

/** A kill leaves something there. */
function freshTemporary(): void {
  rmSync(join(work, 'tmp'), { recursive: true, force: true });
  mkdirSync(join(work, 'tmp'));
}

const leftIn = (folder: string): string[] =>
  readdirSync(folder).filter((name) => /^\.?phoenix-fly-[\w-]{6,}/.test(name));
const fly = (app: string, ...before: string[]) => {
  const [command = process.execPath, ...args] = [
    ...before,
    process.execPath,
    BIN,
    'fly',
    '--dest',
    app,
    ...FLAGS,
    '--write',
    'yes',
  ];
  return spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: join(work, 'tmp') },
  });
};
/** The writing alone, which starts sooner than the whole command. */
function write(into: string, ...before: string[]): SpawnSyncReturns<string> {
  const [command = process.execPath, ...args] = [...before, ...writing(into)];
  return spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: join(work, 'tmp') },
  });
}
const writing = (into: string): string[] => [
  process.execPath,
  '--input-type=module',
  '-e',
  `
  const { writeChanges } = await import(${JSON.stringify(pathToFileURL(WRITER).href)});
  const { readFileSync } = await import('node:fs');
  console.log('here');
  try { writeChanges(${JSON.stringify(into)}, JSON.parse(readFileSync(${JSON.stringify(join(work, 'changes'))}))); } catch (error) { console.error(error.message); process.exitCode = 1; }`,
];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

mkdirSync(join(work, 'tmp'));
const app = freshApp(join(work, 'app'));
const OLD = picture(app);
const first = fly(app);
const NEW = picture(app);
const textsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(folder, path)).isFile())
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  );
const [before, after] = [textsOf(SHOP), textsOf(app)];
writeFileSync(
  join(work, 'changes'),
  JSON.stringify(
    Object.entries(after)
      .filter(([path, text]) => before[path] !== text)
      .map(([path, text]) => ({
        path,
        before: before[path],
        after: text,
        mode: statSync(join(app, path)).mode & 0o777,
      })),
  ),
);
report('a run writes', first.status === 0 && NEW !== OLD ? [] : [first.stdout + first.stderr]);

type Tree = 'old' | 'new' | 'mix';
/** Old, new, or a mix of whole files, which the next run completes; the repo holds nothing else. */
function judge(when: string, wrong: string[]): Tree {
  const now = picture(app);
  if (leftIn(app).length) wrong.push(`${when}: temporary files are left in the repo`);
  if (now === OLD) return 'old';
  if (now === NEW) return 'new';
  fly(app);
  if (picture(app) !== NEW) wrong.push(`${when}: the next run did not complete the mix`);
  return 'mix';
}

/** Kills a command at a random moment between its first output and its end (or, once in three, its start and its end). */
async function randomKills(name: string, kills: number, command: readonly string[]): Promise<void> {
  const wrong: string[] = [];
  const seen = { old: 0, new: 0, mix: 0 };
  const start = () => {
    freshApp(app);
    const child = spawn(command[0] ?? '', command.slice(1), {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, TMPDIR: join(work, 'tmp') },
    });
    return {
      child,
      output: new Promise((resolve) => child.stdout.once('data', resolve).once('end', resolve)),
      ended: new Promise((resolve) => child.once('exit', resolve)),
    };
  };
  const times = [Date.now()];
  const whole = start();
  for (const moment of [whole.output, whole.ended]) {
    await moment;
    times.push(Date.now());
  }
  const [from = 0, output = 0, until = 0] = times;
  for (let round = 0; round < kills; round++) {
    const { child, output: printed, ended } = start();
    if (round % 3) await printed;
    const delay = Math.random() * 1.1 * (until - (round % 3 ? output : from));
    await sleep(delay);
    child.kill('SIGKILL');
    await ended;
    seen[judge(`kill ${round} after ${delay.toFixed(1)} ms`, wrong)]++;
    if (round % 10 === 0) {
      fly(app);
      if (picture(app) !== NEW) wrong.push(`kill ${round}: the next run did not make it new`);
    }
  }
  report(
    `kill -9 of ${name} at ${kills} random moments: ${seen.old} times the old tree, ${seen.new} times the new one, ${seen.mix} times some of both`,
    seen.old && seen.new ? wrong : [...wrong, 'all kills came too early or too late'],
  );
}

/** A run in which the kernel does something else at the nth call of a kind; `done`: there were fewer. */
function inject(
  call: string,
  what: string,
  at: number,
  ...options: string[]
): SpawnSyncReturns<string> & { done: boolean } {
  freshApp(app);
  freshTemporary();
  const log = join(work, 'strace');
  const run = write(
    app,
    'strace',
    '-qq',
    ...options,
    '-o',
    log,
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:${what}:when=${at}`,
  );
  const text = readFileSync(log, 'utf8');
  return { ...run, done: !/INJECTED|killed by SIGKILL|--- SIG(INT|TERM|HUP)/.test(text) };
}

/** At each system call of the writing; deterministic. */
function killsByCall(): void {
  for (const call of ['symlink', 'write', 'mkdir', 'fsync', 'rename', 'unlink']) {
    const wrong: string[] = [];
    const seen = { old: 0, new: 0, mix: 0 };
    let at = 1;
    for (; !inject(call, 'signal=KILL', at).done; at++)
      seen[judge(`kill at ${call} ${at}`, wrong)]++;
    report(
      `kill -9 at each of ${at - 1} calls of ${call}: ${seen.old} old, ${seen.new} new, ${seen.mix} some of both`,
      at > 1 ? wrong : ['no call was seen'],
    );
  }
}

/** Ctrl-C and its like come when the writing is done. */
function signalsByCall(): void {
  for (const signal of ['INT', 'TERM', 'HUP']) {
    const wrong: string[] = [];
    let at = 1;
    for (
      let run = inject('rename', `signal=${signal}`, at);
      !run.done;
      run = inject('rename', `signal=${signal}`, ++at)
    ) {
      if (picture(app) !== NEW || leftIn(app).length || leftIn(join(work, 'tmp')).length)
        wrong.push(`rename ${at}: not the new tree, or something is left`);
    }
    report(`SIG${signal} at each of ${at - 1} renames`, at > 1 ? wrong : ['no rename was seen']);
  }
}

/** The disk refuses one of the calls: the tree stays, one clear line, exit code 1. (The first mkdir, of the staging folder, has other places.) */
function errors(): void {
  for (const [call, error, message] of [
    ['rename', 'EACCES', /nothing was written.*permission denied/],
    ['rename', 'ENOSPC', /nothing was written.*no space left on device/],
    ['mkdir', 'EROFS', /nothing was written.*read-only file system/],
    ['fsync', 'ENOSPC', /nothing was written.*no space left on device/],
  ] as const) {
    const wrong: string[] = [];
    const firstCall = call === 'mkdir' ? 2 : 1;
    let at = firstCall;
    for (
      let run = inject(call, `error=${error}`, at);
      !run.done;
      run = inject(call, `error=${error}`, ++at)
    ) {
      if (picture(app) !== OLD || leftIn(join(work, 'tmp')).length || leftIn(app).length)
        wrong.push(`${call} ${at}: the tree changed or something is left`);
      if (run.status !== 1 || !message.test(run.stderr))
        wrong.push(`${call} ${at}: exit ${run.status}, ${run.stderr.trim()}`);
    }
    report(
      `${error} from each of ${at - 1} calls of ${call}`,
      at > firstCall ? wrong : ['no call was seen'],
    );
  }
}

const mount = (...args: string[]) => execFileSync('mount', args);

function disks(): void {
  const disk = join(work, 'disk');
  mkdirSync(disk);
  mount('-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', disk);
  const there = freshApp(join(disk, 'app'));
  const before = picture(there);
  try {
    // What is left fits some of the files, not all
    for (const free of [0, 8, 16, 24]) {
      const blocks = Number(
        execFileSync('df', ['--output=avail', '-k', disk], { encoding: 'utf8' }).split('\n')[1],
      );
      writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, blocks - free) * 1024));
      const run = fly(there);
      report(
        `a full disk (${free} KB free)`,
        run.status === 1 &&
          /nothing was written.*no space left on device/.test(run.stderr) &&
          picture(there) === before
          ? []
          : [`exit ${run.status}, ${run.stderr}`],
      );
      rmSync(join(disk, 'filler'));
    }
    mount('-o', 'remount,ro', disk);
    const run = fly(there);
    report(
      'a read-only disk',
      run.status === 1 && /read-only/.test(run.stderr) && picture(there) === before
        ? []
        : [`exit ${run.status}, ${run.stderr}`],
    );
    mount('-o', 'remount,rw', disk);
    report(
      'on another disk than the temporary folder',
      fly(there).status === 0 && picture(there) === NEW && leftIn(there).length === 0
        ? []
        : ['not the new tree'],
    );
  } finally {
    execFileSync('umount', [disk]);
  }
  freshApp(app);
  mount('--bind', app, disk);
  try {
    report(
      'on another mount of the same disk',
      fly(disk).status === 0 && picture(app) === NEW && leftIn(app).length === 0
        ? []
        : ['not the new tree'],
    );
  } finally {
    execFileSync('umount', [disk]);
  }
}

/** As somebody who may not write there. */
function permissions(): void {
  freshApp(app);
  execFileSync('chmod', ['-R', 'a+rX', work]);
  execFileSync('chmod', ['a+rwx', join(work, 'tmp')]);
  for (const folder of [app, join(app, 'config'), join(app, 'lib/shop_web')]) {
    freshApp(app);
    execFileSync('chown', ['-R', 'nobody', app]);
    execFileSync('chown', ['root', folder]);
    const before = picture(app);
    const run = fly(app, 'setpriv', '--reuid', 'nobody', '--clear-groups');
    report(
      `a folder of somebody else's (${folder.slice(app.length) || '/'})`,
      run.status === 1 &&
        /nothing was written.*permission denied/.test(run.stderr) &&
        picture(app) === before
        ? []
        : [`exit ${run.status}, ${run.stderr}`],
    );
  }
}

/** Types at a terminal, each answer when its prompt shows. */
function terminal(
  answers: readonly (readonly [RegExp, string])[],
): Promise<{ code: number; asked: boolean }> {
  return new Promise((resolve) => {
    const shell = pty.spawn('npx', ['plop', 'fly', '--dest', app], {
      cwd: HERE,
      cols: 120,
      rows: 50,
      env: { ...process.env, CI: '' },
    });
    const left = [...answers];
    let out = '';
    shell.onData((data) => {
      out += data;
      const [next] = left;
      if (!next?.[0].test(out)) return;
      out = '';
      left.shift();
      setTimeout(() => shell.write(next[1]), 150);
    });
    // A prompt that never came
    const late = setTimeout(() => shell.kill('SIGKILL'), 60_000);
    shell.onExit(({ exitCode }) => {
      clearTimeout(late);
      resolve({ code: exitCode, asked: left.length === 0 });
    });
  });
}

async function interrupts(): Promise<void> {
  const answers: [RegExp, string][] = [
    [/app name/, '\r'],
    [/Region/, 'london'],
    [/London/, '\r'],
    [/Postgres\?/, '\r'],
    [/What to do there/, '\r'],
    [/Write \d files/, ''],
  ];
  for (const [index, [prompt]] of answers.entries()) {
    freshApp(app);
    writeFileSync(join(app, 'Dockerfile'), 'FROM scratch\n');
    const before = picture(app);
    const { code, asked } = await terminal([...answers.slice(0, index), [prompt, '\u0003']]);
    report(
      `Ctrl-C at ${prompt.source}`,
      asked && code === 130 && picture(app) === before
        ? []
        : [`exit ${code}, ${asked ? '' : 'not '}asked`],
    );
  }
  const { code } = await terminal([
    ...answers.slice(0, 4),
    [/What to do there/, '\u001b[B'],
    [/❯ replace/, '\r'],
    [/Write \d files/, 'y\r'],
  ]);
  report(
    'a conflict answered with replace, then yes',
    // What it wrote names the command that was run, npx plop
    code === 0 && /^# Written by/.test(readFileSync(join(app, 'Dockerfile'), 'utf8'))
      ? []
      : [`exit ${code}`],
  );
  freshApp(app);
  writeFileSync(join(app, 'fly.toml'), 'primary_region = "REGION"\n');
  const { code: left, asked } = await terminal([
    ...answers.slice(0, 1),
    [/Region/, '\r'],
    [/Postgres\?/, '\u0003'],
  ]);
  report(
    'a region in fly.toml that is none is not offered',
    asked && left === 130 ? [] : [`exit ${left}`],
  );
}

try {
  if (KILLS) await randomKills('the writing', Math.ceil((KILLS * 3) / 4), writing(app));
  if (KILLS)
    await randomKills('the command', Math.floor(KILLS / 4), [
      process.execPath,
      BIN,
      'fly',
      '--dest',
      app,
      ...FLAGS,
      '--write',
      'yes',
    ]);
  killsByCall();
  signalsByCall();
  errors();
  disks();
  permissions();
  await interrupts();
} catch (error) {
  report('the fault tests ran', [String(error)]);
} finally {
  rmSync(work, { recursive: true, force: true });
}
