/** Commands as people start them: in a process of their own, or, where that is not the point, in this one. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { main } from '../src/run/command.ts';
import { SHOP } from './support.ts';

export const HERE = fileURLToPath(new URL('..', import.meta.url));
/** What `npm test` bundled: it starts in a fifth of the time that TypeScript takes. */
export const BUNDLE = `${HERE}.test`;
export const BINARY = [`${BUNDLE}/bin/phoenix-fly.js`];
export const PLOP = ['node_modules/plop/bin/plop.js', '--plopfile', `${BUNDLE}/plopfile.js`];

/** npm's own NODE_OPTIONS load tsx, which a shell's don't: twice here, and into npx too. */
export const environment = (env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  NODE_OPTIONS: '',
  ...env,
});

export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Runs PLOP or BINARY without a terminal. uvu asks for colours (FORCE_COLOR); they are taken out. */
export function run(
  script: readonly string[],
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...script, ...args],
      { cwd: HERE, env: environment(env) },
      (error, out, err) => {
        const killed = error ? -1 : 0;
        resolve({
          code: typeof error?.code === 'number' ? error.code : killed,
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

/** A copy of the fixture project, which goes with this process. */
export function shopFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-fly-'));
  cpSync(SHOP, folder, { recursive: true });
  folders.push(folder);
  return folder;
}

/** A run that is under way in a project of its own, so that several can be. */
export interface Started {
  app: string;
  ended: Promise<Ended>;
}

export function begin(start: (app: string) => Promise<Ended>): Started {
  const app = shopFolder();
  return { app, ended: start(app) };
}

/** A whole command line, in this process and without a terminal. */
export async function calledMain(...args: string[]): Promise<{ code: number; out: string }> {
  const printed: string[] = [];
  const { log, error } = console;
  process.stdin.isTTY = false;
  console.log = console.error = (text: string) => printed.push(text);
  try {
    const code = await main({ command: 'npx plop', cwd: HERE }, args);
    return { code, out: stripVTControlCharacters(printed.join('\n')) };
  } finally {
    Object.assign(console, { log, error });
  }
}

/** What a command prints that ends well. @throws Error with what it prints otherwise */
export async function call(name: string, dest: string, args: string[]): Promise<string> {
  const { code, out } = await calledMain(name, '--dest', dest, ...args);
  if (code) throw new Error(out);
  return out;
}
