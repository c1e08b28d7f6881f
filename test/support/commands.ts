/** Runs commands: in a process of their own, as people start them, or in this one where that is not the point. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { main } from '../../src/run/command.ts';
import { SHOP } from './fixture.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The program as `npm test` has bundled it, which starts in a fifth of the time that TypeScript takes. */
export const BUNDLE = `${ROOT}.test`;
export const PHOENIX_FLY = [`${BUNDLE}/bin/phoenix-fly.js`];
export const PLOP = ['node_modules/plop/bin/plop.js', '--plopfile', `${BUNDLE}/plopfile.js`];

/** Without the NODE_OPTIONS of npm, which load tsx, as a shell has none. */
export const environment = (env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  NODE_OPTIONS: '',
  ...env,
});

export interface Exit {
  code: number;
  out: string;
  err: string;
}

/** Runs PLOP or PHOENIX_FLY without a terminal. Colours, which uvu asks for (FORCE_COLOR), are taken out. */
export function run(
  script: readonly string[],
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<Exit> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...script, ...args],
      { cwd: ROOT, env: environment(env) },
      (error, out, err) => {
        const codeOfKilled = error ? -1 : 0;
        resolve({
          code: typeof error?.code === 'number' ? error.code : codeOfKilled,
          out: stripVTControlCharacters(out),
          err: stripVTControlCharacters(err),
        });
      },
    );
    child.stdin?.end();
  });
}

const folders: string[] = [];
process.on('exit', () =>
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })),
);

/** A copy of the fixture project, which is removed when this process ends. */
export function shopFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-fly-'));
  cpSync(SHOP, folder, { recursive: true });
  folders.push(folder);
  return folder;
}

/** A run that is under way. */
export interface Started {
  /** The folder of its project. */
  app: string;
  exit: Promise<Exit>;
}

/** Starts a run in a copy of the fixture project, so that several can run at once. */
export function startInCopy(start: (app: string) => Promise<Exit>): Started {
  const app = shopFolder();
  return { app, exit: start(app) };
}

/** Runs a command line in this process, without a terminal. */
export async function runMain(...args: string[]): Promise<{ code: number; out: string }> {
  const printed: string[] = [];
  const { log, error } = console;
  const { isTTY } = process.stdin;
  process.stdin.isTTY = false;
  console.log = console.error = (text: string) => printed.push(text);
  try {
    const code = await main({ command: 'npx plop', cwd: ROOT }, args);
    return { code, out: stripVTControlCharacters(printed.join('\n')) };
  } finally {
    Object.assign(console, { log, error });
    process.stdin.isTTY = isTTY;
  }
}

/** What a command prints. @throws Error with that where its exit code is not 0 */
export async function outputOf(name: string, dest: string, args: string[]): Promise<string> {
  const { code, out } = await runMain(name, '--dest', dest, ...args);
  if (code) throw new Error(out);
  return out;
}
