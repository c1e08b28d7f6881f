import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import { type Exit, environment, ROOT } from './commands.ts';

/**
 * Makes a flyctl. It fails where it is called at a terminal, or with update notices or colours on.
 * @param script the branches of its `case "$*" in`
 * @returns a PATH that begins with its folder, and what was asked so far
 */
export function fakeFlyctl(script: string): { path: string; calls: () => string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'flyctl-'));
  const log = join(folder, 'calls');
  writeFileSync(
    join(folder, 'flyctl'),
    `#!/bin/sh\n[ "$FLY_NO_UPDATE_CHECK$NO_COLOR" = 11 ] && [ ! -t 0 ] || exit 9\necho "$*" >> '${log}'\ncase "$*" in\n${script}\nesac\n`,
  );
  chmodSync(join(folder, 'flyctl'), 0o755);
  return {
    path: `${folder}:${process.env.PATH ?? ''}`,
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}

/** A PATH with a flyctl that is not logged in, so that a test never asks the account of this computer. */
export const loggedOut = (): string =>
  fakeFlyctl('*) echo "Error: no access token available" >&2; exit 1;;').path;

/** Runs a command in a pseudo-terminal, and types each answer when its prompt shows. */
export function typeAnswers(
  [program = '', ...args]: readonly string[],
  app: string,
  answers: [prompt: RegExp, keys: string][],
  PATH = loggedOut(),
): Promise<Exit> {
  return new Promise((resolve) => {
    const terminal = spawn(program, [...args, '--dest', app], {
      cwd: ROOT,
      cols: 120,
      rows: 50,
      env: environment({ CI: '', PATH }),
    });
    let out = '';
    let answered = 0;
    let isTyping = false;
    // A prompt that never shows must not keep the tests waiting
    const timeout = setTimeout(() => terminal.kill(), 40_000);
    terminal.onData((data) => {
      out += data;
      const [[prompt, keys] = []] = answers;
      if (!prompt || isTyping || !prompt.test(out.slice(answered))) return;
      isTyping = true;
      answers.shift();
      setTimeout(() => {
        // The next prompt must show after these keys
        answered = out.length;
        isTyping = false;
        terminal.write(keys ?? '');
      }, 150);
    });
    terminal.onExit(({ exitCode }) => {
      clearTimeout(timeout);
      resolve({ code: exitCode, out, err: '' });
    });
  });
}
