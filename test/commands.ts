/** Commands as people start them: in a process of their own, or, where that is not the point, in this one. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { readFlags } from '../src/answers/flags.ts';
import { commands } from '../src/run/command.ts';
import { SHOP } from './support.ts';

export const HERE = fileURLToPath(new URL('..', import.meta.url));
export const PLOP = 'node_modules/plop/bin/plop.js';
export const BINARY = 'bin/phoenix-fly.ts';

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
  script: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import', 'tsx', script, ...args],
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

/**
 * A command as plopfile.ts and the binary call it, in this process and without a terminal.
 * @returns what it printed
 * @throws Problem
 */
export async function call(name: string, dest: string, args: string[]): Promise<string> {
  const command = commands[name];
  if (!command) throw new Error(`no command ${name}`);
  const printed: string[] = [];
  const { log } = console;
  process.stdin.isTTY = false;
  console.log = (text: string) => printed.push(text);
  try {
    const texts = readFlags(['--dest', dest, ...args], command.flags, command.positional);
    const result = await command.run(texts, { command: 'npx plop', from: HERE });
    if (typeof result === 'string') printed.push(result);
    return stripVTControlCharacters(printed.join('\n'));
  } finally {
    console.log = log;
  }
}
